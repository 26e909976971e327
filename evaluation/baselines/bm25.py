"""Words alone, by bm25s: https://github.com/xhluca/bm25s"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...index.card import ModelCard
from ...index.text import card_text
from ...tools.errors import MissingExtraError
from .baseline import numbers_by_task

_SHORTEST_PLURAL = 4
_WORD = r"[^\W_]+"  # letters and digits; split at spaces alone, R@5 on APIBench's 907 queries falls from 29.8 to 25.0


class Bm25:
    """BM25 (Lucene's, k1 = 1.5, b = 0.75) over the card's whole text, English stop words left out, plurals as singulars.

    Word statistics are those of all cards, also where only one task's are ranked. A card without any word of the query is not retrieved.

    Raises:
        MissingExtraError: bm25s is not installed.
    """

    def __init__(self, cards: Sequence[ModelCard]) -> None:
        try:
            import bm25s  # type: ignore[import-untyped]
        except ImportError as e:
            raise MissingExtraError("bm25s", "evaluation") from e
        self._cards = cards
        self._numbers = numbers_by_task(cards)
        self._bm25 = bm25s.BM25()
        self._bm25.index([self._words(card_text(c)) for c in cards], show_progress=False)

    def rank(self, query: str, *, task: str | None, k: int) -> Sequence[ModelCard]:
        """The k cards with the highest scores above 0; of equal ones the first in the data."""
        words = [w for w in self._words(query) if w in self._bm25.vocab_dict]
        if not words:
            return []
        scores = self._bm25.get_scores(words)
        numbers = range(len(self._cards)) if task is None else self._numbers.get(task, [])
        best = sorted((n for n in numbers if scores[n] > 0), key=lambda n: (-scores[n], n))
        return [self._cards[n] for n in best[:k]]

    def _words(self, text: str) -> list[str]:
        import bm25s

        words: list[list[str]] = bm25s.tokenize(
            [text], token_pattern=_WORD, stopwords="english_plus", stemmer=_singulars, return_ids=False, show_progress=False
        )
        return words[0]


def _singulars(words: Iterable[str]) -> list[str]:
    """Harman's S-stemmer (How effective is suffixing?, JASIS 42, 1991): `cities` to `city`, `images` to `image`, `class` as it is."""
    return [_singular(w) for w in words]


def _singular(word: str) -> str:
    if len(word) < _SHORTEST_PLURAL or not word.endswith("s") or word.endswith(("us", "ss")):
        return word
    if word.endswith("ies"):
        return word if word.endswith(("eies", "aies")) else word[:-3] + "y"
    if word.endswith("es"):
        return word if word.endswith(("aes", "ees", "oes")) else word[:-1]
    return word[:-1]
