"""One generation of an index, open for reading: every answer comes out of one."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from ..errors import IndexFileError
from ..filters import CardFilter
from .cards import Cards, TaskRange
from .manifest import Manifest
from .schema import LOCAL
from .vectors import OpenedTasks, SubIndex

if TYPE_CHECKING:
    from .vectors import Mask

CARDS = "cards.sqlite"
_REMEMBERED = 512


@dataclass(frozen=True, kw_only=True)
class Generation:
    """Cards, vectors and manifest that belong together.

    Attributes:
        manifest: how it was made.
        cards: cards and words.
        vectors: by task.
        folder: where it lies; None for memory.
    """

    manifest: Manifest
    cards: Cards
    vectors: OpenedTasks
    folder: Path | None = None
    _masks: OrderedDict[tuple[str, CardFilter], Mask] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    @classmethod
    def open(cls, root: Path, manifest: Manifest) -> Generation:
        """The one that a manifest names. Raises IndexFileError when its card file is lost or damaged."""
        folder = root / manifest.generation
        path = folder / CARDS
        if not path.is_file():
            raise IndexFileError(f"The index {str(root)!r} has lost its card file.", remedy="Build the index again.")
        cards = Cards(path)
        if not cards.tasks:  # a damaged card file is found here, not in the middle of a run
            raise IndexFileError(f"The index {str(root)!r} holds no cards.", remedy="Build the index again.")
        return cls(manifest=manifest, cards=cards, vectors=OpenedTasks(folder), folder=folder)

    @classmethod
    def in_memory(cls, manifest: Manifest, cards: Cards, vectors: dict[str, SubIndex]) -> Generation:
        """One that is not on disk."""
        return cls(manifest=manifest, cards=cards, vectors=OpenedTasks(None, vectors))

    def tasks(self, name: str | None) -> Sequence[TaskRange]:
        """The task of that name, or none; all for None."""
        return [t for t in self.cards.tasks.values() if name in (None, t.name)]

    def mask(self, task: TaskRange, filters: CardFilter | None) -> Mask | None:
        """By place, which cards of a task pass a filter's conditions on facts; None for all. Remembered."""
        import numpy as np

        if filters is None:
            return None
        key = (task.name, filters)
        with self._lock:
            if key in self._masks:
                self._masks.move_to_end(key)
                return self._masks[key]
        numbers = self.cards.passing(task, filters)
        mask = np.zeros(task.places, np.bool_)
        mask[np.fromiter((n & LOCAL for n in numbers), np.int64, len(numbers))] = True
        with self._lock:
            self._masks[key] = mask
            while len(self._masks) > _REMEMBERED:
                self._masks.popitem(last=False)
        return mask
