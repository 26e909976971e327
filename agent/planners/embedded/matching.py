"""Which tasks a clause asks for: the nearest of many example clauses and of the tasks' own summaries, in MiniLM's space.

A task that no example mentions is found by its summary and its ports, so a table of other tasks needs no training.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ....index.minilm import MiniLM
from ....tools.task import HubTask, TaskTable

if TYPE_CHECKING:
    from ....index.minilm import Floats

_FOLDER = Path(__file__).parent
_EXAMPLES = _FOLDER / "examples.jsonl"
_VECTORS = _FOLDER / "examples.safetensors"


@dataclass(frozen=True, kw_only=True)
class Match:
    """A reading of a clause.

    Attributes:
        tasks: the tasks it asks for, in order; empty: it asks for none.
        score: cosine with the nearest example, -1..1.
    """

    tasks: tuple[str, ...]
    score: float


class Examples:
    """Example clauses with the tasks that each asks for, and their vectors."""

    def __init__(self, encoder: MiniLM) -> None:
        self._encoder = encoder

    @cached_property
    def rows(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """(clause, tasks), in the order of the file."""
        lines = _EXAMPLES.read_text("utf-8").splitlines()
        return tuple((r["text"], tuple(r["tasks"])) for r in map(json.loads, lines))

    @cached_property
    def vectors(self) -> Floats:
        """Unit vectors, shape (rows, 384); encoded anew when the file is not the one that was encoded."""
        import numpy as np
        from safetensors import safe_open

        if _VECTORS.is_file():
            with safe_open(_VECTORS, framework="numpy") as f:
                if (f.metadata() or {}).get("texts") == self.digest():
                    return f.get_tensor("vectors").astype(np.float32)  # type: ignore[no-any-return]
        return self._encoder.encode([text for text, _ in self.rows])

    def digest(self) -> str:
        """SHA-256 of the clauses."""
        return hashlib.sha256("\n".join(text for text, _ in self.rows).encode()).hexdigest()

    def write_vectors(self) -> None:
        """Encode the clauses and store the vectors beside them, in 16 bits."""
        import numpy as np
        from safetensors.numpy import save_file

        vectors = self._encoder.encode([text for text, _ in self.rows]).astype(np.float16)
        save_file({"vectors": vectors}, _VECTORS, metadata={"texts": self.digest(), "encoder": MiniLM.name})


class Matcher:
    """Matches clauses with the tasks of one table.

    Args:
        tasks: the table; examples of tasks that are not in it are left out.
        examples: the example clauses.
        encoder: MiniLM.
    """

    def __init__(self, tasks: TaskTable, examples: Examples, encoder: MiniLM) -> None:
        self._tasks = tasks
        self._examples = examples
        self._encoder = encoder

    @cached_property
    def _labels(self) -> tuple[tuple[str, ...], ...]:
        return tuple(dict.fromkeys(tasks for _, tasks in self._known))

    @cached_property
    def _known(self) -> list[tuple[int, tuple[str, ...]]]:
        kept = [(i, tasks) for i, (_, tasks) in enumerate(self._examples.rows) if all(t in self._tasks for t in tasks)]
        shown = {t for _, tasks in kept for t in tasks}
        self._described = [(n, text) for n, t in self._tasks.items() for text in _descriptions(t, shown=n in shown)]
        return kept + [(-1, (n,)) for n, _ in self._described]

    @cached_property
    def _matrix(self) -> Floats:
        import numpy as np

        rows = [i for i, _ in self._known if i >= 0]
        described = self._encoder.encode([text for _, text in self._described])
        return np.concatenate([self._examples.vectors[rows], described])

    def match(self, clauses: Sequence[str], *, limit: int = 6) -> list[list[Match]]:
        """For each clause its most likely readings, best first, at most `limit`."""
        if not clauses:
            return []
        similarity = self._encoder.encode(list(clauses)) @ self._matrix.T
        return [self._best(row, limit) for row in similarity]

    def _best(self, row: Floats, limit: int) -> list[Match]:
        import numpy as np

        best: dict[tuple[str, ...], list[float]] = {}
        for i in np.argsort(-row)[:60]:
            best.setdefault(self._known[int(i)][1], []).append(float(row[i]))
        scored = [Match(tasks=t, score=_support(scores)) for t, scores in best.items()]
        return sorted(scored, key=lambda m: -m.score)[:limit]


def _support(scores: Sequence[float]) -> float:
    """The nearest example, and a little for further ones that agree."""
    return scores[0] + 0.05 * sum(s - scores[0] + 0.15 for s in scores[1:3] if s > scores[0] - 0.15)


def _descriptions(task: HubTask, *, shown: bool) -> Iterable[str]:
    """What a task says of itself. A task that examples show needs its summary only."""
    yield task.summary.rstrip(".")
    if not shown:
        yield task.name.replace("-", " ").replace("_", " ")
        ports = " ".join(p.description for p in (*task.inputs, *task.outputs) if p.description)
        yield f"{task.summary} {ports}".strip()


if __name__ == "__main__":
    Examples(MiniLM()).write_vectors()
