"""Metrics of whole runs, worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from langchain_hugginggpt.agent import Plan, Trace
from langchain_hugginggpt.evaluation.metrics.runs import Price, completed, cost, critical_path, makespan, success
from tests.agent.plans import plan, ref, task
from tests.evaluation.traces import PLAN, reply, results


def test_success() -> None:
    assert success(0) == (1.0, 1.0)
    assert success(3) == (0.0, 1.0)


def test_completed() -> None:
    assert completed(reply().trace, wanted=True) == (1.0, 1.0)
    one, two, three, four = results()
    skipped = replace(reply().trace, results=(one, two, three, replace(four, status="skipped")))
    assert completed(skipped, wanted=True) == (0.0, 1.0)
    assert completed(replace(reply().trace, results=(one, two)), wanted=True) == (0.0, 1.0)


def test_an_empty_plan_is_complete_only_where_none_is_wanted() -> None:
    assert completed(Trace(text="hi"), wanted=False) is None
    assert completed(Trace(text="paint a fox"), wanted=True) == (0.0, 1.0)


def test_critical_path() -> None:
    # 1 then 2: 1 + 2 = 3; 1 then 3 then 4: 1 + 0.5 + 1 = 2.5
    assert critical_path(PLAN, {"1": 1.0, "2": 2.0, "3": 0.5, "4": 1.0}) == 3.0
    assert critical_path(PLAN, {"1": 1.0, "2": 2.0, "3": 0.5, "4": 1.75}) == 3.25
    assert critical_path(PLAN, {"1": 1.0}) == 1.0
    assert critical_path(Plan(), {}) == 0.0


def test_references_that_lead_nowhere_or_in_a_circle() -> None:
    assert critical_path(plan(task("1", "summarization", text=ref("9"))), {"1": 2.0}) == 2.0
    circle = plan(task("1", "summarization", text=ref("2")), task("2", "summarization", text=ref("1")))
    assert critical_path(circle, {"1": 1.0, "2": 1.0}) is None
    assert makespan(reply(made=circle, ran=()).trace) is None


def test_makespan() -> None:
    # the last to end is 2, at 1.0 + 2.0
    assert makespan(reply().trace) == (3.0, 3.0)
    one, two, three, four = results()
    late = replace(reply().trace, results=(one, two, three, replace(four, started=3.25)))
    assert makespan(late) == (4.25, 3.0)


def test_a_skipped_task_takes_no_time() -> None:
    one, two, three, four = results()
    skipped = replace(reply().trace, results=(one, two, replace(three, status="skipped", started=1.0, seconds=9.0), four))
    assert makespan(skipped) == (3.0, 3.0)


@pytest.mark.parametrize("trace", [Trace(text="hi"), replace(reply().trace, results=())])
def test_without_a_run_there_is_no_makespan(trace: Trace) -> None:
    assert makespan(trace) is None


def test_cost() -> None:
    price = Price(input=0.25, output=2.0)
    assert cost({"input_tokens": 4_000_000, "output_tokens": 500_000}, price) == 2.0
    assert cost({}, price) == 0.0
    assert cost({"input_tokens": 1}, None) is None
