"""Figures over ranked lists, worked out by hand."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from langchain_hugginggpt.evaluation.metrics.retrieval import recall_at, reciprocal_rank, task_at_1
from langchain_hugginggpt.evaluation.record import Score
from langchain_hugginggpt.index.errors import CallerError

RANKS = (1, 3, None, 12)


def ratio(scores: Iterable[Score]) -> float:
    above, below = map(sum, zip(*scores, strict=True))
    return above / below


@pytest.mark.parametrize(("k", "expected"), [(1, 1 / 4), (2, 1 / 4), (3, 2 / 4), (10, 2 / 4), (12, 3 / 4)])
def test_recall(k: int, expected: float) -> None:
    assert ratio(recall_at(rank, k) for rank in RANKS) == expected


def test_mean_reciprocal_rank() -> None:
    assert ratio(reciprocal_rank(rank) for rank in RANKS) == pytest.approx((1 + 1 / 3 + 0 + 1 / 12) / 4)


def test_what_was_not_retrieved_counts_as_a_failure_and_not_as_a_case_less() -> None:
    assert recall_at(None, 10) == reciprocal_rank(None) == task_at_1(None, "fill-mask") == (0.0, 1.0)


def test_task_at_1() -> None:
    assert ratio([task_at_1("fill-mask", "fill-mask"), task_at_1("translation", "fill-mask"), task_at_1("robotics", "robotics")]) == 2 / 3


@pytest.mark.parametrize("rank", [0, -1])
def test_ranks_count_from_1(rank: int) -> None:
    with pytest.raises(CallerError, match=f"Ranks count from 1; {rank} is none"):
        recall_at(rank, 5)
    with pytest.raises(CallerError, match=f"Ranks count from 1; {rank} is none"):
        reciprocal_rank(rank)


def test_k_counts_from_1() -> None:
    with pytest.raises(CallerError, match="k must be 1 or more, not 0"):
        recall_at(1, 0)
