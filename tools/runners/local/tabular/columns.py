"""Tables as estimators want them: the columns that they were trained on, numbers as numbers, missing cells as NaN."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from importlib import import_module
from typing import Any

from ....errors import InputError
from ..loaded import LoadedModel

_MISSING = ("", "na", "n/a", "nan", "null", "none")
"""Texts that stand for a missing cell, in lower case."""
_TOLD = 8


def column_names(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Every column, in the order in which they first come. Cells beyond the header of a CSV file have no name and are left out."""
    return list(dict.fromkeys(name for row in rows for name in row if isinstance(name, str)))


def number_of(cell: Any) -> float | None:
    """A cell as a number; NaN where it is missing, None where it is something else.

    1,234.5 with its comma is no number: elsewhere it would mean another one.
    """
    if cell is None:
        return math.nan
    if isinstance(cell, bool | int | float):
        try:
            return float(cell)
        except OverflowError:
            return math.inf if cell > 0 else -math.inf
    text = str(cell).strip()
    if text.lower() in _MISSING:
        return math.nan
    if "_" in text:  # Python reads 1_000 as a number; tables do not
        return None
    try:
        return float(text)
    except ValueError:
        return None


def frame_for(model: LoadedModel, rows: Sequence[Mapping[str, Any]]) -> tuple[Any, tuple[str, ...]]:
    """A DataFrame of the columns that the model was trained on, in their order, and notes on what was left out.

    Raises:
        InputError: columns are missing, or the model does not name them and their number is another one.
    """
    pd: Any = import_module("pandas")

    given = column_names(rows)
    wanted, notes = _wanted(model, given)
    cells = {name: _column([row.get(name) for row in rows]) for name in wanted}
    frame = pd.DataFrame(cells, columns=wanted)
    extra = [n for n in given if n not in wanted]
    if extra:
        notes = (*notes, f"columns that the model does not know were left out: {_listed(extra)}")
    return frame, notes


def _wanted(model: LoadedModel, given: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    described = model.files.config.get("sklearn", {})
    named = _attribute(model.model, "feature_names_in_")
    names = [str(n) for n in named if isinstance(n, str)] if named is not None else []
    declared = described.get("columns") if isinstance(described, dict) else None
    if not names and isinstance(declared, list):
        names = [str(n) for n in declared]
    if names:
        _refuse_missing(model, names, given)
        return names, ()
    count = _attribute(model.model, "n_features_in_")
    if count is not None and int(count) != len(given):
        raise InputError(
            f"'table' has {len(given)} columns ({_listed(given)}), and {model.id!r} takes {int(count)}, whose names it does not say.",
            remedy="Give the columns that it was trained on, in their order, and no others.",
        )
    return list(given), ("the model does not name its columns: they were taken in the order of the table",)


def _attribute(estimator: Any, name: str) -> Any:
    try:
        return getattr(estimator, name, None)
    except (ValueError, TypeError):  # pipelines ask their first step, which may not have it
        return None


def _refuse_missing(model: LoadedModel, names: Sequence[str], given: Sequence[str]) -> None:
    missing = [n for n in names if n not in given]
    if not missing:
        return
    free = [g for g in given if g not in names]
    near = {n: get_close_matches(n.lower(), [g.lower() for g in free], n=1, cutoff=0.6) for n in missing}
    hints = [f"{n!r} (did you call it {next(g for g in free if g.lower() == m[0])!r}?)" if m else repr(n) for n, m in near.items()]
    raise InputError(
        f"'table' lacks {len(missing)} of the {len(names)} columns that {model.id!r} was trained on: {', '.join(hints[:_TOLD])}"
        f"{', …' if len(hints) > _TOLD else ''}. It has {_listed(given)}.",
        remedy="Name the columns as the model does.",
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(repr(n) for n in names[:_TOLD]) + (", …" if len(names) > _TOLD else "") if names else "no columns"


def _column(cells: list[Any]) -> list[Any]:
    """Cells as numbers if all of them are; else texts, with NaN for those that are missing."""
    numbers = [number_of(c) for c in cells]
    if all(n is not None for n in numbers):
        return numbers
    return [
        math.nan if n is not None and math.isnan(n) else c if isinstance(c, str) else str(c) for n, c in zip(numbers, cells, strict=True)
    ]
