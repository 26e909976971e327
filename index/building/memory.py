"""Indexes in memory, and copies of an index on disk."""

from __future__ import annotations

import shutil
import sqlite3
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..card import ModelCard
from ..errors import CardError, IndexFileError
from ..store.cards import Cards
from ..store.generation import CARDS, Generation
from ..store.manifest import Manifest
from ..store.schema import LOCAL, SLOT_BITS
from ..store.stored import mended
from ..store.vectors import SubIndex, write_subindex
from ..store.writing import CardWriter, given_digest
from ..text import TEMPLATE
from .folders import existing, locked, sweep
from .work import sync_folder, utc_now

if TYPE_CHECKING:
    from ..minilm import Floats


def generation_in_memory(cards: Iterable[ModelCard], encoder: str, encode: Callable[[Sequence[str]], Floats], source: str) -> Generation:
    """A generation that is not on disk. Of cards with one id and one task the last counts, in the place of the first.

    Raises:
        CardError: there are no cards.
    """
    import numpy as np

    kept = tuple({(c.id, c.task): mended(c) for c in cards}.values())
    if not kept:
        raise CardError("There are no model cards to index.")
    db = sqlite3.connect(":memory:", check_same_thread=False)
    written = CardWriter.create(db).put([(c, given_digest(c)) for c in kept])
    db.commit()
    numbers = np.array([w.number for w in written for _ in w.passages], np.int64)
    vectors = encode([text for w in written for text in w.passages])
    opened = Cards(db)
    slots = numbers >> SLOT_BITS
    loaded = {
        task.name: SubIndex.of((numbers[slots == task.slot] & LOCAL).astype(np.uint32), vectors[slots == task.slot])
        for task in opened.tasks.values()
    }
    manifest = Manifest(
        generation="",
        encoder=encoder,
        dimension=int(vectors.shape[1]),
        template=TEMPLATE,
        counts={name: task.cards for name, task in sorted(opened.tasks.items())},
        source=source,
        created=utc_now(),
    )
    return Generation.in_memory(manifest, opened, loaded)


def save_generation(generation: Generation, root: Path) -> None:
    """Write a copy to a folder, in place of what is there.

    Raises:
        IndexFileError: it cannot be written, somebody else is writing there, or the folder holds something else.
    """
    folder = root / f"g-{uuid.uuid4().hex[:12]}"
    try:
        root.mkdir(parents=True, exist_ok=True)
        with locked(root):
            before = existing(root)
            folder.mkdir()
            generation.cards.copy_to(folder / CARDS)
            for name in generation.cards.tasks:
                index = generation.vectors[name]
                write_subindex(folder, name, index.owners, index.blocks(), index.dimension)
            sync_folder(folder)
            replace(generation.manifest, generation=folder.name).write(root)
            sweep(root, {folder.name} | ({before.generation} if before else set()), unfinished=False)
    except (OSError, sqlite3.Error, RuntimeError) as e:  # FAISS raises RuntimeError
        shutil.rmtree(folder, ignore_errors=True)
        why = getattr(e, "strerror", None) or e
        raise IndexFileError(f"The index cannot be written to {str(root)!r}: {why}.", remedy="Choose another folder.") from e
