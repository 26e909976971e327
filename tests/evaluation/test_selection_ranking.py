"""Which re-ranker selection is evaluated with."""

from __future__ import annotations

import pytest

from langchain_hugginggpt.evaluation.selection import SelectionData, evaluate_selection, selection_json
from langchain_hugginggpt.evaluation.selection_ranking import CROSS_FITTED, NONE, SHIPPED, Ranked, fairly_ranked
from langchain_hugginggpt.index import ModelCardIndex
from langchain_hugginggpt.index.ranking import shipped_reranker
from tests.evaluation.selection_sets import popular_is_right, word_encoder

SIZE = 60


def seen(size: int = SIZE) -> SelectionData:
    return popular_is_right(size, sha256={"instructions": shipped_reranker().seen[0]})


def ranked(data: SelectionData, *, shipped: bool = False) -> Ranked:
    encoder = word_encoder(SIZE)
    index = ModelCardIndex.from_cards(data.cards, encoder=encoder)
    return fairly_ranked(index, data, encoder, shipped=shipped, on_encoded=None)


def test_requests_that_the_shipped_one_has_not_seen() -> None:
    found = ranked(popular_is_right(SIZE, sha256={"instructions": "other"}))
    assert (found.told, found.note) == (SHIPPED, "The re-ranker that ships has not seen these requests.")
    assert ranked(popular_is_right(SIZE)).told == SHIPPED


def test_requests_that_it_has_seen_are_cross_fitted() -> None:
    found = ranked(seen())
    assert found.told == CROSS_FITTED
    assert "each was ranked by one of 5" in found.note
    assert found.index.search("thing2", task="image-classification")[0].card.id == "zoo/right2"
    with pytest.raises(KeyError):  # there is no re-ranker that may be asked this
        found.index.search("thing3 and thing4")


def test_the_shipped_one_on_request() -> None:
    found = ranked(seen(), shipped=True)
    assert found.told == SHIPPED
    assert "has seen every one of these requests" in found.note


def test_too_few_to_train_on() -> None:
    found = ranked(seen(20))
    assert found.told == NONE
    assert "Not re-ranked" in found.note


def test_an_evaluation_says_so_and_pairs_with_the_baselines() -> None:
    evaluation = evaluate_selection(seen(), baselines=["minilm"], encoder=word_encoder(SIZE))
    told = selection_json(evaluation)
    assert any("cross-fitted" in note for note in evaluation.notes)
    assert told["filtered"]["r1"] == 100.0
    assert told["baselines"]["minilm"]["filtered"]["r1"] == 50.0
    gain = told["gains"]["minilm/filtered.r1"]
    assert gain["gain"] == 50.0
    low, high = gain["interval"]
    assert 30 < low < 50 < high < 70
    assert told["gains"]["minilm/filtered.r5"] == {"gain": 0.0, "interval": [0.0, 0.0]}
    assert set(told["gains"]) == {f"minilm/{k}" for k in told["intervals"] if "/" not in k} | {
        f"minilm/{b}.{m}" for b in ("filtered", "unfiltered") for m in ("r1", "r5", "r10", "mrr")
    } | {"minilm/unfiltered.task1"}
