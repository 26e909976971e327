"""What a merger makes of several answers, and what mergers share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean
from typing import Any

_SHORT = 160


@dataclass(frozen=True, kw_only=True)
class Merged:
    """Several answers put together. Tuples have one entry for each answer, in their order.

    Attributes:
        value: the agreed value; of the form that each of the answers has.
        score: 0..1; 1 for equal answers.
        said: each answer in short.
        differs: whether an answer differs from the agreed one.
        nearest: number of the answer that is nearest to the agreed one, the first of those that are equally near.
        notes: what a reader must know to judge the agreement.
    """

    value: Any
    score: float
    said: tuple[str, ...]
    differs: tuple[bool, ...]
    nearest: int
    notes: tuple[str, ...] = ()


Merger = Callable[[Sequence[Any]], Merged]
"""Takes at least two values of one output port, the best candidate's first. Which experts gave them has a part only in ties."""


def mean(values: Sequence[float]) -> float:
    """The mean, the same in any order; of equal values it is that value, without rounding. Empty: 0."""
    if not values:
        return 0.0
    return values[0] if len(set(values)) == 1 else fmean(values)


def mean_of_pairs(values: Sequence[Any], alike: Callable[[Any, Any], float]) -> float:
    """The mean likeness over all pairs, within 0..1; 1 where there is no pair."""
    pairs = [alike(a, b) for a, b in combinations(values, 2)]
    return min(1.0, max(0.0, mean(sorted(pairs)))) if pairs else 1.0


def nearest(likeness: Sequence[float]) -> int:
    """Number of the highest likeness, the first of equals; what differs by rounding alone is equal."""
    best = max(likeness)
    return next(i for i, v in enumerate(likeness) if v >= best - 1e-9)


def medoid(values: Sequence[Any], alike: Callable[[Any, Any], float]) -> tuple[int, list[float], float]:
    """The value that is most alike to the others: its number, the likeness of each value to it, and the mean likeness over all pairs.

    Of values that are equally near the first is taken.
    """
    table = [[1.0] * len(values) for _ in values]
    for i, j in combinations(range(len(values)), 2):
        table[i][j] = table[j][i] = min(1.0, max(0.0, alike(values[i], values[j])))
    best = nearest([mean(sorted(row)) for row in table])
    score = mean(sorted(table[i][j] for i, j in combinations(range(len(values)), 2)))
    return best, table[best], score


def spelled(label: Any) -> str:
    """A label without what is no part of its meaning: case, and the kind of gap between its words. "LABEL_1" stays another than "1"."""
    return " ".join(str(label).replace("_", " ").casefold().split())


def short(text: str) -> str:
    """A text on one line, cut where it is long; "nothing" for an empty one."""
    line = " ".join(text.split())
    return (line if len(line) <= _SHORT else line[: _SHORT - 1] + "…") or "nothing"
