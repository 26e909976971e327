"""Examples of requests with their plans, and which of them a prompt shows: those whose requests are most like the one at hand.

Retrieving demonstrations is HuggingGPT's own way (arXiv 2303.17580, section 4.1); by its ablation more than four gain little. None of
them comes from a benchmark.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cache, cached_property
from importlib.resources import files as package_files
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, TypeAdapter

from ....tools.task import Kind, TaskTable
from ...plan import Plan

if TYPE_CHECKING:
    from ....index.minilm import Encoder, Floats

_READ = 2_000  # characters of a request that are compared


class DemoFile(BaseModel):
    """A file of a demonstration."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    kind: Kind
    media_type: str


class Demo(BaseModel):
    """A demonstration.

    Attributes:
        request: the user's words.
        files: what is attached.
        plan: the plan, in the JSON form of `agent/plan.py`.
        question: what is asked back instead; empty when nothing is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    request: str
    files: tuple[DemoFile, ...] = ()
    plan: tuple[dict[str, Any], ...] = ()
    question: str = ""

    def as_plan(self) -> Plan:
        """Its plan."""
        return Plan.from_json(list(self.plan))


@cache
def demonstrations() -> tuple[Demo, ...]:
    """Those that ship, in `demos.json`."""
    text = (package_files(__package__ or "") / "demos.json").read_text(encoding="utf-8")
    return TypeAdapter(tuple[Demo, ...]).validate_json(text)


class Demonstrations:
    """Finds demonstrations by the similarity of their requests.

    Args:
        encoder: gives unit vectors. Those of the demonstrations are computed once, on first use.
        demos: default those that ship.
    """

    def __init__(self, encoder: Encoder, demos: Sequence[Demo] | None = None) -> None:
        self._encoder = encoder
        self._demos = demonstrations() if demos is None else tuple(demos)
        self._lock = threading.Lock()

    def nearest(self, request: str, tasks: TaskTable, count: int) -> tuple[Demo, ...]:
        """At most `count` demonstrations that this table can plan, the most similar first; of equal ones the earlier first."""
        fitting = [i for i, d in enumerate(self._demos) if all(t["task"] in tasks for t in d.plan)]
        if count <= 0 or not fitting:
            return ()
        if len(fitting) > 1:
            with self._lock:
                vectors = self._vectors
            cosines = vectors @ self._encoder.encode([request[:_READ]])[0]
            fitting.sort(key=lambda i: -float(cosines[i]))
        return tuple(self._demos[i] for i in fitting[:count])

    @cached_property
    def _vectors(self) -> Floats:
        return self._encoder.encode([d.request for d in self._demos])
