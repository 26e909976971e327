"""A plan while it is checked: its tasks, what was repaired, what is wrong."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from ...tools.task import HubTask, TaskTable
from ..errors import PlanError
from ..plan import Plan, PlannedTask

if TYPE_CHECKING:
    from ...tools.artifacts import Artifact


class Sheet:
    """The state that the parts of the checker share.

    Attributes:
        tasks: the table.
        files: attached files by every name that the plan may use.
        salvage: whether what cannot be used is left out rather than refused.
        planned: the tasks that are in the plan, by id, in its order.
        gone: tasks that were left out, by id.
        fitted: ids of tasks whose arguments are right.
        fanned: ids of tasks that run once for each element, so that each output is a list.
        problems: what has no single repair.
    """

    def __init__(
        self, plan: Plan, tasks: TaskTable, files: Mapping[str, Artifact], *, started: Collection[str] = (), salvage: bool = False
    ) -> None:
        self.tasks = tasks
        self.files = files
        self.salvage = salvage
        self.planned: dict[str, PlannedTask] = {}
        self.gone: dict[str, PlannedTask] = {}
        self.fitted: set[str] = set()
        self.fanned = {t.id for t in plan.tasks if any(ref.each for _, ref in t.refs())}
        self.problems: list[str] = []
        self._notes: list[tuple[str, str]] = []
        self._started = frozenset(started)
        self._reasons: list[str] = []
        self._before: dict[str, list[PlannedTask]] = {}
        self._taken = {t.id for t in plan.tasks}

    @property
    def repairs(self) -> tuple[str, ...]:
        """What was changed, a sentence each."""
        return tuple(text for _, text in self._notes)

    def hub(self, ident: str) -> HubTask:
        """The row of the table for a task of the plan."""
        return self.tasks[self.planned[ident].task]

    def repair(self, ident: str, sentence: str) -> None:
        """Note a repair of a task; a problem instead when the task has started."""
        if ident in self._started:
            self.problems.append(f"task {ident} has started and must stay as it is: {sentence}")
        else:
            self._notes.append((ident, sentence))

    def leave_out(self, task: PlannedTask, reason: str) -> None:
        """Take a task out of the plan, and what was put in or repaired for it; a problem instead when it has started."""
        self._notes = [(ident, text) for ident, text in self._notes if ident != task.id]
        for new in self._before.pop(task.id, ()):
            self.planned.pop(new.id, None)
        self.repair(task.id, f"task {task.id} ({task.task[:60]}) was left out: {reason}")
        self._reasons.append(reason)
        self.planned.pop(task.id, None)
        self.gone[task.id] = task

    def insert(self, before: str, task: PlannedTask) -> None:
        """Put a new task before another one. Its id must come from `free_id`."""
        self._before.setdefault(before, []).append(task)
        self.planned[task.id] = task
        self.fitted.add(task.id)

    def free_id(self, wish: str) -> str:
        """An id that no task of the plan has."""
        ident, n = wish, 1
        while ident in self._taken:
            n += 1
            ident = f"{wish}-{n}"
        self._taken.add(ident)
        return ident

    def in_order(self) -> tuple[PlannedTask, ...]:
        """The plan's tasks, inserted ones where they belong."""
        inserted = {t.id for new in self._before.values() for t in new}
        return tuple(t for ident in self.planned if ident not in inserted for t in (*self._before.get(ident, ()), self.planned[ident]))

    def stop_if_wrong(self) -> None:
        """Raise PlanError when something has no single repair, or nothing is left of the plan."""
        if self.problems or (self.gone and not self.planned):
            raise PlanError([*self._reasons, *self.problems])
