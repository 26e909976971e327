"""The folder of an index: what in it is ours, what may go, and one writer at a time."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import IndexFileError
from ..store.generation import CARDS, Generation
from ..store.manifest import FILE, Manifest, read_manifest
from ..store.vectors import SubIndex

MARK = "work.json"
_LOCK = ".lock"
_GENERATION = re.compile(r"g-[0-9a-f]{12}")
_OF_A_GENERATION = (CARDS, f"{CARDS}.tmp", MARK)


@contextmanager
def locked(root: Path) -> Iterator[None]:
    """Be the only one who writes to an index. Raises IndexFileError when somebody else does."""
    from filelock import FileLock, Timeout

    try:
        with FileLock(root / _LOCK, timeout=0):
            yield
    except Timeout as e:
        remedy = "Wait until it is done, or choose another folder."
        raise IndexFileError(f"Another build is at work on {str(root)!r}.", remedy=remedy) from e


def generations(root: Path) -> list[Path]:
    """Folders that builds made, and nobody else."""
    return [p for p in root.glob("g-*") if _GENERATION.fullmatch(p.name) and p.is_dir() and any((p / f).exists() for f in _OF_A_GENERATION)]


def sweep(root: Path, keep: set[str], *, unfinished: bool) -> None:
    """Delete generations but for some: those that were never finished, or all."""
    for folder in generations(root):
        if folder.name not in keep and ((folder / MARK).exists() or not unfinished):
            shutil.rmtree(folder, ignore_errors=True)


def existing(root: Path) -> Manifest | None:
    """The manifest of the index that is there; None where there is none, or one that cannot be used any more.

    Raises:
        IndexFileError: there is a manifest, and it is not an index's.
    """
    try:
        manifest = read_manifest(root)
    except IndexFileError as e:
        if (root / FILE).exists() and not _was_ours(root):
            raise IndexFileError(f"{str(root)!r} holds a {FILE} that is not an index's.", remedy="Choose another folder.") from e
        return None
    return manifest if (root / manifest.generation / CARDS).is_file() else None


def sound(root: Path, manifest: Manifest) -> bool:
    """Whether a generation is whole enough to build upon: every task's files open, and have vectors for each of its cards."""
    import numpy as np

    with contextlib.suppress(IndexFileError):
        generation = Generation.open(root, manifest)
        for task in generation.tasks(None):
            index = SubIndex.open(root / manifest.generation, task.name)
            if len(np.unique(index.owners)) != task.cards or index.dimension != manifest.dimension:
                return False
        return True
    return False


def _was_ours(root: Path) -> bool:
    """Whether a manifest that cannot be read, or is of another format, was written by a build."""
    try:
        data = json.loads((root / FILE).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return bool(generations(root))
    return isinstance(data, dict) and _GENERATION.fullmatch(str(data.get("generation"))) is not None
