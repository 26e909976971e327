"""How series of values go on: PatchTST, PatchTSMixer, TimesFM."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .....index.errors import ExpertError
from ....errors import InputError, ModelRefusedError
from ...runner import RunnerOutput
from ...workers import check_abandoned
from ..loaded import LoadedModel
from .history import History, read_history

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MOST_ROLLS = 50
"""How often a forecast is taken as history for a further one, at most: errors grow each time."""


def time_series_forecasting(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """A row for each step to come, with a number for each column.

    Args:
        inputs: `table`, the past, the earliest row first; `horizon`, steps ahead (default: as many as the model forecasts at once).

    Raises:
        InputError: no numbers, or a horizon that is no whole number from 1 up.
        ModelRefusedError: the model takes another number of columns, more rows, or fewer steps ahead.
    """
    history = read_history(inputs["table"])
    _check_columns(model, history)
    at_once = _steps_at_once(model)
    horizon = _horizon(model, inputs.get("horizon"), at_once)
    values, notes = _readable(model, history)
    made: list[NDArray[np.float64]] = []
    for _ in range(math.ceil(horizon / at_once)):
        check_abandoned()
        made.append(_ahead(model, values))
        values = _joined(values, made[-1])
    steps = _joined(*made)[:horizon]
    if len(made) > 1:
        notes = (*notes, f"the model forecasts {at_once} steps at once: further ones take these as history, and are less certain")
    rows = [{name: float(v) for name, v in zip(history.columns, step, strict=True)} for step in steps]
    if not all(math.isfinite(v) for row in rows for v in row.values()):
        raise ExpertError(f"{model.id!r} forecasts values that are no numbers.", remedy="Choose another model.")
    return RunnerOutput(values={"forecast": rows}, notes=(*history.notes, *notes))


def _joined(*parts: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    return np.concatenate(parts)


def _is_timesfm(model: LoadedModel) -> bool:
    return str(model.config.model_type).startswith("timesfm")


def _steps_at_once(model: LoadedModel) -> int:
    return int(model.config.horizon_length if _is_timesfm(model) else model.config.prediction_length)


def _check_columns(model: LoadedModel, history: History) -> None:
    """PatchTST models for one series take every column by itself; those for several take just as many."""
    if _is_timesfm(model):
        return
    wanted = int(model.config.num_input_channels)
    if getattr(model.config, "prediction_channel_indices", None):
        raise ModelRefusedError(f"{model.id!r} forecasts only some of the columns that it reads.", remedy="Choose another model.")
    if wanted not in (1, len(history.columns)):
        raise ModelRefusedError(
            f"'table' has {len(history.columns)} columns of numbers ({', '.join(history.columns[:8])}), and {model.id!r} was trained on "
            f"{wanted} that belong together.",
            remedy="Choose a model for single series, or give the columns that it was trained on.",
        )


def _horizon(model: LoadedModel, given: float | None, at_once: int) -> int:
    if given is None:
        return at_once
    if not (math.isfinite(given) and given >= 1 and float(given).is_integer()):
        raise InputError(f"'horizon' must be a whole number of steps from 1 up, not {given:g}.", remedy="Give a whole number.")
    if given > at_once * _MOST_ROLLS:
        raise ModelRefusedError(
            f"'horizon' is {given:,.0f} steps; {model.id!r} forecasts at most {at_once * _MOST_ROLLS:,} ({_MOST_ROLLS} times {at_once}).",
            remedy="Ask for fewer steps, or choose a model that looks further ahead.",
        )
    return int(given)


def _readable(model: LoadedModel, history: History) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """As many of the latest rows as the model reads."""
    longest = int(model.config.context_length)
    count = len(history.values)
    least = 1 if _is_timesfm(model) else min(longest, int(model.config.patch_length))
    if count < least:
        raise ModelRefusedError(
            f"'table' has {count} row{'s' if count > 1 else ''}; {model.id!r} needs at least {least}.",
            remedy="Give more of the past, or choose another model.",
        )
    if count > longest:
        return history.values[-longest:], (f"only the latest {longest} of {count} rows were read, which is all that the model looks at",)
    if count < longest and not _is_timesfm(model):
        return history.values, (f"the model reads {longest} rows; the {longest - count} before the first one were left open",)
    return history.values, ()


def _ahead(model: LoadedModel, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The next steps. Each column is brought to mean 0 and deviation 1 for the model: large numbers do not fit into its 32 bits."""
    import numpy as np

    values = values[-int(model.config.context_length) :]
    mean = values.mean(0)
    deviation = values.std(0)
    deviation = np.where(deviation > 1e-12 * np.maximum(1.0, np.abs(mean)), deviation, 1.0)
    scaled = (values - mean) / deviation
    made = _timesfm(model, scaled) if _is_timesfm(model) else _patched(model, scaled)
    return np.asarray(made * deviation + mean)


def _timesfm(model: LoadedModel, values: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np
    import torch

    series = [torch.tensor(column, dtype=torch.float32, device=model.device) for column in values.T]
    options: dict[str, Any] = {"truncate_negative": False}  # of values that have been moved to mean 0, nothing is told by their signs
    if model.config.model_type == "timesfm2_5":  # it would fill up to 16,384 rows
        patch = int(model.config.patch_length)
        options["forecast_context_len"] = -(-len(values) // patch) * patch
    made = model.model(past_values=series, **options).mean_predictions
    found = made.float().cpu().numpy().T[: _steps_at_once(model)]
    return np.asarray(found, np.float64)


def _patched(model: LoadedModel, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """By PatchTST or PatchTSMixer. Rows before the first are marked as not observed."""
    import numpy as np
    import torch

    length, (count, columns) = int(model.config.context_length), values.shape
    past = np.zeros((length, columns), np.float32)
    seen = np.zeros((length, columns), np.float32)
    past[length - count :], seen[length - count :] = values, 1
    alone = int(model.config.num_input_channels) == 1
    batch = [torch.from_numpy(a.T[..., None] if alone else a[None]).to(model.device) for a in (past, seen)]
    mask = "past_observed_mask" if model.config.model_type == "patchtst" else "observed_mask"
    output = model.model(past_values=batch[0], **{mask: batch[1].bool() if mask == "past_observed_mask" else batch[1]})
    made = output.prediction_outputs
    distribution = model.model.distribution_output
    if distribution:
        made = distribution.distribution(made, loc=output.loc, scale=output.scale).mean
    found = np.asarray(made.float().cpu().numpy(), np.float64)
    return np.asarray(found[..., 0].T if alone else found[0])
