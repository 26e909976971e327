"""The seam behind which plans are made."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from ...tools.task import TaskTable
    from ..plan import Plan, PlannedTask
    from ..request import Request


class Planner(Protocol):
    """Turns a request into a plan over a table of tasks. The plan that comes back has passed the checker.

    Raises:
        PlanError: no plan that can be run came out.
        ChatModelError: a chat model was asked and could not be reached, or refused.
    """

    def plan(self, request: Request, tasks: TaskTable) -> Plan:
        """Plan and wait. Never calls a chat model asynchronously (its HTTP client may belong to another event loop)."""

    async def aplan(self, request: Request, tasks: TaskTable) -> Plan:
        """The same without blocking the event loop."""

    def astream(self, request: Request, tasks: TaskTable) -> AsyncIterator[PlannedTask]:
        """Each task once it is complete, in the order of the plan."""


@runtime_checkable
class GrowingPlanner(Planner, Protocol):
    """A planner whose tasks may start while it still plans."""

    def agrow(self, request: Request, tasks: TaskTable) -> AsyncIterator[Plan]:
        """The plan as it grows. Each holds the tasks of the one before it, unchanged, since they may have started: their references
        point backwards and their ports are checked. The last is what `aplan` gives.

        Raises:
            PlanError, ChatModelError: as `aplan`; plans given out before stay valid.
        """
