"""Whether what an expert gave is what its ports promise."""

from __future__ import annotations

import json
from typing import Any

from ..index.errors import ExpertError
from .forms import form_of
from .task import Kind, Port

_LARGEST_SCORE = 1e30
"""Scores of labels are probabilities; a regression may give any number that a model can mean."""


def check_output(task: str, port: Port, value: Any) -> None:
    """Check the value of a port that takes no files against `RunnerOutput.values` and the form that the task's output has (`forms.py`).

    Raises:
        ExpertError: it is not plain JSON, or not of the port's kind or form.
    """
    if port.many and not isinstance(value, list):
        raise ExpertError(f"the expert gave no list as {port.name!r} but {value!r:.80}")
    for one in value if port.many else [value]:
        if not _fits(port.kind, one):
            raise ExpertError(f"the expert gave no {port.kind} as {port.name!r} but {one!r:.80}")
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as e:
        raise ExpertError(f"the expert gave {port.name!r} in a form that is not plain JSON: {e}") from e
    _check_form(task, port, value)


def _check_form(task: str, port: Port, value: Any) -> None:
    from pydantic import ValidationError

    form = form_of(task, port.name)
    if form is None:
        return
    try:
        form.validate_python(value)
    except ValidationError as e:
        first = e.errors(include_url=False)[0]
        at = ".".join(str(p) for p in first["loc"]) or "it"
        raise ExpertError(f"the expert gave {port.name!r} in another form than {task} has: {at}: {first['msg']}") from e


def _fits(kind: Kind, value: Any) -> bool:
    if kind is Kind.TEXT:
        return isinstance(value, str)
    if kind is Kind.NUMBER:
        return _is_number(value)
    if kind is Kind.LABELS:
        return isinstance(value, list) and all(_is_label(entry) for entry in value)
    return True


def _is_label(entry: Any) -> bool:
    if isinstance(entry, str):
        return True
    if not isinstance(entry, dict) or not isinstance(entry.get("label"), str):
        return False
    score: Any = entry.get("score")
    return _is_number(score) and not abs(score) > _LARGEST_SCORE  # NaN is told of as such


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
