"""Cards and their words in SQLite: facts for filters, FTS5 for lexical search. One row in `vectors` for each vector of a card."""

from __future__ import annotations

import json
import re
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from .card import ModelCard
from .errors import IndexFileError
from .text import card_text

_SCHEMA = """
CREATE TABLE cards (number INTEGER PRIMARY KEY, id TEXT NOT NULL, task TEXT NOT NULL, card TEXT NOT NULL, UNIQUE (id, task));
CREATE INDEX cards_by_task ON cards (task);
CREATE TABLE vectors (number INTEGER PRIMARY KEY, card INTEGER NOT NULL REFERENCES cards (number));
CREATE VIRTUAL TABLE words USING fts5 (text, content='', tokenize='porter unicode61');
"""
_WORD = re.compile(r"\w+")
_STOP = frozenset(
    "a an and are as at be by can do for from how i in is it me model models my of on or please that the this to want what which "
    "with you".split()
)


class Metadata:
    """The SQLite side of an index. Rows are numbered from 1; a card's number is also its vector's number until cards have several.

    Args:
        path: the file, or None for one in memory.
    """

    def __init__(self, path: Path | None) -> None:
        self._lock = threading.Lock()
        where = "file:cards?mode=memory" if path is None else f"{path.resolve().as_uri()}?mode=ro"
        self._db = sqlite3.connect(where, uri=True, check_same_thread=False)

    @classmethod
    def create(cls, cards: Sequence[ModelCard], path: Path | None = None) -> Metadata:
        """Write `cards`, numbered from 1 in their order, to a new file (or to memory) and open it."""
        if path is None:
            made = cls(None)
            _fill(made._db, cards)
            return made
        db = sqlite3.connect(path)
        try:
            _fill(db, cards)
        finally:
            db.close()
        return cls(path)

    def cards(self, numbers: Iterable[int]) -> dict[int, ModelCard]:
        """Cards by number."""
        sql = "SELECT number, card FROM cards WHERE number IN (SELECT value FROM json_each(?))"
        rows = self._rows(sql, [json.dumps(list(numbers))])
        return {n: ModelCard.from_json(json.loads(card)) for n, card in rows}

    def of_task(self, task: str) -> dict[int, ModelCard]:
        """Every card of a task, by number."""
        rows = self._rows("SELECT number, card FROM cards WHERE task = ?", [task])
        return {n: ModelCard.from_json(json.loads(card)) for n, card in rows}

    def by_id(self, ident: str) -> tuple[ModelCard, ...]:
        """The cards of a model, one for each task."""
        return tuple(ModelCard.from_json(json.loads(c)) for (c,) in self._rows("SELECT card FROM cards WHERE id = ?", [ident]))

    def counts(self) -> dict[str, int]:
        """Number of cards of each task."""
        return dict(self._rows("SELECT task, count(*) FROM cards GROUP BY task ORDER BY task", []))

    def ids(self) -> list[str]:
        """Every model id."""
        return [i for (i,) in self._rows("SELECT DISTINCT id FROM cards ORDER BY id", [])]

    def lexical(self, query: str, *, task: str | None, allowed: Sequence[int] | None, limit: int) -> list[int]:
        """Numbers of the cards that share words with the query, best BM25 first; of `allowed` cards only, unless that is None."""
        words = [w for w in dict.fromkeys(_WORD.findall(query.lower())) if w not in _STOP][:40]
        if not words:
            return []
        match = " OR ".join(f'"{w}"' for w in words)
        sql = """SELECT words.rowid FROM words JOIN cards ON cards.number = words.rowid
            WHERE words MATCH ?1 AND (?2 IS NULL OR cards.task = ?2)
            AND (?3 IS NULL OR cards.number IN (SELECT value FROM json_each(?3))) ORDER BY bm25(words) LIMIT ?4"""
        permitted = None if allowed is None else json.dumps(list(allowed))
        return [n for (n,) in self._rows(sql, [match, task, permitted, limit])]

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _rows(self, sql: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        try:
            with self._lock:
                return self._db.execute(sql, list(values)).fetchall()
        except sqlite3.DatabaseError as e:
            raise IndexFileError(f"The index's card file cannot be read: {e}.", remedy="Build the index again.") from e


def _fill(db: sqlite3.Connection, cards: Sequence[ModelCard]) -> None:
    with db:
        db.executescript(_SCHEMA)
        rows = [(i, c.id, c.task, json.dumps(c.as_json())) for i, c in enumerate(cards, 1)]
        db.executemany("INSERT INTO cards VALUES (?, ?, ?, ?)", rows)
        db.executemany("INSERT INTO vectors VALUES (?, ?)", ((i, i) for i in range(1, len(cards) + 1)))
        db.executemany("INSERT INTO words (rowid, text) VALUES (?, ?)", ((i, card_text(c)) for i, c in enumerate(cards, 1)))
