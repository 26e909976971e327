"""A plan: tasks, and what flows between them.

JSON form of a plan: `[{"id": "1", "task": "image-to-text", "arguments": {"image": "scan.png"}},
{"id": "2", "task": "text-to-speech", "arguments": {"text": {"ref": "1", "port": "text", "each": false}}}]`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..tools.consensus.panel import MOST
from .errors import PlanError

JSON = Any
"""Plain JSON: None, bool, int, float, str, list, dict."""


@dataclass(frozen=True, kw_only=True)
class Ref:
    """Stands for an output of another task.

    Attributes:
        task_id: the task that makes it.
        port: output port; `output` means the main one.
        each: the output is a list, and the task that refers to it runs once for each element.
    """

    task_id: str
    port: str = "output"
    each: bool = False

    def as_json(self) -> dict[str, Any]:
        """`{"ref", "port", "each"}`."""
        return {"ref": self.task_id, "port": self.port, "each": self.each}


Argument = Any
"""A literal (plain JSON; a file is named by its name in the request or by its artifact id), a Ref, or a list of those."""


@dataclass(frozen=True, kw_only=True)
class PlannedTask:
    """One task of a plan.

    Attributes:
        id: unique in the plan.
        task: name of a task in the table that the plan was made with.
        arguments: by input port.
        agree: how many experts are to do it and be compared, 2 to 16; None: as many as the agent is set to.
    """

    id: str
    task: str
    arguments: Mapping[str, Argument] = field(default_factory=dict)
    agree: int | None = None

    def refs(self) -> Iterator[tuple[str, Ref]]:
        """Every (port, Ref) among the arguments, in order."""
        for port, argument in self.arguments.items():
            for value in argument if isinstance(argument, list | tuple) else (argument,):
                if isinstance(value, Ref):
                    yield port, value

    @property
    def parents(self) -> tuple[str, ...]:
        """Ids of the tasks that this one waits for, each once, in order of first mention."""
        return tuple(dict.fromkeys(ref.task_id for _, ref in self.refs()))

    def as_json(self) -> dict[str, Any]:
        """`{"id", "task", "arguments"}`, and `"agree"` where it is set."""
        several = {} if self.agree is None else {"agree": self.agree}
        return {"id": self.id, "task": self.task, "arguments": {p: _argument_json(a) for p, a in self.arguments.items()}, **several}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A DAG of tasks, in the order in which they were planned. No tasks: nothing to run, the request is answered as chat.

    Attributes:
        tasks: the tasks.
        confidence: 0..1, how sure the planner is; None when it does not say.
        repairs: what the checker changed, a sentence each.
        question: what the planner asks back instead of guessing; empty when it does not.
        answer: what the planner says to a request that asks for no task; empty: the responder answers.
        error: why planning broke off after tasks had started; empty when the plan is whole.
    """

    tasks: tuple[PlannedTask, ...] = ()
    confidence: float | None = None
    repairs: tuple[str, ...] = ()
    question: str = ""
    answer: str = ""
    error: str = ""

    def as_json(self) -> list[dict[str, Any]]:
        """The JSON form shown at the top of this file."""
        return [t.as_json() for t in self.tasks]

    @classmethod
    def from_json(cls, data: object) -> Plan:
        """Read the JSON form. What tasks and ports mean is the checker's business.

        Raises:
            PlanError: the data has not this form.
        """
        if not isinstance(data, list):
            raise PlanError([f"a plan is a list of tasks, not {type(data).__name__}"])
        return cls(tasks=tuple(_planned_task(entry, i) for i, entry in enumerate(data)))


def _planned_task(entry: object, position: int) -> PlannedTask:
    if not isinstance(entry, dict) or not isinstance(entry.get("task"), str):
        raise PlanError([f"task {position + 1} is not an object with a 'task' name: {entry!r:.120}"])
    arguments = entry.get("arguments", {})
    if not isinstance(arguments, dict):
        raise PlanError([f"the arguments of task {position + 1} ({entry['task']}) are not an object: {arguments!r:.120}"])
    agree = entry.get("agree")
    if agree is not None and (type(agree) is not int or not 2 <= agree <= MOST):
        raise PlanError([f"task {position + 1} ({entry['task']}) is to be done by 2 to {MOST} experts, not {agree!r:.40}"])
    return PlannedTask(
        id=str(entry.get("id", position + 1)),
        task=entry["task"],
        arguments={str(port): _argument(value) for port, value in arguments.items()},
        agree=agree,
    )


def _argument(value: object) -> Argument:
    if isinstance(value, list):
        return [_argument(v) for v in value]
    if isinstance(value, dict) and isinstance(value.get("ref"), str | int):
        return Ref(task_id=str(value["ref"]), port=str(value.get("port") or "output"), each=bool(value.get("each", False)))
    return value


def _argument_json(argument: Argument) -> JSON:
    if isinstance(argument, Ref):
        return argument.as_json()
    if isinstance(argument, list | tuple):
        return [_argument_json(a) for a in argument]
    return argument
