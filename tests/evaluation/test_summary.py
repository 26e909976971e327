"""Adding records up."""

from __future__ import annotations

import pytest

from langchain_hugginggpt.evaluation import Record
from langchain_hugginggpt.evaluation.metrics.counts import Counts
from langchain_hugginggpt.evaluation.metrics.table import METRICS, metric
from langchain_hugginggpt.evaluation.summary import NOTHING, block, intervals, summarise

RECORDS = [
    Record(
        id="1", groups={"type": "chain", "number of tasks": "10"}, scores={"strict.n_f1": (2, 4)}, gold=("a", "b"), predicted=("a", "c")
    ),
    Record(id="2", groups={"type": "chain", "number of tasks": "2"}, scores={"strict.n_f1": (4, 4)}, gold=("a", "b"), predicted=("a", "b")),
    Record(id="3", groups={"type": "dag", "number of tasks": "2"}, scores={"strict.n_f1": (0, 2)}, gold=("b",), error="broke"),
    Record(id="4", groups={"type": "chain", "number of tasks": "1"}, scores={"strict.n_f1": (2, 3)}, gold=("a",), predicted=("a", "c")),
]


def test_figures_overall_and_by_group() -> None:
    found = summarise("planning", RECORDS, primary="strict.n_f1")
    assert found.overall.n == 4
    assert found.told("strict.n_f1") == pytest.approx(100 * 8 / 13, abs=1e-4)
    assert found.told("official.n_f1") is None
    assert list(found.groups["type"]) == ["chain", "dag"]  # by size
    assert list(found.groups["number of tasks"]) == ["1", "2", "10"]  # by number
    assert block(found.groups["type"]["dag"], "strict") == {"n_f1": 0.0}
    assert set(intervals(found.overall)) == {"strict.n_f1"}
    assert found.errors == {"broke": 1}
    assert found.latency is None
    assert found.latency_json() is None


def test_tasks_and_confusion_by_hand() -> None:
    found = summarise("planning", RECORDS, primary="strict.n_f1")
    assert found.tasks == {"a": Counts(tp=3), "b": Counts(tp=1, fn=2), "c": Counts(fp=2)}
    assert list(found.tasks) == ["a", "b", "c"]  # the commonest label first
    assert found.confusion == {("a", "a"): 3, ("b", "b"): 1, ("b", "c"): 1, ("b", NOTHING): 1, (NOTHING, "c"): 1}


def test_the_worst_cases_come_first_and_right_ones_not_at_all() -> None:
    found = summarise("planning", RECORDS, primary="strict.n_f1")
    assert [r.id for r in found.worst] == ["3", "1", "4"]
    many = [Record(id=f"{i:03}", scores={"strict.n_f1": (i, 1000)}) for i in range(300)]
    assert [r.id for r in summarise("planning", many, primary="strict.n_f1").worst] == [f"{i:03}" for i in range(60)]


def test_the_order_of_records_changes_nothing() -> None:
    assert summarise("planning", RECORDS, primary="strict.n_f1") == summarise("planning", RECORDS[::-1], primary="strict.n_f1")


def test_latency_and_tokens() -> None:
    records = [Record(id=str(i), seconds=i / 1000, usage={"m": {"input_tokens": 10, "output_tokens": 1}}) for i in range(1, 102)]
    found = summarise("planning", records, primary="strict.n_f1")
    assert found.latency_json() == {"p50": 51.0, "p95": 96.0}
    assert found.latency is not None
    assert sum(found.latency.counts) == 101
    assert len(found.latency.edges) == len(found.latency.counts) + 1
    assert found.usage == {"m": {"input_tokens": 1010, "output_tokens": 101}}
    same = summarise("planning", [Record(id=str(i), seconds=0.5) for i in range(3)], primary="strict.n_f1").latency
    assert same is not None
    assert sum(same.counts) == 3


def test_no_records_at_all() -> None:
    found = summarise("planning", [], primary="strict.n_f1")
    assert found.overall.n == 0
    assert found.overall.figures == {}


def test_how_metrics_are_told() -> None:
    assert metric("official.n_f1") is METRICS["n_f1"]
    assert metric("bm25/filtered.r5").title == "R@5"
    assert metric("x.n_f1").told(0.123456789) == 12.3457
    assert metric("x.edit_distance").told(0.123456789) == 0.1235
    assert metric("x.n_f1").told(None) is None
    assert (metric("x.n_f1").shown(0.5), metric("x.edit_distance").shown(0.5), metric("x.n_f1").shown(None)) == ("50.0", "0.500", "–")
    assert all(m.meaning.endswith(".") for m in METRICS.values())
