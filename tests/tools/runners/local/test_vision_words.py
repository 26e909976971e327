"""Pictures and words on this machine: long texts, pages of many words, models that do something else."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from langchain_hugginggpt.index.card import ModelCard
from langchain_hugginggpt.tools.errors import ModelRefusedError
from langchain_hugginggpt.tools.hub_tasks import HUB_TASKS
from langchain_hugginggpt.tools.runners.embedded.reading_order import Piece
from langchain_hugginggpt.tools.runners.local import LocalRunner
from langchain_hugginggpt.tools.runners.local.devices import Device
from langchain_hugginggpt.tools.runners.local.loaded import LoadedModel
from langchain_hugginggpt.tools.runners.local.model_files import read_model_files
from langchain_hugginggpt.tools.runners.local.table import LOCAL
from langchain_hugginggpt.tools.runners.local.vision import documents
from langchain_hugginggpt.tools.runners.local.vision.captions import image_to_text
from langchain_hugginggpt.tools.runners.local.vision.documents import NO_ANSWER, answer_among, document_question_answering, word_boxes
from langchain_hugginggpt.tools.runners.local.vision.questions import image_text_to_text
from langchain_hugginggpt.tools.runners.local.vision.retrieval import visual_document_retrieval
from langchain_hugginggpt.tools.runners.runner import RunnerOutput
from tests.local_models import vision, vision_words
from tests.local_models.case import Case
from tests.local_models.samples import Samples

CPU = Device(name="cpu", half="float32")


def run(local: LocalRunner, built: Callable[[Case], Path], case_id: str, **inputs: Any) -> RunnerOutput:
    case = next(c for c in vision.CASES if c.id == case_id)
    built(case)
    return local.run(HUB_TASKS[case.task], ModelCard(id=case.id, task=case.task), inputs)


def load(folder: Path, task: str, number: int = 0) -> LoadedModel:
    return LOCAL[task].loaders[number].load(read_model_files(folder, folder.name), CPU)


@pytest.fixture
def looks_for_acme(tmp_path: Path) -> LoadedModel:
    """LayoutLM whose answer is the word "acme": its layers pass on what they get, and of words it sees nothing but this."""
    vision_words.layoutlm(tmp_path)
    model = load(tmp_path, "document-question-answering")
    network = model.model
    with torch.no_grad():
        for parameter in network.layoutlm.embeddings.parameters():
            parameter.zero_()
        network.layoutlm.embeddings.LayerNorm.weight.fill_(1)
        words = network.layoutlm.embeddings.word_embeddings.weight
        words[:, 1] = 1.0
        words[model.tokenizer.convert_tokens_to_ids("acme")] = torch.nn.functional.one_hot(torch.tensor(0), words.shape[1]).float()
        for layer in network.layoutlm.encoder.layer:
            for dense in (layer.attention.output.dense, layer.output.dense):
                dense.weight.zero_()
                dense.bias.zero_()
        network.qa_outputs.weight.zero_()
        network.qa_outputs.weight[:, 0] = 2.0
        network.qa_outputs.bias.zero_()
    return model


@pytest.mark.parametrize("at", [0, 40, 120, 700, 1499])
def test_an_answer_is_found_anywhere_on_a_long_page(at: int, looks_for_acme: LoadedModel) -> None:
    """1,500 words, of which a model reads some hundred at once."""
    words = [("cat" if n != at else "acme", [n % 1000, n // 2, n % 1000, n // 2]) for n in range(1500)]
    with torch.inference_mode():
        output = answer_among(looks_for_acme, "who ?", words)
    assert output.values["answer"] == "acme"
    assert 0.2 < output.values["score"] <= 1


def test_a_page_without_words(looks_for_acme: LoadedModel) -> None:
    output = answer_among(looks_for_acme, "who ?", [])
    assert output.values == {"answer": NO_ANSWER, "score": 0.0}
    assert output.notes


def test_a_page_of_one_word_in_another_script(looks_for_acme: LoadedModel) -> None:
    with torch.inference_mode():
        output = answer_among(looks_for_acme, "谁？", [("合計", [0, 0, 10, 10])])
    assert output.values["answer"] in ("合計", NO_ANSWER)


def test_a_question_as_long_as_a_book(looks_for_acme: LoadedModel) -> None:
    with pytest.raises(ModelRefusedError, match="'question' is too long"):
        answer_among(looks_for_acme, "what " * 1000, [("acme", [0, 0, 1, 1])])


def test_without_ocr_it_is_said_how_to_get_it(looks_for_acme: LoadedModel, samples: Samples, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "find_spec", lambda name: None if name == "rapidocr" else find_spec(name))
    with pytest.raises(ModelRefusedError, match=r"no OCR is installed.*hugginggpt\[embedded\]"):
        document_question_answering(looks_for_acme, {"image": samples.picture, "question": "who?"})


def test_words_stand_where_they_are_printed() -> None:
    def piece(text: str, left: float, top: float, right: float, bottom: float) -> Piece:
        return Piece(text=text, score=1.0, corners=np.array([[left, top], [right, top], [right, bottom], [left, bottom]], float))

    found = word_boxes(
        [piece("23.40", 700, 102, 800, 118), piece("To be", 100, 100, 200, 120), piece("ACME", -5, 0, 2050, 20)], (1000, 200)
    )
    assert found == [
        ("ACME", [0, 0, 1000, 100]),
        ("To", [100, 500, 140, 600]),
        ("be", [160, 500, 200, 600]),
        ("23.40", [700, 510, 800, 590]),
    ]


def test_donut_that_reads_no_questions_is_refused(tmp_path: Path, samples: Samples) -> None:
    """A captioner is of the same class; only its words tell."""
    vision_words.vit_gpt2(tmp_path)
    with pytest.raises(ModelRefusedError, match="no questions"):
        document_question_answering(load(tmp_path, "document-question-answering", 1), {"image": samples.picture, "question": "who?"})


@pytest.mark.parametrize(
    ("case_id", "port"),
    [
        ("visual-question-answering--vilt", "question"),
        ("visual-question-answering--blip", "question"),
        ("document-question-answering--donut", "question"),
        ("image-text-to-text--llava", "prompt"),
    ],
)
@pytest.mark.parametrize("words", [50, 100_000])
def test_what_is_too_long_is_refused(
    case_id: str, port: str, words: int, local: LocalRunner, built: Callable[[Case], Path], samples: Samples
) -> None:
    if (case_id, words) == ("image-text-to-text--llava", 50):
        pytest.skip("it reads that many")
    with pytest.raises(ModelRefusedError, match=rf"'{port}' is too long .* Give a shorter {port}"):
        run(local, built, case_id, image=samples.picture, **{port: "zqx " * words})


@pytest.mark.parametrize("text", ["?", "ما هذا؟", "这是什么？", "🐱🐱", "a" * 150])
@pytest.mark.parametrize(("case_id", "port"), [("visual-question-answering--blip", "question"), ("image-text-to-text--llava", "prompt")])
def test_questions_of_every_script(
    text: str, case_id: str, port: str, local: LocalRunner, built: Callable[[Case], Path], samples: Samples
) -> None:
    if len(text) > 60 and "blip" in case_id:
        pytest.skip("too long for it")
    (answer,) = run(local, built, case_id, image=samples.picture, **{port: text}).values.values()
    assert isinstance(answer, str)


def test_a_prompt_cannot_ask_for_a_second_picture(local: LocalRunner, built: Callable[[Case], Path], samples: Samples) -> None:
    """The mark of a picture in the text of the prompt is text."""
    plain, marked = (
        run(local, built, "image-text-to-text--llava", image=samples.picture, prompt=prompt).values["text"]
        for prompt in ("what is red ?", "what is <image> red ?")
    )
    assert plain == marked


@pytest.mark.parametrize("ends", [True, False])
def test_a_text_that_is_cut_is_said_to_be(ends: bool, tmp_path: Path, samples: Samples) -> None:
    """By a model that may only write its end, and by one that may not."""
    vision_words.vit_gpt2(tmp_path)
    model = load(tmp_path, "image-to-text")
    end = model.model.generation_config.eos_token_id
    model.model.generation_config.suppress_tokens = [n for n in range(len(model.tokenizer)) if (n == end) != ends]
    with torch.inference_mode():
        output = image_to_text(model, {"image": samples.picture})
    assert (output.values["text"] == "") == ends
    assert output.notes == (("the model said nothing about the picture",) if ends else ("the text was stopped at 62 tokens",))


def test_a_model_without_conversation_is_refused(tmp_path: Path, samples: Samples) -> None:
    vision_words.llava(tmp_path)
    (tmp_path / "chat_template.jinja").unlink()
    with pytest.raises(ModelRefusedError, match="no chat template"):
        image_text_to_text(load(tmp_path, "image-text-to-text"), {"image": samples.picture, "prompt": "what is red?"})


@pytest.mark.parametrize("number", [0, 1])
def test_pages_are_scored_one_by_one(number: int, tmp_path: Path, samples: Samples) -> None:
    """A page's score does not hang on the others; the same page twice has the same score, in the order given."""
    (vision_words.colpali, vision_words.clip)[number](tmp_path)
    model = load(tmp_path, "visual-document-retrieval", number)
    other = samples.of_image(Image.new("RGB", (1, 1), "green"), "dot.png")
    with torch.inference_mode():
        both = visual_document_retrieval(model, {"query": "cat", "images": [samples.picture, other, samples.picture]})
        alone = visual_document_retrieval(model, {"query": "cat", "images": [samples.picture]})
    scores = {d["index"]: d["score"] for d in both.values["documents"]}
    assert sorted(scores) == [0, 1, 2]
    assert scores[0] == scores[2] == alone.values["documents"][0]["score"]
    indices = [d["index"] for d in both.values["documents"]]
    assert indices.index(0) < indices.index(2)
    assert both.notes[0].startswith("page 2: ")


