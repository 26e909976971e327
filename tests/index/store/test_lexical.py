"""Words: scores worked out by hand, and the words that are left out."""

from __future__ import annotations

import math

import pytest

from langchain_hugginggpt.index import ModelCard, ModelCardIndex
from langchain_hugginggpt.index.store.lexical import query_words
from tests.fakes import WordEncoder


def scores(cards: list[ModelCard], query: str, task: str | None = None) -> dict[str, float]:
    found = ModelCardIndex.from_cards(cards, encoder=WordEncoder("x"))._opened.generation.cards
    numbers, values = found.lexical(query, found.tasks[task] if task else None)
    facts = found.facts(numbers.tolist())
    return {facts[n].id: v for n, v in zip(numbers.tolist(), values.tolist(), strict=True)}


def idf(cards: int, of: int) -> float:
    return math.log(1 + (cards - of + 0.5) / (of + 0.5))


CARDS = [
    ModelCard(id="a/1", task="t", text="quokka quokka quokka"),
    ModelCard(id="a/2", task="t", tags=("quokka",), text="wombat"),
    ModelCard(id="a/3", task="t", text="wombat"),
    ModelCard(id="a/4", task="u", text="quokka"),
]


def test_a_word_counts_once_and_twice_in_the_facts() -> None:
    weight = idf(4, 3)
    assert scores(CARDS, "quokka") == pytest.approx({"a/1": weight, "a/2": 2 * weight, "a/4": weight}, abs=1e-6)
    both = scores(CARDS, "a quokka and a wombat")
    assert both["a/2"] == pytest.approx(2 * idf(4, 3) + idf(4, 2), abs=1e-6)


def test_within_a_task_words_weigh_by_how_rare_they_are_there() -> None:
    assert scores(CARDS, "quokka", "t") == pytest.approx({"a/1": idf(3, 2), "a/2": 2 * idf(3, 2)}, abs=1e-6)
    assert scores(CARDS, "quokka", "u") == pytest.approx({"a/4": idf(1, 1)}, abs=1e-6)


def test_words_are_found_by_their_stem_and_without_accents() -> None:
    cards = [ModelCard(id="a/1", task="t", text="Classifies naïve Größen"), ModelCard(id="a/2", task="t", text="other")]
    for query in ("classify", "classified by", "NAIVE", "größe größen"):
        assert set(scores(cards, query)) == {"a/1"}, query


def test_words_that_very_many_cards_share_are_left_out() -> None:
    cards = [ModelCard(id=f"a/{i}", task="t", text="common" + (" rare" if i < 5 else "")) for i in range(400)]
    assert scores(cards, "common") == {}
    assert set(scores(cards, "common rare")) == {f"a/{i}" for i in range(5)}
    again = ModelCardIndex.from_cards(cards, encoder=WordEncoder("x"))._opened.generation.cards
    for _ in range(3):  # also once it is remembered
        assert len(again.lexical("common rare", None)[0]) == 5


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Find the QUOKKA, the quokka!", ["find", "quokka"]),
        ("foo_bar don't", ["foo", "bar", "don", "t"]),
        ("of the to", []),
        ("", []),
        ("漢字 größe", ["漢字", "größe"]),
        ("x " * 50 + " ".join(f"w{i}" for i in range(100)), ["x", *[f"w{i}" for i in range(39)]]),
    ],
)
def test_query_words(text: str, words: list[str]) -> None:
    assert query_words(text) == words


@pytest.mark.parametrize("query", ["\U00010d30x \u1c90", "a\U0001e2c0b", "\u0345", '" OR *', "NEAR(a b)", "x\x00y", "\ud83d"])
def test_letters_that_fts5_does_not_know_are_no_error(query: str) -> None:
    scores(CARDS, query)
