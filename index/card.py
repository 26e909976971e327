"""A model card: what is known about one model on the Hub."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import CardError

_TUPLES = ("languages", "tags", "datasets", "formats", "providers", "flags")
_TEXTS = ("library", "license", "last_modified", "source", "text")
_STRING = frozenset({str})
_NUMBERS = {"downloads": 0, "likes": 0, "parameters": 1, "bytes": 1}  # with the least that makes sense
MOST = 2**63 - 1
"""The largest number that a card may hold: what a database can."""


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """One model. A fact that is not known is None (for a collection: empty), never a guess.

    Attributes:
        id: Hub id, `org/name`; embedded experts are `embedded/name`.
        task: Hub pipeline tag, e.g. `automatic-speech-recognition`.
        library: Hub library name, e.g. `transformers`.
        license: Hub licence id, e.g. `apache-2.0`.
        languages: ISO 639-1 codes.
        tags: further Hub tags.
        datasets: Hub ids of the data sets that it was trained on.
        downloads: downloads in the last 30 days, >= 0.
        likes: >= 0.
        parameters: number of weights, > 0.
        bytes: size of the weights in bytes, > 0.
        gated: whether the Hub asks for consent before download.
        formats: weight formats, e.g. `safetensors`, `gguf`.
        providers: inference providers that serve it, e.g. `hf-inference`.
        last_modified: ISO 8601 date.
        source: where these facts come from.
        flags: what a reader of the text should beware of, e.g. `gives-orders`: it gives orders to a language model.
        text: description in prose; untrusted, for retrieval and display only.
    """

    id: str
    task: str
    library: str | None = None
    license: str | None = None
    languages: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    downloads: int | None = None
    likes: int | None = None
    parameters: int | None = None
    bytes: int | None = None
    gated: bool | None = None
    formats: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    last_modified: str | None = None
    source: str | None = None
    flags: tuple[str, ...] = ()
    text: str = ""

    def as_json(self) -> dict[str, Any]:
        """Plain JSON, every field present."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in self.__dict__.items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ModelCard:
        """Read what `as_json` wrote; fields that are not known are ignored.

        Raises:
            CardError: `id` or `task` is missing, or a field has the wrong type.
        """
        values = {k: v for k, v in data.items() if v is not None and k in _FIELDS}
        for name in ("id", "task"):
            if not isinstance(values.get(name), str) or not values[name].strip():
                raise CardError(f"A model card has no {name!r}: {json.dumps(dict(data), default=str)[:120]}")
        for name in _TUPLES:
            if name in values:
                entries = values[name]
                if not isinstance(entries, list | tuple) or not _STRING.issuperset(map(type, entries)):
                    raise CardError(f"Model card {values['id']!r}: {name!r} must be a list of strings, not {entries!r:.80}")
                values[name] = tuple(entries)
        for name, least in _NUMBERS.items():
            if name in values and (type(values[name]) is not int or not least <= values[name] <= MOST):
                raise CardError(f"Model card {values['id']!r}: {name!r} must be a whole number from {least}, not {values[name]!r:.80}")
        for name in _TEXTS:
            if not isinstance(values.get(name, ""), str):
                raise CardError(f"Model card {values['id']!r}: {name!r} must be a string, not {values[name]!r:.80}")
        if not isinstance(values.get("gated", False), bool):
            raise CardError(f"Model card {values['id']!r}: 'gated' must be true or false, not {values['gated']!r:.80}")
        return cls(**values)


_FIELDS = frozenset(f.name for f in dataclasses.fields(ModelCard))
