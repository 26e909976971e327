"""JSON of no known form: the value that is most alike to the others, place by place."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from .merged import Merged, medoid, short, spelled
from .numbers import relative

DEFINITION = (
    "The mean over pairs of experts of how much of their values is alike, place by place: numbers by 1 - |a - b| / max(|a|, |b|), "
    "texts by whether they are spelled alike."
)
_CLOSE = 0.9


def merge_json(values: Sequence[Any]) -> Merged:
    """One of the values as it stands."""
    best, likeness, score = medoid(values, alike)
    said = tuple(short(json.dumps(v, ensure_ascii=False)) for v in values)
    return Merged(value=values[best], score=score, said=said, differs=tuple(v < _CLOSE for v in likeness), nearest=best)


def alike(one: Any, other: Any) -> float:
    """How much of two JSON values is alike, 0..1."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = one.keys() | other.keys()
        return sum(alike(one[k], other[k]) for k in one.keys() & other.keys()) / len(keys) if keys else 1.0
    if isinstance(one, list) and isinstance(other, list):
        longest = max(len(one), len(other))
        return sum(alike(a, b) for a, b in zip(one, other, strict=False)) / longest if longest else 1.0
    if isinstance(one, str) and isinstance(other, str):
        return float(spelled(one) == spelled(other))
    if _is_float(one) and _is_float(other):
        return relative(float(one), float(other))
    return float(type(one) is type(other) and one == other)


def _is_float(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e308
