"""Cards that somebody has in memory already, or makes as they are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from itertools import islice

from ..card import ModelCard
from ..problems import Problems
from .source import SourceCard


class GivenCards:
    """A source of cards that are given.

    Args:
        cards: a collection, or an iterator, which can be read once.
        name: recorded in the index.
        complete: whether these are all the cards that the index shall hold.
    """

    def __init__(self, cards: Iterable[ModelCard], *, name: str = "cards", complete: bool = True) -> None:
        self._cards = cards
        self.name = name
        self.complete = complete

    def read(self, problems: Problems, after: str | None = None) -> Iterator[SourceCard]:
        """The cards; a cursor is how many came before."""
        start = int(after) if after else 0
        total = len(self._cards) if isinstance(self._cards, Sized) else None
        for i, card in enumerate(islice(self._cards, start, None), start + 1):
            yield SourceCard(card=card, cursor=str(i), share=i / total if total else None)
