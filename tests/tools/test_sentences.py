"""The sentence splitter."""

from __future__ import annotations

import time

import pytest

from langchain_hugginggpt.tools.sentences import MAX_LENGTH, sentences


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", []),
        (" \n\t\n", []),
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("Mr. Smith paid $3.50 at 5 p.m. on Monday. He left.", ["Mr. Smith paid $3.50 at 5 p.m. on Monday.", "He left."]),
        ("J. R. R. Tolkien wrote it, e.g. in 1937, see Fig. 3.", ["J. R. R. Tolkien wrote it, e.g. in 1937, see Fig. 3."]),
        ("He moved to the U.S. The rest is history.", ["He moved to the U.S.", "The rest is history."]),
        ('"Stop!" he said. "Why?" She ran.', ['"Stop!" he said.', '"Why?"', "She ran."]),
        ("Wait… No.", ["Wait…", "No."]),
        ("1. Introduction\n2. Results were good.", ["1. Introduction", "2. Results were good."]),
        ("- first item\n- second item", ["- first item", "- second item"]),
        ("# Title\nThe text follows.", ["Title", "The text follows."]),
        ("今天天气很好。我们去公园吧！好吗？", ["今天天气很好。", "我们去公园吧！", "好吗？"]),
    ],
)
def test_sentences_are_cut_where_a_reader_would(text: str, wanted: list[str]) -> None:
    assert sentences(text) == wanted


def test_wrapped_lines_are_joined_and_separate_lines_are_not() -> None:
    wrapped = "The city of Marlow opened its new\ntram line on Monday after six years\nof con-\nstruction. Mayor Ingrid Falk said it."
    assert sentences(wrapped) == [
        "The city of Marlow opened its new tram line on Monday after six years of construction.",
        "Mayor Ingrid Falk said it.",
    ]
    receipt = ["CORNER GROCERY", "Date: 12/03/2024 14:35", "Bread 2.40", "Milk 2 x 1.10 2.20", "TOTAL 23.40"]
    assert sentences("\n".join(receipt)) == receipt
    letter = "Dear Ms Okafor,\nI am writing about the flat at 27 Harbour Road, that I have rented\nsince May.\nYours sincerely,\nTom Lee"
    assert sentences(letter)[0] == "Dear Ms Okafor,"
    assert sentences(letter)[1] == "I am writing about the flat at 27 Harbour Road, that I have rented since May."
    assert sentences(letter)[2:] == ["Yours sincerely,", "Tom Lee"]


@pytest.mark.parametrize("text", ["word " * 5000, "a" * 5000, "clause one, clause two; " * 300], ids=["words", "letters", "clauses"])
def test_text_without_full_stops_is_cut_to_length_and_nothing_is_lost(text: str) -> None:
    pieces = sentences(text)
    assert max(map(len, pieces)) <= MAX_LENGTH
    assert "".join("".join(pieces).split()) == "".join(text.split())


@pytest.mark.parametrize(
    "text",
    ["a\n" * 300_000, ". " * 300_000, "." * 600_000, "Mr. " * 150_000, '"' * 600_000],
    ids=["lines", "stops", "dots", "titles", "quotes"],
)
def test_hostile_texts_take_linear_time(text: str) -> None:
    started = time.perf_counter()
    sentences(text)
    assert time.perf_counter() - started < 10
