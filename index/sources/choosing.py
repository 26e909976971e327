"""Sources that pass on a part of another one."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice
from urllib.parse import quote

from ..problems import Problems
from .errors import SourceError
from .source import CardSource, SourceCard


class Chosen:
    """The cards of some tasks, of some authors, or both.

    Args:
        source: where they come from.
        tasks: Hub pipeline tags; none for all.
        authors: what stands before the slash of an id; none for all.
    """

    def __init__(self, source: CardSource, *, tasks: Collection[str] = (), authors: Collection[str] = ()) -> None:
        self._source = source
        self._tasks = frozenset(tasks)
        self._authors = frozenset(authors)

    @property
    def name(self) -> str:
        """The source's, and what is chosen, e.g. `…; tasks=summarization,translation; authors=lab`; percent-encoded."""
        chosen = {"tasks": self._tasks, "authors": self._authors}
        told = (f"{what}={','.join(quote(n, safe='') for n in sorted(names))}" for what, names in chosen.items() if names)
        return "; ".join((self._source.name, *told))

    @property
    def complete(self) -> bool:
        """As the source."""
        return self._source.complete

    def read(self, problems: Problems, after: str | None = None) -> Iterator[SourceCard]:
        """The chosen cards in the source's order; see `CardSource`."""
        for found in self._source.read(problems, after):
            author = found.card.id.partition("/")[0] if "/" in found.card.id else ""
            if (not self._tasks or found.card.task in self._tasks) and (not self._authors or author in self._authors):
                yield found


class First:
    """The first cards of a source.

    Args:
        source: where they come from.
        count: how many at most, >= 0; also over several readings, each of which goes on where the one before stopped.
    """

    def __init__(self, source: CardSource, count: int) -> None:
        self._source = source
        self._count = count

    @property
    def name(self) -> str:
        """The source's, and how many, e.g. `…; limit=20`."""
        return f"{self._source.name}; limit={self._count}"

    @property
    def complete(self) -> bool:
        """As the source."""
        return self._source.complete

    def read(self, problems: Problems, after: str | None = None) -> Iterator[SourceCard]:
        """The first cards in the source's order; see `CardSource`."""
        passed, inner = _split(after)
        cards = self._source.read(problems, inner)
        for number, found in enumerate(islice(cards, max(self._count - passed, 0)), passed + 1):
            share = max(number / self._count, found.share or 0.0)
            yield SourceCard(card=found.card, cursor=f"{number} {found.cursor}", share=share)


def _split(cursor: str | None) -> tuple[int, str | None]:
    if cursor is None:
        return 0, None
    number, _, inner = cursor.partition(" ")
    if not number.isdecimal():
        raise SourceError(f"{cursor[:80]!r} is no place in this source.", remedy="Begin the build anew, without --resume.")
    return int(number), inner
