"""Other rankings of the same cards."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from langchain_hugginggpt.evaluation.baselines.bm25 import Bm25
from langchain_hugginggpt.evaluation.baselines.langchain_faiss import LangChainFaiss
from langchain_hugginggpt.evaluation.baselines.most_downloads import MostDownloads
from langchain_hugginggpt.evaluation.baselines.nearest import Nearest
from langchain_hugginggpt.evaluation.baselines.table import BASELINES, check_names, make_baselines
from langchain_hugginggpt.evaluation.remembering import Remembering
from langchain_hugginggpt.index import ModelCard
from langchain_hugginggpt.index.errors import CardError, UnknownNameError
from tests.fakes import WordEncoder


def card(ident: str, text: str = "", *, task: str = "image-to-text", downloads: int | None = None) -> ModelCard:
    return ModelCard(id=ident, task=task, text=text, downloads=downloads)


def ids(cards: Sequence[ModelCard]) -> list[str]:
    return [c.id for c in cards]


def test_most_downloads_first_whatever_the_query() -> None:
    cards = [card("a", downloads=5), card("b", downloads=50), card("c"), card("d", task="fill-mask", downloads=9), card("e", downloads=0)]
    ranked = MostDownloads(cards)
    assert ids(ranked.rank("dogs", task="image-to-text", k=9)) == ["b", "a", "e"]
    assert ids(ranked.rank("", task=None, k=2)) == ["b", "d"]
    assert ids(ranked.rank("dogs", task="translation", k=9)) == []


def test_without_downloads_there_is_no_most_downloaded() -> None:
    with pytest.raises(CardError, match="Downloads are known for none of the 1 model cards"):
        MostDownloads([card("a")])


WORDY = [
    card("one", "cat dog dog"),
    card("two", "cat cat-and_mouse/bird"),
    card("three", "cat"),
    card("four", "mouse trap", task="fill-mask"),
]


@pytest.mark.parametrize(
    ("query", "task", "expected"),
    [
        ("DOG", None, ["one"]),
        ("dogs", None, ["one"]),
        ("the mouse", None, ["four", "two"]),  # as rare in both, and the shorter text counts more
        ("bird?", None, ["two"]),  # a word that signs stick to is a word
        ("dog or cat", None, ["one", "two", "three"]),  # the rarer word counts more, then the more frequent one in its text
        ("mouse", "image-to-text", ["two"]),
        ("mouse", "translation", []),
        ("elephant", None, []),  # nothing shared: not retrieved
        ("", None, []),
    ],
)
def test_bm25(query: str, task: str | None, expected: list[str]) -> None:
    assert ids(Bm25(WORDY).rank(query, task=task, k=10)) == expected


@pytest.mark.parametrize(
    ("plural", "singular"),
    [("cities", "city"), ("pictures", "picture"), ("boxes", "boxe"), ("dogs", "dog"), ("class", "class"), ("bus", "bus"), ("gas", "gas")],
)
def test_plurals_are_searched_as_singulars(plural: str, singular: str) -> None:
    ranked = Bm25([card("x", plural), card("y", "other")])
    assert ids(ranked.rank(singular, task=None, k=5)) == ids(ranked.rank(plural, task=None, k=5)) == ["x"]
    assert ids(ranked.rank(singular[:-1], task=None, k=5)) == []


def test_bm25_gives_equal_cards_in_their_order() -> None:
    same = [card(f"twin{i}", "cat") for i in (3, 1, 2)]
    assert ids(Bm25([*same, card("other")]).rank("cat", task=None, k=2)) == ["twin3", "twin1"]


MEANT = [card("both", "cats dogs"), card("cats", "cats cats dogs"), card("dogs", "dogs", task="fill-mask"), card("birds", "birds")]


@pytest.mark.parametrize("make", [Nearest, LangChainFaiss])
def test_nearest_first(make: type[Nearest] | type[LangChainFaiss]) -> None:
    # "cats" against ids and texts, in words (cats, dogs, birds): both (1, 1, 0), cats (3, 1, 0), dogs (0, 2, 0), birds (0, 0, 2)
    ranked = make(MEANT, WordEncoder("cats", "dogs", "birds"))
    assert ids(ranked.rank("cats", task="image-to-text", k=2)) == ["cats", "both"]
    assert ids(ranked.rank("dogs", task=None, k=2)) == ["dogs", "both"]
    assert ids(ranked.rank("cats", task="fill-mask", k=5)) == ["dogs"]
    assert ids(ranked.rank("cats", task="translation", k=5)) == []


def test_langchains_store_filters_after_it_has_fetched_twenty() -> None:
    crowd = [card(f"crowd{i}", "cats") for i in range(20)]
    rare = card("rare", "cats birds", task="fill-mask")
    encoder = WordEncoder("cats", "birds")
    assert ids(Nearest([*crowd, rare], encoder).rank("cats", task="fill-mask", k=10)) == ["rare"]
    assert ids(LangChainFaiss([*crowd, rare], encoder).rank("cats", task="fill-mask", k=10)) == []
    assert ids(LangChainFaiss([*crowd[:19], rare], encoder).rank("cats", task="fill-mask", k=10)) == ["rare"]


@pytest.mark.parametrize(("name", "module"), [("bm25", "bm25s"), ("langchain-faiss", "langchain_community.vectorstores")])
def test_a_baseline_whose_library_is_missing_is_left_out(name: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)  # what the import system itself does for a package that is not there
    made = make_baselines([name, "minilm", "most-downloads"], WORDY, WordEncoder("cat"))
    assert list(made.baselines) == ["minilm"]
    assert 'pip install "langchain-hugginggpt[evaluation]"' in made.left_out[name]
    assert "Downloads are known for none" in made.left_out["most-downloads"]


def test_names_are_checked() -> None:
    assert check_names(["bm25", "minilm", "bm25"]) == ("bm25", "minilm")
    assert check_names(BASELINES) == ("most-downloads", "bm25", "minilm", "langchain-faiss")
    with pytest.raises(UnknownNameError, match=r"There is no baseline named 'bm52'\. Did you mean 'bm25'\?"):
        check_names(["bm52"])


class CountingEncoder(WordEncoder):
    """Says what it was asked to encode."""

    def __init__(self, *words: str) -> None:
        super().__init__(*words)
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked += texts
        return super().encode(texts)


def test_what_is_kept_is_encoded_once() -> None:
    inner, seen = CountingEncoder("cats", "dogs"), list[tuple[int, int]]()
    shared = Remembering(inner)
    texts = [f"cats {i}" for i in range(70)]
    shared.keep([*texts, texts[0]], lambda done, of: seen.append((done, of)))
    assert seen == [(64, 70), (70, 70)]
    assert shared.encode([texts[3], texts[1]]).tolist() == inner_vectors(texts[3], texts[1])
    assert sorted(inner.asked) == sorted(texts)
    assert shared.encode(["dogs"]).tolist() == inner_vectors("dogs")
    assert inner.asked[-1] == "dogs"
    assert shared.encode([]).shape == (0, 3)


def inner_vectors(*texts: str) -> list[list[float]]:
    vectors: list[list[float]] = WordEncoder("cats", "dogs").encode(texts).tolist()
    return vectors
