"""Texts: the one that is most alike to the others, as it stands. A mixture would be a text that nobody gave.

This is minimum Bayes risk decoding with the experts as samples (Kumar and Byrne, 2004). What makes two texts alike depends on the task:

- words, one by one (1 - word error rate), where there is one right text: transcripts;
- pieces of words (chrF; Popović, 2015), in any language: translations, for which the encoder knows too few languages;
- meaning, for what may be said in many words: captions, summaries, answers, generated text. The cosine of sentence vectors is blind to
  numbers and nearly so to "not": these are compared by themselves. Short answers are compared by their words (token F1, as in SQuAD).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ...index.text import well_formed
from ..sentences import sentences
from .merged import Merged, medoid, short

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ...index.minilm import Encoder

BY_WORDS = "The mean over pairs of experts of 1 - the word error rate between their texts (case and punctuation left aside), at least 0."
BY_PIECES = "The mean over pairs of experts of chrF, an F1 of pieces of up to 6 characters, times the F1 of the numbers in their texts."
BY_MEANING = (
    "The mean over pairs of experts of how alike their texts are: short answers by F1 of their words; longer ones by the cosines between "
    "each sentence and the nearest of the other text, times the F1 of the numbers in them, halved where only one says 'not'."
)
BY_WORDS_OR_MEANING = f"The higher of two: the words ({BY_WORDS[:-1]}), or the meaning ({BY_MEANING[:-1]})."
_CLOSE = 0.8
_LONGEST_ANSWER = 5
_MOST_WORDS, _MOST_CHARACTERS, _MOST_SENTENCES = 10_000, 20_000, 40
_WORD = re.compile(r"[぀-ヿ㐀-鿿]|[^\W_]+(?:['’.,][^\W_]+)*")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_NOT = frozenset("no not never none nobody nothing neither nor cannot without".split())
_ARTICLES = frozenset(("a", "an", "the"))
_DIGITS = dict(zip("zero one two three four five six seven eight nine ten".split(), map(str, range(11)), strict=True))

Alike = Callable[[str, str], float]


def merge_by_words(values: Sequence[Any]) -> Merged:
    """Of texts for which there is one right wording."""
    return _merged(values, by_words)


def merge_by_pieces(values: Sequence[Any]) -> Merged:
    """Of texts in any language that mean the same."""
    return _merged(values, by_pieces)


def merge_by_meaning(values: Sequence[Any], *, encoder: Encoder) -> Merged:
    """Of texts that may say the same in other words."""
    return _merged(values, partial(by_meaning, vectors=_vectors(values, encoder)))


def merge_by_words_or_meaning(values: Sequence[Any], *, encoder: Encoder) -> Merged:
    """Of texts of which it is not known whether they are read off or made up, as of what pictures show."""
    vectors = _vectors(values, encoder)
    return _merged(values, lambda a, b: max(by_words(a, b), by_meaning(a, b, vectors=vectors)))


def by_words(one: str, other: str) -> float:
    """1 - word errors / words of the longer text, 0..1; of the first 10,000 words of each. Both without words: 1."""
    a, b = words(one)[:_MOST_WORDS], words(other)[:_MOST_WORDS]
    longest = max(len(a), len(b))
    return 1 - _errors(a, b) / longest if longest else 1.0


def by_pieces(one: str, other: str) -> float:
    """chrF (F1 of character n-grams, n = 1..6, averaged over n) times the F1 of numbers, 0..1; of the first 20,000 characters."""
    a, b = ("".join(words(t[:_MOST_CHARACTERS])) for t in (one, other))
    if not a or not b:
        return float(a == b)
    sizes = range(1, min(6, max(len(a), len(b))) + 1)
    found = [_f1(Counter(a[i : i + n] for i in range(len(a) - n + 1)), Counter(b[i : i + n] for i in range(len(b) - n + 1))) for n in sizes]
    return sum(found) / len(found) * _f1(_numbers(one), _numbers(other))


def by_meaning(one: str, other: str, *, vectors: dict[str, NDArray[np.float32]]) -> float:
    """Whether two texts say the same, 0..1; of the first 40 sentences of each."""
    a, b = _answer(one), _answer(other)
    if a == b:
        return 1.0
    if min(len(a), len(b)) <= _LONGEST_ANSWER:
        return _f1(Counter(a), Counter(b)) * _f1(_numbers(one), _numbers(other))
    cosines = vectors[one] @ vectors[other].T
    alike = float(cosines.max(axis=0).mean() + cosines.max(axis=1).mean()) / 2
    half = 1.0 if _denies(one) == _denies(other) else 0.5
    return min(1.0, max(0.0, alike)) * _f1(_numbers(one), _numbers(other)) * half


def words(text: str) -> list[str]:
    """The words of a text without case and punctuation, Chinese and Japanese characters one by one; numbers without commas at thousands."""
    return [_THOUSANDS.sub("", w) for w in _WORD.findall(text.casefold().replace("’", "'"))]


def _merged(values: Sequence[Any], alike: Alike) -> Merged:
    best, likeness, score = medoid(values, alike)
    return Merged(
        value=values[best],
        score=score,
        said=tuple(short(v) for v in values),
        differs=tuple(v < _CLOSE for v in likeness),
        nearest=best,
    )


def _errors(one: Sequence[str], other: Sequence[str]) -> int:
    """Levenshtein's distance between lists of words, row by row."""
    import numpy as np

    numbers = {w: n for n, w in enumerate(dict.fromkeys([*one, *other]))}
    row_words = np.array([numbers[w] for w in other], np.int64)
    places = np.arange(len(other) + 1)
    row = places.copy()
    for word in one:
        beside = np.concatenate(([row[0] + 1], np.minimum(row[1:] + 1, row[:-1] + (row_words != numbers[word]))))
        row = np.minimum.accumulate(beside - places) + places
    return int(row[-1])


def _vectors(values: Sequence[str], encoder: Encoder) -> dict[str, NDArray[np.float32]]:
    """Unit vectors of the sentences of each text, all in one call; none where all texts are equal."""
    if len(set(values)) == 1:
        return {}
    cut = {v: (sentences(v) or [v])[:_MOST_SENTENCES] for v in values}
    encoded = encoder.encode([well_formed(s) for some in cut.values() for s in some])
    made, start = {}, 0
    for value, some in cut.items():
        made[value] = encoded[start : start + len(some)]
        start += len(some)
    return made


def _answer(text: str) -> list[str]:
    """The words of an answer as evaluations of answers compare them: without articles, small numbers in digits (VQA)."""
    return [_DIGITS.get(w, w) for w in words(text) if w not in _ARTICLES]


def _numbers(text: str) -> Counter[str]:
    """The numbers of a text; "1,240", "1240" and "1240.0" are one."""
    found = [_THOUSANDS.sub("", n) for n in _NUMBER.findall(text)]
    return Counter(re.sub(r"\.0+$", "", n).lstrip("0") or "0" for n in found)


def _denies(text: str) -> bool:
    return any(w in _NOT or w.endswith("n't") for w in words(text))


def _f1(one: Counter[str], other: Counter[str]) -> float:
    whole = one.total() + other.total()
    return 2 * (one & other).total() / whole if whole else 1.0
