"""A user's own LangChain tool, with declared ports, beside the Hub tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..index.errors import CallerError
from .task import HubTask

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool


@dataclass(frozen=True, kw_only=True)
class DeclaredTool:
    """Makes a tool plannable: the planner sees `task`, the executor calls `tool`.

    Attributes:
        tool: any LangChain tool. Its arguments are the names of the task's input ports; a media port gets the path of a file.
            What it returns feeds the task's first output port; a dict with one key for each output port feeds them all.
        task: what it does and which ports it has; `task.name` is the name in plans.

    Raises:
        CallerError: the tool has not an argument for each of the ports.
    """

    tool: BaseTool
    task: HubTask

    def __post_init__(self) -> None:
        arguments = set(self.tool.args)
        missing = [p.name for p in self.task.inputs if p.name not in arguments]
        if missing:
            raise CallerError(
                f"The tool {self.tool.name!r} has no argument {', '.join(map(repr, missing))} for the ports declared.",
                remedy=f"Its arguments are {', '.join(sorted(arguments)) or 'none'}.",
            )
