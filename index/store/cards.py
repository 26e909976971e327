"""Cards and their words in SQLite, for reading."""

from __future__ import annotations

import json
import sqlite3
import threading
import weakref
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..card import ModelCard
from ..errors import IndexFileError
from ..filters import CardFilter
from .lexical import Lexical
from .schema import span
from .stored import stored_card

if TYPE_CHECKING:
    from ..minilm import Floats
    from .lexical import Numbers

_BY_NUMBER = "SELECT number, facts{text} FROM cards WHERE number IN (SELECT value FROM json_each(?))"
_BY_COUNT = "GROUP BY 1 ORDER BY 2 DESC, 1"
FACTS = {
    "task": "SELECT name, cards FROM tasks WHERE cards > 0 ORDER BY 2 DESC, 1",
    "license": f"SELECT coalesce(license, ''), count(*) FROM facts {_BY_COUNT}",  # noqa: S608
    "library": f"SELECT coalesce(library, ''), count(*) FROM facts {_BY_COUNT}",  # noqa: S608
    "modified": f"SELECT coalesce(modified, ''), count(*) FROM facts {_BY_COUNT}",  # noqa: S608
    "language": f"SELECT language, count(*) FROM languages {_BY_COUNT}",  # noqa: S608
    "flag": f"SELECT value, count(*) FROM cards, json_each(facts, '$.flags') WHERE instr(facts, '\"flags\"') {_BY_COUNT}",  # noqa: S608
}
"""By fact, the statement that counts cards by its values."""


@dataclass(frozen=True, kw_only=True)
class TaskRange:
    """A task of the index.

    Attributes:
        slot: its number, from 1.
        name: Hub task.
        places: how many places its numbers reach over: those of cards that have gone stay empty.
        cards: how many cards it has.
    """

    slot: int
    name: str
    places: int
    cards: int


class Cards:
    """The SQLite side of a generation. May be used from several threads.

    Args:
        path: the file, which nobody writes to any more; or an open connection to a database in memory.
    """

    def __init__(self, path: Path | sqlite3.Connection) -> None:
        self._lock = threading.Lock()
        self._words = Lexical()
        if isinstance(path, sqlite3.Connection):
            self._db = path
        else:
            self._db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False)
        weakref.finalize(self, self._db.close)

    @cached_property
    def tasks(self) -> Mapping[str, TaskRange]:
        """The tasks that have cards, by name, in the order in which they came in."""
        rows = self._rows("SELECT slot, name, next, cards FROM tasks WHERE cards > 0 ORDER BY slot", [])
        return {name: TaskRange(slot=slot, name=name, places=places, cards=cards) for slot, name, places, cards in rows}

    def facts(self, numbers: Iterable[int]) -> dict[int, ModelCard]:
        """Cards by number, with an empty text: what ranking needs."""
        return {n: stored_card(facts, "") for n, facts in self._rows(_BY_NUMBER.format(text=""), [json.dumps(list(numbers))])}

    def cards(self, numbers: Iterable[int]) -> dict[int, ModelCard]:
        """Cards by number."""
        return {n: stored_card(facts, text) for n, facts, text in self._rows(_BY_NUMBER.format(text=", text"), [json.dumps(list(numbers))])}

    def by_id(self, ident: str) -> tuple[ModelCard, ...]:
        """The cards of a model, one for each task."""
        return tuple(stored_card(f, t) for f, t in self._rows("SELECT facts, text FROM cards WHERE id = ? ORDER BY number", [ident]))

    def ids_like(self, ident: str, limit: int = 2000) -> list[str]:
        """Some ids that begin alike, to suggest from; all of them where there are few."""
        few = [i for (i,) in self._rows("SELECT DISTINCT id FROM cards LIMIT ?", [limit + 1])]
        if len(few) <= limit:
            return few
        start = ident[: max(3, len(ident) // 2)]
        near = "SELECT DISTINCT id FROM cards WHERE id >= ? AND id < ? LIMIT ?"
        return [i for (i,) in self._rows(near, [start, start + "\U0010ffff", limit])]

    def passing(self, task: TaskRange, filters: CardFilter) -> Sequence[int]:
        """Numbers of a task's cards that pass the conditions on facts; `where` is not asked."""
        clauses, values = _conditions(filters)
        sql = f"SELECT f.number FROM facts f WHERE f.number BETWEEN ?1 AND ?2{''.join(f' AND {c}' for c in clauses)}"  # noqa: S608
        return [n for (n,) in self._rows(sql, [*span(task.slot), *values])]

    def lexical(self, query: str, task: TaskRange | None) -> tuple[Numbers, Floats]:
        """Numbers of the cards that share words with the query, ascending, and their scores; of one task, or of all for None."""
        whole = (0, span(max(t.slot for t in self.tasks.values()))[1]) if task is None else span(task.slot)
        return self._words.scores(self._matching, query, span=whole, cards=self.count if task is None else task.cards)

    @property
    def count(self) -> int:
        """How many cards there are."""
        return sum(t.cards for t in self.tasks.values())

    def tally(self, fact: str) -> dict[str, int]:
        """How many cards there are for each value of a fact, the commonest first; see `ModelCardIndex.count_by`."""
        return dict(self._rows(FACTS[fact], []))

    def copy_to(self, path: Path) -> None:
        """Write the whole database to a new file."""
        copy = sqlite3.connect(path)
        try:
            with self._lock:
                self._db.backup(copy)
        finally:
            copy.close()

    def _matching(self, sql: str, values: Sequence[object]) -> list[tuple[int]]:
        """Rows of a search for a word; none for what FTS5 takes for several words, because its tables of letters are of 2012."""
        try:
            return self._rows(sql, values)
        except IndexFileError as e:
            if "phrase queries are not supported" in e.message:
                return []
            raise

    def _rows(self, sql: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        try:
            with self._lock:
                return self._db.execute(sql, list(values)).fetchall()
        except sqlite3.DatabaseError as e:
            raise IndexFileError(f"The index's card file cannot be read: {e}.", remedy="Build the index again.") from e


def _conditions(filters: CardFilter) -> tuple[list[str], list[object]]:
    """What a card `f` of `facts` must meet, and the values for it. The range of numbers is ?1 and ?2."""
    clauses: list[str] = []
    values: list[object] = []

    def add(clause: str, *given: object) -> None:
        clauses.append(clause)
        values.extend(given)

    if filters.license:
        add(f"f.license IN ({', '.join('?' * len(filters.license))})", *filters.license)
    for column in ("library", "parameters", "bytes", "gated"):
        name = f"max_{column}" if column in ("parameters", "bytes") else column
        if (value := getattr(filters, name)) is not None:
            add(f"f.{column} {'<=' if name != column else '='} ?", value)
    for column in ("language", "provider"):
        if (value := getattr(filters, column)) is not None:
            add(f"f.number IN (SELECT number FROM {column}s WHERE {column} = ? AND number BETWEEN ?1 AND ?2)", value)  # noqa: S608
    if filters.ids is not None:
        add("f.number IN (SELECT number FROM cards WHERE id IN (SELECT value FROM json_each(?)))", json.dumps(sorted(filters.ids)))
    return clauses, values
