"""Stretches of speech: the times at which more than half of the experts hear it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .merged import Merged, mean_of_pairs, nearest, short, spelled

DEFINITION = (
    "The mean over pairs of experts of the time that both take for speech (with the same label), divided by the time that either does."
)
_CLOSE = 0.9

Times = Mapping[str, Sequence[tuple[float, float]]]
"""By label, as it is spelled: stretches in order that do not touch."""


def merge_segments(values: Sequence[Any]) -> Merged:
    """The times at which more than half of the experts hear speech, in order. Segments have labels where one of the experts gives some."""
    given = [_times(v) for v in values]
    names: dict[str, str] = {}
    for segment in (s for v in values for s in v if "label" in s):
        names.setdefault(spelled(segment["label"]), segment["label"])
    labels = sorted({k for g in given for k in g})
    agreed = {k: _majority([g.get(k, ()) for g in given]) for k in labels}
    found = sorted((start, end, k) for k, stretches in agreed.items() for start, end in stretches)
    likeness = [overlap(g, agreed) for g in given]
    return Merged(
        value=[{"start": s, "end": e} | ({"label": names[k]} if k in names else {}) for s, e, k in found],
        score=mean_of_pairs(given, overlap),
        said=tuple(short(", ".join(f"{s['start']:.1f} to {s['end']:.1f} s" for s in v)) for v in values),
        differs=tuple(v < _CLOSE for v in likeness),
        nearest=nearest(likeness),
    )


def overlap(one: Times, other: Times) -> float:
    """The time that both have, divided by the time that either has, 0..1; 1 where both have none."""
    both = sum(e - s for k in one.keys() & other.keys() for s, e in _where(2, [one[k], other[k]]))
    whole = sum(e - s for k in one.keys() | other.keys() for s, e in _where(1, [one.get(k, ()), other.get(k, ())]))
    return min(1.0, both / whole) if whole > 0 else 1.0


def _times(value: Sequence[Mapping[str, Any]]) -> dict[str, list[tuple[float, float]]]:
    by_label: dict[str, list[tuple[float, float]]] = {}
    for segment in value:
        by_label.setdefault(spelled(segment.get("label", "")), []).append((float(segment["start"]), float(segment["end"])))
    return {k: _where(1, [[s] for s in stretches]) for k, stretches in by_label.items()}


def _majority(given: Sequence[Sequence[tuple[float, float]]]) -> list[tuple[float, float]]:
    return _where(len(given) // 2 + 1, given)


def _where(least: int, given: Sequence[Sequence[tuple[float, float]]]) -> list[tuple[float, float]]:
    """The stretches at which at least so many of the lists have one."""
    edges = sorted(edge for g in given for s, e in g if e > s for edge in ((s, -1), (e, 1)))
    made: list[tuple[float, float]] = []
    inside, begun = 0, 0.0
    for at, step in edges:  # at the same time the beginnings come first: stretches that touch are one
        before, inside = inside, inside - step
        if before < least <= inside:
            begun = at
        elif inside < least <= before and at > begun:
            made.append((begun, at))
    return made