def test_late_interaction_is_that_of_the_library(tmp_path: Path, samples: Samples) -> None:
    vision_words.colpali(tmp_path)
    model = load(tmp_path, "visual-document-retrieval")
    with torch.inference_mode():
        found = visual_document_retrieval(model, {"query": "cat", "images": [samples.picture]}).values["documents"][0]["score"]
        with Image.open(samples.picture.path) as picture:
            page = model.processor.process_images([picture.convert("RGB")], return_tensors="pt")
        page.pop("labels")
        asked, seen = (model.model(**batch).embeddings for batch in (model.processor.process_queries(["cat"], return_tensors="pt"), page))
        wanted = model.processor.score_retrieval(list(asked), list(seen))
    assert found == pytest.approx(float(wanted[0, 0]), rel=1e-4)


def test_a_query_that_is_too_long(tmp_path: Path, samples: Samples) -> None:
    vision_words.clip(tmp_path)
    with pytest.raises(ModelRefusedError, match="'query' is too long"):
        visual_document_retrieval(load(tmp_path, "visual-document-retrieval", 1), {"query": "cat " * 300, "images": [samples.picture]})


def test_a_donut_for_questions_writes_no_captions(tmp_path: Path, samples: Samples) -> None:
    vision_words.donut(tmp_path)
    with pytest.raises(ModelRefusedError, match="answers questions about pages"):
        image_to_text(load(tmp_path, "image-to-text"), {"image": samples.picture})
