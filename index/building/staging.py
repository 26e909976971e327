"""New vectors while an index is built: appended task by task, put in order when all of them are there.

    <slot>.rows     float32 vectors as they came
    <slot>.places   for each: uint32 place of its card within the task, uint32 number of the passage, 0 the head

What lies behind the length that the last checkpoint noted is left over from a build that was killed, and cut off.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..store.schema import LOCAL, SLOT_BITS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..minilm import Floats

STAGED = (".rows", ".places")
_BLOCK = 4096
_PLACE_BYTES = 8
_FLOAT_BYTES = 4


class Staging:
    """The new vectors of a build.

    Args:
        folder: where they lie.
        dimension: of a vector.
        rows: by slot, how many rows count; what lies behind them is cut off.
    """

    def __init__(self, folder: Path, dimension: int, rows: dict[int, int] | None = None) -> None:
        self._folder = folder
        self._dimension = dimension
        self.rows = dict(rows or {})
        self._touched: set[int] = set()
        for path in folder.glob("*.rows"):
            _cut(path, self.rows.get(int(path.stem), 0) * dimension * _FLOAT_BYTES)
        for path in folder.glob("*.places"):
            _cut(path, self.rows.get(int(path.stem), 0) * _PLACE_BYTES)

    def add(self, numbers: Sequence[int], passages: Sequence[int], vectors: Floats) -> None:
        """Append rows; those of one card stand together, its head first.

        Args:
            numbers: the card of each row, ascending.
            passages: which of its card's passages each row is.
            vectors: shape (rows, dimension).
        """
        import numpy as np

        of = np.asarray(numbers, np.int64)
        slots = of >> SLOT_BITS
        pairs = np.stack([(of & LOCAL).astype("<u4"), np.asarray(passages, "<u4")], 1)
        for slot in np.unique(slots).tolist():
            start, stop = np.searchsorted(slots, [slot, slot + 1])
            for ending, data in (("rows", vectors[start:stop].astype("<f4", copy=False)), ("places", pairs[start:stop])):
                with (self._folder / f"{slot}.{ending}").open("ab") as f:
                    f.write(data.tobytes())
            self.rows[slot] = self.rows.get(slot, 0) + int(stop - start)
            self._touched.add(slot)

    def sync(self) -> None:
        """See to it that a loss of power does not take what was added."""
        for slot in self._touched:
            for ending in ("rows", "places"):
                with (self._folder / f"{slot}.{ending}").open("rb+") as f:
                    os.fsync(f.fileno())
        self._touched.clear()

    def of(self, slot: int) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
        """The rows of a task that count, by place and passage: places, and positions in the file."""
        import numpy as np

        count = self.rows.get(slot, 0)
        if not count:
            return np.empty(0, np.uint32), np.empty(0, np.int64)
        pairs = np.fromfile(self._folder / f"{slot}.places", "<u4", count * 2).reshape(-1, 2)
        places, last = _last_heads(pairs)
        order = np.argsort(pairs[:, 0], kind="stable")
        counts = order >= last[np.searchsorted(places, pairs[order, 0])]  # a card that came twice: what came last
        order = order[counts]
        return pairs[order, 0], order

    def vectors(self, slot: int) -> tuple[Any, None]:
        """A task's vectors as they lie in the file, shape (rows, dimension), for `in_blocks`."""
        import numpy as np

        count = self.rows.get(slot, 0)
        if not count:
            return np.empty((0, self._dimension), np.float32), None
        return np.memmap(self._folder / f"{slot}.rows", "<f4", "r", shape=(count, self._dimension)), None

    def remove(self) -> None:
        """Delete the files."""
        for ending in ("rows", "places"):
            for path in self._folder.glob(f"*.{ending}"):
                path.unlink()


def _last_heads(pairs: NDArray[np.uint32]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Each place, ascending, and the position of the last row that is its card's head."""
    import numpy as np

    heads = np.flatnonzero(pairs[:, 1] == 0)
    places, from_the_end = np.unique(pairs[heads, 0][::-1], return_index=True)
    return places, heads[::-1][from_the_end]


def in_blocks(
    parts: Sequence[tuple[NDArray[np.int64], Callable[[], tuple[Any, object]]]], order: NDArray[np.int64], dimension: int
) -> Iterator[Floats]:
    """Rows of several arrays in one order, float32, some thousands at a time.

    Args:
        parts: rows that are taken of each array, and what opens the array and whatever must live as long: it is opened for each block, so
            that of a file no more pages are held than a block needs. The rows of all parts are numbered through.
        order: numbers of the rows in the order in which they are wanted.
        dimension: length of a row.
    """
    import numpy as np

    sizes = np.cumsum([0, *(len(rows) for rows, _ in parts)])
    for start in range(0, len(order), _BLOCK):
        chosen = order[start : start + _BLOCK]
        block = np.empty((len(chosen), dimension), np.float32)
        for (rows, opened), first, last in zip(parts, sizes, sizes[1:], strict=False):
            here = (chosen >= first) & (chosen < last)
            if here.any():
                array, _kept = opened()
                block[here] = array[rows[chosen[here] - first]]
        yield block


def _cut(path: Path, length: int) -> None:
    if path.stat().st_size > length:
        os.truncate(path, length)
