"""Texts of any length and script, for every task that reads one: nothing is cut off silently."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from langchain_hugginggpt.index.card import ModelCard
from langchain_hugginggpt.tools.hub_tasks import HUB_TASKS
from langchain_hugginggpt.tools.runners.embedded.answer import NO_ANSWER
from langchain_hugginggpt.tools.runners.local import LocalRunner
from langchain_hugginggpt.tools.runners.local.text.spans import inside_word
from langchain_hugginggpt.tools.runners.runner import RunnerOutput
from tests.local_models.case import Case
from tests.local_models.text import CASES, TAGGED

Run = Callable[..., RunnerOutput]

TEXT_CASES = [c for c in CASES if any(p.name in ("text", "context", "sentences", "documents") for p in HUB_TASKS[c.task].inputs)]
LONG = "The cat sat on the mat and the dog sat on the cat. " * 60
ODD = {
    "one character": "a",
    "arabic": "باريس هي عاصمة فرنسا. " * 40,
    "chinese": "巴黎是法国的首都。" * 60,
    "thai": "ปารีสเป็นเมืองหลวง" * 20,
    "emoji": "👩‍👩‍👧‍👦🎉" * 60,
    "one word": "a" * 600,
    "marks": "?!." * 100,
    "controls": "a\u0000b\u200b\ufeff c\r\n\r\n\td",
}


@pytest.fixture
def run(built: Callable[[Case], Path], local: LocalRunner) -> Run:
    """Runs the tiny model of a task's case of a kind."""

    def call(task: str, kind: str, **inputs: Any) -> RunnerOutput:
        case = next(c for c in CASES if c.task == task and c.kind == kind)
        built(case)
        return local.run(HUB_TASKS[task], ModelCard(id=case.id, task=task), inputs)

    return call


def with_text(case: Case, text: str) -> Mapping[str, Any]:
    """A case's inputs with another text in them."""
    inputs = dict(case.inputs(None))  # type: ignore[arg-type]  # these cases take no files
    port = next(
        n for n in ("text", "context", "documents", "sentences") if n in inputs or n in [p.name for p in HUB_TASKS[case.task].inputs]
    )
    return {**inputs, port: [text, "Paris", text] if port in ("documents", "sentences") else text}


@pytest.mark.parametrize("case", [c for c in TEXT_CASES if c.task not in ("text-generation", "fill-mask")], ids=lambda c: c.id)
def test_a_long_text_is_read_whole(case: Case, run: Run) -> None:
    made = run(case.task, case.kind, **with_text(case, LONG if case.task != "translation" else LONG[:150]))
    json.dumps(made.values, allow_nan=False)
    if case.task != "translation":  # whose sentences are translated one by one
        assert any("part" in note for note in made.notes), made.notes


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("case", [c for c in TEXT_CASES if c.task not in ("text-generation", "fill-mask")], ids=lambda c: c.id)
def test_odd_texts_do_no_harm(case: Case, odd: str, run: Run) -> None:
    made = run(case.task, case.kind, **with_text(case, ODD[odd]))
    json.dumps(made.values, allow_nan=False)


def test_entities_are_found_wherever_windows_end(run: Run) -> None:
    text = TAGGED * 100
    found = run("token-classification", "bert", text=text).values["entities"]
    wanted = [
        (label, start + n * len(TAGGED), name)
        for n in range(100)
        for label, start, name in (("PER", 0, "John Smith"), ("ORG", 20, "Acme"), ("LOC", 28, "London"))
    ]
    assert [(e["label"], e["start"], e["text"]) for e in found] == wanted
    assert all(text[e["start"] : e["end"]] == e["text"] for e in found)


def test_words_are_whole_and_scripts_without_spaces_are_not_one_word(run: Run) -> None:
    words = [e["text"] for e in run("token-classification", "roberta", text="Extraordinary  x-ray, 3.5\n").values["entities"]]
    assert words[:5] == ["Extraordinary", "x", "-", "ray", ","]
    text = "an 巴黎 ok"
    assert [n for n in range(len(text) + 1) if inside_word(text, n)] == [1, 7]


def test_the_end_of_a_long_text_counts(run: Run) -> None:
    one = run("text-classification", "bert", text=LONG + "I hate this terrible movie").values["labels"]
    other = run("text-classification", "bert", text=LONG + "Paris is the capital").values["labels"]
    assert {e["label"]: e["score"] for e in one} != {e["label"]: e["score"] for e in other}


@pytest.mark.parametrize("before", [0, 1, 50, 400])
def test_an_answer_is_found_anywhere(before: int, run: Run) -> None:
    text = "The cat sat on the mat. " * before + "The capital of France is Paris. " + "A dog sat on it. " * 100
    made = run("question-answering", "bert", question="What is the capital of France?", context=text)
    assert made.values["answer"] == "Paris"
    assert made.values["score"] > 0.5


def test_a_text_without_an_answer_says_so(run: Run) -> None:
    for text in ("The cat sat on the mat.", "The cat sat on the mat. " * 200):
        made = run("question-answering", "bert", question="Where is Paris?", context=text)
        assert made.values["answer"] == NO_ANSWER
        assert made.values["score"] < 0.2
        assert any("does not answer" in n for n in made.notes)


def test_a_long_document_counts_by_its_best_part(run: Run) -> None:
    text = "Paris is the capital of France."
    made = run("text-retrieval", "sentence-transformer", query=text, documents=["A dog.", f"{LONG} {text}", text])
    found = {e["index"]: e["score"] for e in made.values["documents"]}
    alone = run("text-retrieval", "sentence-transformer", query=text, documents=[LONG]).values["documents"][0]["score"]
    assert made.values["documents"][0]["index"] == 2
    assert found[1] >= alone - 1e-5


def test_equal_texts_are_equally_similar_however_long(run: Run) -> None:
    made = run("sentence-similarity", "sentence-transformer", source_sentence=LONG, sentences=[LONG, "Paris", LONG])
    assert made.values["scores"][0] == pytest.approx(1, abs=1e-3)
    assert made.values["scores"][0] == pytest.approx(made.values["scores"][2], abs=1e-5)
