"""Intervals: right on average, the same in any order, and paired."""

from __future__ import annotations

import numpy as np
import pytest

from langchain_hugginggpt.evaluation.bootstrap import RESAMPLES, RatiosOfSums, percentile_interval, weights


def added(scores: list[tuple[str, dict[str, tuple[float, float]]]]) -> RatiosOfSums:
    sums = RatiosOfSums()
    for ident, score in scores:
        sums.add(score, weights(ident))
    return sums


def test_the_ratio_is_of_sums_and_not_the_mean_of_ratios() -> None:
    found = added([("a", {"m": (1, 1)}), ("b", {"m": (0, 3), "k": (0, 0)})]).ratios()
    assert found["m"].value == 0.25
    assert found["m"].n == 2
    assert found["k"].value is None
    assert found["k"].interval is None


def test_weights_are_poisson_of_mean_one_and_belong_to_the_id() -> None:
    assert np.array_equal(weights("a"), weights("a"))
    assert not np.array_equal(weights("a"), weights("b"))
    many = np.stack([weights(str(i)) for i in range(200)])
    assert many.shape == (200, RESAMPLES)
    assert many.mean() == pytest.approx(1, abs=0.01)
    assert many.var() == pytest.approx(1, abs=0.02)
    assert weights("\ud800").shape == (RESAMPLES,)  # an id may hold anything


def test_the_order_of_cases_changes_nothing() -> None:
    cases = [(str(i), {"m": (float(i % 3 == 0), 1.0)}) for i in range(300)]
    first, second = added(cases).ratios()["m"], added(cases[::-1]).ratios()["m"]
    assert np.array_equal(first.resampled, second.resampled)
    assert first.interval == second.interval


def test_the_interval_is_about_that_of_the_normal_approximation() -> None:
    cases = [(str(i), {"m": (float(i < 300), 1.0)}) for i in range(1000)]
    found = added(cases).ratios()["m"]
    assert found.interval is not None
    low, high = found.interval
    error = 1.96 * (0.3 * 0.7 / 1000) ** 0.5
    assert low == pytest.approx(0.3 - error, abs=0.006)
    assert high == pytest.approx(0.3 + error, abs=0.006)


def test_one_case_has_no_interval_and_nothing_resampled_has_none() -> None:
    assert added([("a", {"m": (1, 2)})]).ratios()["m"].interval is None
    assert percentile_interval(np.full(RESAMPLES, np.nan)) is None


def test_metrics_that_come_late_count_from_then_on() -> None:
    cases = [(str(i), {"m": (1.0, 1.0)} | ({"late": (1.0, 2.0)} if i > 100 else {})) for i in range(150)]
    found = added(cases).ratios()
    assert (found["m"].n, found["late"].n) == (150, 49)
    assert (found["m"].value, found["late"].value) == (1.0, 0.5)


def test_where_all_cases_agree_there_is_no_interval() -> None:
    found = added([(str(i), {"m": (1.0, 1.0)}) for i in range(12)]).ratios()["m"]
    assert found.value == 1.0
    assert found.interval is None
