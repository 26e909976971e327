"""Which task of the table a written name means, where only one can be meant."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from difflib import SequenceMatcher, get_close_matches
from functools import cached_property, lru_cache

from ...tools.task import Kind, TaskTable
from .bridges import bridges

_MAX_NAME = 100  # characters; a longer name is no name
_NEAR, _VERY_NEAR, _HINT, _SAME_WORD, _ALIKE = 0.85, 0.9, 0.5, 0.85, 0.6  # ratios of letters in common
_START, _MIN_STEM, _STEM = 3, 4, 0.6  # letters that two words must begin with in common, and their share of the longer one
_KINDS = frozenset(Kind)
_WORD = re.compile(r"[a-z0-9]+")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_BRACKETS = re.compile(r"\(([^()]*)\)")


class TaskNames:
    """Reads the names of tasks, of one table.

    Tried in this order, each only where one task alone answers: the same letters; nearly the same letters; the same without what
    stands in brackets, or that; the words of one name among the words of the other (`Text Summarization`, `Speech Recognition`);
    two or more words that stand side by side in the task's summary, or are its initials (`Named Entity Recognition`, `OCR`), or stand in
    other forms in its first sentence (`Image Generation` in `Generates images …`).

    Args:
        tasks: the table.
    """

    def __init__(self, tasks: TaskTable) -> None:
        self._tasks = tasks
        self._spelt = {plain(n): n for n in tasks}

    def read(self, written: str, given: Collection[Kind] = ()) -> str | None:
        """The name in the table, or None where none or several could be meant.

        Args:
            written: as the planner wrote it.
            given: kinds of the files among the task's arguments: a task that has no use for one of them is not meant by words alone.
        """
        if written in self._tasks:
            return written
        if len(written) > _MAX_NAME:
            return None
        if (name := self._by_letters(written)) is not None:
            return name
        parts = [_BRACKETS.sub(" ", written), *_BRACKETS.findall(written)] if "(" in written else []
        for part in parts:
            if (name := self._by_letters(part)) is not None:
                return name
        for part in [written, *parts]:
            for found in (self._by_words(part), self._by_summary(part)):
                if len(found) == 1 and all(self._takes(found[0], kind) for kind in given):
                    return found[0]
        return None

    def nearest(self, written: str) -> str | None:
        """The name that looks most like it, for a message."""
        near = get_close_matches(plain(written[:_MAX_NAME]), self._spelt, n=1, cutoff=_HINT)
        return self._spelt[near[0]] if near else None

    def _by_letters(self, written: str) -> str | None:
        letters = plain(written)
        if letters in self._spelt:
            return self._spelt[letters]
        near = [n for n in get_close_matches(letters, self._spelt, n=2, cutoff=_NEAR) if _alike(written, self._spelt[n])]
        return self._spelt[near[0]] if len(near) == 1 else None

    def _by_words(self, written: str) -> list[str]:
        words = _words(written)
        names = self._names
        held = {n: w for n, w in names.items() if w and _stands_in(words, w) and self._concerns(n, words)}
        largest = [n for n, w in held.items() if not any(len(w) < len(o) and _stands_in(o, w) for o in held.values())]
        return largest or [n for n, w in names.items() if len(words) > 1 and _stands_in(w, words)]

    def _concerns(self, name: str, words: list[str]) -> bool:
        """Whether every kind among the words is one of the task's: `image question answering` is not `question-answering`."""
        ports = (*self._tasks[name].inputs, *self._tasks[name].outputs)
        return all(w not in _KINDS or any(p.kind == w or p.kind.accepts(Kind(w)) for p in ports) for w in words)

    def _by_summary(self, written: str) -> list[str]:
        words = _words(written)
        if len(words) > 1:
            likely = [n for n, starts in self._starts.items() if all(w[:_START] in starts for w in words)]
            held = [n for n in likely if any(_holds(text, words) for text in self._summaries[n])]
            return held or [n for n in likely if _mentions(self._firsts[n], words)]
        if len(words) == 1 and written.strip().isupper() and len(words[0]) > 2:
            return [n for n, texts in self._summaries.items() if any(_abbreviates(text, words[0]) for text in texts)]
        return []

    @cached_property
    def _starts(self) -> dict[str, frozenset[str]]:
        """How the words of each summary begin: what differs in that is another word, and most summaries need no closer look."""
        return {n: frozenset(w[:_START] for w in texts[0]) for n, texts in self._summaries.items()}

    def _takes(self, name: str, kind: Kind) -> bool:
        """Whether a task takes a kind, or what the only task that bridges makes of it."""
        wanted = {port.kind for port in self._tasks[name].inputs}
        if any(w.accepts(kind) for w in wanted):
            return True
        return any(len(bridges(tuple(self._tasks.values()), kind, w)) == 1 for w in wanted)

    @cached_property
    def _names(self) -> dict[str, list[str]]:
        """The words of each name, of the tasks that take anything."""
        return {n: _words(n) for n, t in self._tasks.items() if t.inputs}

    @cached_property
    def _firsts(self) -> dict[str, list[str]]:
        """The words of each summary's first sentence."""
        return {n: _words(t.summary.split(". ")[0]) for n, t in self._tasks.items()}

    @cached_property
    def _summaries(self) -> dict[str, tuple[list[str], list[str]]]:
        """The words of each summary, with and without what stands in brackets."""
        return {n: (_words(t.summary), _words(_BRACKETS.sub(" ", t.summary))) for n, t in self._tasks.items()}


def plain(name: str) -> str:
    """A name's letters and digits, in lower case."""
    return "".join(c for c in name.lower() if c.isalnum())


def _words(text: str) -> list[str]:
    return _WORD.findall(_HUMP.sub(" ", text).lower())


@lru_cache(maxsize=10_000)
def _related(a: str, b: str) -> bool:
    """Words of one stem, as far as their first letters tell."""
    shared = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    return a == b or shared >= max(_MIN_STEM, _STEM * max(len(a), len(b)))


def _alike(a: str, b: str) -> bool:
    """Whether two names that share most letters are alike word by word: not `text-classification` and `token-classification`."""
    first, second = _words(a), _words(b)
    if len(first) != len(second):
        return SequenceMatcher(None, plain(a), plain(b)).ratio() >= _VERY_NEAR
    return all(SequenceMatcher(None, x, y).ratio() >= _ALIKE for x, y in zip(first, second, strict=True))


def _windows(text: list[str], size: int) -> Iterator[list[str]]:
    return (text[i : i + size] for i in range(len(text) - size + 1))


def _stands_in(text: list[str], words: list[str]) -> bool:
    return words in _windows(text, len(words))


def _holds(text: list[str], words: list[str]) -> bool:
    return any(all(_same(a, b) for a, b in zip(window, words, strict=True)) for window in _windows(text, len(words)))


def _mentions(text: list[str], words: list[str]) -> bool:
    """Whether the words stand together, in any order and form: `image generation` in `Generates images from text`."""
    return any(all(any(_related(a, b) for b in window) for a in words) for window in _windows(text, len(words)))


def _abbreviates(text: list[str], word: str) -> bool:
    return word in text or any("".join(w[0] for w in window) == word for window in _windows(text, len(word)))


@lru_cache(maxsize=10_000)
def _same(a: str, b: str) -> bool:
    """The same word, or another form of it: `modeling` and `modelling`."""
    return a == b or (min(len(a), len(b)) > 4 and SequenceMatcher(None, a, b).ratio() >= _SAME_WORD)
