"""Cards and their words in SQLite, for writing: one at a time, by whoever builds."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from ..card import ModelCard
from ..text import card_passages
from .lexical import card_words
from .schema import SCHEMA, number_of
from .stored import facts_of, stored_card

_DIGEST = 16


@dataclass(frozen=True, kw_only=True)
class Written:
    """A card that was written.

    Attributes:
        number: its number.
        new: whether there was none with its id and task.
        passages: what is to be encoded for it; empty where its vectors stay.
    """

    number: int
    new: bool
    passages: tuple[str, ...]


class CardWriter:
    """Puts cards into a database and takes them out again. Commits nothing.

    Args:
        db: a connection; `create` makes the tables.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._slots: dict[str, int] = dict(db.execute("SELECT name, slot FROM tasks").fetchall())

    @classmethod
    def create(cls, db: sqlite3.Connection) -> CardWriter:
        """Make the tables in an empty database."""
        db.executescript(SCHEMA)
        return cls(db)

    def known(self, card: ModelCard, given: bytes) -> int | None:
        """The number of a card that is there already, exactly like this one."""
        slot = self._slots.get(card.task)
        row = None if slot is None else self._row(card.id, slot)
        return row[0] if row is not None and row[1] == given else None

    def put(self, cards: Sequence[tuple[ModelCard, bytes]]) -> list[Written]:
        """Write cards, in place of those with their id and task.

        Args:
            cards: with their digests; no two with one id and task.

        Returns:
            what was written, by ascending number.
        """
        done = []
        numbered = sorted(((*self._number(card), card, given) for card, given in cards), key=lambda x: x[0])
        for number, before, card, given in numbered:
            passages, words = card_passages(card), card_words(card)
            encoded = _digest("\0".join((*passages, *words)))
            old = None if before is None else stored_card(before[3], before[4])
            stays = before is not None and before[2] == encoded
            if not stays:
                if old is not None:
                    self._words(number, card_words(old), delete=True)
                self._words(number, words)
            self._write(number, card, given, encoded, old)
            done.append(Written(number=number, new=before is None, passages=() if stays else passages))
        return done

    def delete(self, numbers: Sequence[int]) -> None:
        """Take cards out."""
        for number in numbers:
            row = self._db.execute("SELECT number, given, encoded, facts, text FROM cards WHERE number = ?", [number]).fetchone()
            before = stored_card(row[3], row[4])
            self._words(number, card_words(before), delete=True)
            self._lists(number, before, None)
            for table in ("cards", "facts"):
                self._db.execute(f"DELETE FROM {table} WHERE number = ?", [number])  # noqa: S608
            self._db.execute("UPDATE tasks SET cards = cards - 1 WHERE slot = ? >> 32", [number])

    def _row(self, ident: str, slot: int) -> tuple[int, bytes, bytes, str, str] | None:
        sql = "SELECT number, given, encoded, facts, text FROM cards WHERE id = ? AND number >> 32 = ?"
        found: tuple[int, bytes, bytes, str, str] | None = self._db.execute(sql, [ident, slot]).fetchone()
        return found

    def _number(self, card: ModelCard) -> tuple[int, tuple[int, bytes, bytes, str, str] | None]:
        """The card's number, old or new, and its row if it has one."""
        slot = self._slots.get(card.task)
        if slot is None:
            slot = self._slots[card.task] = len(self._slots) + 1
            self._db.execute("INSERT INTO tasks VALUES (?, ?, 0, 0)", [slot, card.task])
        row = self._row(card.id, slot)
        if row is not None:
            return row[0], row
        sql = "UPDATE tasks SET next = next + 1, cards = cards + 1 WHERE slot = ? RETURNING next - 1"
        (local,) = self._db.execute(sql, [slot]).fetchone()
        return number_of(slot, local), None

    def _words(self, number: int, texts: tuple[str, str], *, delete: bool = False) -> None:
        """FTS5 without content takes words out when it is told once more what they were."""
        for table, text in zip(("labels", "words"), texts, strict=True):
            what = f"({table}, rowid, text) VALUES ('delete', ?, ?)" if delete else "(rowid, text) VALUES (?, ?)"
            self._db.execute(f"INSERT INTO {table} {what}", [number, text])

    def _write(self, number: int, card: ModelCard, given: bytes, encoded: bytes, before: ModelCard | None) -> None:
        row = (number, card.id, given, encoded, facts_of(card), card.text)
        self._db.execute("INSERT OR REPLACE INTO cards VALUES (?, ?, ?, ?, ?, ?)", row)
        gated = None if card.gated is None else int(card.gated)
        facts = (number, card.license, card.library, card.parameters, card.bytes, gated, card.last_modified)
        self._db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?, ?, ?, ?, ?, ?)", facts)
        self._lists(number, before, card)

    def _lists(self, number: int, before: ModelCard | None, after: ModelCard | None) -> None:
        """Bring the tables of languages and providers from one card to the other."""
        for table, column in (("languages", "language"), ("providers", "provider")):
            old, new = (set(getattr(c, table)) if c else set() for c in (before, after))
            gone = f"DELETE FROM {table} WHERE {column} = ? AND number = ?"  # noqa: S608
            self._db.executemany(gone, [(v, number) for v in old - new])
            self._db.executemany(f"INSERT INTO {table} VALUES (?, ?)", [(v, number) for v in sorted(new - old)])  # noqa: S608


def given_digest(card: ModelCard) -> bytes:
    """Of everything that the card says, but from where it was read: next month's dump has another name."""
    return _digest(repr([v for k, v in card.__dict__.items() if k != "source"]))


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_DIGEST).digest()
