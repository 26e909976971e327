"""Which tasks a clause asks for: a linear classifier over MiniLM's last three layers, fitted to example clauses.

A task that no example mentions is found by its summary and its ports, so a table of other tasks needs no training.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ....index.minilm import MiniLM
from ....tools.task import HubTask, TaskTable, hub_spelling

if TYPE_CHECKING:
    from ....index.minilm import Floats

FOLDER = Path(__file__).parent
EXAMPLES = FOLDER / "examples.jsonl"
WEIGHTS = FOLDER / "matching.safetensors"
_MARGIN = 0.05  # cosine by which a described task must be nearer than every known one, to be as likely as not
_SLOPE = 0.04
_UNSURE = 3.0
_FLOOR = 0.3


@dataclass(frozen=True, kw_only=True)
class Match:
    """A reading of a clause.

    Attributes:
        tasks: the tasks it asks for, in order; empty: it asks for none.
        score: probability, 0..1.
    """

    tasks: tuple[str, ...]
    score: float


@dataclass(frozen=True, kw_only=True)
class Weights:
    """The fitted classifier.

    Attributes:
        labels: what the columns stand for: tasks in order; () for none.
        matrix: (1152, labels) float32.
        bias: (labels,) float32.
        summaries: unit vectors of the summaries of the tasks that the examples mention, (tasks, 384).
        shown: names of those tasks.
    """

    labels: tuple[tuple[str, ...], ...]
    matrix: Floats
    bias: Floats
    summaries: Floats
    shown: tuple[str, ...]

    @classmethod
    def load(cls, path: Path = WEIGHTS) -> Weights:
        """Read what `fitting.write` wrote."""
        import numpy as np
        from safetensors import safe_open

        with safe_open(path, framework="numpy") as f:
            facts = f.metadata()
            matrix, bias, summaries = (f.get_tensor(n).astype(np.float32) for n in ("matrix", "bias", "summaries"))
        labels = tuple(tuple(label) for label in json.loads(facts["labels"]))
        return cls(labels=labels, matrix=matrix, bias=bias, summaries=summaries, shown=tuple(json.loads(facts["shown"])))


class Matcher:
    """Matches clauses with the tasks of one table.

    Args:
        tasks: the table; labels that name a task outside of it are left out. A name may be spelt otherwise: `Image Classification` is
            what the examples call image-classification.
        weights: the classifier.
        encoder: MiniLM.
    """

    def __init__(self, tasks: TaskTable, weights: Weights, encoder: MiniLM) -> None:
        self._weights = weights
        self._encoder = encoder
        spelt = {hub_spelling(n): n for n in tasks}
        self._columns = [i for i, label in enumerate(weights.labels) if all(t in spelt for t in label)]
        self._labels = [tuple(spelt[t] for t in weights.labels[i]) for i in self._columns]
        shown = set(weights.shown)
        self._described = [(n, text) for n, t in tasks.items() if hub_spelling(n) not in shown for text in _descriptions(t)]

    def match(self, clauses: Sequence[str], *, limit: int = 6) -> list[list[Match]]:
        """For each clause its most likely readings, best first, at most `limit`."""
        import numpy as np

        if not clauses:
            return []
        layers = self._encoder.layers(list(clauses))
        logits = layers.reshape(len(clauses), -1) @ self._weights.matrix + self._weights.bias
        logits = logits[:, self._columns]
        p = np.exp(logits - logits.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        own = self._own(layers[:, -1], p.max(1))
        return [self._best(row, mine, limit) for row, mine in zip(p, own, strict=True)]

    def _best(self, row: Floats, own: dict[str, float], limit: int) -> list[Match]:
        import numpy as np

        left = 1 - max(own.values(), default=0.0)
        known = [Match(tasks=self._labels[i], score=float(row[i]) * left) for i in np.argsort(-row)[:limit]]
        described = [Match(tasks=(n,), score=p) for n, p in own.items() if p > 0.01]
        return sorted([*known, *described], key=lambda m: -m.score)[:limit]

    def _own(self, vectors: Floats, sure: Floats) -> list[dict[str, float]]:
        """For each clause, the probability of each task that no example mentions.

        How much nearer its description is than that of every known task, and how unsure the classifier is among those.
        """
        import numpy as np

        if not self._described:
            return [{} for _ in vectors]
        near = vectors @ self._descriptions.T
        known = (vectors @ self._weights.summaries.T).max(1) if len(self._weights.shown) else np.zeros(len(vectors))
        out: list[dict[str, float]] = []
        for row, best, top in zip(near, known, sure, strict=True):
            mine: dict[str, float] = {}
            for (name, _), cosine in zip(self._described, row, strict=True):
                gap = min(float(cosine) - float(best) - _MARGIN, float(cosine) - _FLOOR - _MARGIN)
                mine[name] = max(mine.get(name, 0.0), float(1 / (1 + np.exp(-gap / _SLOPE - _UNSURE * (0.5 - float(top))))))
            total = sum(mine.values())
            out.append({n: p / max(1.0, total) for n, p in mine.items()})
        return out

    @cached_property
    def _descriptions(self) -> Floats:
        return self._encoder.encode([text for _, text in self._described])


def _descriptions(task: HubTask) -> Iterable[str]:
    """What a task says of itself."""
    yield task.summary.rstrip(".")
    yield task.name.replace("-", " ").replace("_", " ")
    ports = " ".join(p.description for p in (*task.inputs, *task.outputs) if p.description)
    yield f"{task.summary} {ports}".strip()
