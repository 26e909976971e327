"""What happens during a run, as it happens. Plain JSON, since it travels through LangGraph's custom stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypedDict

from .trace import TaskResult


class Event(TypedDict, total=False):
    """One event.

    Keys:
        type: `plan` (plan), `task_start` (task_id, task, candidates), `task_end` (result), `reply` (text: a further piece of it).
    """

    type: Literal["plan", "task_start", "task_end", "reply"]
    plan: list[dict[str, Any]]
    repairs: list[str]
    confidence: float | None
    task_id: str
    task: str
    candidates: list[str]
    result: dict[str, Any]
    text: str


Listener = Callable[[Event], None]


def ignore(event: Event) -> None:
    """A listener that does nothing."""


def task_start(task_id: str, task: str, candidates: list[str]) -> Event:
    """A task's inputs are there, its candidates are chosen, and it starts."""
    return {"type": "task_start", "task_id": task_id, "task": task, "candidates": candidates}


def task_end(result: TaskResult) -> Event:
    """A task has ended, however it ended."""
    return {"type": "task_end", "task_id": result.task_id, "task": result.task, "result": result.as_json()}
