"""Rankings: by the mean of the ranks (Borda's count)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

from .merged import Merged, mean, mean_of_pairs, nearest, short

DEFINITION = (
    "The mean over pairs of experts of the share of pairs of entries that both put in the same order (Kendall's tau, mapped to 0..1); "
    "what an expert leaves out stands last, and what both leave in doubt counts half; of long rankings the first 300 that are agreed on."
)
_MOST = 300


def merge_rankings(values: Sequence[Any]) -> Merged:
    """All entries that an expert ranks, by the mean of their ranks, of equals the one with the lower index first.

    `score` is the share of the other entries that it stands above, averaged over the experts, 0..1: scores of different models have
    different scales. What an expert leaves out shares the places behind its last.
    """
    entries = {e["index"]: e for value in reversed(values) for e in reversed(value)}
    places = [_places([e["index"] for e in value], sorted(entries)) for value in values]
    ranks = {i: mean(sorted(p[i] for p in places)) for i in entries}
    order = sorted(entries, key=lambda i: (ranks[i], i))
    agreed = [{**entries[i], "score": 1 - ranks[i] / max(1, len(order) - 1)} for i in order]
    likeness = [_alike(p, ranks, order[:_MOST]) for p in places]
    firsts = [value[0]["index"] if value else None for value in values]
    return Merged(
        value=agreed,
        score=mean_of_pairs(places, lambda a, b: _alike(a, b, order[:_MOST])),
        said=tuple("nothing" if f is None else f"first {_named(entries[f])}" for f in firsts),
        differs=tuple(f != order[0] if order else False for f in firsts),
        nearest=nearest(likeness),
    )


def _places(ranking: Sequence[int], everything: Sequence[int]) -> dict[int, float]:
    """The place of each entry, from 0; those that are left out share the mean of the places that are left."""
    found: dict[int, float] = {}
    for index in ranking:
        found.setdefault(index, float(len(found)))
    behind = (len(found) + len(everything) - 1) / 2
    return {i: found.get(i, behind) for i in everything}


def _alike(one: dict[int, float], other: dict[int, float], entries: Sequence[int]) -> float:
    pairs = same = 0.0
    for a, b in combinations(entries, 2):
        pairs += 1
        here, there = one[a] - one[b], other[a] - other[b]
        if here == there == 0 or here * there > 0:
            same += 1
        elif here * there == 0:
            same += 0.5
    return same / pairs if pairs else 1.0


def _named(entry: dict[str, Any]) -> str:
    return short(entry["text"]) if "text" in entry else f"number {entry['index'] + 1}"
