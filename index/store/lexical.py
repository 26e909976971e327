"""Words: which cards share rare words with a query.

The score is BM25's with a word counted once, and twice where it also stands in the facts (id, task, tags): on APIBench its fusion with the
cosines is as good as that of FTS5's own `bm25()`, whose cost grows with how common the words are on the whole index (49 ms in a task of
60,000 cards, where this takes one or two). Words that very many cards of the task share are not looked up: they tell little.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..card import ModelCard
from ..text import card_text, well_formed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..minilm import Floats

    Numbers = NDArray[np.int64]

_WORD = re.compile(r"\w+")
_STOP = frozenset(
    "a an and are as at be by can do for from how i in is it me model models my of on or please that the this to want what which with "
    "you".split()
)
_MOST_WORDS = 40
_LEAST_COMMON, _COMMON_SHARE = 2000, 50
_EVERY = "SELECT rowid FROM words WHERE words MATCH ? AND rowid BETWEEN ? AND ? LIMIT ?"


def card_words(card: ModelCard) -> tuple[str, str]:
    """The two columns of words: what a card says in facts, and everything, facts included."""
    return well_formed(" ".join((card.id, card.task, *card.tags, *card.languages, *card.datasets))), card_text(card)


def query_words(text: str) -> list[str]:
    """The words of a query that are looked up, in their order, each once."""
    return [w for w in dict.fromkeys(_WORD.findall(text.lower())) if w not in _STOP][:_MOST_WORDS]


def lexical_scores(
    rows: Callable[[str, Sequence[object]], list[tuple[Any, ...]]], query: str, *, span: tuple[int, int], cards: int
) -> tuple[Numbers, Floats]:
    """Numbers of the cards in a range that share words with the query, ascending, and their scores, above 0.

    Args:
        rows: runs SQL.
        query: in words.
        span: first and last number.
        cards: how many cards there are in the range.
    """
    import numpy as np

    most = max(_LEAST_COMMON, cards // _COMMON_SHARE)
    found: list[Numbers] = []
    weights: list[Floats] = []
    for word in query_words(query):
        matches = rows(_EVERY, [f'"{word}"', *span, most + 1])
        if not matches or len(matches) > most:
            continue
        weight = math.log(1 + (cards - len(matches) + 0.5) / (len(matches) + 0.5))
        strong = rows(_EVERY, [f'facts : "{word}"', *span, most + 1])
        for numbers in (matches, strong):
            found.append(np.fromiter((n for (n,) in numbers), np.int64, len(numbers)))
            weights.append(np.full(len(numbers), weight, np.float32))
    if not found:
        return np.empty(0, np.int64), np.empty(0, np.float32)
    numbers, place = np.unique(np.concatenate(found), return_inverse=True)
    return numbers, np.bincount(place, np.concatenate(weights)).astype(np.float32)
