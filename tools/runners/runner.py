"""The seam behind which experts run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from ...index.card import ModelCard
    from ..task import HubTask


class Place(IntEnum):
    """Where a model is, the most ready first."""

    NAMED = 0  # at an address that the user named for it
    LOADED = 1  # in memory
    HERE = 2  # on this machine
    REACHED = 3  # hosted, and answered when it was last called
    HOSTED = 4  # hosted, as far as is known
    ABSENT = 5  # has to be downloaded
    TIGHT = 6  # on this machine, and larger than the memory that is free


@dataclass(frozen=True, kw_only=True)
class Availability:
    """Whether a runner can run something here and now.

    Attributes:
        supported: there is code for it.
        ok: it can run here and now.
        why: if not ok, why not; a clause that reads after "because".
        remedy: if not ok, what would help; a sentence, empty when nothing would.
        models: ids of the only models that can run, where a task was asked about without a card and the runner knows; None for any.
        named: ids of models that the user named for this task; they are tried before all others.
        unbound: ids of models that the user named without a task; those that the index knows for this task are as good as `named`, and
            the others can only be asked for by their id.
        place: where the model of the card is; None where no card was given.
        seconds: how long its calls took lately; None where none was made.
        cost: US dollars that a call of it took lately; None where nobody told.
    """

    supported: bool
    ok: bool
    why: str = ""
    remedy: str = ""
    models: tuple[str, ...] | None = None
    named: tuple[str, ...] = ()
    unbound: tuple[str, ...] = ()
    place: Place | None = None
    seconds: float | None = None
    cost: float | None = None


@dataclass(frozen=True, kw_only=True)
class NewMedia:
    """A file that an expert made and that is not stored yet.

    Attributes:
        data: the bytes of the file.
        media_type: MIME type, e.g. `audio/wav`.
        name: a short name for people, without folders.
    """

    data: bytes
    media_type: str
    name: str


@dataclass(frozen=True, kw_only=True)
class RunnerOutput:
    """What an expert gives back.

    Attributes:
        values: by output port. text: str; labels: list of {"label", "score"} best first; number: float; json, table: plain JSON;
            media: NewMedia; a port with `many`: a list of those.
        notes: what a reader must know to judge the result ("extractive: sentences are taken from the text as they stand").
        usage: what it took, where a provider tells: `input_tokens`, `output_tokens`, `usd`.
        tries: calls before the one that gave this, which failed: seconds, and what happened.
    """

    values: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    usage: Mapping[str, float] = field(default_factory=dict)
    tries: tuple[Try, ...] = ()


Try = tuple[float, str]
"""A call that failed: how many seconds it took, and what happened."""


@runtime_checkable
class Runner(Protocol):
    """Runs the experts of one kind: embedded ones, local models, hosted models, a team's own.

    `inputs` hold, by input port, only what was given: text: str; labels: list[str]; number: float; json: plain JSON;
    table: list of rows, each {column: cell}; media: Artifact; a port with `many`: a list of those.
    """

    @property
    def name(self) -> str:
        """Short name that people see, e.g. `embedded`."""

    def availability(self, task: HubTask, card: ModelCard | None = None) -> Availability:
        """Whether this runner can run `task` (with `card`, or with any model when None). Fast; loads nothing."""

    def run(self, task: HubTask, card: ModelCard, inputs: Mapping[str, Any]) -> RunnerOutput:
        """Run it and wait.

        Raises:
            CallerError: the inputs are at fault; another expert would fail as well.
            ExpertError: this expert failed; the next candidate may do better.
        """

    async def arun(self, task: HubTask, card: ModelCard, inputs: Mapping[str, Any]) -> RunnerOutput:
        """The same without blocking the event loop."""
