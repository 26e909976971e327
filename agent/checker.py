"""Checks a plan against its table of tasks, repairs what has only one way to be repaired, and refuses the rest."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from ..tools.task import Kind, TaskTable
from .checking.arguments import fit
from .checking.names import TaskNames
from .checking.sheet import Sheet
from .errors import PlanError
from .plan import Plan, PlannedTask

if TYPE_CHECKING:
    from ..tools.artifacts import Artifact

MAX_TASKS = 1000


def check(plan: Plan, tasks: TaskTable, files: Mapping[str, Artifact], *, started: Collection[str] = (), salvage: bool = False) -> Plan:
    """The plan, repaired where there is only one way, with every repair recorded in `repairs`.

    Repairs: a task or port spelt otherwise is read; a required port that was left out, or refers to no task of the plan, takes the
    only thing there is for it; a wrong kind goes through the only task that bridges it, which is put in; a list of one and its
    element stand for each other; a task that still refers to nothing is left out, and so is what waits for it.

    Args:
        plan: what a planner made.
        tasks: the table it was made with.
        files: attached files by every name that the plan may use.
        started: ids of tasks that run already or have run. They come out as they are; a repair of one of them is a problem.
        salvage: for a planner that has nobody left to ask: what has no single repair is left out and said so (a surplus argument, a
            task without its input, a task that is not in the table), and the rest of the plan stands. Cycles are refused even so.

    Raises:
        PlanError: with one entry in `problems` for each fault that has no single repair; or nothing of the plan is left; or it has
            more than 1000 tasks.
    """
    if len(plan.tasks) > MAX_TASKS:
        raise PlanError([f"the plan has {len(plan.tasks):,} tasks, at most {MAX_TASKS:,} are run"])
    sheet = Sheet(plan, tasks, files, started=started, salvage=salvage)
    _read_names(sheet, plan.tasks)
    sheet.stop_if_wrong()
    for ident in _order(sheet):
        fit(sheet, ident)
    sheet.stop_if_wrong()
    return replace(plan, tasks=sheet.in_order(), repairs=plan.repairs + sheet.repairs)


def _read_names(sheet: Sheet, planned: tuple[PlannedTask, ...]) -> None:
    """Names that the table has, and ids that are unique."""
    names = TaskNames(sheet.tasks)
    seen: set[str] = set()
    for task in planned:
        if task.id in seen:
            sheet.problems.append(f"two tasks have the id {task.id!r}")
            continue
        seen.add(task.id)
        name = names.read(task.task, _media(sheet, task))
        if name is None:
            nearest = names.nearest(task.task)
            hint = f" (the nearest is {nearest})" if nearest else ""
            if sheet.salvage:
                sheet.leave_out(task, f"there is no task {task.task[:80]!r}{hint}")
            else:
                sheet.problems.append(f"task {task.id}: there is no task {task.task[:80]!r}{hint}")
            continue
        if name != task.task:
            sheet.repair(task.id, f"task {task.id}: {task.task!r} was read as {name}")
        sheet.planned[task.id] = replace(task, task=name)


def _media(sheet: Sheet, task: PlannedTask) -> list[Kind]:
    """Kinds of the files among a task's arguments that are no texts."""
    values = [v for a in task.arguments.values() for v in (a if isinstance(a, list | tuple) else (a,)) if isinstance(v, str)]
    return [f.kind for v in values if (f := sheet.files.get(v)) is not None and f.kind.is_media]


def _order(sheet: Sheet) -> list[str]:
    """Ids, each behind those it waits for, else in the order of the plan. What waits for itself comes last, and is a problem."""
    place = {ident: i for i, ident in enumerate(sheet.planned)}
    ids = list(place)
    waits = {i: {place[p] for p in sheet.planned[d].parents if p in place and (p != d or not sheet.salvage)} for i, d in enumerate(ids)}
    children: dict[int, list[int]] = {}
    for i, parents in waits.items():
        for parent in parents:
            children.setdefault(parent, []).append(i)
    ready = [i for i, parents in waits.items() if not parents]
    heapify(ready)
    done: list[str] = []
    while ready:
        i = heappop(ready)
        done.append(ids[i])
        for child in children.get(i, ()):
            waits[child].discard(i)
            if not waits[child]:
                heappush(ready, child)
    if len(done) < len(ids):
        ended = set(done)
        left = [d for d in ids if d not in ended]
        sheet.problems.append(f"the tasks {', '.join(left)} wait for each other")
        return done + left
    return done
