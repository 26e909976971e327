"""benchmarks/executor.py: what it compares with is computed right, and the real executor keeps to it."""

from __future__ import annotations

import asyncio

import pytest

from benchmarks.executor import SleepingRunner, critical_path, depths, level_by_level, random_plan, timed
from langchain_hugginggpt.agent import Executor, Plan, PlannedTask, Ref, check
from langchain_hugginggpt.tools import HUB_TASKS, HubToolkit


def sleep(ident: str, seconds: float, *parents: str) -> PlannedTask:
    sentences = ["begin", *(Ref(task_id=p) for p in parents)]
    return PlannedTask(id=ident, task="sentence-similarity", arguments={"source_sentence": str(seconds), "sentences": sentences})


# a slow task beside a chain: a level waits for its slowest, the executor does not
PLAN = Plan(tasks=(sleep("a", 0.4), sleep("b", 0.01), sleep("c", 0.4, "b"), sleep("d", 0.01, "a", "c")))


def test_critical_path_and_depths_by_hand() -> None:
    assert critical_path(PLAN) == pytest.approx(0.42)
    assert depths(PLAN) == {"a": 0, "b": 0, "c": 1, "d": 2}


def test_random_plans_are_the_same_each_time_and_pass_the_checker() -> None:
    assert random_plan(50, 1) == random_plan(50, 1)
    assert random_plan(50, 1) != random_plan(50, 2)
    for size in (10, 200):
        checked = check(random_plan(size, 0), HUB_TASKS, {})
        assert len(checked.tasks) == size
        assert checked.repairs == ()


def test_executor_beats_levels() -> None:
    async def both() -> tuple[float, float]:
        executor = Executor(HubToolkit(runners=[SleepingRunner()]))
        await timed(executor, random_plan(2, 0, seconds=(0.0, 0.0)))
        makespan, results = await timed(executor, PLAN)
        assert [r.model for r in results] == [results[0].model] * 4
        return makespan, await level_by_level(executor, PLAN)

    makespan, levels = asyncio.run(both())
    assert levels >= 0.81
    assert 0.42 <= makespan < levels


def test_a_task_that_does_not_run_stops_the_measurement() -> None:
    executor = Executor(HubToolkit(runners=[]))
    with pytest.raises(RuntimeError, match="task 0 is unavailable"):
        asyncio.run(timed(executor, random_plan(1, 0)))
