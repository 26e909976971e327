"""What an index is compared with: other ways to rank the same cards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from ...index.card import ModelCard


class Baseline(Protocol):
    """Ranks model cards. May be called from several threads."""

    def rank(self, query: str, *, task: str | None, k: int) -> Sequence[ModelCard]:
        """Cards for a query, best first.

        Args:
            query: what the model shall do, in words.
            task: only cards of this Hub task; None for all.
            k: how many at most, 1 or more.
        """


def numbers_by_task(cards: Iterable[ModelCard]) -> dict[str, list[int]]:
    """Positions of the cards of each task."""
    found: dict[str, list[int]] = {}
    for number, card in enumerate(cards):
        found.setdefault(card.task, []).append(number)
    return found
