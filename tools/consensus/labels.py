"""Labels with scores: averaged.

The average of what classifiers say is at least as often right as a count of their votes, and the best single one seldom beats it (the sum
rule of Kittler et al., "On combining classifiers", 1998). What the score of agreement is worth, beside others: benchmarks/consensus.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from .merged import Merged, mean, mean_of_pairs, nearest, short, spelled

DEFINITION = (
    "The share of experts that give no label a higher score than the agreed one, times the mean over pairs of experts of what their "
    "distributions over the labels have in common: the sum of the lower of both scores, divided by the larger sum of scores; a label that "
    "an expert does not list counts as 0 there."
)
_ROUNDING = 1e-3
_UNNAMED = re.compile(r"label \d+")


def merge_labels(values: Sequence[Any]) -> Merged:
    """The average distribution, best first; a label is spelled as the first expert that lists it does.

    Labels of one spelling are one (`spelled`); of labels with equal scores the one with more votes stands first, and then the first by
    the alphabet. A label without a score counts as 1; where no label has one, the agreed ones have none.
    """
    given = [distribution(v) for v in values]
    names: dict[str, str] = {}
    for value in values:
        for entry in value:
            names.setdefault(spelled(_name(entry)), _name(entry))
    scores = {k: mean(sorted(d.get(k, 0.0) for d in given)) for k in names}
    tops = [top(d) for d in given]
    order = sorted(names, key=lambda k: (-scores[k], -tops.count(k), k))
    bare = all(isinstance(entry, str) for value in values for entry in value)
    best = order[0] if order else None
    votes = [best is None or d.get(best, -1.0) == max(d.values(), default=0.0) for d in given]
    likeness = [overlap(d, scores) + v for d, v in zip(given, votes, strict=True)]
    unnamed = [names[k] for k in order if _UNNAMED.fullmatch(k)]
    return Merged(
        value=[names[k] for k in order] if bare else [{"label": names[k], "score": scores[k]} for k in order],
        score=sum(votes) / len(votes) * mean_of_pairs(given, overlap),
        said=tuple(_said(d, t, names) for d, t in zip(given, tops, strict=True)),
        differs=tuple(not v for v in votes),
        nearest=nearest(likeness),
        notes=(f"labels such as {unnamed[0]} have no names: that they mean the same to each expert is not known",) if unnamed else (),
    )


def odd(value: Sequence[Any]) -> str:
    """Why labels cannot be compared with those of others: scores that are no probabilities, as a regression gives; empty where they can."""
    strange = [e["score"] for e in value if not isinstance(e, str) and not -_ROUNDING <= e["score"] <= 1 + _ROUNDING]
    return f"its scores, as {float(strange[0]):.3g}, are not between 0 and 1 and cannot be compared" if strange else ""


def distribution(value: Sequence[Any]) -> dict[str, float]:
    """Score by spelling; of labels of one spelling the highest, within 0..1."""
    made: dict[str, float] = {}
    for entry in value:
        score = 1.0 if isinstance(entry, str) else min(max(0.0, float(entry["score"])), 1.0)
        key = spelled(_name(entry))
        made[key] = max(score, made.get(key, 0.0))
    return made


def top(given: Mapping[str, float]) -> str | None:
    """The label with the highest score, of equals the first by the alphabet; None where there is none."""
    return min(given, key=lambda k: (-given[k], k), default=None)


def overlap(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """What two distributions have in common, 0..1: 1 less the total variation distance where both sum to 1."""
    largest = max([*one.values(), *other.values()], default=0.0)
    if largest == 0.0:
        return float(one.keys() == other.keys())
    whole = max(sum(v / largest for v in one.values()), sum(v / largest for v in other.values()))
    return min(1.0, sum(min(one[k], other[k]) / largest for k in one.keys() & other.keys()) / whole)


def _name(entry: Any) -> str:
    return str(entry if isinstance(entry, str) else entry["label"])


def _said(given: Mapping[str, float], best: str | None, names: Mapping[str, str]) -> str:
    return "nothing" if best is None else short(f"{names[best]} ({given[best]:.2f})")
