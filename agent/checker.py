"""Checks a plan against its table of tasks, repairs what has only one way to be repaired, and refuses the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

from ..tools.task import HubTask, Kind, Port, TaskTable
from .errors import PlanError
from .plan import Argument, Plan, PlannedTask, Ref

if TYPE_CHECKING:
    from ..tools.artifacts import Artifact


def check(plan: Plan, tasks: TaskTable, files: Mapping[str, Artifact]) -> Plan:
    """The plan, repaired where there is only one way, with every repair recorded in `repairs`.

    Checked: task names, unique ids, port names, required ports, kinds, cardinality, dangling references, cycles.

    Args:
        plan: what a planner made.
        tasks: the table it was made with.
        files: attached files by every name that the plan may use.

    Raises:
        PlanError: with one entry in `problems` for each fault that has no single repair.
    """
    work = _Check(tasks, files)
    planned = work.names(plan.tasks)
    work.stop_if_wrong()
    planned = [work.ports(t, planned) for t in planned]
    work.stop_if_wrong()
    work.cycle(planned)
    work.stop_if_wrong()
    return replace(plan, tasks=tuple(planned), repairs=plan.repairs + tuple(work.repairs))


class _Check:
    def __init__(self, tasks: TaskTable, files: Mapping[str, Artifact]) -> None:
        self._tasks = tasks
        self._files = files
        self._task_of: dict[str, HubTask] = {}
        self._fanned: set[str] = set()
        self.problems: list[str] = []
        self.repairs: list[str] = []

    def stop_if_wrong(self) -> None:
        if self.problems:
            raise PlanError(self.problems)

    def names(self, planned: tuple[PlannedTask, ...]) -> list[PlannedTask]:
        """Task names that exist, and ids that are unique."""
        out: list[PlannedTask] = []
        self._fanned = {t.id for t in planned if any(ref.each for _, ref in t.refs())}
        for task in planned:
            name = self._task_name(task)
            if task.id in self._task_of:
                self.problems.append(f"two tasks have the id {task.id!r}")
                continue
            if name is not None:
                self._task_of[task.id] = self._tasks[name]
                out.append(task if name == task.task else replace(task, task=name))
        return out

    def _task_name(self, task: PlannedTask) -> str | None:
        if task.task in self._tasks:
            return task.task
        spelt = {_plain(n): n for n in self._tasks}
        near = get_close_matches(_plain(task.task), spelt, n=2, cutoff=0.85)
        if len(near) == 1 or _plain(task.task) in spelt:
            name = spelt[near[0]]
            self.repairs.append(f"task {task.id}: {task.task!r} was read as {name}")
            return name
        hint = get_close_matches(_plain(task.task), spelt, n=1, cutoff=0.5)
        nearest = f" (the nearest is {spelt[hint[0]]})" if hint else ""
        self.problems.append(f"task {task.id}: there is no task {task.task[:80]!r}{nearest}")
        return None

    def ports(self, task: PlannedTask, planned: list[PlannedTask]) -> PlannedTask:
        """Arguments that fit the ports."""
        known = self._task_of[task.id]
        arguments: dict[str, Argument] = {}
        for given, argument in task.arguments.items():
            port = self._port(task, known, given)
            if port is None:
                continue
            if port.name in arguments:
                self.problems.append(f"task {task.id} ({known.name}): the port {port.name} is given twice")
                continue
            fitted = self._fit(task, port, argument)
            if fitted is not None:
                arguments[port.name] = fitted
        for port in known.inputs:
            if port.required and port.name not in arguments and not any(g == port.name for g in task.arguments):
                filled = self._fill(task, port, planned)
                if filled is None:
                    self.problems.append(f"task {task.id} ({known.name}) lacks its port {port.name} ({port.kind}): {port.description}")
                else:
                    arguments[port.name] = filled
        return replace(task, arguments=arguments)

    def _port(self, task: PlannedTask, known: HubTask, given: str) -> Port | None:
        for port in known.inputs:
            if port.name == given:
                return port
        names = [p.name for p in known.inputs]
        near = get_close_matches(given.lower(), names, n=1, cutoff=0.6)
        name = near[0] if near else names[0] if len(names) == 1 else None
        if name is None or name in task.arguments:
            self.problems.append(f"task {task.id} ({known.name}) has no port {given[:60]!r}; its ports are {', '.join(names) or 'none'}")
            return None
        self.repairs.append(f"task {task.id}: the port {given!r} was read as {name}")
        return known.input_port(name)

    def _fit(self, task: PlannedTask, port: Port, argument: Argument) -> Argument | None:
        where = f"task {task.id} ({task.task}), port {port.name}"
        values = list(argument) if isinstance(argument, list | tuple) else [argument]
        takes_list = port.many or port.kind in (Kind.LABELS, Kind.JSON, Kind.TABLE)
        if isinstance(argument, list | tuple) and not takes_list:
            if len(values) != 1:
                self.problems.append(f"{where}: takes one {port.kind}, not a list of {len(values)}")
                return None
            self.repairs.append(f"{where}: a list of one was read as its element")
            argument = values[0]
        if port.required and port.many and not values:
            self.problems.append(f"{where}: an empty list")
            return None
        faults = [f for f in (self._fault(port, v) for v in values) if f]
        self.problems.extend(f"{where}: {f}" for f in faults)
        if faults:
            return None
        if port.many and not isinstance(argument, list | tuple):
            return argument if isinstance(argument, Ref) else [argument]
        return argument

    def _fault(self, port: Port, value: object) -> str:
        """What is wrong with one value of a port; empty when nothing is."""
        if isinstance(value, Ref):
            return self._ref_fault(port, value)
        file = self._files.get(value) if isinstance(value, str) else None
        if file is not None:
            if port.kind.accepts(file.kind) or (port.kind is Kind.TABLE and file.kind is Kind.TEXT):
                return ""
            return f"{file.name!r} is of kind {file.kind}, the port takes {port.kind}"
        if port.kind.is_media:
            if isinstance(value, str) and value.startswith("data:"):
                return ""
            return f"there is no attached file {value!r:.80}" + (f"; attached: {', '.join(self._files)}" if self._files else "")
        if port.kind is Kind.TEXT and not isinstance(value, str | int | float):
            return f"takes text, not {value!r:.60}"
        if port.kind is Kind.NUMBER and not _is_number(value):
            return f"takes a number, not {value!r:.60}"
        return ""

    def _ref_fault(self, port: Port, ref: Ref) -> str:
        source = self._task_of.get(ref.task_id)
        if source is None:
            return f"refers to a task {ref.task_id!r} that is not in the plan"
        names = [p.name for p in source.outputs]
        if ref.port != "output" and ref.port not in names:
            return f"refers to an output {ref.port!r} that {source.name} does not have; it has {', '.join(names)}"
        given = source.output_port(ref.port)
        if not port.kind.accepts(given.kind):
            return f"takes {port.kind}, and {source.name} gives {given.kind}"
        if (given.many or ref.task_id in self._fanned) and not port.many and not ref.each:
            return f"takes one {port.kind}, and {source.name} gives several (say each: true to run once for each)"
        return ""

    def _fill(self, task: PlannedTask, port: Port, planned: list[PlannedTask]) -> Argument | None:
        """The only thing that could feed a required port that was left out: one attached file, or one earlier task's output."""
        used = {v for t in planned for a in t.arguments.values() for v in (a if isinstance(a, list | tuple) else [a]) if isinstance(v, str)}
        files = {f.id: n for n, f in self._files.items() if f.kind is port.kind and n not in used and f.id not in used}
        before = planned[: [t.id for t in planned].index(task.id)]
        refs = [t.id for t in before if port.kind.accepts(self._task_of[t.id].output.kind) and not self._task_of[t.id].output.many]
        if port.kind.is_media and len(files) + len(refs) == 1:
            found: Argument = next(iter(files.values())) if files else Ref(task_id=refs[0])
            self.repairs.append(f"task {task.id}: its port {port.name} was filled with the only {port.kind} there is")
            return [found] if port.many else found
        return None

    def cycle(self, planned: list[PlannedTask]) -> None:
        """No task waits for itself."""
        waiting = {t.id: set(t.parents) for t in planned}
        while ready := [i for i, parents in waiting.items() if not parents]:
            for i in ready:
                del waiting[i]
            for parents in waiting.values():
                parents.difference_update(ready)
        if waiting:
            self.problems.append(f"the tasks {', '.join(waiting)} wait for each other")


def _plain(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())


def _is_number(value: object) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, int | float):
        return True
    try:
        float(str(value))
    except ValueError:
        return False
    return True
