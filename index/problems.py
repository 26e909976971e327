"""What a data set, a run or a source of model cards held that could not be used: counted and listed, never fatal."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from .text import well_formed

LISTED = 20
"""How many places are listed for each kind of problem; the rest are counted."""


@dataclass(kw_only=True)
class Problems:
    """Counts by kind, and the first places of each kind.

    Attributes:
        counts: how often each kind was met, e.g. `{"line is not JSON": 3}`.
        places: the first 20 places of each kind, e.g. `{"line is not JSON": ["dev.jsonl:7"]}`.
    """

    counts: Counter[str] = field(default_factory=Counter)
    places: dict[str, list[str]] = field(default_factory=dict)

    def add(self, kind: str, place: str) -> None:
        """Note one problem. `kind` is the same for all of its kind; `place` says where, and with which value."""
        self.counts[kind] += 1
        listed = self.places.setdefault(kind, [])
        if len(listed) < LISTED:
            listed.append(" ".join(well_formed(place[:200]).split()))

    def __bool__(self) -> bool:
        return bool(self.counts)

    def as_json(self) -> dict[str, Any]:
        """`{kind: {"count", "places"}}`, the commonest first."""
        return {kind: {"count": n, "places": self.places[kind]} for kind, n in self.counts.most_common()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Problems:
        """Read what `as_json` wrote."""
        return cls(counts=Counter({k: v["count"] for k, v in data.items()}), places={k: list(v["places"]) for k, v in data.items()})
