"""Tasks that training never saw: found by how near a part of the request is to what they say of themselves.

An encoder that is not adapted to any tasks compares the parts of the request with names and summaries; a few learnt weights say what
that is worth beside what else is known. Only a table that holds such tasks pays for it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ....index.minilm import MiniLM
from ....tools.sentences import sentences
from ....tools.task import HubTask, Kind, TaskTable
from .nodes import CUT
from .reading import found_in
from .scoring import TOKENS, Scores
from .telling import KINDS, Told, takes

if TYPE_CHECKING:
    from ....index.minilm import Floats

FEATURES = 9
_PARTS, _PER_SENTENCE, _SHORT = 24, 8, 3
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_TAKEN = 3.0  # log-odds that a known task loses where one that was never seen is meant
_DOUBTFUL, _CLEAR = 2.0, 8.0  # it loses them as well where it is doubtful, and the other one clear


class Unseen:
    """Scores the tasks of one table that training never saw.

    Args:
        tasks: the table.
        rows: positions in it of these tasks.
        weights: (9,), learnt.
        encoder: the shared MiniLM, as it is.
    """

    def __init__(self, tasks: TaskTable, rows: Sequence[int], weights: Floats, encoder: MiniLM) -> None:
        self._rows, self._weights, self._encoder = list(rows), weights, encoder
        self._tasks = list(tasks.values())
        self._known = [i for i in range(len(self._tasks)) if i not in set(rows)]
        names = [_said(t.name) for t in self._tasks]
        self._named = encoder.encode(names)
        self._told = encoder.encode([f"{n}. {t.summary}" for n, t in zip(names, self._tasks, strict=True)])
        self._summaries = encoder.encode([t.summary.rstrip(".") for t in self._tasks])

    def score(self, told: Told, scores: Scores) -> Scores:
        """These tasks' logits and places put in; a known task that is doubtful, or was heard in a part that is another's, loses."""
        import numpy as np

        parts = parts_of(told.text)
        features, heard = self.features(parts, told, scores, self._rows)
        found = features @ self._weights
        tasks, places, peaks = scores.tasks.copy(), scores.places.copy(), scores.peaks.copy()
        spots = scores.spots.copy()
        losing: set[int] = set()
        for row, logit, part in zip(self._rows, found, heard, strict=True):
            text, start = parts[part]
            tasks[row] = logit
            places[row] = peaks[row] = told.original(start + len(text) // 2)
            near = int(np.abs(scores.characters - places[row]).argmin())
            spots[row] = near / TOKENS
            for other in self._known:
                inside = told.original(start) <= peaks[other] <= told.original(start + len(text))
                doubtful = scores.tasks[other] < min(_DOUBTFUL, logit - _CLEAR)
                if logit > 0 and (inside or doubtful):
                    losing.add(other)
        tasks[list(losing)] -= _TAKEN
        return replace(scores, tasks=tasks, places=places, peaks=peaks, spots=spots)

    def features(self, parts: Sequence[tuple[str, int]], told: Told, scores: Scores, rows: Sequence[int]) -> tuple[Floats, list[int]]:
        """(u, 9) features of the tasks at u rows, and for each the part of the request that is nearest to it."""
        import numpy as np

        vectors = self._encoder.encode([p for p, _ in parts])
        near = np.maximum(vectors @ self._told.T, vectors @ self._summaries.T)
        named = vectors @ self._named.T
        best_known = scores.tasks[self._known].max() if self._known else np.float32(-9)
        sure = 1 / (1 + np.exp(-best_known))
        given = {k for k, there in zip(KINDS, told.given, strict=False) if there}
        out, heard = [], []
        for row in rows:
            part = int(near[:, row].argmax())
            others = [r for r in rows if r != row]
            rival = near[part, others].max() if others else 0.0
            anywhere = near[:, others].max() if others else 0.0
            known = near[part, self._known].max() if self._known else 0.0
            here = near[part, row]
            lacks, uses = _files(self._tasks[row], given)
            out.append([here, here - known, here - rival, sure, lacks, uses, named[:, row].max(), here - anywhere, 1.0])
            heard.append(part)
        return np.array(out, np.float32).reshape(-1, FEATURES), heard


def _files(task: HubTask, given: set[Kind]) -> tuple[float, float]:
    """Whether it needs a file of a kind that is not given, and whether it takes one that is."""
    needs = {k for k in takes(task) if k is not Kind.TEXT}
    return float(bool(needs - given)), float(bool(needs & given))


def _said(name: str) -> str:
    return " ".join(re.split(r"[-_\s]+", _CAMEL.sub(" ", name))).lower()


def parts_of(text: str) -> list[tuple[str, int]]:
    """Sentences, and what stands between their commas and conjunctions, each once, with where it begins."""
    found: dict[str, int] = {}
    for sentence in sentences(text):
        start = _start(text, sentence, 0)
        found.setdefault(sentence, start)
        pieces = [p for p in CUT.split(sentence) if p and len(p) > _SHORT]
        for piece in pieces[:_PER_SENTENCE] if len(pieces) > 1 else ():
            found.setdefault(piece, _start(text, piece, start))
    return list(found.items())[:_PARTS] or [(".", 0)]


def _start(text: str, part: str, at: int) -> int:
    found = found_in(text, part, at)
    return at if found is None else found[0]
