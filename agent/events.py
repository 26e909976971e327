"""What happens during a run, as it happens. Plain JSON, since it travels through LangGraph's custom stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypedDict

from .plan import Plan
from .trace import TaskResult


class Event(TypedDict, total=False):
    """One event.

    Keys:
        type: `plan` (plan, repairs, confidence, whole, error), `task_start` (task_id, task, candidates), `task_end` (result), `reply`
            (text: a further piece of it).
        whole: False while the plan is being written and may grow; each `plan` event holds the tasks of the one before it, and the last
            is whole unless it has an `error`.
        error: why the plan broke off; empty when it did not.
    """

    type: Literal["plan", "task_start", "task_end", "reply"]
    plan: list[dict[str, Any]]
    repairs: list[str]
    confidence: float | None
    whole: bool
    error: str
    task_id: str
    task: str
    candidates: list[str]
    result: dict[str, Any]
    text: str


Listener = Callable[[Event], None]


def ignore(event: Event) -> None:
    """A listener that does nothing."""


def planned(plan: Plan, *, whole: bool = True) -> Event:
    """A plan was made, or a plan that is being written has grown."""
    return {
        "type": "plan",
        "plan": plan.as_json(),
        "repairs": list(plan.repairs),
        "confidence": plan.confidence,
        "whole": whole and not plan.error,
        "error": plan.error,
    }


def task_start(task_id: str, task: str, candidates: list[str]) -> Event:
    """A task's inputs are there, its candidates are chosen, and it starts."""
    return {"type": "task_start", "task_id": task_id, "task": task, "candidates": candidates}


def task_end(result: TaskResult) -> Event:
    """A task has ended, however it ended."""
    return {"type": "task_end", "task_id": result.task_id, "task": result.task, "result": result.as_json()}
