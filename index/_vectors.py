"""Vectors in FAISS: one exact sub-index for each task, `IndexIDMap2(IndexFlatIP)`, numbered as in the card file.

Under a task filter HNSW and IVF lose half of the true hits or more; exact search within the task loses none and takes
0.02 to 24 ms over a million cards. A file of another FAISS type (scalar quantisation for large tasks) opens the same way.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import IndexFileError

if TYPE_CHECKING:
    from .minilm import Floats


class Vectors:
    """Sub-indexes by task, read from their files on first use.

    Args:
        folder: holds one `<task>.faiss` for each task; None for indexes that are only in memory.
        loaded: sub-indexes that are in memory already.
    """

    def __init__(self, folder: Path | None, loaded: Mapping[str, Any] | None = None) -> None:
        self._folder = folder
        self._loaded = dict(loaded or {})
        self._lock = threading.Lock()

    @classmethod
    def create(cls, tasks: Sequence[str], vectors: Floats, folder: Path | None = None) -> Vectors:
        """Build from unit vectors in card order (numbers start at 1); write them when a folder is given."""
        import faiss
        import numpy as np

        loaded: dict[str, Any] = {}
        numbers = np.arange(1, len(tasks) + 1, dtype=np.int64)
        of = np.array(tasks)
        for task in dict.fromkeys(tasks):
            chosen = of == task
            index = faiss.IndexIDMap2(faiss.IndexFlatIP(int(vectors.shape[1])))
            index.add_with_ids(np.ascontiguousarray(vectors[chosen], np.float32), numbers[chosen])
            loaded[task] = index
            if folder is not None:
                faiss.write_index(index, str(folder / file_name(task)))
        return cls(folder, loaded)

    def search(self, query: Floats, *, tasks: Sequence[str], allowed: Sequence[int] | None, limit: int) -> list[tuple[int, float]]:
        """(number, cosine) of the nearest vectors, best first.

        Args:
            query: one unit vector, shape (dimension,).
            tasks: which sub-indexes; every one of them must be there.
            allowed: numbers that may be found, or None for all; applied inside the search, not after it.
            limit: how many at most.
        """
        import faiss
        import numpy as np

        hits: list[tuple[int, float]] = []
        for task in tasks:
            index = self._open(task)
            if index.d != len(query):
                raise IndexFileError(
                    f"The index holds vectors of {index.d} numbers and the encoder gives {len(query)}.", remedy="Build the index again."
                )
            params = None
            if allowed is not None:
                chosen = np.asarray(sorted(allowed), np.int64)  # FAISS keeps a pointer: the array must outlive the search
                params = faiss.SearchParameters(sel=faiss.IDSelectorBatch(chosen))  # type: ignore[call-arg]
            scores, numbers = index.search(query[None], min(limit, index.ntotal), params=params)
            hits += [(int(n), float(s)) for n, s in zip(numbers[0], scores[0], strict=True) if n >= 0]
        return sorted(hits, key=lambda h: -h[1])[:limit]

    def of(self, tasks: Sequence[str]) -> Floats:
        """The vectors numbered 1 … len(tasks), given each one's task; shape (len(tasks), dimension)."""
        import numpy as np

        return np.stack([self._open(task).reconstruct(n) for n, task in enumerate(tasks, 1)])

    def _open(self, task: str) -> Any:
        with self._lock:
            if task not in self._loaded and self._folder is not None:
                path = self._folder / file_name(task)
                if not path.exists():
                    raise IndexFileError(
                        f"The index has lost the vectors of {task}: there is no {str(path)!r}.",
                        remedy="Open the index again if it was built anew meanwhile; if not, build it again.",
                    )
                import faiss

                try:
                    self._loaded[task] = faiss.read_index(str(path))
                except RuntimeError as e:
                    raise IndexFileError(f"The vectors of {task} in {str(path)!r} cannot be read.", remedy="Build the index again.") from e
            return self._loaded[task]


def file_name(task: str) -> str:
    """File name of a task's sub-index; safe whatever a card says its task is."""
    safe = re.sub(r"[^a-z0-9-]", "_", task.lower())[:80]
    if safe != task:
        import hashlib

        safe += "-" + hashlib.sha256(task.encode()).hexdigest()[:8]
    return f"{safe}.faiss"
