"""Words: which cards share rare words with a query.

The score is BM25's with a word counted once, and twice where it also stands in the facts (id, task, tags): on APIBench its fusion with the
cosines is as good as that of FTS5's own `bm25()`, whose cost grows with how common the words are on the whole index (49 ms in a task of
60,000 cards, where this takes one or two). Words that very many cards of the task share are not looked up: they tell little.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ..card import ModelCard
from ..text import card_text, well_formed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..minilm import Floats

    Numbers = NDArray[np.int64]

_WORD = re.compile(r"[^\W_]+")
_STOP = frozenset(
    "a an and are as at be by can do for from how i in is it me model models my of on or please that the this to want what which with "
    "you".split()
)
_MOST_WORDS = 40
_LEAST_COMMON, _COMMON_SHARE = 250, 100
_REMEMBERED = 50_000
_EVERY, _LABELLED = (
    f"SELECT rowid FROM {table} WHERE {table} MATCH ? AND rowid BETWEEN ? AND ? LIMIT ?"  # noqa: S608
    for table in ("words", "labels")
)


def card_words(card: ModelCard) -> tuple[str, str]:
    """What a card says in facts, and everything, facts included: what the tables `labels` and `words` hold."""
    return well_formed(" ".join((card.id, card.task, *card.tags, *card.languages, *card.datasets))), card_text(card)


def query_words(text: str) -> list[str]:
    """The words of a query that are looked up, in their order, each once."""
    return [w for w in dict.fromkeys(_WORD.findall(unicodedata.normalize("NFC", text).lower())) if w not in _STOP][:_MOST_WORDS]


Rows = Callable[[str, Sequence[object]], list[tuple[int]]]


class Lexical:
    """Scores cards by the words that they share with a query. Remembers which words are common, to look them up no more."""

    def __init__(self) -> None:
        self._common: set[tuple[int, str]] = set()

    def scores(self, rows: Rows, query: str, *, span: tuple[int, int], cards: int) -> tuple[Numbers, Floats]:
        """Numbers of the cards in a range that share words with the query, ascending, and their scores, above 0.

        Args:
            rows: runs SQL.
            query: in words.
            span: first and last number.
            cards: how many cards there are in the range.
        """
        import numpy as np

        most = max(_LEAST_COMMON, cards // _COMMON_SHARE)
        found: list[int] = []
        counts: list[int] = []
        weights: list[float] = []
        for word in query_words(query):
            if (span[0], word) in self._common:
                continue
            matches = rows(_EVERY, [f'"{word}"', *span, most + 1])
            if len(matches) > most:
                self._remember(span[0], word)
            elif matches:
                weight = math.log(1 + (cards - len(matches) + 0.5) / (len(matches) + 0.5))
                for rowids in (matches, rows(_LABELLED, [f'"{word}"', *span, most])):
                    found += [n for (n,) in rowids]
                    counts.append(len(rowids))
                    weights.append(weight)
        if not found:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        numbers, place = np.unique(np.array(found, np.int64), return_inverse=True)
        return numbers, np.bincount(place, np.repeat(weights, counts)).astype(np.float32)

    def _remember(self, span: int, word: str) -> None:
        if len(self._common) >= _REMEMBERED:
            self._common.clear()
        self._common.add((span, word))
