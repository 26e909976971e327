"""The past of a forecast: the columns of numbers of a table, in order of time, without gaps."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ....errors import InputError
from .columns import column_names, number_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_TIME_NAMES = ("date", "datetime", "day", "ds", "hour", "index", "month", "period", "quarter", "time", "timestamp", "week", "year")
_DATE = re.compile(r"\d{4}-\d{2}(-\d{2}([T ]\d{2}:\d{2}.*)?)?|\d{4}/\d{2}/\d{2}")


@dataclass(frozen=True, kw_only=True)
class History:
    """What happened so far.

    Attributes:
        columns: names of the columns of numbers.
        values: rows x columns, the earliest first; no NaN.
        notes: what was left out, turned round or filled in.
    """

    columns: tuple[str, ...]
    values: NDArray[np.float64]
    notes: tuple[str, ...]


def read_history(rows: Sequence[Mapping[str, Any]]) -> History:
    """The columns of numbers of a table. The column of times is kept out; it tells whether the latest row comes first.

    Raises:
        InputError: no column holds numbers, or a number is infinite.
    """
    import numpy as np

    notes: list[str] = []
    time = _time_column(rows)
    if time is not None and _is_falling(rows, time):
        rows = list(reversed(rows))
        notes.append(f"the rows were turned round: the latest came first by {time!r}")
    columns: dict[str, list[float]] = {}
    words: list[str] = []
    for name in column_names(rows):
        cells = [number_of(row.get(name)) for row in rows]
        known = [c for c in cells if c is not None]
        if name == time:
            continue
        if len(known) < len(cells) or all(math.isnan(c) for c in known):
            words.append(name)
            continue
        columns[name] = _filled(name, known, notes)
    if not columns:
        raise InputError(
            "'table' has no column of numbers to forecast.", remedy="Give past values as numbers, one row for each step of time."
        )
    if words:
        notes.append(f"left out, since not all of their cells are numbers: {', '.join(repr(w) for w in words[:8])}")
    return History(columns=tuple(columns), values=np.array(list(columns.values()), np.float64).T, notes=tuple(notes))


def _time_column(rows: Sequence[Mapping[str, Any]]) -> str | None:
    """The first column of dates, or of numbers that only rise or only fall under a name such as `year`."""
    for name in column_names(rows):
        cells = [row.get(name) for row in rows]
        if all(isinstance(c, str) and _DATE.fullmatch(c.strip()) for c in cells):
            return name
        if name.strip().lower() in _TIME_NAMES:
            numbers = [n for c in cells if (n := number_of(c)) is not None]
            if len(numbers) < len(cells) or _is_monotonic(numbers):
                return name
    return None


def _is_monotonic(numbers: Sequence[float]) -> bool:
    steps = [b - a for a, b in pairwise(numbers)]
    return all(s > 0 for s in steps) or all(s < 0 for s in steps)


def _is_falling(rows: Sequence[Mapping[str, Any]], time: str) -> bool:
    if len(rows) < 2:
        return False
    numbers = [number_of(row.get(time)) for row in rows]
    if None not in numbers:
        first, last = numbers[0], numbers[-1]
        return first is not None and last is not None and first > last
    texts = [str(row.get(time)).strip() for row in rows]
    return all(_DATE.fullmatch(t) for t in texts) and texts[0] > texts[-1]  # such dates are in order as texts


def _filled(name: str, cells: Sequence[float], notes: list[str]) -> list[float]:
    """Cells without gaps: a missing one lies on the line between its neighbours; at the ends, it is like its neighbour."""
    import numpy as np

    values = np.array(cells, np.float64)
    if np.isinf(values).any() or np.abs(values[np.isfinite(values)]).max() > 1e30:
        raise InputError(
            f"The column {name!r} of 'table' holds a number that is infinite or larger than 1e30.", remedy="Look at its cells."
        )
    gaps = np.isnan(values)
    if gaps.any():
        at = np.arange(len(values))
        values[gaps] = np.interp(at[gaps], at[~gaps], values[~gaps])
        notes.append(f"{int(gaps.sum())} missing cell{'s' if gaps.sum() > 1 else ''} of {name!r} filled in from the neighbouring rows")
    filled: list[float] = values.tolist()
    return filled
