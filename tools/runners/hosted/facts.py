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

from ..forks import in_each_child

LIFETIME = 15 * 60.0
SHORT_LIFETIME = 60.0
"""For what holds up all models of a server, and may be put right at any time: a network that is down, credits that are used up."""
_MOST = 1_000
_WRITTEN_EVERY = 10.0  # seconds, for what is nothing new: a file written for each call would cost more than many a call
_READ_EVERY = 1.0  # seconds: whether another process has written is looked up no more often
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
        path: a file where they are kept as well, for other processes, whose facts are taken over from it within a second or so. One that
            cannot be read or written is done without.
        lifetime: seconds for which a fact counts.
        clock: seconds since 1970.
    """

    def __init__(self, path: Path | str | None = None, *, lifetime: float = LIFETIME, clock: Callable[[], float] = time.time) -> None:
        self._path = None if path is None else Path(path)
        self._lifetime = lifetime
        self._clock = clock
        self._facts: dict[str, Fact] = {}
        self._written = self._looked = -math.inf
        self._stamp: tuple[int, ...] | None = None  # of the file as it was last read
        self._renew_lock()
        in_each_child(self._renew_lock)
        self._look()

    def _renew_lock(self) -> None:
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._facts)

    def about(self, name: str) -> Fact | None:
        """What is known of it; None when nothing is, or nothing that still counts. Takes microseconds."""
        if self._path is not None and not 0 <= self._clock() - self._looked < _READ_EVERY:
            self._look()
        return self._known(name)

    def all(self) -> dict[str, Fact]:
        """Everything that still counts, by name."""
        return {name: fact for name in tuple(self._facts) if (fact := self.about(name)) is not None}

    def seconds_left(self, fact: Fact) -> float:
        """For how long it still counts; 0 or less when it counts no more."""
        return fact.until - self._clock()

    def answered(self, name: str, seconds: float, cost: float | None = None) -> None:
        """A call of it succeeded."""
        with self._lock:
            before = self._known(name)
            took = (*(before.took if before else ()), seconds)[-_CALLS:]
            known = cost if cost is not None else before.cost if before else None
            fact = Fact(at=self._clock(), until=self._clock() + self._lifetime, took=took, cost=known)
            self._keep(name, fact, news=before is None or bool(before.why))

    def failed(self, name: str, why: str, remedy: str, *, lifetime: float | None = None) -> None:
        """It cannot be called, and this will last.

        Args:
            lifetime: for how many seconds, where that is less than for other facts.
        """
        with self._lock:
            until = self._clock() + min(self._lifetime, math.inf if lifetime is None else lifetime)
            self._keep(name, Fact(at=self._clock(), until=until, why=why, remedy=remedy), news=True)

    def clear(self, name: str) -> None:
        """It works again: a failure that is known of it counts no more, here and for other processes."""
        known = self.about(name)
        if known is not None and known.why:
            with self._lock:
                self._keep(name, Fact(at=self._clock(), until=self._clock() + self._lifetime), news=True)

    def _known(self, name: str) -> Fact | None:
        fact = self._facts.get(name)
        return fact if fact is not None and fact.at - self._lifetime <= self._clock() < fact.until else None

    def _keep(self, name: str, fact: Fact, *, news: bool) -> None:
        self._facts.pop(name, None)
        self._facts[name] = fact  # at the end: the oldest are dropped from the front
        while len(self._facts) > _MOST:
            del self._facts[next(iter(self._facts))]
        if news or self._clock() - self._written >= _WRITTEN_EVERY:
            self._write()

    def _look(self) -> None:
        """Take over what other processes have written since."""
        with self._lock:
            self._looked = self._clock()
            self._merge()

    def _merge(self) -> None:
        """Add what the file holds, if it has changed; of two facts of one thing the newer counts."""
        stamp = self._stamp_of_file()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        both = dict(self._facts)
        for name, fact in self._read().items():
            from_a_wrong_clock = fact.at > self._clock() + self._lifetime
            if not from_a_wrong_clock and (name not in both or both[name].at < fact.at):
                both[name] = fact
        self._facts = dict(sorted(both.items(), key=lambda e: e[1].at)[-_MOST:])

    def _stamp_of_file(self) -> tuple[int, ...] | None:
        """Another one for every file that was put there; None without one."""
        if self._path is None:
            return None
        try:
            return _stamp(self._path.stat())
        except OSError:
            return None

    def _read(self) -> dict[str, Fact]:
        if self._path is None:
            return {}
        try:
            held = json.loads(self._path.read_text(encoding="utf-8"))
            return {str(name): _fact(entry) for name, entry in held.items()}
        except (OSError, ValueError, TypeError, AttributeError, KeyError, RecursionError):  # written by another version, or damaged
            return {}

    def _write(self) -> None:
        if self._path is None:
            return
        self._merge()
        self._written = self._clock()
        content = json.dumps({name: asdict(fact) for name, fact in self._facts.items()})
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle, new = tempfile.mkstemp(dir=self._path.parent, prefix=".new-")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as f:
                    f.write(content)
                    f.flush()
                    self._stamp = _stamp(os.fstat(f.fileno()))
                Path(new).replace(self._path)
            except OSError:
                Path(new).unlink(missing_ok=True)


def _stamp(told: os.stat_result) -> tuple[int, ...]:
    return told.st_mtime_ns, told.st_ino, told.st_size


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
