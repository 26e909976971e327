"""Training a re-ranker: what it learns, that it is scored on what it has not seen, and what is written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from langchain_hugginggpt.evaluation.errors import DatasetError
from langchain_hugginggpt.evaluation.training import reranker_card
from langchain_hugginggpt.evaluation.training.reranker import Trained, cross_fit, enough, train_reranker
from langchain_hugginggpt.evaluation.training.reranker_fitting import fit, fold_of
from langchain_hugginggpt.evaluation.training.reranker_lists import Candidates, Requests, own_texts, search_all
from langchain_hugginggpt.index import ModelCardIndex
from langchain_hugginggpt.index.problems import Problems
from langchain_hugginggpt.index.ranking import Reranker
from tests.evaluation.selection_sets import popular_is_right, word_encoder

SIZE = 60


def unheard(stage: str, done: int, of: int) -> None:
    pass


def searches(*, one_task_each: bool = False) -> list[Candidates]:
    data = popular_is_right(SIZE, one_task_each=one_task_each)
    index = ModelCardIndex.from_cards(data.cards, encoder=word_encoder(SIZE))
    return list(search_all(data, index, Problems(), unheard))


def nothing() -> Requests:
    return Requests(tasks=(), vectors=np.empty((0, SIZE + 1), np.float32))


@pytest.fixture(scope="module")
def trained() -> Trained:
    data = popular_is_right(SIZE, sha256={"instructions": "abc"})
    return train_reranker([data], word_encoder(SIZE), seed=1, on_progress=unheard)


def test_it_learns_what_decides(trained: Trained) -> None:
    figures = trained.figures["zoo"]
    assert figures["fused/filtered.r1"].value == 0.5
    assert figures["filtered.r1"].value == 1.0
    assert figures["filtered.r1"].n == SIZE
    assert figures["unfiltered.r5"].value == 1.0
    assert trained.reranker.seen == ("abc",)
    assert trained.reranker.encoder == "words"


def test_each_request_is_searched_for_twice_and_keeps_its_right_card() -> None:
    found = searches()
    assert [(s.case, s.query.task is None) for s in found[:4]] == [("0", False), ("0", True), ("1", False), ("1", True)]
    for search in found:
        assert search.right is not None
        assert search.found[search.right].card.id == search.model
        assert all(search.query.task in (None, e.card.task) for e in search.found)


def test_no_request_is_ranked_by_what_has_seen_its_model() -> None:
    found = searches(one_task_each=True)
    ranker = cross_fit(found, nothing(), seed=0, on_progress=unheard)
    for search in found:
        tasks = ranker.of(search.query.text).tasks
        assert search.model_task not in tasks  # each task has one right model
        assert len(tasks) > SIZE / 2
    assert set(fit(found, nothing(), seed=0).tasks) == {s.model_task for s in found}


def test_the_same_seed_gives_the_same_weights() -> None:
    found = searches()
    one, same, other = (fit(found, nothing(), seed=s) for s in (1, 1, 2))
    for name, weight in one.weights.items():
        assert np.array_equal(weight, same.weights[name])
    assert not np.array_equal(one.weights["out"], other.weights["out"])


def test_folds_are_dealt_by_model() -> None:
    dealt = [fold_of(f"zoo/m{i}", 5, "a") for i in range(500)]
    assert {dealt.count(k) > 60 for k in range(5)} == {True}
    assert dealt != [fold_of(f"zoo/m{i}", 5, "b") for i in range(500)]


def test_too_few_requests_are_refused() -> None:
    with pytest.raises(DatasetError, match="At least 50"):
        train_reranker([popular_is_right(20)], word_encoder(20), seed=0, on_progress=unheard)
    assert not enough(searches()[:98])
    assert enough(searches()[:100])


def test_weights_and_card_are_written(trained: Trained, tmp_path: Path) -> None:
    path = reranker_card.save(trained, tmp_path / "made" / "r.safetensors", command="hugginggpt train reranker --data zoo")
    assert Reranker.load(path).seen == ("abc",)
    card = path.with_suffix(".md").read_text("utf-8")
    assert "- zoo: 60 requests" in card
    assert "| zoo | right task | 100.0 (50.0; +" in card
    assert "    hugginggpt train reranker --data zoo\n" in card
    (tmp_path / "file").write_text("x")
    with pytest.raises(DatasetError, match="cannot be written"):
        reranker_card.save(trained, tmp_path / "file" / "r.safetensors", command="")


def test_own_requests_want_one_task() -> None:
    assert len(own_texts()) > 1000
