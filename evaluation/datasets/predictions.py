"""Recorded plans in TaskBench's layout.

Official: `{"id", "user_request", "result": {"task_steps", "task_nodes", "task_links"}}` a line. Looser files, which are read as well,
have the three lists beside the id.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...agent.plan import Argument, Plan, Ref
from ...index.problems import Problems
from ...tools.task import TaskTable
from ..errors import DatasetError
from ..jsonl import LinesById
from .planning_data import LaidOutPlan


class Predictions:
    """Recorded plans by the id of their case.

    Args:
        path: the file.
        problems: where broken lines and ids that come twice are noted.

    Raises:
        DatasetError: the file cannot be read, or holds no prediction at all.
    """

    def __init__(self, path: Path | str, problems: Problems) -> None:
        self._lines = LinesById(Path(path), problems)
        if not len(self._lines):
            raise DatasetError(
                f"{str(path)!r} holds no prediction.", remedy='A line is {"id": …, "result": {"task_steps", "task_nodes", "task_links"}}.'
            )

    def __contains__(self, ident: str) -> bool:
        return ident in self._lines

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def get(self, ident: str) -> LaidOutPlan | None:
        """The plan, as raw as it was recorded; None when there is none of that id, or nothing in it that could be one."""
        entry: Any = self._lines.get(ident)
        result = entry.get("result", entry) if entry is not None else None
        if isinstance(result, str):
            try:
                result = json.loads(result)
            except ValueError:
                return None
        if not isinstance(result, dict) or not isinstance(result.get("task_nodes"), list):
            return None
        return LaidOutPlan(
            task_nodes=result["task_nodes"], task_links=result.get("task_links") or [], task_steps=result.get("task_steps") or []
        )


def lay_out(plan: Plan, tasks: TaskTable) -> LaidOutPlan:
    """A plan in TaskBench's layout: names as the table has them, arguments in the order of the ports, `<node-k>` from 0.

    A list gives one argument for each element. A literal that is no text stands as JSON.
    """
    position = {t.id: i for i, t in enumerate(plan.tasks)}
    nodes, links, steps = [], [], []
    for i, planned in enumerate(plan.tasks):
        ports = [p.name for p in tasks[planned.task].inputs] if planned.task in tasks else []
        order = sorted(planned.arguments, key=lambda name: ports.index(name) if name in ports else len(ports))
        nodes.append({"task": planned.task, "arguments": [v for name in order for v in _values(planned.arguments[name], position)]})
        links += [{"source": plan.tasks[position[p]].task, "target": planned.task} for p in planned.parents if p in position]
        steps.append(f"Step {i + 1}: Call {planned.task}")
    return LaidOutPlan(task_nodes=nodes, task_links=links, task_steps=steps)


def _values(argument: Argument, position: dict[str, int]) -> list[str]:
    if isinstance(argument, list | tuple):
        return [v for element in argument for v in _values(element, position)]
    if isinstance(argument, Ref):
        return [f"<node-{position[argument.task_id]}>"] if argument.task_id in position else []
    return [argument if isinstance(argument, str) else json.dumps(argument, ensure_ascii=False)]
