"""What planning is evaluated on: requests, labels, and the table of tasks that is planned with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...agent.request import Request
from ...index.problems import Problems
from ...tools.task import TaskTable


@dataclass(frozen=True, kw_only=True)
class LaidOutPlan:
    """A plan in TaskBench's layout, as raw as it was read: a label, or what a planner made.

    `{"task_steps": [str], "task_nodes": [{"task": name, "arguments": [value]}], "task_links": [{"source": name, "target": name}]}`;
    `<node-k>` in an argument means the output of the k-th node, from 0. Source: microsoft/JARVIS, taskbench.

    Attributes:
        task_nodes: the nodes; anything may stand in them.
        task_links: the links; anything may stand in them.
        task_steps: the steps in words.
    """

    task_nodes: Any = ()
    task_links: Any = ()
    task_steps: Any = ()

    def as_json(self) -> dict[str, Any]:
        """`{"task_steps", "task_nodes", "task_links"}`."""
        return {"task_steps": self.task_steps, "task_nodes": self.task_nodes, "task_links": self.task_links}


@dataclass(frozen=True, kw_only=True)
class PlanningCase:
    """One request.

    Attributes:
        id: unique in the data set.
        request: what is planned; None when only a label is there (recorded predictions can be scored against it).
        label: the plan that is wanted, or None.
        type: how the label is shaped, in the data set's own word (`single`, `chain`, `dag`); empty when there is no label.
        without_arguments: the label says nothing of arguments: t-F1 and v-F1 do not count.
    """

    id: str
    request: Request | None
    label: LaidOutPlan | None = None
    type: str = ""
    without_arguments: bool = False


@dataclass(frozen=True, kw_only=True)
class PlanningData:
    """A data set.

    Attributes:
        name: for people, e.g. `taskbench/dev.jsonl`.
        tasks: the table that is planned with.
        output_types: by task, the kind that TaskBench's arithmetic takes its output for.
        read: iterates over the cases, reading them one by one; what cannot be used goes to the problems it is given.
        size: how many cases there are at most.
        settings: what identifies the data in `run.json`: paths and hashes.
    """

    name: str
    tasks: TaskTable
    output_types: Mapping[str, str]
    read: Callable[[Problems], Iterator[PlanningCase]]
    size: int
    settings: Mapping[str, Any] = field(default_factory=dict)
