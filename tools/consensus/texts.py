"""Texts: the one that is most alike to the others, as it stands. A mixture would be a text that nobody gave.

This is minimum Bayes risk decoding with the experts as samples (Kumar and Byrne, 2004). What makes two texts alike depends on the task:

- words, one by one (1 - word error rate), where there is one right text: transcripts;
- pieces of words (chrF; Popović, 2015), in any language: translations, for which the encoder knows too few languages;
- meaning, for what may be said in many words: captions, summaries, answers, generated text. Short answers are compared by their words
  (F1, as in SQuAD, and their order), longer ones by cosines of sentence vectors. These are blind to numbers, units, "not" and who does what
  to whom in the same words: those are compared by themselves.

What is left is that a sentence encoder takes words of one field for alike: of "will increase its prices" and "will lower its prices" it
sees hardly a difference, and so the agreement of long texts says that they speak of the same, not that they say the same of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar

from ...index.text import well_formed
from ..sentences import sentences
from .merged import Merged, medoid, short
from .wording import Numbers, denies, numbers, numbers_alike, words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ...index.minilm import Encoder

BY_WORDS = (
    "The mean over pairs of experts of 1 - the word error rate between their texts (case and punctuation left aside; of their first 10,000 "
    "words or 100,000 characters), at least 0."
)
_OPPOSITES = "the F1 of the numbers in them (with their units), and a third where only one says 'not'"
BY_PIECES = (
    f"The mean over pairs of experts of chrF, an F1 of pieces of up to 6 characters, times {_OPPOSITES}; of the first 20,000 characters."
)
BY_MEANING = (
    "The mean over pairs of experts of how alike their texts are: short answers by F1 of their words and whether these have the same "
    "neighbours; longer ones by the cosines between each of their first 40 sentences and the nearest of the other text, the same words in "
    f"another order by their neighbours; times {_OPPOSITES}."
)
BY_WORDS_OR_MEANING = f"The higher of two: the words ({BY_WORDS[:-1]}; times {_OPPOSITES}), or the meaning ({BY_MEANING[:-1]})."
Thing = TypeVar("Thing")
_CLOSE = 0.8
_OPPOSITE = 1 / 3
_LONGEST_ANSWER = 5
_SHORTEST_SENTENCE = 4
"""What lies between an answer and a long text is compared as both."""
_UNORDERED = 2
"""The order of so many words says nothing: "Paris, France" is "France, Paris"."""
_JOINING = frozenset(("and", "or"))
_SAME_WORDS, _SURELY_OTHER = 0.8, 0.6
_MOST_WORDS, _MOST_CHARACTERS, _MOST_SENTENCES = 10_000, 20_000, 40
_ARTICLES = frozenset(("a", "an", "the"))


class Text:
    """A text that is compared with several others: what is read off it is read once.

    Args:
        text: the text. Beyond its first 100,000 characters nothing is read.
        vectors: of its sentences, as `cut` gives them; needed where `by_meaning` compares long texts.
    """

    def __init__(self, text: str, vectors: NDArray[np.float32] | None = None) -> None:
        self._text = text[: 10 * _MOST_WORDS]
        self.vectors = vectors

    @cached_property
    def words(self) -> list[str]:
        """Its first 10,000 words."""
        return words(self._text)[:_MOST_WORDS]

    @cached_property
    def answer(self) -> list[str]:
        """Its words as evaluations of answers compare them: without articles (VQA)."""
        return [w for w in self.words if w not in _ARTICLES]

    @cached_property
    def pieces(self) -> list[Counter[str]]:
        """Its character n-grams without gaps, n = 1..6; of the first 20,000 characters. None for a text without words."""
        run = "".join(words(self._text[:_MOST_CHARACTERS]))
        return [Counter(run[i : i + n] for i in range(len(run) - n + 1)) for n in range(1, min(6, len(run)) + 1)]

    @cached_property
    def numbers(self) -> Numbers:
        """Its numbers, of the first 20,000 characters."""
        return numbers(self._text[:_MOST_CHARACTERS])

    @cached_property
    def sentences(self) -> list[Sentence]:
        """Its first 40 sentences."""
        return [Sentence(words=[w for w in words(s) if w not in _ARTICLES], denies=denies(s)) for s in cut(self._text)]

    @property
    def denying(self) -> int:
        """How many of its sentences say "not"."""
        return sum(s.denies for s in self.sentences)


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """One sentence: its words without articles, and whether it says "not"."""

    words: list[str]
    denies: bool


Alike = Callable[[Text, Text], float]


def merge_by_words(values: Sequence[Any]) -> Merged:
    """Of texts for which there is one right wording."""
    return _merged(values, {v: Text(v) for v in values}, by_words)


def merge_by_pieces(values: Sequence[Any]) -> Merged:
    """Of texts in any language that mean the same."""
    return _merged(values, {v: Text(v) for v in values}, by_pieces)


def merge_by_meaning(values: Sequence[Any], *, encoder: Encoder) -> Merged:
    """Of texts that may say the same in other words."""
    return _merged(values, _encoded(values, encoder), by_meaning)


def merge_by_words_or_meaning(values: Sequence[Any], *, encoder: Encoder) -> Merged:
    """Of texts of which it is not known whether they are read off or made up, as of what pictures show."""
    return _merged(values, _encoded(values, encoder), lambda a, b: max(by_words(a, b) * unopposed(a, b), by_meaning(a, b)))


def by_words(one: Text, other: Text) -> float:
    """1 - word errors / words of the longer text, 0..1. Both without words: 1."""
    longest = max(len(one.words), len(other.words))
    return 1 - _errors(one.words, other.words) / longest if longest else 1.0


def by_pieces(one: Text, other: Text) -> float:
    """chrF (F1 of character n-grams, n = 1..6, averaged over n) times `unopposed`, 0..1."""
    if not one.pieces or not other.pieces:
        return float(one.pieces == other.pieces)
    sizes = max(len(one.pieces), len(other.pieces))
    return sum(_f1(a, b) for a, b in zip(one.pieces, other.pieces, strict=False)) / sizes * unopposed(one, other)


def by_meaning(one: Text, other: Text) -> float:
    """Whether two texts say the same, 0..1."""
    a, b = one.answer, other.answer
    if a == b:
        return 1.0
    shorter = min(len(a), len(b))
    as_answers = _f1(Counter(a), Counter(b)) * (1 + _order(a, b)) / 2 * unopposed(one, other) if shorter <= _LONGEST_ANSWER else 0.0
    return max(as_answers, _by_vectors(one, other)) if shorter >= _SHORTEST_SENTENCE else as_answers


def unopposed(one: Text, other: Text) -> float:
    """F1 of numbers, times 1/3 where only one of two sentences says "not", 0..1; of longer texts that for the share of such sentences."""
    more = abs(one.denying - other.denying) / max(1, one.denying, other.denying)
    return numbers_alike(one.numbers, other.numbers) * (1 - (1 - _OPPOSITE) * more)


def cut(text: str) -> list[str]:
    """The first 40 sentences of a text; the text itself where it has none."""
    return (sentences(text[: 10 * _MOST_WORDS]) or [text[:_MOST_CHARACTERS]])[:_MOST_SENTENCES]


def _merged(values: Sequence[str], texts: dict[str, Text], alike: Alike) -> Merged:
    best, likeness, score = medoid(values, lambda a, b: alike(texts[a], texts[b]))
    agreed = texts[values[best]]
    return Merged(
        value=values[best],
        score=score,
        said=tuple(short(v) for v in values),
        differs=tuple(a < _CLOSE or unopposed(agreed, texts[v]) < _CLOSE for v, a in zip(values, likeness, strict=True)),
        nearest=best,
    )


def _encoded(values: Sequence[str], encoder: Encoder) -> dict[str, Text]:
    """Texts with unit vectors of their sentences, all made in one call; without, where no two are long enough to need them."""
    made = {v: Text(v) for v in values}
    if sum(len(t.answer) >= _SHORTEST_SENTENCE for t in made.values()) < 2:
        return made
    parts = {v: cut(v) for v in made}
    encoded = encoder.encode([well_formed(s) for some in parts.values() for s in some])
    start = 0
    for value, some in parts.items():
        made[value].vectors = encoded[start : start + len(some)]
        start += len(some)
    return made


def _by_vectors(one: Text, other: Text) -> float:
    """The mean cosine of each sentence and the nearest of the other text, times the F1 of numbers, 0..1.

    A third of a cosine counts where only one sentence says "not"; where they hold the same words no more than `_order`.
    """
    import numpy as np

    if one.vectors is None or other.vectors is None:
        raise ValueError("texts of several words are compared by the vectors of their sentences")
    alike = one.vectors @ other.vectors.T
    for i, j in zip(*np.nonzero(alike > _SURELY_OTHER), strict=True):
        a, b = one.sentences[i], other.sentences[j]
        if a.words != b.words and _f1(Counter(a.words), Counter(b.words)) >= _SAME_WORDS:
            alike[i, j] = min(float(alike[i, j]), _order(a.words, b.words))
        if a.denies != b.denies:
            alike[i, j] *= _OPPOSITE
    return min(1.0, max(0.0, float(alike.max(axis=0).mean() + alike.max(axis=1).mean()) / 2)) * numbers_alike(one.numbers, other.numbers)


def _order(one: Sequence[str], other: Sequence[str]) -> float:
    """Of the words that both have: the share of pairs of neighbours that are neighbours in both, 0..1; 1 where they are two at most.

    A clause that stands elsewhere breaks few pairs, subject and object that change places break most of a short sentence.
    """
    a, b = _kept(one, other), _kept(other, one)
    return _f1(Counter(pairwise(a)), Counter(pairwise(b))) if len(a) > _UNORDERED else 1.0


def _kept(found: Sequence[str], other: Sequence[str]) -> list[str]:
    """The words that the other has as well, each as often as both have it; without those that lists are joined with."""
    left = Counter(found) & Counter(other)
    kept = []
    for word in found:
        if left[word] > 0 and word not in _JOINING:
            left[word] -= 1
            kept.append(word)
    return kept


def _errors(one: Sequence[str], other: Sequence[str]) -> int:
    """Levenshtein's distance between lists of words, by bits: one step for each word of one list (Myers, 1999; Hyyrö, 2003)."""
    if not one:
        return len(other)
    places = _places(one)
    whole, last = (1 << len(one)) - 1, 1 << (len(one) - 1)
    more, less, errors = whole, 0, len(one)
    for word in other:
        met = places.get(word, 0)
        same = (((met & more) + more) ^ more) | met | less
        up, down = less | (whole & ~(same | more)), more & same
        errors += bool(up & last) - bool(down & last)
        up, down = (up << 1) | 1, down << 1
        more, less = whole & (down | ~(same | up)), whole & up & same
    return errors


def _places(found: Sequence[str]) -> dict[str, int]:
    """By word: a bit for each of its places."""
    made: dict[str, int] = {}
    for place, word in enumerate(found):
        made[word] = made.get(word, 0) | 1 << place
    return made


def _f1(one: Counter[Thing], other: Counter[Thing]) -> float:
    whole = one.total() + other.total()
    return 2 * (one & other).total() / whole if whole else 1.0
