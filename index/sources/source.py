"""What a source of model cards is: something that streams them, can be stopped, and goes on where it was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from ..card import ModelCard
from ..problems import Problems
from .errors import SourceError


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceCard:
    """One card out of a source.

    Attributes:
        card: the card.
        cursor: opaque; `read(after=cursor)` goes on right behind this card.
        share: part of the source that was read so far, 0..1; None where nobody knows how much there is.
    """

    card: ModelCard
    cursor: str
    share: float | None


class CardSource(Protocol):
    """Streams model cards. Memory does not grow with the number of cards.

    A card whose id came before is passed on again: the last one holds, and who stores them can count them.
    """

    @property
    def name(self) -> str:
        """For people, and to tell whether an unfinished build was of the same source: where it reads, and what it leaves out."""

    @property
    def complete(self) -> bool:
        """Whether it names every card that there shall be, so that others may go; False for a delta.

        To be asked after reading: a source that turned out to be cut off (half a gzip file, a shard that is none) says False then.
        """

    def read(self, problems: Problems, after: str | None = None) -> Iterator[SourceCard]:
        """The cards, in the same order each time.

        Args:
            problems: what cannot be read is noted here, and left out.
            after: the cursor of the last card that is known already.

        Raises:
            SourceError: there is no such source, or `after` is no cursor of it.
            RemoteError: the Hub failed or refused.
        """


def two_numbers(cursor: str | None) -> tuple[int, int]:
    """The numbers of a cursor of the form `12:3`; zeros for None. Raises SourceError for another form."""
    if cursor is None:
        return 0, 0
    first, _, second = cursor.partition(":")
    if not (first.isdecimal() and second.isdecimal()):
        raise SourceError(f"{cursor[:80]!r} is no place in this source.", remedy="Begin the build anew, without --resume.")
    return int(first), int(second)
