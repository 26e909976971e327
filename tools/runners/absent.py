"""Stands where a runner could be: serves nothing and says what would help."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...index.errors import CallerError
from .runner import Availability, RunnerOutput

if TYPE_CHECKING:
    from ...index.card import ModelCard
    from ..task import HubTask


class AbsentRunner:
    """A kind of runner that this installation does not have.

    Args:
        name: of the runner.
        why: a clause that reads after "because".
        remedy: a sentence.
    """

    def __init__(self, name: str, *, why: str, remedy: str) -> None:
        self.name = name
        self._answer = Availability(supported=False, ok=False, why=why, remedy=remedy)

    def availability(self, task: HubTask, card: ModelCard | None = None) -> Availability:
        """Never."""
        return self._answer

    def run(self, task: HubTask, card: ModelCard, inputs: Mapping[str, Any]) -> RunnerOutput:
        """Always raises CallerError."""
        raise CallerError(f"The runner {self.name!r} cannot run {task.name}: {self._answer.why}.", remedy=self._answer.remedy)

    async def arun(self, task: HubTask, card: ModelCard, inputs: Mapping[str, Any]) -> RunnerOutput:
        """Always raises CallerError."""
        return self.run(task, card, inputs)
