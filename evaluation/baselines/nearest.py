"""Meaning alone: the nearest vectors."""

from __future__ import annotations

from collections.abc import Sequence

from ...index.card import ModelCard
from ...index.minilm import Encoder
from ...index.text import card_text
from .baseline import numbers_by_task


class Nearest:
    """Cosine of the query and the card's whole text, of which the encoder reads the beginning: one vector a card, exact."""

    def __init__(self, cards: Sequence[ModelCard], encoder: Encoder) -> None:
        self._cards = cards
        self._encoder = encoder
        self._numbers = numbers_by_task(cards)
        self._vectors = encoder.encode([card_text(c) for c in cards])

    def rank(self, query: str, *, task: str | None, k: int) -> Sequence[ModelCard]:
        """The k nearest cards; of equally near ones the first in the data."""
        import numpy as np

        cosines = self._vectors @ self._encoder.encode([query])[0]
        numbers = np.arange(len(self._cards)) if task is None else np.array(self._numbers.get(task, []), np.int64)
        best = numbers[np.argsort(-cosines[numbers], kind="stable")[:k]]
        return [self._cards[n] for n in best]
