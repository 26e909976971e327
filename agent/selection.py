"""Which experts may do a planned task, best first."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ..tools.experts import Candidate, Experts
    from ..tools.task import HubTask


class Selector(Protocol):
    """Chooses candidates for a task of a request.

    Raises:
        NoExpertError: nothing can run the task here.
    """

    def select(self, task: HubTask, request: str, wanted: int = 1) -> tuple[Candidate, ...]:
        """Candidates that can run here, best first; more than `wanted`, if there are, since some may fail."""

    async def aselect(self, task: HubTask, request: str, wanted: int = 1) -> tuple[Candidate, ...]:
        """The same without blocking the event loop."""


class IndexSelector:
    """The index's own ranking: a few milliseconds, no tokens.

    Args:
        experts: the index and the runners.
        limit: how many candidates at most beside those that are wanted; each is tried when those before it fail.
    """

    def __init__(self, experts: Experts, *, limit: int = 4) -> None:
        self._experts = experts
        self._limit = limit

    def select(self, task: HubTask, request: str, wanted: int = 1) -> tuple[Candidate, ...]:
        """Candidates that can run here, best first."""
        return self._experts.candidates(task, request, limit=self._limit + wanted)

    async def aselect(self, task: HubTask, request: str, wanted: int = 1) -> tuple[Candidate, ...]:
        """The same in a thread."""
        return await asyncio.to_thread(self.select, task, request, wanted)
