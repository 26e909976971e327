"""What experts are given, checked, and cut to what can be read in a few seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from ...artifacts import Artifact
from ...errors import InputError
from ...sentences import sentences

T = TypeVar("T")

MAX_SENTENCES = 400
"""Sentences that are read of one text: about four seconds of MiniLM on two cores."""


def text_of(inputs: Mapping[str, Any], port: str) -> str:
    """The text at a port, stripped. Raises InputError when it is missing, empty, or not text."""
    value = inputs.get(port)
    if not isinstance(value, str):
        raise InputError(f"{port!r} must be a text, not {type(value).__name__}.", remedy=f"Give {port!r} as text.")
    if not value.strip():
        raise InputError(f"{port!r} is empty.", remedy="Give a text that has words.")
    return value.strip()


def texts_of(inputs: Mapping[str, Any], port: str) -> list[str]:
    """The texts at a port that takes many, as they are; a single text counts as one. Raises InputError when there is none."""
    value = inputs.get(port)
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list | tuple) or not all(isinstance(v, str) for v in value):
        raise InputError(f"{port!r} must be a list of texts, not {value!r:.80}.", remedy=f"Give {port!r} as a list of texts.")
    if not any(v.strip() for v in value):
        raise InputError(f"{port!r} holds no text.", remedy="Give at least one text that has words.")
    return list(value)


def whole_number_of(inputs: Mapping[str, Any], port: str, *, default: int, most: int) -> int:
    """The whole number >= 1 at an optional port, at most `most`. Raises InputError when it is not one."""
    value = inputs.get(port)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value or value < 1:
        raise InputError(f"{port!r} must be a whole number of at least 1, not {value!r:.80}.", remedy=f"Leave {port!r} out for {default}.")
    return int(min(value, most))


def artifact_of(inputs: Mapping[str, Any], port: str) -> Artifact:
    """The file at a port. Raises InputError when there is none."""
    value = inputs.get(port)
    if not isinstance(value, Artifact):
        raise InputError(f"{port!r} must be a file, not {type(value).__name__}.", remedy=f"Give {port!r} as an artifact.")
    return value


def sentences_of(text: str, *, limit: int = MAX_SENTENCES) -> tuple[list[str], tuple[str, ...]]:
    """Sentences of a text, in order, at most `limit` of them spread evenly over it; and a note for the reader when some were left out."""
    return spread(sentences(text), limit=limit, what="sentences")


def spread(units: Sequence[T], *, limit: int, what: str) -> tuple[list[T], tuple[str, ...]]:
    """At most `limit` of `units`, in order, evenly by position, the first and the last among them; and a note when some were left out."""
    if len(units) <= limit:
        return list(units), ()
    chosen = [units[round(i * (len(units) - 1) / (limit - 1))] for i in range(limit)]
    return chosen, (f"the text has {len(units):,} {what}; {limit} of them, evenly spread, were read",)
