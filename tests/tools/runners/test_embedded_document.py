"""Answers from printed pages. Figures: `measured_on` was written after the expert was finished and looked at once."""

from __future__ import annotations

import pytest
from PIL import Image

from langchain_hugginggpt.index.minilm import MiniLM
from langchain_hugginggpt.tools.artifacts import ArtifactStore
from langchain_hugginggpt.tools.runners.embedded import EmbeddedRunner
from langchain_hugginggpt.tools.runners.embedded.document import NO_ANSWER, NOT_FOUND, answer_from_lines, exactness
from langchain_hugginggpt.tools.runners.embedded.ocr import NOTHING_PRINTED
from tests.tools.runners.pages import RECEIPT, cases, do, printed, stored, turned


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Read this receipt and tell me the total.", "TOTAL 23.40"),
        ("how much did I pay in the end", "TOTAL 23.40"),
        ("What is the subtotal?", "Subtotal 20.00"),
        ("which shop is this from", "CORNER GROCERY"),
        ("what date", "Date: 12/03/2024"),
    ],
)
def test_a_receipt_that_lies_askew(embedded: EmbeddedRunner, store: ArtifactStore, question: str, answer: str) -> None:
    out = do(embedded, "document-question-answering", image=stored(store, turned(printed(RECEIPT), 3)), question=question)
    assert out.values["answer"] == answer
    assert 0 < out.values["score"] <= 1


def test_what_is_not_on_the_page_is_not_answered(embedded: EmbeddedRunner, store: ArtifactStore) -> None:
    out = do(embedded, "document-question-answering", image=stored(store, printed(RECEIPT)), question="Who won the football match?")
    assert out.values["answer"] == NO_ANSWER
    assert out.values["score"] < 0.15
    assert NOT_FOUND in out.notes


def test_an_empty_page_says_so(embedded: EmbeddedRunner, store: ArtifactStore) -> None:
    blank = stored(store, Image.new("RGB", (300, 300), "white"))
    out = do(embedded, "document-question-answering", image=blank, question="What is the total?")
    assert out.values == {"answer": NO_ANSWER, "score": 0.0}
    assert out.notes == (NOTHING_PRINTED,)


def test_a_label_brings_its_value_from_the_next_line() -> None:
    lines = ["Brightwater Ltd", "Invoice date:", "3 May 2024", "Pipe 20.00", "Amount due", "246.00"]
    assert answer_from_lines("What is the invoice date?", lines, MiniLM())[0] == "Invoice date: 3 May 2024"
    assert answer_from_lines("How much do I have to pay?", lines, MiniLM())[0] == "Amount due 246.00"


def test_exactness_tells_a_total_from_a_subtotal() -> None:
    assert exactness("What is the total?", "TOTAL 23.40") == 1
    assert 0 < exactness("What is the total?", "Total items sold 4") < 1
    assert exactness("What is the total?", "Subtotal 20.00") == 0


@pytest.mark.parametrize(("part", "floor"), [("developed_on", 0.95), ("held_out", 0.75), ("measured_on", 0.8)])
def test_share_of_right_answers_stays_at_what_was_measured(embedded: EmbeddedRunner, part: str, floor: float) -> None:
    data, encoder, right = cases("document_cases.json"), MiniLM(), 0
    for page, question, wanted in data[part]:
        answer, _ = answer_from_lines(question, data["pages"][page], encoder)
        right += wanted in answer if wanted is not None else not answer
    assert right / len(data[part]) >= floor
