"""Which candidate to try first where several kinds of runners can do a task: the most ready one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

from .runners.runner import Availability, Place

if TYPE_CHECKING:
    from .experts import Candidate

_QUICK = 0.25  # seconds; calls that take less are alike


class Order(StrEnum):
    """How candidates are put in order.

    Attributes:
        RELEVANCE: as the index ranks their cards.
        READINESS: what is in memory, then what is on this machine, then what is hosted, then what has to be fetched; among these what costs
            less, then what answered in less than half the time, then as the index ranks them.
    """

    RELEVANCE = "relevance"
    READINESS = "readiness"


def most_ready(found: Sequence[tuple[Candidate, Availability]], limit: int) -> tuple[Candidate, ...]:
    """At most `limit` candidates, the most ready first; of every runner that has one, at least the best is among them, as long as there is
    room: where all models on this machine fail, a hosted one may still do it.

    Args:
        found: candidates, and what their runners say of them; those of one runner in the order of the index.
        limit: how many at most.
    """
    places: dict[str, int] = {}
    ranked = []
    for candidate, available in found:
        rank = places[candidate.runner.name] = places.get(candidate.runner.name, -1) + 1
        ranked.append((_key(available, rank), candidate))
    ranked.sort(key=lambda r: r[0])
    ordered = [c for _, c in ranked]
    best = list({c.runner.name: c for c in reversed(ordered)}.values())
    others = [c for c in ordered if c not in best][: max(0, limit - len(best))]
    chosen = [c for c in ordered if c in best or c in others]
    return tuple(chosen[:limit])


def _key(available: Availability, rank: int) -> tuple[int, float, int, int]:
    place = Place.HERE if available.place is None else available.place
    seconds = _QUICK if available.seconds is None else max(_QUICK, available.seconds)
    return (place, available.cost or 0.0, math.floor(math.log2(seconds / _QUICK)), rank)
