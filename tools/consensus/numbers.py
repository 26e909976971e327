"""Numbers, lists of them, classes and forecasts: medians and votes, value by value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from .merged import Merged, mean, mean_of_pairs, nearest, short, spelled

OF_A_NUMBER = "The mean over pairs of experts of 1 - |a - b| / max(|a|, |b|), at least 0."
OF_NUMBERS = "The mean over pairs of experts and over the values of 1 - |a - b| / max(|a|, |b|), at least 0; a missing value counts as 0."
OF_COSINES = "The mean over pairs of experts and over the values of 1 - |a - b|, at least 0; a missing value counts as 0."
OF_CLASSES = "The share of rows that a pair of experts puts into the same class, averaged over the pairs."
OF_FORECASTS = (
    "The mean over pairs of experts, steps and columns of 1 - |a - b| / the largest value of the column by either, at least 0; "
    "a step or column that only one has counts as 0."
)
_TINY = 1e-12
_CLOSE = 0.9
"""From this likeness to the agreed value on, an answer does not differ from it: within about a tenth."""


def merge_number(values: Sequence[Any]) -> Merged:
    """The median."""
    numbers = [_float(v) for v in values]
    agreed = median(numbers)
    return _merged(agreed, [relative(n, agreed) for n in numbers], mean_of_pairs(numbers, relative), [f"{n:g}" for n in numbers])


def merge_numbers(values: Sequence[Any]) -> Merged:
    """The median of each value, for numbers of any size; see `_merge_lists` for lists of different lengths."""
    return _merge_lists(values, relative)


def merge_cosines(values: Sequence[Any]) -> Merged:
    """The median of each value, for numbers within -1..1, where the distance counts and not the proportion."""
    return _merge_lists(values, lambda a, b: max(0.0, 1 - abs(a - b)))


def merge_classes(values: Sequence[Any]) -> Merged:
    """The class of each row that most experts name, of equally many the first one's; rows that at most half of them have are left out."""
    keys = [[spelled(v) for v in value] for value in values]
    agreed = []
    for row in range(_length(values)):
        votes = Counter(k[row] for k in keys if row < len(k))
        most = max(votes.values())
        agreed.append(next(v[row] for v, k in zip(values, keys, strict=True) if row < len(k) and votes[k[row]] == most))
    wanted = [spelled(v) for v in agreed]
    return _merged(
        agreed, [_same(k, wanted) for k in keys], mean_of_pairs(keys, _same), [", ".join(map(str, v)) for v in values], close=1.0
    )


def merge_forecasts(values: Sequence[Any]) -> Merged:
    """The median of each step and column that more than half of the experts have; the first expert's forecast where there is none."""
    given = [[{c: _float(v) for c, v in row.items()} for row in value] for value in values]
    agreed = []
    for step in range(_length(values)):
        rows = [g[step] for g in given if step < len(g)]
        columns = [c for c in dict.fromkeys(c for row in rows for c in row) if 2 * sum(c in row for row in rows) > len(given)]
        agreed.append({c: median([row[c] for row in rows if c in row]) for c in columns})
    agreed = agreed if any(agreed) else given[0]
    said = ["; ".join(", ".join(f"{c} {v:g}" for c, v in row.items()) for row in g) for g in given]
    return _merged(agreed, [_forecasts(g, agreed) for g in given], mean_of_pairs(given, _forecasts), said)


def relative(a: float, b: float) -> float:
    """1 - |a - b| / max(|a|, |b|), 0..1."""
    scale = max(abs(a), abs(b), _TINY)
    return max(0.0, 1 - abs(a / scale - b / scale))


def median(values: Sequence[float]) -> float:
    """The middle value; of an even number the mean of the two in the middle, which does not overflow."""
    ordered = sorted(values)
    half = len(ordered) // 2
    low, high = ordered[(len(ordered) - 1) // 2], ordered[half]
    return low if low == high else low / 2 + high / 2


def _merge_lists(values: Sequence[Any], alike: Callable[[float, float], float]) -> Merged:
    """The median of each place; places that at most half of the experts have are left out."""
    given = [[_float(n) for n in value] for value in values]
    agreed = [median([g[i] for g in given if i < len(g)]) for i in range(_length(values))]

    def lists(one: list[float], other: list[float]) -> float:
        longest = max(len(one), len(other))
        return sum(alike(a, b) for a, b in zip(one, other, strict=False)) / longest if longest else 1.0

    said = [", ".join(f"{n:g}" for n in g) for g in given]
    return _merged(agreed, [lists(g, agreed) for g in given], mean_of_pairs(given, lists), said)


def _merged(value: Any, likeness: list[float], score: float, said: list[str], *, close: float = _CLOSE) -> Merged:
    return Merged(
        value=value,
        score=score,
        said=tuple(short(s) for s in said),
        differs=tuple(v < close for v in likeness),
        nearest=nearest(likeness),
    )


def _length(values: Sequence[Any]) -> int:
    """How many places more than half of the values have."""
    return sorted((len(v) for v in values), reverse=True)[len(values) // 2]


def _same(one: Sequence[str], other: Sequence[str]) -> float:
    longest = max(len(one), len(other))
    return sum(a == b for a, b in zip(one, other, strict=False)) / longest if longest else 1.0


def _forecasts(one: Sequence[dict[str, float]], other: Sequence[dict[str, float]]) -> float:
    columns = sorted({c for row in [*one, *other] for c in row})
    found = []
    for column in columns:
        scale = max([_TINY, *(abs(row[column]) for row in [*one, *other] if column in row)])
        for step in range(max(len(one), len(other))):
            a, b = (rows[step].get(column) if step < len(rows) else None for rows in (one, other))
            if a is not None and b is not None:
                found.append(max(0.0, 1 - abs(a / scale - b / scale)))
            elif a is not None or b is not None:
                found.append(0.0)
    return mean(found) if found else 1.0


def _float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:  # a whole number may have any size
        return 1.7e308 if value > 0 else -1.7e308
