"""Inputs and models of text tasks that do not go together: what is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from langchain_hugginggpt.index.card import ModelCard
from langchain_hugginggpt.index.errors import ExpertError
from langchain_hugginggpt.tools.errors import InputError, ModelRefusedError
from langchain_hugginggpt.tools.hub_tasks import HUB_TASKS
from langchain_hugginggpt.tools.runners.local import LocalRunner
from langchain_hugginggpt.tools.runners.local.devices import Device
from langchain_hugginggpt.tools.runners.local.model_files import read_model_files
from langchain_hugginggpt.tools.runners.local.text.languages import is_language, meant, nearest, same
from langchain_hugginggpt.tools.runners.local.text.lengths import counts, pieces
from langchain_hugginggpt.tools.runners.local.text.rows import ROWS
from langchain_hugginggpt.tools.runners.local.text.translation import translation
from langchain_hugginggpt.tools.runners.runner import RunnerOutput
from tests.local_models.case import Case
from tests.local_models.text import CASES, CITIES, table_answerer
from tests.local_models.text_generation import nllb
from tests.local_models.tokenizers import word_tokenizer

Run = Callable[..., RunnerOutput]


@pytest.fixture
def run(built: Callable[[Case], Path], local: LocalRunner) -> Run:
    def call(task: str, model: str, **inputs: Any) -> RunnerOutput:
        case = next(c for c in CASES if model in (c.kind if c.task == task else "", c.id))
        built(case)
        return local.run(HUB_TASKS[task], ModelCard(id=case.id, task=task), inputs)

    return call


@pytest.mark.parametrize("text", ["a b", "The cat sat. " * 40, "x" * 700, "word " * 500, "a " + "y" * 300 + " b. c d!"])
def test_pieces_hold_the_whole_text_and_fit(text: str) -> None:
    tokenizer = word_tokenizer()
    made = pieces(text, tokenizer, 20)
    assert "".join("".join(made).split()) == "".join(text.split())
    assert max(counts(tokenizer, made)) <= 20
    assert len(made) < 2 * (1 + counts(tokenizer, [text])[0] / 20) + 2


def test_too_many_labels_are_refused_with_the_limit(run: Run) -> None:
    with pytest.raises(ExpertError, match=r"'candidate_labels' holds 1,001 labels.* at most 1,000"):
        run("zero-shot-classification", "bert-nli", text="a cat", candidate_labels=[f"label {n}" for n in range(1001)])


def test_too_many_choices_are_refused_with_the_limit(run: Run) -> None:
    with pytest.raises(ExpertError, match=r"'choices' holds 1,001 answers.* at most 1,000"):
        run("multiple-choice", "bert", question="Which?", choices=[f"answer {n}" for n in range(1001)])


def test_what_is_too_long_beside_a_text_is_named(run: Run) -> None:
    with pytest.raises(ExpertError, match="'question' takes"):
        run("multiple-choice", "bert", question="cat " * 300, choices=["a", "b"], context="Paris is the capital.")
    with pytest.raises(ExpertError, match="'choices' takes"):
        run("multiple-choice", "bert", question="Which?", choices=["cat " * 300, "b"], context="Paris is the capital.")


def test_a_language_is_not_told_at_length(run: Run) -> None:
    for model in ("t5", "marian", "nllb"):
        with pytest.raises(ExpertError) as told:
            run("translation", model, text="a cat", source_language="x" * 5000, target_language="German")
        assert len(told.value.message) < 400


def test_one_label_is_judged_by_itself(run: Run) -> None:
    made = run("zero-shot-classification", "bert-nli", text="a cat", candidate_labels=["animal {x}"])
    assert 0 < made.values["labels"][0]["score"] < 1
    assert made.notes


def test_a_classifier_that_knows_no_entailment_is_refused(run: Run) -> None:
    with pytest.raises(ModelRefusedError, match=r"none of its classes \(negative, positive\) says that a claim follows"):
        run("zero-shot-classification", "text-classification--bert", text="a cat", candidate_labels=["a", "b"])


def test_a_question_too_long_for_the_model_is_told(run: Run) -> None:
    with pytest.raises(ExpertError, match=r"'question' takes 300 tokens; .* reads 128 at once"):
        run("question-answering", "bert", question="cat " * 300, context="Paris is the capital.")


def test_choices_are_judged_with_and_without_a_text(run: Run) -> None:
    inputs = {"question": "Where is the cat?", "choices": ["on the mat", "in Paris"]}
    alone = run("multiple-choice", "bert", **inputs).values["labels"]
    placed = run("multiple-choice", "bert", **inputs, context="The cat sat on the mat. " * 50)
    assert sum(e["score"] for e in alone) == pytest.approx(1, abs=1e-3)
    assert any("parts" in n for n in placed.notes)


@pytest.mark.parametrize("blank", ["[MASK]", "<mask>", "___", "__", "[mask]"])
def test_blanks_are_known_in_every_form(blank: str, run: Run) -> None:
    assert run("fill-mask", "bert-for-masks", text=f"The {blank} sat.").values["labels"][0]["label"] == "cat"


def test_a_text_without_a_blank_is_the_callers_fault(run: Run) -> None:
    with pytest.raises(InputError, match="'text' has no blank to fill"):
        run("fill-mask", "bert-for-masks", text="The cat sat_on the mat.")


def test_further_blanks_are_told(run: Run) -> None:
    made = run("fill-mask", "bert-for-masks", text="The [MASK] sat on the ___.")
    assert "2 blanks" in made.notes[0]
    assert "for blank 2: 'cat'" in made.notes[0]


def test_a_blank_in_a_long_text_is_filled_from_around_it(run: Run) -> None:
    text = "The dog sat. " * 100 + "The [MASK] sat on it." + " The dog sat." * 100
    made = run("fill-mask", "bert-for-masks", text=text)
    assert made.values["labels"][0]["label"] == "cat"
    assert any("around the blank" in n for n in made.notes)


@pytest.mark.parametrize("count", [0, -1, 0.5, float("nan"), float("inf")])
def test_a_number_of_sentences_must_be_one(count: float, run: Run) -> None:
    with pytest.raises(InputError, match="'max_sentences' must be a whole number"):
        run("summarization", "t5", text="The cat sat.", max_sentences=count)


def test_what_does_not_fit_beside_new_text_is_told(run: Run) -> None:
    for model in ("gpt2-chat", "llama", "t5"):
        with pytest.raises(ExpertError, match=r"'prompt' and 'context' take [\d,]+ tokens together; .* 128 at most"):
            run("text-generation", model, prompt="Write.", context="the cat " * 100)


def test_only_new_text_is_given_and_the_models_own_limit_kept(run: Run) -> None:
    made = run("text-generation", "llama", prompt="once there was a dog")
    assert "dog" not in made.values["text"]
    assert len(made.values["text"].split()) <= 5
    assert any("cut off at 5 tokens" in n for n in made.notes)
    assert any("no chat template" in n for n in made.notes)


def answer_of(folder: Path, how: int, **inputs: Any) -> RunnerOutput:
    """Of a TAPAS that takes every cell of a column, and does one thing with them."""
    (folder / "model").mkdir()
    torch.manual_seed(0)
    table_answerer(folder / "model")
    model = transformers.TapasForQuestionAnswering.from_pretrained(folder / "model")
    with torch.no_grad():
        model.output_weights.zero_()
        model.output_bias.fill_(10)
        model.aggregation_classifier.bias[how] = 100
    model.save_pretrained(folder / "model")
    runner = LocalRunner(models=[folder], device="cpu")
    return runner.run(HUB_TASKS["table-question-answering"], ModelCard(id="model", task="table-question-answering"), inputs)


@pytest.mark.parametrize(("how", "wanted"), [(1, {"22", "5971"}), (2, {"7.333333333", "1990.5"}), (3, {"3", "2"})])
def test_cells_are_added_averaged_and_counted(how: int, wanted: set[str], tmp_path: Path) -> None:
    table = [{"population": 12, "year": 1990.0}, {"population": "7", "year": 1991}, {"population": 3, "year": 1990}]
    made = answer_of(tmp_path, how, question="what is the total?", table=table)
    assert made.values["answer"] in wanted
    assert "column" in made.notes[0]


def test_a_table_too_large_is_refused_with_the_limits(run: Run) -> None:
    for rows in (100, 300):
        with pytest.raises(ExpertError, match=rf"'table' has {rows} rows and 2 columns.* reads 255 rows, 255 columns and 128 tokens"):
            run("table-question-answering", "tapas", question="what?", table=[{"a": n, "b": n} for n in range(rows)])


def test_tables_of_any_form_are_read(run: Run) -> None:
    for table in ([{"a": None}], [{"a": 1}, {"b": float("nan")}], [{1: True, "x": ["y"]}], CITIES):
        assert run("table-question-answering", "tapas", question="what?", table=table).values["answer"]
    made = run("table-to-text", "t5", table=[{"name": "Paris", "n": n} for n in range(60)])
    assert len(made.values["text"].splitlines()) > 1


@pytest.mark.parametrize(
    ("wanted", "code"),
    [("German", "deu_Latn"), ("de", "deu_Latn"), ("deu_latn", "deu_Latn"), ("de-DE", "deu_Latn"), ("Chinese (Traditional)", "zho_Hant"),
     ("zh", "zho_Hans"), ("simplified chinese", "zho_Hans"), ("Klingon", None), ("", None), ("Norwegian", "nob_Latn")],
)  # fmt: skip
def test_languages_are_known_by_name_and_code(wanted: str, code: str | None) -> None:
    assert meant(wanted, ["zho_Hant", "zho_Hans", "deu_Latn", "eng_Latn", "nob_Latn"]) == code


def test_languages_that_are_like_an_unknown_one() -> None:
    assert nearest("Germn", ["deu_Latn", "eng_Latn"]) == ["German (deu_Latn)"]
    assert same("German", "de_DE")
    assert not same("German", "nl")


TEXT = "The cat sat.\n\n\nThe dog sat on the mat. A cat sat.\n- one\n- two"


def test_paragraphs_and_lines_are_kept(run: Run) -> None:
    made = run("translation", "nllb", text=TEXT, source_language="en", target_language="fra")
    assert made.values["text"].count("\n\n\n") == 1


def test_an_unknown_language_is_told_with_the_nearest(run: Run) -> None:
    with pytest.raises(ExpertError, match=r"'Germn', given as 'target_language', is none of the 4 languages .* German \(deu_Latn\)"):
        run("translation", "nllb", text=TEXT, target_language="Germn")
    with pytest.raises(ExpertError, match="must be told which: 'target_language' was not given"):
        run("translation", "nllb", text=TEXT)


def test_a_pair_that_the_model_does_not_do_is_told(run: Run) -> None:
    with pytest.raises(ExpertError, match="it translates English to German, English to French"):
        run("translation", "t5", text=TEXT, target_language="Japanese")
    with pytest.raises(ExpertError, match="'French' as 'target_language': it knows German there"):
        run("translation", "marian", text=TEXT, target_language="French")


def test_the_pair_that_was_chosen_is_told(run: Run) -> None:
    assert run("translation", "t5", text=TEXT).notes[0] == "translated from English into German"
    assert "is not known" in run("translation", "bart", text=TEXT, target_language="French").notes[0]


def test_the_source_is_marked_and_the_target_is_written_first(tmp_path: Path) -> None:
    """By an NLLB whose tokenizer and model are asked directly: what comes out begins with the code that was asked for."""
    torch.manual_seed(0)
    nllb(tmp_path)
    files = read_model_files(tmp_path, "nllb")
    seq2seq = next(row for row in ROWS if row.task == "translation").loaders[0]
    model = seq2seq.load(files, Device(name="cpu", half="float32"))
    made = []
    model.model.register_forward_pre_hook(lambda _, __, kwargs: made.append(kwargs.get("decoder_input_ids")), with_kwargs=True)
    translation(model, {"text": "a cat", "source_language": "French", "target_language": "zh"})
    assert model.tokenizer.src_lang == "fra_Latn"
    written = [ids for ids in made if ids is not None][1]
    assert model.tokenizer.convert_ids_to_tokens(int(written[0, -1])) == "zho_Hans"


@pytest.mark.parametrize(("own", "wanted"), [("roa", "French"), ("mul", "German"), ("de", "German"), ("deu", "de-AT")])
def test_groups_of_languages_take_their_members(own: str, wanted: str, run: Run) -> None:
    assert not is_language(own) or same(wanted, own)


def test_a_model_that_writes_nothing_is_told(tmp_path: Path) -> None:
    case = next(c for c in CASES if c.id == "translation--bart")
    case.build(tmp_path / "ends")
    model = transformers.BartForConditionalGeneration.from_pretrained(tmp_path / "ends")
    with torch.no_grad():
        model.final_logits_bias[0, model.config.eos_token_id] = 1e4
    model.save_pretrained(tmp_path / "ends")
    runner = LocalRunner(models=[tmp_path], device="cpu")
    made = runner.run(HUB_TASKS["translation"], ModelCard(id="ends", task="translation"), {"text": "the cat"})
    assert made.values["text"] == ""
    assert "the model wrote nothing" in made.notes
