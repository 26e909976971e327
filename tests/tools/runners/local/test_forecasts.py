"""Series of values: which columns are the past, and how far a forecast goes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from langchain_hugginggpt.index.card import ModelCard
from langchain_hugginggpt.tools.errors import InputError, ModelRefusedError
from langchain_hugginggpt.tools.hub_tasks import HUB_TASKS
from langchain_hugginggpt.tools.runners.local import LocalRunner
from langchain_hugginggpt.tools.runners.local.tabular.history import read_history
from langchain_hugginggpt.tools.runners.runner import RunnerOutput
from tests.local_models import tabular as tiny
from tests.local_models.case import Case

TASK = HUB_TASKS["time-series-forecasting"]
Forecast = Callable[..., RunnerOutput]


@pytest.fixture
def forecast(built: Callable[[Case], Path], local: LocalRunner) -> Forecast:
    """Runs the model of a case."""

    def run(kind: str, table: list[dict[str, Any]], **options: float) -> RunnerOutput:
        case = next(c for c in tiny.CASES if c.task == TASK.name and c.kind == kind)
        built(case)
        return local.run(TASK, ModelCard(id=case.id, task=TASK.name), {"table": table, **options})

    return run


def rows(**columns: list[Any]) -> list[dict[str, Any]]:
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


def test_dates_and_texts_are_no_past() -> None:
    history = read_history(rows(day=["2024-01-01", "2024-01-02"], shop=["a", "b"], sold=["1", " 2.5 "]))
    assert history.columns == ("sold",)
    assert history.values.tolist() == [[1], [2.5]]
    assert any("'shop'" in n for n in history.notes)


def test_years_are_no_past_but_a_column_of_months_that_goes_up_and_down_is() -> None:
    assert read_history(rows(year=[2001, 2002, 2003], sold=[1, 2, 3])).columns == ("sold",)
    assert read_history(rows(time=[3, 9, 4], sold=[1, 2, 3])).columns == ("time", "sold")


@pytest.mark.parametrize("dates", [["2024-01-03", "2024-01-02", "2024-01-01"], ["2024/01/03", "2024/01/02", "2024/01/01"]])
def test_rows_with_the_latest_first_are_turned_round(dates: list[str]) -> None:
    history = read_history(rows(date=dates, sold=[3, 2, 1]))
    assert history.values[:, 0].tolist() == [1, 2, 3]
    assert "turned round" in history.notes[0]


def test_gaps_are_filled_from_their_neighbours() -> None:
    history = read_history(rows(sold=[None, 1, "", 3, "nan"]))
    assert history.values[:, 0].tolist() == [1, 1, 2, 3, 3]
    assert history.notes == ("3 missing cells of 'sold' filled in from the neighbouring rows",)


@pytest.mark.parametrize("cells", [["a", "b"], [None, None], ["2024-01-01", "2024-01-02"]])
def test_a_table_without_numbers_is_refused(cells: list[Any]) -> None:
    with pytest.raises(InputError, match="no column of numbers"):
        read_history(rows(sold=cells))


@pytest.mark.parametrize("cell", ["inf", 1e31, 10**400])
def test_endless_numbers_are_refused(cell: object) -> None:
    with pytest.raises(InputError, match="'sold'"):
        read_history(rows(sold=[1, cell]))


@pytest.mark.parametrize("factor", [1.0, 1e-9, 1e12])
def test_a_head_of_zeros_forecasts_the_mean_whatever_the_size_of_the_numbers(forecast: Forecast, factor: float) -> None:
    """The last 32 of 40 rows are read; those before are told of."""
    sold = [factor * (100 + i % 4) for i in range(40)]
    output = forecast("patch-tst", rows(sold=sold))
    assert [r["sold"] for r in output.values["forecast"]] == pytest.approx([factor * 101.5] * 8, rel=1e-6)
    assert any("latest 32 of 40" in n for n in output.notes)


def test_a_short_past_is_not_filled_with_numbers_that_change_the_mean(forecast: Forecast) -> None:
    output = forecast("patch-tst", rows(sold=[7.0, 9.0] * 5))
    assert [r["sold"] for r in output.values["forecast"]] == pytest.approx([8.0] * 8, abs=1e-4)
    assert any("22 before the first" in n for n in output.notes)


def test_too_short_a_past_names_how_many_rows_are_needed(forecast: Forecast) -> None:
    with pytest.raises(ModelRefusedError, match=r"has 7 rows; .* needs at least 8"):
        forecast("patch-tst", rows(sold=[1.0] * 7))


@pytest.mark.parametrize("kind", ["times-fm", "times-fm-2-5"])
def test_times_fm_takes_a_single_row(forecast: Forecast, kind: str) -> None:
    found = forecast(kind, rows(sold=[5.0])).values["forecast"]
    assert len(found) == 8
    assert all(np.isfinite(r["sold"]) for r in found)


def test_a_horizon_within_reach_is_cut_and_one_beyond_is_rolled_on(forecast: Forecast) -> None:
    past = rows(sold=[float(i % 5) for i in range(32)])
    short = forecast("patch-mixer", past, horizon=3.0)
    whole = forecast("patch-mixer", past)
    long = forecast("patch-mixer", past, horizon=20.0)
    assert short.values["forecast"] == whole.values["forecast"][:3]
    assert len(long.values["forecast"]) == 20
    assert long.values["forecast"][:8] == whole.values["forecast"]
    assert any("8 steps at once" in n for n in long.notes)
    rolled = forecast("patch-mixer", [*past, *whole.values["forecast"]]).values["forecast"]
    assert [r["sold"] for r in rolled] == pytest.approx([r["sold"] for r in long.values["forecast"][8:16]], rel=1e-4)


@pytest.mark.parametrize("horizon", [0.0, -1.0, 2.5, float("nan"), float("inf")])
def test_a_horizon_is_a_whole_number_from_one_up(forecast: Forecast, horizon: float) -> None:
    with pytest.raises(InputError, match="'horizon'"):
        forecast("patch-tst", rows(sold=[1.0] * 32), horizon=horizon)


def test_a_horizon_too_far_is_refused_with_the_limit(forecast: Forecast) -> None:
    with pytest.raises(ModelRefusedError, match=r"401 steps; .* at most 400"):
        forecast("patch-tst", rows(sold=[1.0] * 32), horizon=401)


def test_a_model_for_two_series_takes_two(forecast: Forecast) -> None:
    with pytest.raises(ModelRefusedError, match=r"1 columns .*trained on 2"):
        forecast("patch-tst-spread", rows(sold=[1.0] * 32))


def test_each_series_is_forecast_by_itself(forecast: Forecast) -> None:
    wave = [float(i % 7) for i in range(32)]
    alone = forecast("patch-mixer", rows(sold=wave)).values["forecast"]
    beside = forecast("patch-mixer", rows(staff=[5.0] * 32, sold=wave)).values["forecast"]
    assert [r["sold"] for r in beside] == pytest.approx([r["sold"] for r in alone], abs=1e-4)
