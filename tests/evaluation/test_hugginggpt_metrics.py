"""HuggingGPT's planning metrics, by hand."""

from __future__ import annotations

import pytest

from langchain_hugginggpt.evaluation.metrics import hugginggpt
from langchain_hugginggpt.evaluation.metrics.counts import Counts, of_bags, of_sets
from langchain_hugginggpt.evaluation.metrics.sequences import distance


def test_accuracy_is_order_too_but_not_in_a_graph() -> None:
    assert hugginggpt.accuracy(["a", "b"], ["a", "b"]) == (1.0, 1.0)
    assert hugginggpt.accuracy(["a", "b"], ["b", "a"]) == (0.0, 1.0)
    assert hugginggpt.accuracy(["a", "b"], ["b", "a"], ordered=False) == (1.0, 1.0)
    assert hugginggpt.accuracy(["a", "a"], ["a"], ordered=False) == (0.0, 1.0)
    assert hugginggpt.accuracy([], []) == (1.0, 1.0)


def test_tasks_count_with_multiplicity() -> None:
    counts = hugginggpt.task_counts(["a", "a", "b"], ["a", "c"])
    assert counts == Counts(tp=1, fp=1, fn=2)
    assert counts.precision == (1.0, 2.0)
    assert counts.recall == (1.0, 3.0)
    assert counts.f1 == (2.0, 5.0)
    assert hugginggpt.task_counts([], []).f1 == (0.0, 0.0)  # no figure, not a figure of 0


def test_edit_distance_over_the_longer() -> None:
    assert hugginggpt.edit_distance(["a", "b", "c"], ["a", "x"]) == pytest.approx((2 / 3, 1.0))  # one replaced, one gone
    assert hugginggpt.edit_distance([], []) == (0.0, 1.0)
    assert hugginggpt.edit_distance([], ["a"]) == (1.0, 1.0)


def test_sets_and_bags() -> None:
    assert of_sets("aab", "ab") == Counts(tp=2)
    assert of_bags("aab", "ab") == Counts(tp=2, fn=1)
    assert of_sets("ab", "bc") + of_sets("a", "") == Counts(tp=1, fp=1, fn=2)


def test_distance() -> None:
    assert distance("kitten", "sitting") == 3
    assert distance("kitten", "sitting", substitution=2) == 5
    assert distance("", "abc") == 3
