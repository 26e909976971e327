"""Classes and numbers for the rows of a table, by estimators of scikit-learn."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from .....index.errors import ExpertError
from ....errors import InputError, ModelRefusedError
from ...runner import RunnerOutput
from ...workers import check_abandoned
from ..loaded import LoadedModel
from .columns import frame_for

_AT_ONCE = 10_000


def tabular_classification(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """A class for each row, as the model names them.

    Raises:
        InputError: columns are missing, or hold texts where the model takes numbers.
        ModelRefusedError: the model is no classifier, gives several classes for a row, or takes no missing cells.
    """
    from sklearn.base import is_classifier

    if not is_classifier(model.model):
        raise _of_another_kind(model, "classes")
    return _predicted(model, inputs, _plain_class)


def tabular_regression(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """A number for each row.

    Raises:
        InputError: columns are missing, or hold texts where the model takes numbers.
        ModelRefusedError: the model predicts no numbers, several for a row, or takes no missing cells.
        ExpertError: a number is infinite or none at all.
    """
    from sklearn.base import is_regressor

    if not is_regressor(model.model):
        raise _of_another_kind(model, "numbers")
    return _predicted(model, inputs, float)


def _of_another_kind(model: LoadedModel, wanted: str) -> ModelRefusedError:
    return ModelRefusedError(
        f"{model.id!r} does something else: it is a {type(model.model).__name__}, which does not predict {wanted}.",
        remedy="Choose a model that was trained for the task.",
    )


def _plain_class(value: Any) -> str | int | bool:
    plain = value.item() if hasattr(value, "item") else value
    if isinstance(plain, float) and plain.is_integer():
        return int(plain)
    return plain if isinstance(plain, str | int | bool) else str(plain)


def _predicted(model: LoadedModel, inputs: Mapping[str, Any], plain: Callable[[Any], str | int | bool | float]) -> RunnerOutput:
    frame, notes = frame_for(model, inputs["table"])
    found: list[str | int | bool | float] = []
    for start in range(0, len(frame), _AT_ONCE):
        check_abandoned()
        values = _values(model, frame.iloc[start : start + _AT_ONCE])
        if values.ndim == 2 and values.shape[1] == 1:
            values = values[:, 0]
        if values.ndim != 1:
            raise ModelRefusedError(
                f"{model.id!r} predicts {values.shape[1]} values for each row; one is wanted.", remedy="Choose another model."
            )
        found += [plain(v) for v in values]
    for number, value in enumerate(found, start=1):
        if isinstance(value, float) and not math.isfinite(value):
            raise ExpertError(f"{model.id!r} predicts {value} for row {number}, which is no number.", remedy="Look at the row's cells.")
    return RunnerOutput(values={"predictions": found}, notes=notes)


def _values(model: LoadedModel, rows: Any) -> Any:
    """What the estimator says of some rows; what it cannot read is named by row and column."""
    import numpy as np

    takes_names = _takes_names(model.model)
    try:
        return np.asarray(model.model.predict(rows if takes_names else rows.to_numpy()))
    except (ValueError, TypeError) as e:
        raise _told(model, rows, e) from e


def _takes_names(estimator: Any) -> bool:
    """Whether it was trained on columns with names; given names all the same, it would warn."""
    try:
        return getattr(estimator, "feature_names_in_", None) is not None
    except (ValueError, TypeError):
        return False


def _told(model: LoadedModel, rows: Any, error: Exception) -> Exception:
    text = " ".join(str(error).split())
    low = text.lower()
    if "nan" in low or "missing" in low:
        for name in rows.columns:
            empty = rows[name].isna()
            if empty.any():
                return ModelRefusedError(
                    f"{model.id!r} takes no missing cells, and {int(empty.sum())} of the column {name!r} of 'table' "
                    f"{'is' if empty.sum() == 1 else 'are'} (the first in row {int(rows.index[empty][0]) + 1}).",
                    remedy="Fill the cells or leave these rows out.",
                )
    if "convert" in low or "dtype" in low or "could not be" in low:
        for name in rows.columns:
            words = [(int(i) + 1, c) for i, c in rows[name].items() if isinstance(c, str) and repr(c)[1:-1] in text]
            if words:
                row, cell = words[0]
                return InputError(
                    f"Row {row} of 'table' has {cell!r:.60} in the column {name!r}, where {model.id!r} takes a number.",
                    remedy="Give numbers there, written like 1234.5.",
                )
    if "infinity" in low or "too large" in low:
        return InputError(f"'table' holds numbers that are infinite or too large for {model.id!r}.", remedy="Look at its cells.")
    return ExpertError(f"{model.id!r} cannot read the rows: {type(error).__name__}: {text[:200]}.", remedy="Choose another model.")
