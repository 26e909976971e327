"""The vectors of one task in FAISS: exact where there are few; where there are many, 8 bits a number, and the exact ones beside them.

Under a task filter HNSW and IVF lose half of the true hits or more; exact search within the task loses none. From `MANY` rows on there
are 8 bits for a number, which takes a quarter of the memory; what that finds is put in order by the 16-bit vectors, of which only the
rows that were found are read, so that next to nothing is lost (recall@10 0.998 and more; benchmarks/RESULTS.md).

    <task>.faiss    IndexFlatIP, or IndexScalarQuantizer (QT_8bit)
    <task>.owners   uint32 for each row, ascending: the place of its card within the task; a card has one row for each of its passages
    <task>.f16      for 8-bit indexes: float16 rows
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import IndexFileError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..minilm import Floats

    Places = NDArray[np.uint32]
    Mask = NDArray[np.bool_]

MANY = 4096
_HALF = 2
_SPARE = 2
_TRAINED_ON = 8192
_BLOCK = 4096


class SubIndex:
    """One task's vectors. May be searched from several threads.

    Args:
        index: a FAISS index of inner products.
        owners: the card of each row, ascending; shape (rows,).
        exact: the exact rows, where the index holds none.
    """

    def __init__(self, index: Any, owners: Places, exact: ExactRows | None = None) -> None:
        self._index = index
        self.owners = owners
        self._exact = exact

    @classmethod
    def of(cls, owners: Places, vectors: Floats) -> SubIndex:
        """In memory, exact, of any number of rows."""
        import faiss
        import numpy as np

        index = faiss.IndexFlatIP(int(vectors.shape[1]))
        index.add(np.ascontiguousarray(vectors, np.float32))
        return cls(index, owners)

    @classmethod
    def open(cls, folder: Path, task: str) -> SubIndex:
        """Read from files, which stay on disk: pages come in as they are searched.

        Raises:
            MissingVectorsError: a file is not there.
            IndexFileError: a file cannot be read.
        """
        import faiss
        import numpy as np

        path = folder / file_name(task, "faiss")
        try:
            owners = np.fromfile(path.with_suffix(".owners"), "<u4")
            index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
            exact = None
            if not isinstance(index, faiss.IndexFlat):
                exact = ExactRows(path.with_suffix(".f16"), index.ntotal, index.d)
            if len(owners) != index.ntotal or not len(owners):
                raise ValueError(f"{len(owners)} owners for {index.ntotal} vectors")
        except FileNotFoundError as e:
            raise _lost(path, task) from e
        except (RuntimeError, OSError, ValueError) as e:  # FAISS raises RuntimeError
            if not path.exists():
                raise _lost(path, task) from e
            raise IndexFileError(f"The vectors of {task} in {str(path)!r} cannot be read.", remedy="Build the index again.") from e
        return cls(index, owners, exact)

    @property
    def rows(self) -> int:
        """How many vectors there are."""
        return len(self.owners)

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self._index.d)

    def search(self, query: Floats, *, limit: int, allowed: Mask | None = None) -> tuple[Places, Floats]:
        """The nearest cards, best first: their places, and the cosine of each card's best row.

        Args:
            query: one unit vector, shape (dimension,).
            limit: how many cards at most.
            allowed: by place, which cards may be found; None for all. Applied inside the search.
        """
        import numpy as np

        selector = None if allowed is None else np.packbits(allowed[self.owners], bitorder="little")
        wanted = min(limit * (_SPARE if self._many or self._exact is not None else 1), self.rows)
        while True:
            rows, cosines = self._nearest(query, wanted, selector)
            places, first = np.unique(self.owners[rows], return_index=True)
            if len(places) >= min(limit, self.rows) or len(rows) < wanted or wanted == self.rows:
                break
            wanted = min(2 * wanted, self.rows)
        best = np.argsort(first)[:limit]  # rows come best first, so a card's first row is its best
        return places[best], cosines[first[best]]

    def cosines(self, query: Floats, places: Places) -> list[tuple[float, ...]]:
        """For each of some cards the cosines of its rows, its head first."""
        import numpy as np

        starts, stops = np.searchsorted(self.owners, places), np.searchsorted(self.owners, places, "right")
        rows = np.concatenate([np.arange(a, b) for a, b in zip(starts.tolist(), stops.tolist(), strict=True)])
        values = _products(self._exact.take(rows) if self._exact else self.vectors[rows], query).tolist()
        ends = np.cumsum(stops - starts).tolist()
        return [tuple(values[end - n : end]) for end, n in zip(ends, (stops - starts).tolist(), strict=True)]

    @property
    def vectors(self) -> Any:
        """All rows, exact, as they lie on disk or in memory: float32 or float16, shape (rows, dimension); a view into this index."""
        if self._exact is not None:
            return self._exact.all()
        import faiss

        return faiss.rev_swig_ptr(self._index.get_xb(), self.rows * self.dimension).reshape(self.rows, self.dimension)

    def blocks(self) -> Iterator[Floats]:
        """All rows as float32, some thousands at a time."""
        import numpy as np

        for start in range(0, self.rows, _BLOCK):
            yield np.ascontiguousarray(self.vectors[start : start + _BLOCK], np.float32)

    @cached_property
    def _many(self) -> bool:
        """Whether some card has several rows."""
        return int(self.owners[-1]) + 1 < self.rows or bool((self.owners[1:] == self.owners[:-1]).any())

    def _nearest(self, query: Floats, wanted: int, selector: Any | None) -> tuple[Any, Floats]:
        """Rows and their cosines, best first."""
        import faiss
        import numpy as np

        if self.dimension != len(query):
            raise IndexFileError(
                f"The index holds vectors of {self.dimension} numbers and the encoder gives {len(query)}.", remedy="Build the index again."
            )
        params = None
        if selector is not None:  # FAISS keeps a pointer: the array must outlive the search
            params = faiss.SearchParameters(sel=faiss.IDSelectorBitmap(selector))  # type: ignore[call-arg]
        with _one_thread():
            scores, rows = self._index.search(query[None], wanted, params=params)
        rows, scores = rows[0][rows[0] >= 0], scores[0][: int((rows[0] >= 0).sum())]
        if self._exact is None:
            return rows, scores
        scores = _products(self._exact.take(rows), query)
        order = np.argsort(-scores, kind="stable")
        return rows[order], scores[order]


class ExactRows:
    """Float16 vectors in a file, of which a search reads those that it wants: a mapped file would hold sixteen pages for each of them.

    Args:
        path: the file.
        rows, dimension: its shape. Raises ValueError when its size is another.
    """

    def __init__(self, path: Path, rows: int, dimension: int) -> None:
        self._path = path
        self._handle = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._handle)
        self._shape = (rows, dimension)
        if path.stat().st_size != rows * dimension * _HALF:
            raise ValueError(f"{path.name} has another size")

    def take(self, rows: NDArray[np.int64]) -> Floats:
        """Some rows, float32."""
        import numpy as np

        size = self._shape[1] * _HALF
        if not hasattr(os, "pread"):  # Windows
            return np.asarray(self.all()[rows], np.float32)
        data = b"".join([os.pread(self._handle, size, row * size) for row in rows.tolist()])
        return np.frombuffer(data, "<f2").reshape(-1, self._shape[1]).astype(np.float32)

    def all(self) -> Any:
        """The whole file, mapped."""
        import numpy as np

        return np.memmap(self._path, "<f2", "r", shape=self._shape)


class OpenedTasks:
    """The sub-indexes of a generation, opened on first use.

    Args:
        folder: where the files lie; None where everything is loaded.
        loaded: sub-indexes that are in memory already, by task.
    """

    def __init__(self, folder: Path | None, loaded: dict[str, SubIndex] | None = None) -> None:
        self._folder = folder
        self._loaded = dict(loaded or {})
        self._lock = threading.Lock()

    def __getitem__(self, task: str) -> SubIndex:
        with self._lock:
            if task not in self._loaded:
                if self._folder is None:
                    raise KeyError(task)
                self._loaded[task] = SubIndex.open(self._folder, task)
            return self._loaded[task]


class MissingVectorsError(IndexFileError):
    """A file of vectors is not there: lost, or of a generation that two builds have replaced."""


def write_subindex(folder: Path, task: str, owners: Places, blocks: Iterator[Floats], dimension: int) -> None:
    """Write a task's files; the one that is looked for first, `<task>.faiss`, comes last.

    Args:
        folder: where.
        task: its name.
        owners: the card of each row, ascending.
        blocks: the rows, in that order, some at a time.
        dimension: of a row.
    """
    import faiss

    path = folder / file_name(task, "faiss")
    owners.astype("<u4").tofile(path.with_suffix(".owners"))
    index: Any
    if len(owners) < MANY:
        index = faiss.IndexFlatIP(dimension)
        _fill(index, blocks, len(owners))
    else:
        index = write_quantised(path.with_suffix(".f16"), blocks, len(owners), dimension)
    faiss.write_index(index, str(path.with_suffix(".tmp")))
    for written in (path.with_suffix(".tmp"), path.with_suffix(".owners")):
        with written.open("rb+") as f:
            os.fsync(f.fileno())  # whoever takes the build up again trusts what has its name
    path.with_suffix(".tmp").replace(path)


def _products(rows: Floats, query: Floats) -> Floats:
    """Inner products in this thread: BLAS would share out even some hundred rows, and wait for the other threads."""
    import numpy as np

    products: Floats = np.einsum("ij,j->i", rows, query)
    return products


@contextmanager
def _one_thread() -> Iterator[None]:
    """FAISS shares queries out between threads, of which one query has no use: where another process has the core, they are waited for.

    The number is this thread's alone (OpenMP 5.2, nthreads-var).
    """
    import faiss

    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def write_quantised(beside: Path, blocks: Iterator[Floats], rows: int, dimension: int) -> Any:
    """An 8-bit index, and the same rows in 16 bits in a file beside it."""
    import faiss
    import numpy as np

    sample, every = [], -(-rows // _TRAINED_ON)
    with beside.open("wb") as f:
        for block in blocks:
            block.astype("<f2").tofile(f)
            sample.append(block[::every].copy())

    def exact() -> Any:
        return np.memmap(beside, "<f2", "r", shape=(rows, dimension))  # opened anew for each use: few pages are held at a time

    index = faiss.IndexScalarQuantizer(dimension, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
    index.train(np.concatenate(sample))
    sample.clear()
    _fill(index, (exact()[start : start + _BLOCK].astype(np.float32) for start in range(0, rows, _BLOCK)), rows)
    return index


def _fill(index: Any, blocks: Iterator[Floats], rows: int) -> None:
    """Add rows to an empty index, which takes no more memory than they need: `add` doubles what it has, again and again."""
    import faiss

    index.codes.resize(rows * index.code_size)
    codes = faiss.rev_swig_ptr(index.codes.data(), rows * index.code_size).reshape(rows, index.code_size)
    for block in blocks:
        codes[index.ntotal : index.ntotal + len(block)] = index.sa_encode(block)
        index.ntotal += len(block)


def file_name(task: str, ending: str) -> str:
    """File name of a task's vectors; safe whatever a card says its task is."""
    safe = re.sub(r"[^a-z0-9-]", "_", task.lower())[:80]
    if safe != task:
        safe += "-" + hashlib.sha256(task.encode()).hexdigest()[:8]
    return f"{safe}.{ending}"


def _lost(path: Path, task: str) -> MissingVectorsError:
    return MissingVectorsError(f"The index has lost the vectors of {task}: there is no {str(path)!r}.", remedy="Build the index again.")
