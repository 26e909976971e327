"""The model that most people download."""

from __future__ import annotations

from collections.abc import Sequence

from ...index.card import ModelCard
from ...index.errors import CardError


class MostDownloads:
    """Cards by downloads, whatever the query says: how HuggingGPT orders its candidates (arXiv 2303.17580, section 3.2).

    A card whose downloads are not known is not retrieved.

    Raises:
        CardError: no card's downloads are known.
    """

    def __init__(self, cards: Sequence[ModelCard]) -> None:
        self._cards = sorted((c for c in cards if c.downloads is not None), key=lambda c: -(c.downloads or 0))
        if not self._cards:
            raise CardError(
                f"Downloads are known for none of the {len(cards)} model cards.", remedy="Load the data with a file that has them."
            )

    def rank(self, query: str, *, task: str | None, k: int) -> Sequence[ModelCard]:
        """The k cards with the most downloads."""
        return [c for c in self._cards if task in (None, c.task)][:k]
