"""The re-ranker: a small network over the evidence for each card, and a small classifier of the query's task.

What it was trained on, and how it scores on what it has not seen, stands in `reranker.md` beside the weights.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import IndexFileError
from .evidence import Evidence, Query
from .features import FEATURES, features, newness, smallness

if TYPE_CHECKING:
    from ..minilm import Floats

FORMAT = 1
SHIPPED = Path(__file__).parent / "reranker.safetensors"
_TENSORS = ("tasks.weight", "tasks.bias", "direct", "hidden.weight", "hidden.bias", "out")
_LEAST_CHANCE = 0.003
_TIE = 0.1  # set by hand, small enough to decide among equals only: no data set that we have tells what newness and size are worth


@dataclass(frozen=True, kw_only=True)
class Reranker:
    """Scores the cards that a search found.

    Attributes:
        encoder: whose query vectors the classifier of tasks reads. With another one it is left out, and cosines count by how they spread
            among the cards found.
        tasks: that the classifier knows, in the order of its columns.
        spread: typical standard deviation of that encoder's cosines among the cards found.
        weights: `tasks.weight` (dimension, tasks), `tasks.bias` (tasks,), `direct` (features,), `hidden.weight` (features, units),
            `hidden.bias` (units,), `out` (units,).
        seen: SHA-256 of the files of requests that it was trained on; figures on these are had by cross-fitting only.
    """

    encoder: str
    tasks: tuple[str, ...]
    spread: float
    weights: dict[str, Floats]
    seen: tuple[str, ...] = ()

    @classmethod
    def load(cls, path: Path = SHIPPED) -> Reranker:
        """Read a file that `save` wrote.

        Raises:
            IndexFileError: there is none, it cannot be read, or it has another format.
        """
        from safetensors import SafetensorError, safe_open

        remedy = "Train one: hugginggpt train reranker."
        try:
            with safe_open(path, framework="numpy") as f:
                told = f.metadata() or {}
                weights = {name: f.get_tensor(name) for name in f.keys()}  # noqa: SIM118  (no mapping)
        except (OSError, SafetensorError) as e:
            raise IndexFileError(f"The re-ranker {str(path)!r} cannot be read: {e}.", remedy=remedy) from e
        if told.get("format") != str(FORMAT) or json.loads(told.get("features", "[]")) != list(FEATURES):
            raise IndexFileError(
                f"The re-ranker {str(path)!r} has format {told.get('format')!r}, or looks at other features; this version reads {FORMAT}.",
                remedy=remedy,
            )
        tasks, seen = (tuple(json.loads(told.get(name, "[]"))) for name in ("tasks", "seen"))
        made = cls(encoder=told.get("encoder", ""), tasks=tasks, spread=float(told.get("spread", 0)), weights=weights, seen=seen)
        if not made._fits():
            raise IndexFileError(
                f"The re-ranker {str(path)!r} lacks weights, or has some of a wrong shape, or that are no numbers.", remedy=remedy
            )
        return made

    def save(self, path: Path) -> None:
        """Write weights, and what is needed to use them. Raises OSError."""
        from safetensors.numpy import save

        lists = {"features": FEATURES, "tasks": self.tasks, "seen": self.seen}
        told = {"format": str(FORMAT), "encoder": self.encoder, "spread": repr(self.spread)}
        path.write_bytes(save(self.weights, told | {name: json.dumps(values) for name, values in lists.items()}))

    def scores(self, query: Query, found: Sequence[Evidence]) -> Floats:
        """For each card how likely it is the right one of these: shape (cards,), float32, sums to 1; (0,) without cards."""
        import numpy as np

        if not found:
            return np.empty(0, np.float32)
        table = self.features(query, found)
        hidden = np.tanh(table @ self.weights["hidden.weight"] + self.weights["hidden.bias"])
        logits = table @ self.weights["direct"] + hidden @ self.weights["out"] + _TIE * (newness(found) + smallness(found))
        chances = np.exp(logits - logits.max())
        scores: Floats = chances / chances.sum()
        return scores

    def features(self, query: Query, found: Sequence[Evidence]) -> Floats:
        """What the network reads: shape (cards, features)."""
        known = query.encoder == self.encoder
        logs = self._task_logs(query, found) if known and query.task is None else [0.0] * len(found)
        return features(query, found, spread=self.spread if known else None, task_logs=logs)

    def _task_logs(self, query: Query, found: Sequence[Evidence]) -> list[float]:
        """Half the logarithm of each card's task's chance, for a task that the classifier does not know that of the mean task."""
        import numpy as np

        logits = query.vector @ self.weights["tasks.weight"] + self.weights["tasks.bias"]
        chances = np.exp(logits - logits.max())
        logs = np.log(chances / chances.sum() + _LEAST_CHANCE) / 2
        by_task = dict(zip(self.tasks, logs.tolist(), strict=True))
        mean = float(logs.mean())
        return [by_task.get(e.card.task, mean) for e in found]

    def _fits(self) -> bool:
        import numpy as np

        if not all(np.isfinite(w).all() for w in self.weights.values()):
            return False
        shapes = [self.weights[name].shape if name in self.weights else () for name in _TENSORS]
        units, dimension = shapes[4][:1], shapes[0][:1]
        count, tasks = (len(FEATURES),), (len(self.tasks),)
        return bool(units and dimension and self.spread > 0) and shapes == [dimension + tasks, tasks, count, count + units, units, units]


@cache
def shipped_reranker() -> Reranker:
    """The one that ships, read once. It has seen all of APIBench: figures on that set are had by cross-fitting only."""
    return Reranker.load()
