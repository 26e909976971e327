"""Which tasks a request may need: what a prompt shows when there is no room for the whole table, and whether a request is mere chat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from ....tools.task import TaskTable

if TYPE_CHECKING:
    from ...request import Request


class Plausibility(Protocol):
    """Judges tasks before anything is planned. The embedded planner is one."""

    def plausible(self, request: Request, tasks: TaskTable) -> Mapping[str, float]:
        """For every task of the table, how likely the request needs it, 0..1."""
