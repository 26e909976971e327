"""What calls told about models, endpoints and tokens; kept for a while, in memory or in a file as well."""

from __future__ import annotations

import contextlib
import json
import math
import os
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

LIFETIME = 15 * 60.0
UNREACHABLE_LIFETIME = 60.0
"""Shorter, since a network comes back by itself."""
_MOST = 1_000
_WRITTEN_EVERY = 10.0  # seconds, for what is nothing new: a file written for each call would cost more than many a call
_CALLS = 5


@dataclass(frozen=True, kw_only=True)
class Fact:
    """What the last calls of one thing told.

    Attributes:
        at: when the last one ended, in seconds since 1970.
        until: from when on it counts no more.
        took: seconds of the last calls that succeeded, at most five, newest last.
        cost: US dollars of the last one that told.
        why: if the last one failed for a reason that will last, the reason, as a clause that reads after "because"; else empty.
        remedy: what would help.
    """

    at: float
    until: float
    took: tuple[float, ...] = ()
    cost: float | None = None
    why: str = ""
    remedy: str = ""

    @property
    def seconds(self) -> float | None:
        """The median of `took`."""
        return median(self.took) if self.took else None


class Facts:
    """Facts by name. All threads may use it.

    Args:
        path: a file where they are kept as well, for other processes. One that cannot be read or written is done without.
        lifetime: seconds for which a fact counts.
        clock: seconds since 1970.
    """

    def __init__(self, path: Path | str | None = None, *, lifetime: float = LIFETIME, clock: Callable[[], float] = time.time) -> None:
        self._path = None if path is None else Path(path)
        self._lifetime = lifetime
        self._clock = clock
        self._lock = threading.Lock()
        self._facts: dict[str, Fact] = self._read()
        self._written = -math.inf

    def __len__(self) -> int:
        return len(self._facts)

    def about(self, name: str) -> Fact | None:
        """What is known of it; None when nothing is, or nothing that still counts. Takes microseconds."""
        fact = self._facts.get(name)
        return fact if fact is not None and fact.at - self._lifetime <= self._clock() < fact.until else None

    def all(self) -> dict[str, Fact]:
        """Everything that still counts, by name."""
        return {name: fact for name in tuple(self._facts) if (fact := self.about(name)) is not None}

    def answered(self, name: str, seconds: float, cost: float | None = None) -> None:
        """A call of it succeeded."""
        with self._lock:
            before = self.about(name)
            took = (*(before.took if before else ()), seconds)[-_CALLS:]
            known = cost if cost is not None else before.cost if before else None
            self._keep(name, Fact(at=self._clock(), until=self._clock() + self._lifetime, took=took, cost=known), news=before is None)

    def failed(self, name: str, why: str, remedy: str, *, lifetime: float | None = None) -> None:
        """It cannot be called, and this will last.

        Args:
            lifetime: for how many seconds, where that is less than for other facts.
        """
        with self._lock:
            until = self._clock() + min(self._lifetime, math.inf if lifetime is None else lifetime)
            self._keep(name, Fact(at=self._clock(), until=until, why=why, remedy=remedy), news=True)

    def forget(self, name: str) -> None:
        """It works again, or nothing is known of it any more."""
        if name in self._facts:
            with self._lock:
                self._facts.pop(name, None)
                self._write()

    def _keep(self, name: str, fact: Fact, *, news: bool) -> None:
        self._facts.pop(name, None)
        self._facts[name] = fact  # at the end: the oldest are dropped from the front
        while len(self._facts) > _MOST:
            del self._facts[next(iter(self._facts))]
        if news or self._clock() - self._written >= _WRITTEN_EVERY:
            self._write()

    def _read(self) -> dict[str, Fact]:
        if self._path is None:
            return {}
        try:
            held = json.loads(self._path.read_text(encoding="utf-8"))
            facts = {str(name): _fact(entry) for name, entry in held.items()}
        except (OSError, ValueError, TypeError, AttributeError, KeyError, RecursionError):  # written by another version, or damaged
            return {}
        return dict(sorted(facts.items(), key=lambda e: e[1].at)[-_MOST:])

    def _write(self) -> None:
        if self._path is None:
            return
        self._written = self._clock()
        content = json.dumps({name: asdict(fact) for name, fact in self._facts.items()})
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle, new = tempfile.mkstemp(dir=self._path.parent, prefix=".new-")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as f:
                    f.write(content)
                Path(new).replace(self._path)
            except OSError:
                Path(new).unlink(missing_ok=True)


def _fact(entry: Any) -> Fact:
    """Raises TypeError, ValueError or KeyError for what is none."""
    took, cost = tuple(map(_seconds, entry["took"])), entry["cost"]
    if not isinstance(entry["why"], str) or not isinstance(entry["remedy"], str):
        raise TypeError("why and remedy are texts")
    return Fact(
        at=_seconds(entry["at"]),
        until=_seconds(entry["until"]),
        took=took[-_CALLS:],
        cost=None if cost is None else _seconds(cost),
        why=entry["why"][:400],
        remedy=entry["remedy"][:400],
    )


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise ValueError(f"{value!r:.40} is no amount")
    return float(value)
