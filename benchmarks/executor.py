"""How close to the critical path plans run: `python benchmarks/executor.py [--seeds N]`.

Random DAGs of 10 to 200 tasks go through the real Executor, HubToolkit and HubTaskTool, with the embedded catalogue as index; only the
runner is a stub, which sleeps. The same DAGs run level by level, as LangGraph's `Send` would run them, in the same process.
Sequential time is not waited for: it is the sum of what the tasks took.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from langchain_hugginggpt.agent import Executor, Plan, PlannedTask, Ref, Request, TaskResult, check
from langchain_hugginggpt.evaluation.metrics import runs
from langchain_hugginggpt.index import ModelCard
from langchain_hugginggpt.tools import Availability, HubTask, HubToolkit, RunnerOutput

SIZES = (10, 50, 100, 200)
TASK = "sentence-similarity"  # a text and a list of anything with a text view: a task may have any number of parents
_REQUEST = Request(text="How similar are these?")


class SleepingRunner:
    """Sleeps as many seconds as its first input says."""

    name = "sleeping"

    def availability(self, task: HubTask, card: ModelCard | None = None) -> Availability:
        """Everything can run."""
        return Availability(supported=True, ok=True)

    def run(self, task: HubTask, card: ModelCard, inputs: Mapping[str, Any]) -> RunnerOutput:
        """Sleep and wait."""
        time.sleep(float(inputs["source_sentence"]))
        return RunnerOutput(values={"scores": [1.0]})

    async def arun(self, task: HubTask, card: ModelCard, inputs: Mapping[str, Any]) -> RunnerOutput:
        """Sleep."""
        await asyncio.sleep(float(inputs["source_sentence"]))
        return RunnerOutput(values={"scores": [1.0]})


@dataclass(frozen=True, kw_only=True)
class Timing:
    """One DAG, in seconds: the longest chain of sleeps, the run, the run level by level, one task after the other."""

    critical: float
    makespan: float
    levels: float
    sequential: float


def random_plan(size: int, seed: int, *, seconds: tuple[float, float] = (0.05, 0.5)) -> Plan:
    """A DAG of `size` tasks; each has none to three parents among those before it, and sleeps for a random time."""
    chance = random.Random(f"{size}/{seed}")
    tasks: list[PlannedTask] = []
    for i in range(size):
        parents = sorted(chance.sample(range(i), min(i, chance.choice((0, 1, 1, 2, 3)))))
        sleep = f"{chance.uniform(*seconds):.4f}"
        sentences = ["begin", *(Ref(task_id=str(p)) for p in parents)]
        tasks.append(PlannedTask(id=str(i), task=TASK, arguments={"source_sentence": sleep, "sentences": sentences}))
    return Plan(tasks=tuple(tasks))


def depths(plan: Plan) -> dict[str, int]:
    """By task: how many tasks the longest chain to it has before it."""
    found: dict[str, int] = {}
    for task in plan.tasks:
        found[task.id] = max((found[p] + 1 for p in task.parents), default=0)
    return found


def critical_path(plan: Plan) -> float:
    """Seconds of the longest chain of sleeps."""
    return runs.critical_path(plan, {t.id: float(t.arguments["source_sentence"]) for t in plan.tasks}) or 0.0


async def timed(executor: Executor, plan: Plan) -> tuple[float, tuple[TaskResult, ...]]:
    """Run a plan; seconds and results. Raises RuntimeError when a task did not run."""
    began = time.perf_counter()
    results = await executor.arun(plan, _REQUEST)
    seconds = time.perf_counter() - began
    for result in results:
        if result.status != "ok":
            raise RuntimeError(f"task {result.task_id} is {result.status}: {result.error}")
    return seconds, results


async def level_by_level(executor: Executor, plan: Plan) -> float:
    """Seconds when every level waits for the slowest task of the level before it."""
    depth = depths(plan)
    seconds = 0.0
    for level in range(max(depth.values()) + 1):
        free = [replace(t, arguments={**t.arguments, "sentences": ["begin"]}) for t in plan.tasks if depth[t.id] == level]
        seconds += (await timed(executor, Plan(tasks=tuple(free))))[0]
    return seconds


async def time_plan(executor: Executor, plan: Plan) -> Timing:
    """Run a plan both ways."""
    makespan, results = await timed(executor, plan)
    return Timing(
        critical=critical_path(plan),
        makespan=makespan,
        levels=await level_by_level(executor, plan),
        sequential=sum(r.seconds for r in results),
    )


async def overhead(executor: Executor, size: int, seeds: int) -> float:
    """Median seconds a task of plans whose tasks do nothing."""
    plans = [random_plan(size, seed, seconds=(0.0, 0.0)) for seed in range(seeds)]
    return statistics.median([(await timed(executor, plan))[0] / size for plan in plans])


async def rows(sizes: Sequence[int], seeds: int) -> list[tuple[str, ...]]:
    """One row for each size: medians over the seeds, and the worst ratio."""
    toolkit = HubToolkit(runners=[SleepingRunner()])
    executor = Executor(toolkit)
    await timed(executor, random_plan(2, 0, seconds=(0.0, 0.0)))  # opens the index and loads the encoder
    body = []
    for size in sizes:
        plans = [check(random_plan(size, seed), toolkit.tasks, {}) for seed in range(seeds)]
        times = [await time_plan(executor, plan) for plan in plans]
        ratios = [t.makespan / t.critical for t in times]
        middle = [statistics.median(getattr(t, f) for t in times) for f in ("critical", "makespan", "levels", "sequential")]
        each = await overhead(executor, size, max(seeds, 5))
        body.append(
            (
                str(size),
                *(f"{m:.2f} s" for m in middle),
                f"{statistics.median(ratios):.3f}",
                f"{max(ratios):.3f}",
                f"{statistics.median(t.levels / t.critical for t in times):.2f}",
                f"{each * 1000:.2f} ms",
                "kept" if max(ratios) <= 1.05 and each <= 0.005 else "MISSED",
            )
        )
    return body


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="DAGs of each size (default 3)")
    seeds = parser.parse_args().seeds
    head = (
        "tasks", "critical path", "makespan", "level by level", "sequential",
        "makespan ÷ critical (median)", "worst (bar 1.05)", "levels ÷ critical", "overhead a task (bar 5 ms)", "",
    )  # fmt: skip
    print("\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *asyncio.run(rows(SIZES, seeds)))))


if __name__ == "__main__":
    main()
