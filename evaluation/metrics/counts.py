"""Counts behind precision, recall and F1."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

from ..record import Score


@dataclass(frozen=True, kw_only=True)
class Counts:
    """True positives, false positives, false negatives; they add up over cases (micro averages).

    Precision is tp / (tp + fp), recall tp / (tp + fn), F1 = 2 tp / (2 tp + fp + fn): each in [0, 1], higher is better. Each is given
    as numerator and denominator, so that it can be summed; a denominator of 0 is no figure, not a figure of 0.
    """

    tp: int = 0
    fp: int = 0
    fn: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(tp=self.tp + other.tp, fp=self.fp + other.fp, fn=self.fn + other.fn)

    @property
    def precision(self) -> Score:
        """(tp, tp + fp)."""
        return float(self.tp), float(self.tp + self.fp)

    @property
    def recall(self) -> Score:
        """(tp, tp + fn)."""
        return float(self.tp), float(self.tp + self.fn)

    @property
    def f1(self) -> Score:
        """(2 tp, 2 tp + fp + fn)."""
        return 2.0 * self.tp, 2.0 * self.tp + self.fp + self.fn


def of_sets(gold: Iterable[Hashable], predicted: Iterable[Hashable]) -> Counts:
    """Counts of two collections compared as sets: what occurs twice counts once."""
    g, p = set(gold), set(predicted)
    return Counts(tp=len(g & p), fp=len(p - g), fn=len(g - p))


def of_bags(gold: Iterable[Hashable], predicted: Iterable[Hashable]) -> Counts:
    """Counts of two collections compared with multiplicity: what is wanted twice must come twice."""
    g, p = Counter(gold), Counter(predicted)
    shared = (g & p).total()
    return Counts(tp=shared, fp=p.total() - shared, fn=g.total() - shared)
