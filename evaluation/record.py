"""One judged case, as it is written to `records.jsonl`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

Score = tuple[float, float]
"""What one case adds to a metric's numerator and denominator. Every metric here is a ratio of sums over cases."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """One case, what came out, and what it adds to each metric.

    Attributes:
        id: unique in the data set.
        groups: what figures are broken down by, e.g. `{"type": "chain", "number of tasks": "3"}`.
        scores: by metric key (see `metrics.METRICS`); a metric that this case does not count for is absent.
        gold: names of the labelled tasks; empty when there is no label.
        predicted: names of the tasks that came out.
        seconds: what the thing that is evaluated took; None when a recorded prediction was scored.
        error: why nothing came out; empty otherwise.
        again: the error lay with a remote side, so that a resumed run tries the case again.
        usage: tokens by chat model: `{"gpt-5-mini": {"input_tokens": 812, "output_tokens": 95}}`.
        detail: plain JSON for the report and for files that are written at the end.
    """

    id: str
    groups: Mapping[str, str] = field(default_factory=dict)
    scores: Mapping[str, Score] = field(default_factory=dict)
    gold: tuple[str, ...] = ()
    predicted: tuple[str, ...] = ()
    seconds: float | None = None
    error: str = ""
    again: bool = False
    usage: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    detail: Mapping[str, Any] = field(default_factory=dict)

    def as_line(self) -> str:
        """One line of JSON, without its end."""
        data = {
            "id": self.id,
            "groups": dict(self.groups),
            "scores": {k: list(v) for k, v in self.scores.items()},
            "gold": list(self.gold),
            "predicted": list(self.predicted),
            "seconds": self.seconds if self.seconds is None else round(self.seconds, 6),
            "error": self.error or None,
            "again": self.again,
            "usage": {m: dict(u) for m, u in self.usage.items()},
            "detail": dict(self.detail),
        }
        return json.dumps(data, ensure_ascii=False, default=str)

    @classmethod
    def from_line(cls, line: str | bytes) -> Record:
        """Read what `as_line` wrote. Raises ValueError when the line is torn or of another form."""
        return cls.from_json(json.loads(line))

    @classmethod
    def from_json(cls, data: Any) -> Record:
        """The record of a line that was parsed already. Raises ValueError when it is of another form."""
        try:
            return cls(
                id=_text(data["id"]),
                groups={k: _text(v) for k, v in data["groups"].items()},
                scores={k: (_finite(a), _finite(b)) for k, (a, b) in data["scores"].items()},
                gold=tuple(map(_text, data["gold"])),
                predicted=tuple(map(_text, data["predicted"])),
                seconds=None if data["seconds"] is None else _finite(data["seconds"]),
                error=_text(data["error"] or ""),
                again=bool(data["again"]),
                usage={m: {k: int(n) for k, n in u.items()} for m, u in data["usage"].items()},
                detail=dict(data["detail"].items()),
            )
        except (KeyError, TypeError, AttributeError, OverflowError) as e:
            raise ValueError(f"not a record: {e}") from e


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.60} is no text")
    return value


def _finite(value: Any) -> float:
    number = float(value)
    if not isfinite(number):
        raise ValueError(f"not a record: {number} is no figure")
    return number
