"""A generation that is being built: a folder that can be left at any moment and taken up again.

`work.json` in it says of what it is made, and that it is not finished. Everything else that must not be lost stands in the card file, in
one transaction with the cards: how far the source was read, and how many of the staged vectors count.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import shutil
import sqlite3
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..problems import Problems
from ..store.generation import CARDS
from ..store.manifest import Manifest
from ..store.schema import LOCAL, SCHEMA, span
from ..store.vectors import SubIndex, file_name, write_subindex
from ..store.writing import CardWriter
from .folders import MARK, generations
from .staging import STAGED, Staging, in_blocks

if TYPE_CHECKING:
    from ..minilm import Floats

_CACHE_KIB = 16_384
_TWICE = "card came more than once (the last one counts)"
_RESET = "DELETE FROM work; DELETE FROM seen; DELETE FROM stale;"


@dataclass(frozen=True, kw_only=True)
class Purpose:
    """What a generation is built from. An unfinished one is taken up again only for the very same.

    Attributes:
        source: name of the source.
        complete: whether that said, before it was read, that it names every card.
        encoder: name of the encoder.
        dimension: of its vectors.
        template: of the cards' text.
        base: the generation that it starts as a copy of; empty for none.
    """

    source: str
    complete: bool
    encoder: str
    dimension: int
    template: str
    base: str


@dataclass(kw_only=True)
class State:
    """How far a build is. Noted at each checkpoint.

    Attributes:
        cursor: of the last card that was taken in; None before the first.
        read: cards that the source gave.
        added, changed, deleted, encoded: cards that were new, differed, went; texts that were encoded.
        rows: staged vectors that count, by slot.
        problems: what could not be used.
        begun: when it was begun, ISO 8601 in UTC.
        complete: whether the source names every card, as far as it was read.
        taken: whether all cards are in and what is left is to write the vectors.
    """

    cursor: str | None = None
    read: int = 0
    added: int = 0
    changed: int = 0
    deleted: int = 0
    encoded: int = 0
    rows: dict[str, int]
    begun: str
    problems: dict[str, Any]
    complete: bool = True
    taken: bool = False


class Work:
    """An unfinished generation.

    Args:
        folder: its folder, with a card file.
        purpose: what it is made of.
        base: folder of the generation that it started from; None for none.
    """

    def __init__(self, folder: Path, purpose: Purpose, base: Path | None) -> None:
        self.folder = folder
        self.purpose = purpose
        self._base = base
        self.db = sqlite3.connect(folder / CARDS, isolation_level=None)
        self.db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        self.db.execute("PRAGMA synchronous = NORMAL")
        self.state = State(**json.loads(self.db.execute("SELECT state FROM work").fetchone()[0]))
        self.problems = Problems.from_json(self.state.problems)
        self._staging = Staging(folder, purpose.dimension, {int(s): n for s, n in self.state.rows.items()})
        self.db.execute("BEGIN IMMEDIATE")
        self.cards = CardWriter(self.db)
        self._last = time.monotonic()

    @classmethod
    def begin(cls, root: Path, purpose: Purpose) -> Work:
        """A new one: a copy of the base's cards, or empty."""
        folder = root / f"g-{uuid.uuid4().hex[:12]}"
        folder.mkdir(parents=True)
        base = root / purpose.base if purpose.base else None
        copy = folder / f"{CARDS}.tmp"
        if base is not None:
            shutil.copyfile(base / CARDS, copy)
        db = sqlite3.connect(copy)
        with contextlib.closing(db), db:
            db.executescript(_RESET if base is not None else SCHEMA)
            db.execute("INSERT INTO work VALUES (?)", [json.dumps(asdict(State(rows={}, problems={}, begun=utc_now())))])
        copy.replace(folder / CARDS)
        (folder / MARK).write_text(json.dumps(asdict(purpose)), "utf-8")
        return cls(folder, purpose, base)

    @classmethod
    def resume(cls, root: Path, purpose: Purpose, done: str) -> Work | None:
        """The one that was left off, if there is one for this purpose; never the one that counts already (`done`)."""
        for mark in sorted(folder / MARK for folder in generations(root) if folder.name != done):
            if read_purpose(mark) == purpose:
                with contextlib.suppress(sqlite3.Error, OSError, TypeError, ValueError, KeyError):  # left behind in a state that is no use
                    return cls(mark.parent, purpose, root / purpose.base if purpose.base else None)
        return None

    def stage(self, numbers: Sequence[int], passages: Sequence[int], vectors: Floats) -> None:
        """Take in new vectors: rows by ascending number and passage."""
        self._staging.add(numbers, passages, vectors)
        self.db.executemany("INSERT OR IGNORE INTO stale VALUES (?)", [(n,) for n in dict.fromkeys(numbers)])

    def see(self, numbers: Sequence[int], *, twice: int) -> set[int]:
        """Note that the source named these cards, `twice` of them more than once; gives those that had come before."""
        sql = "SELECT number FROM seen WHERE number IN (SELECT value FROM json_each(?))"
        before = {n for (n,) in self.db.execute(sql, [json.dumps(list(numbers))])}
        self.db.executemany("INSERT OR IGNORE INTO seen VALUES (?)", [(n,) for n in numbers])
        if again := twice + len(before):
            self.problems.counts[_TWICE] += again
            self.problems.places.setdefault(_TWICE, [])
        return before

    def delete_unseen(self, *, everything: bool) -> None:
        """Take out the cards that the source did not name: of all models, or of those that it named for another task."""
        sql = "SELECT number FROM cards WHERE number NOT IN (SELECT number FROM seen)"
        if not everything:
            sql += " AND id IN (SELECT id FROM cards WHERE number IN (SELECT number FROM seen))"
        unseen = [n for (n,) in self.db.execute(sql)]
        self.cards.delete(unseen)
        self.db.executemany("INSERT OR IGNORE INTO stale VALUES (?)", [(n,) for n in unseen])
        self.state.deleted += len(unseen)

    def taken(self, cursor: str | None, *, complete: bool) -> None:
        """Note how far the source was read: what came up to there is whole."""
        self.state.cursor = cursor
        self.state.complete = self.state.complete and complete
        self.state.problems = self.problems.as_json()

    def checkpoint(self, *, every: float = 0.0) -> None:
        """See to it that what was done so far is not lost, unless that was done less than so many seconds ago."""
        if every and time.monotonic() - self._last < every:
            return
        self._staging.sync()
        self.state.rows = {str(s): n for s, n in self._staging.rows.items()}
        self.db.execute("UPDATE work SET state = ?", [json.dumps(asdict(self.state))])
        self.db.execute("COMMIT")
        self.db.execute("BEGIN IMMEDIATE")
        self._last = time.monotonic()

    def counts(self) -> dict[str, int]:
        """Cards of each task that has any."""
        return dict(self.db.execute("SELECT name, cards FROM tasks WHERE cards > 0 ORDER BY name").fetchall())

    def write_vectors(self, on_task: Callable[[int, int], None]) -> None:
        """Write each task's vectors that is not written yet; `on_task` hears how many of how many are."""
        tasks = self.db.execute("SELECT slot, name FROM tasks WHERE cards > 0 ORDER BY slot").fetchall()
        for done, (slot, name) in enumerate(tasks):
            on_task(done, len(tasks))
            if not (self.folder / file_name(name, "faiss")).exists():
                self._write_task(slot, name)
        if not self.purpose.base:
            for table in ("words", "labels"):
                self.db.execute(f"INSERT INTO {table} ({table}) VALUES ('optimize')")  # noqa: S608
        on_task(len(tasks), len(tasks))

    def _write_task(self, slot: int, name: str) -> None:
        import numpy as np

        first, last = span(slot)
        rows = self.db.execute("SELECT number FROM stale WHERE number BETWEEN ? AND ?", [first, last]).fetchall()
        stale = np.fromiter((n & LOCAL for (n,) in rows), np.uint32, len(rows))
        places, positions = self._staging.of(slot)
        old_places, old_rows, base = np.empty(0, np.uint32), np.empty(0, np.int64), self._base or self.folder
        if self._base is not None and (base / file_name(name, "faiss")).exists():
            if not len(stale):
                _link(base, self.folder, name)
                return
            before = SubIndex.open(base, name).owners
            old_rows = np.flatnonzero(~np.isin(before, stale))
            old_places = before[old_rows]
        owners = np.concatenate([old_places, places])
        order = np.argsort(owners, kind="stable")

        def old() -> tuple[Any, object]:
            opened = SubIndex.open(base, name)
            return opened.vectors, opened  # the vectors are a view into it

        parts = [(old_rows, old), (positions, lambda: self._staging.vectors(slot))]
        blocks = in_blocks(parts, order, self.purpose.dimension)
        write_subindex(self.folder, name, owners[order], blocks, self.purpose.dimension)

    def finish(self, root: Path, manifest: Manifest) -> None:
        """Make this generation the one that counts."""
        self.db.execute("COMMIT")
        self.db.close()
        sync_folder(self.folder)
        manifest.write(root)
        sync_folder(root)
        (self.folder / MARK).unlink()
        self._staging.remove()

    def close(self) -> None:
        """Leave it as it was at the last checkpoint."""
        self.db.close()


def read_purpose(mark: Path) -> Purpose | None:
    """What an unfinished generation is made of; None where that cannot be read."""
    try:
        data = json.loads(mark.read_text("utf-8"))
        return Purpose(**{f.name: data[f.name] for f in fields(Purpose)})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def utc_now() -> str:
    """ISO 8601, to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def sync_folder(folder: Path) -> None:
    """See to it that a loss of power takes none of a folder's files; where the system cannot (Windows), nothing happens."""
    for path in (*(p for p in folder.iterdir() if p.is_file() and p.suffix not in STAGED), folder):
        with contextlib.suppress(PermissionError):
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def _link(base: Path, folder: Path, task: str) -> None:
    """Take a task's files over as they are; `<task>.faiss`, which is looked for first, last."""
    for ending in ("f16", "owners", "faiss"):
        old, new = base / file_name(task, ending), folder / file_name(task, ending)
        if old.exists():
            new.unlink(missing_ok=True)
            try:
                os.link(old, new)
            except OSError:
                shutil.copyfile(old, new.with_suffix(".copy"))
                new.with_suffix(".copy").replace(new)
