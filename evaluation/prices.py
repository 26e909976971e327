"""Prices of chat models, as YAML: `gpt-5-mini: {input: 0.25, output: 2.00}`, in any currency, for a million tokens. None are built in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from .errors import DatasetError
from .metrics.runs import Price

Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Price(BaseModel):
    model_config = ConfigDict(extra="forbid")

    input: Amount
    output: Amount


def load_prices(path: Path | str) -> Mapping[str, Price]:
    """Prices by model, under the names that the models report (which may hold a date: `gpt-5-mini-2025-08-07`).

    Raises:
        DatasetError: the file cannot be read, is no YAML, or is not of the form above.
    """
    form = "Write `MODEL: {input: 0.25, output: 2.00}` for each model."
    try:
        read = TypeAdapter(dict[str, _Price]).validate_python(yaml.safe_load(Path(path).read_bytes()))
    except OSError as e:
        raise DatasetError(f"{str(path)!r} cannot be read: {e.strerror}.", remedy="Check the path.") from e
    except ValidationError as e:
        first = e.errors()[0]
        field = ".".join(map(str, first["loc"])) or "all of it"
        raise DatasetError(f"{str(path)!r} holds no prices: {field}: {first['msg']}, not {first['input']!r:.80}.", remedy=form) from e
    except (yaml.YAMLError, ValueError, RecursionError) as e:  # ValueError: a date that there is not
        raise DatasetError(f"{str(path)!r} is no YAML that can be read: {' '.join(str(e).split())}.", remedy=form) from e
    return {model: Price(input=price.input, output=price.output) for model, price in read.items()}
