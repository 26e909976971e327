"""What a case pins beyond its plan: words of a text, an output, files that were made. Each check tells what fails, a sentence each."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from ..agent.trace import TaskResult
from ..tools.artifacts import Artifact
from ..tools.task import Kind
from ..tools.views import text_view

_SHOWN = 160


class Unset(Enum):
    """Stands where no value is pinned: None would be a value."""

    NOT_PINNED = "not pinned"


NOT_PINNED = Unset.NOT_PINNED


@dataclass(frozen=True, kw_only=True)
class TextCheck:
    """What a text must hold and must not.

    Attributes:
        contains: all of these; case, line breaks and the number of blanks do not matter.
        excludes: none of these, compared in the same way.
        matches: regular expressions (Python's `re`) that are found somewhere in the text as it stands.
    """

    contains: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    matches: tuple[str, ...] = ()

    def problems(self, what: str, text: str) -> Iterator[str]:
        """A sentence for each demand that the text does not meet. `what` is the text's name in them."""
        folded = _folded(text)
        for wanted in self.contains:
            if _folded(wanted) not in folded:
                yield f"{what} does not contain {wanted!r}: {_cut(text)}."
        for unwanted in self.excludes:
            if _folded(unwanted) in folded:
                yield f"{what} contains {unwanted!r}: {_around(text, unwanted)}."
        for pattern in self.matches:
            if not re.search(pattern, text):
                yield f"{what} does not match {pattern!r}: {_cut(text)}."


@dataclass(frozen=True, kw_only=True)
class OutputCheck:
    """What the output of one task must be.

    Attributes:
        task: name of the task. Where the plan holds it more than once, one of them must meet the check.
        port: name of the output port.
        kind: what flows through it.
        text: what its text must hold: labels with scores as in `positive (0.97), negative (0.03)`, anything that is no text as JSON.
        equals: the value itself; of labels the best one's name. `NOT_PINNED` when any value will do.
        least, most: bounds of a number, of each number of a list, of the best label's score.
    """

    task: str
    port: str
    kind: Kind
    text: TextCheck = field(default_factory=TextCheck)
    equals: Any = NOT_PINNED
    least: float | None = None
    most: float | None = None

    def problems(self, results: Sequence[TaskResult]) -> list[str]:
        """What fails in the results of a run; of several results of the task those of the best one."""
        own = [r for r in results if r.task == self.task and r.status == "ok"]
        if not own:
            return [f"{self._what} is not there: no task {self.task} ran."]
        return min(([*self._value(r.output.get(self.port))] for r in own), key=len)

    @property
    def _what(self) -> str:
        return f"{self.port} of {self.task}"

    def _value(self, value: Any) -> Iterator[str]:
        if value is None:
            yield f"{self._what} is not there."
            return
        yield from self.text.problems(self._what, text_of(self.kind, value))
        if self.equals is not NOT_PINNED and not _same(self.equals, found := self._plain(value)):
            yield f"{self._what} is {_cut(str(found))}, not {self.equals!r}."
        if self.least is None and self.most is None:
            return
        numbers = _numbers(value)
        if not numbers:
            yield f"{self._what} is no number: {_cut(str(value))}."
        for number in numbers:
            if self.least is not None and not number >= self.least:  # so that NaN fails
                yield f"{self._what} is {number:g}, less than {self.least:g}."
            if self.most is not None and not number <= self.most:
                yield f"{self._what} is {number:g}, more than {self.most:g}."

    def _plain(self, value: Any) -> Any:
        """What `equals` is compared with."""
        best = _best(value) if self.kind is Kind.LABELS else None
        return value if best is None else best.get("label")


@dataclass(frozen=True, kw_only=True)
class ArtifactCheck:
    """Files of one kind that a run must make.

    Attributes:
        kind: as in `audio`.
        count: how many exactly; None for at least one.
    """

    kind: Kind
    count: int | None = None

    def problems(self, artifacts: Sequence[Artifact]) -> Iterator[str]:
        """What fails among the files that a run made."""
        found = Counter(a.kind for a in artifacts)
        if found[self.kind] != self.count if self.count is not None else not found[self.kind]:
            wanted = f"at least one {self.kind} file" if self.count is None else f"{self.count} {self.kind} files"
            made = ", ".join(f"{n} {kind}" for kind, n in sorted(found.items())) or "none"
            yield f"{wanted} had to be made; made: {made}."


def text_of(kind: Kind, value: Any) -> str:
    """A value as text; never raises, since a trace may come from elsewhere."""
    try:
        return text_view(kind, value)
    except (KeyError, TypeError, ValueError, OverflowError):
        return str(value)


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return repr(line if len(line) <= _SHOWN else f"{line[:_SHOWN]} …")


def _around(text: str, found: str) -> str:
    line = " ".join(text.split())
    at = max(0, line.casefold().find(_folded(found)) - _SHOWN // 3)
    return repr(line[at : at + _SHOWN])


def _best(value: Any) -> dict[str, Any] | None:
    first = value[0] if isinstance(value, list) and value else None
    return first if isinstance(first, dict) and "label" in first else None


def _numbers(value: Any) -> list[float]:
    best = _best(value)
    values = value if isinstance(value, list) else [value]
    return [_float(v) for v in ([best.get("score")] if best else values) if isinstance(v, int | float) and not isinstance(v, bool)]


def _float(number: int | float) -> float:
    try:
        return float(number)
    except OverflowError:  # a trace may come from elsewhere
        return math.inf if number > 0 else -math.inf


def _same(wanted: Any, found: Any) -> bool:
    if isinstance(wanted, str) and isinstance(found, str):
        return wanted.split() == found.split()
    if isinstance(wanted, float) or isinstance(found, float):
        return all(isinstance(v, int | float) for v in (wanted, found)) and math.isclose(_float(wanted), _float(found), rel_tol=1e-9)
    return bool(wanted == found)
