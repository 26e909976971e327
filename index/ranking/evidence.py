"""What a search knows about a card that it found, before the final order is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ..card import ModelCard

if TYPE_CHECKING:
    from ..minilm import Floats


@dataclass(frozen=True, kw_only=True)
class Query:
    """What is searched for.

    Attributes:
        text: in words.
        vector: its unit vector, shape (dimension,).
        task: the Hub task that was asked for; None where cards of all tasks were searched.
        encoder: name of the encoder that made the vector.
    """

    text: str
    vector: Floats
    task: str | None
    encoder: str


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One card among those that were found by meaning or by words.

    Attributes:
        card: its facts; its text is not looked at, and may be empty.
        cosines: of the query and each passage of the card, the head first, -1..1; at least one, also where only words found the card.
        bm25: how well its words match, above 0, higher better (see `store/lexical.py`); None where words did not find it.
        dense_rank: its place by the best cosine, from 1; None where meaning did not find it.
        lexical_rank: its place by words, from 1; None where words did not find it.
    """

    card: ModelCard
    cosines: tuple[float, ...]
    bm25: float | None
    dense_rank: int | None
    lexical_rank: int | None


class Ranker(Protocol):
    """Puts cards in their final order. `Reranker` is the one that ships."""

    def scores(self, query: Query, found: Sequence[Evidence]) -> Floats:
        """One for each card, 0..1, higher is better: shape (cards,), float32."""
