"""Tasks of a plan that is still being written: which may start, and under which id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...checker import check
from ...errors import PlanError
from ...plan import Argument, Plan, PlannedTask, Ref
from .drafts import draft, freeze
from .parsing import Found

if TYPE_CHECKING:
    from ....tools.artifacts import Artifact
    from ....tools.task import TaskTable


def next_task(
    entries: Sequence[Any], started: Sequence[PlannedTask], tasks: TaskTable, files: Mapping[str, Artifact]
) -> PlannedTask | None:
    """The newest entry as a task, if it and all before it are right by themselves: without a repair, references only backwards.

    None where the rest of the plan may still say how it is meant: where ids are given to some tasks only, and where a plan without ids
    has not shown yet whether its references count from 0.
    """
    if len(entries) != len(started) + 1:
        return None
    try:
        drafted = draft(Found(entries=tuple(entries)), tasks, files)
        if len({"id" in e for e in entries}) > 1 or ("id" not in entries[0] and _from_one(drafted)):
            return None
        plan = check(freeze(replace(numbered(entries, drafted), repairs=()), started), tasks, files, started=[t.id for t in started])
    except PlanError:
        return None
    if plan.repairs or plan.tasks[:-1] != tuple(started):
        return None
    task = plan.tasks[-1]
    return task if set(task.parents) <= {t.id for t in started} else None


def _from_one(plan: Plan) -> bool:
    """Whether ids that were counted for the model begin with 1 while tasks refer to each other: a later `<node-0>` would shift them."""
    return plan.tasks[0].id == "1" and any(t.parents for t in plan.tasks)


def numbered(entries: Sequence[Any], plan: Plan) -> Plan:
    """The plan with its tasks called 1, 2, … where the model gave no ids, so that an id that was given out never changes.

    A draft counts such tasks from 0 or from 1, as the references do that it has seen.
    """
    if not plan.tasks or plan.tasks[0].id != "0" or any(not isinstance(e, dict) or "id" in e for e in entries):
        return plan

    def moved(argument: Argument) -> Argument:
        if isinstance(argument, list):
            return [moved(a) for a in argument]
        if isinstance(argument, Ref) and argument.task_id.isdecimal():
            return replace(argument, task_id=str(int(argument.task_id) + 1))
        return argument

    tasks = [replace(t, id=str(i), arguments={p: moved(a) for p, a in t.arguments.items()}) for i, t in enumerate(plan.tasks, 1)]
    return replace(plan, tasks=tuple(tasks))
