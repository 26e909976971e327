"""Metrics of whole runs. HuggingGPT (arXiv 2303.17580) judges plans only; these are this project's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from ...agent.plan import Plan
from ...agent.trace import Trace
from ..record import Score

_PER = 1_000_000  # prices are for so many tokens


@dataclass(frozen=True, kw_only=True)
class Price:
    """What a chat model costs, in any one currency, for a million tokens.

    Attributes:
        input: for tokens that it reads. Cached ones are not told apart.
        output: for tokens that it writes, reasoning included.
    """

    input: float
    output: float


def success(problems: int) -> Score:
    """Share of cases without any problem: every task ran, and every check of the case holds.

    Formula: 1 when `problems` is 0, else 0, over 1. Range 0..1, higher is better. Every case counts; one whose run failed has a problem.
    Source: this project.
    """
    return float(problems == 0), 1.0


def completed(trace: Trace, *, wanted: bool) -> Score | None:
    """Share of runs in which every task of the plan ran.

    Formula: 1 when each result is `ok` and there is one for each task, else 0, over 1. Range 0..1, higher is better.
    Empty case: a plan without tasks counts 0 when tasks were wanted; otherwise it is a chat, and there is no score.
    Source: this project.
    """
    if not trace.plan.tasks:
        return (0.0, 1.0) if wanted else None
    return float(trace.complete and len(trace.results) == len(trace.plan.tasks)), 1.0


def critical_path(plan: Plan, seconds: Mapping[str, float]) -> float | None:
    """Seconds of the longest chain of tasks along the plan's references: what the run takes when nothing ever waits for anything else.

    Formula: max over tasks of end(t), where end(t) = seconds(t) + max of end over its parents (0 without any). A task that `seconds`
    does not hold takes 0, a parent that is not in the plan is passed over. Range 0 and more; 0 for an empty plan; None when the
    references go round in a circle, which only a trace from elsewhere can hold. Source: Kelley and Walker 1959, "Critical-path planning
    and scheduling".
    """
    parents = {t.id: t.parents for t in plan.tasks}
    ends: dict[str, float] = {}
    try:
        for ident in TopologicalSorter(parents).static_order():
            ends[ident] = seconds.get(ident, 0.0) + max((ends[p] for p in parents.get(ident, ())), default=0.0)
    except CycleError:
        return None
    return max(ends.values(), default=0.0)


def makespan(trace: Trace) -> Score | None:
    """Time from the start of the run to the end of its last task, over the critical path of the same run.

    Formula: max(started + seconds) over the results, over `critical_path` with each task's measured seconds; a skipped task takes 0.
    Range 1 and more (but for rounding), 1 is the best: no task waited for one that it does not need. Over several cases the sums are
    divided, so that a run counts by its length, and a tiny one does not drown the others in rounding.
    Empty case: no score when no task took any time. Tasks that share a processor stretch each other, which this ratio does not show.
    Source: this project; the scheduling literature calls it the schedule length ratio (Topcuoglu et al. 2002, HEFT).
    """
    ran = [r for r in trace.results if r.status != "skipped"]
    path = critical_path(trace.plan, {r.task_id: r.seconds for r in ran})
    return (max(r.started + r.seconds for r in ran), path) if ran and path else None


def cost(tokens: Mapping[str, int], price: Price | None) -> float | None:
    """What tokens cost, in the currency of the price.

    Formula: (input_tokens x input + output_tokens x output) / 1,000,000. Range 0 and more; 0 for no tokens; None without a price.
    Source: this project.
    """
    if price is None:
        return None
    return (tokens.get("input_tokens", 0) * price.input + tokens.get("output_tokens", 0) * price.output) / _PER
