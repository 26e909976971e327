"""What the runner knows of a task: a row of its table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ..runner import RunnerOutput

Inputs = Mapping[str, Any]
"""By input port, as runners get them."""

Asking = Callable[[Inputs], Mapping[str, Any]]
"""Makes of the inputs the arguments of a method of huggingface_hub's InferenceClient.

Files are bytes that know their media type, never texts: the client would open those as paths and fetch them as addresses.
It raises InputError or MediaError where no model could do anything with the inputs, ExpertError where a hosted one cannot.
"""

Reading = Callable[[Any, Inputs], RunnerOutput]
"""Makes the output of what the method gave back. The client hardly looks at what servers say, so nothing is believed here: it raises
ExpertError, with a clause that reads after "the reply cannot be used:", for whatever is missing or not of its form."""


class Where(Enum):
    """Where a method can be called."""

    ANYWHERE = "anywhere"
    HUB = "on the Hub"
    ENDPOINT = "at endpoints"


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way to ask for a task.

    Attributes:
        method: of InferenceClient.
        ask: its arguments.
        read: its reply.
        served: what providers call it; None where that is the task's own name.
        where: where the client lets it be called.
    """

    method: str
    ask: Asking
    read: Reading
    served: str | None = None
    where: Where = Where.ANYWHERE


@dataclass(frozen=True, kw_only=True)
class HostedRow:
    """How a Hub task is asked for.

    Attributes:
        task: the Hub's name of it.
        ways: the first that fits the place is used; the next one only where a server does not know or refuses the one before.
    """

    task: str
    ways: tuple[Way, ...]

    def ways_at(self, *, endpoint: bool) -> tuple[Way, ...]:
        """The ways that can be gone at an endpoint, or on the Hub."""
        not_here = Where.HUB if endpoint else Where.ENDPOINT
        return tuple(way for way in self.ways if way.where is not not_here)


def row(task: str, method: str, ask: Asking, read: Reading) -> HostedRow:
    """A task with one way, which is open everywhere."""
    return HostedRow(task=task, ways=(Way(method=method, ask=ask, read=read),))
