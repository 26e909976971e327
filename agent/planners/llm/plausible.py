"""Which tasks a request may need: what a prompt shows when there is no room for the whole table, and whether a request is mere chat."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from ....index.minilm import MiniLM
from ....tools.sentences import sentences
from ....tools.task import TaskTable
from ..embedded.matching import Matcher, Weights
from ..embedded.reading import normal_form

if TYPE_CHECKING:
    from ....index.minilm import Floats
    from ...request import Request

_READ = 4_000  # characters of a request that are read, from either end
_CLAUSES = 40
_SIMILAR = 0.01  # what the likeness of a task's summary counts: it orders tasks of which the matcher says nothing


class Plausibility(Protocol):
    """Judges tasks before anything is planned."""

    def plausible(self, request: Request, tasks: TaskTable) -> Mapping[str, float]:
        """For every task of the table, how likely the request needs it, 0..1."""


class MatchedTasks:
    """By the embedded planner's matcher of clauses, and beneath it by the likeness of the task's summary.

    Args:
        encoder: a MiniLM to share.
    """

    def __init__(self, encoder: MiniLM | None = None) -> None:
        self._encoder = encoder or MiniLM()
        self._lock = threading.Lock()
        self._table: tuple[TaskTable, Matcher, Floats] | None = None

    def plausible(self, request: Request, tasks: TaskTable) -> Mapping[str, float]:
        """Of a task the best over the request's sentences; a long request is read at its two ends."""
        matcher, summaries = self._of(tasks)
        clauses = _clauses(request)
        vectors = self._encoder.encode(clauses)
        likeness = (vectors @ summaries.T).max(0)
        found = {name: _SIMILAR * max(0.0, float(x)) for name, x in zip(tasks, likeness, strict=True)}
        for matches in matcher.match(clauses, limit=len(tasks) + 1):
            here: dict[str, float] = {}
            for match in matches:
                for name in set(match.tasks):
                    here[name] = here.get(name, 0.0) + match.score
            for name, score in here.items():
                found[name] = max(found[name], min(1.0, score))
        return found

    def _of(self, tasks: TaskTable) -> tuple[Matcher, Floats]:
        with self._lock:
            if self._table is None or self._table[0] is not tasks:
                summaries = self._encoder.encode([t.summary for t in tasks.values()])
                self._table = (tasks, Matcher(tasks, Weights.load(), self._encoder), summaries)
            return self._table[1], self._table[2]


def _clauses(request: Request) -> list[str]:
    text = request.text if len(request.text) <= 2 * _READ else f"{request.text[:_READ]}\n{request.text[-_READ:]}"
    files = [(f.name, str(f.kind)) for f in request.files]
    said = [normal_form(s, files) for s in sentences(text)]
    said = [s for s in said if s.strip()] or ["."]
    return said if len(said) <= _CLAUSES else said[: _CLAUSES // 2] + said[-_CLAUSES // 2 :]
