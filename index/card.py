"""A model card: what is known about one model on the Hub."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import CardError

_TUPLES = ("languages", "tags", "formats")
_TEXTS = ("library", "license", "last_modified", "source", "text")
_NUMBERS = {"downloads": 0, "likes": 0, "parameters": 1}  # with the least that makes sense


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
        downloads: downloads in the last 30 days, >= 0.
        likes: >= 0.
        parameters: number of weights, > 0.
        gated: whether the Hub asks for consent before download.
        formats: weight formats, e.g. `safetensors`, `gguf`.
        last_modified: ISO 8601 date.
        source: where these facts come from.
        text: description in prose; untrusted, for retrieval and display only.
    """

    id: str
    task: str
    library: str | None = None
    license: str | None = None
    languages: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    downloads: int | None = None
    likes: int | None = None
    parameters: int | None = None
    gated: bool | None = None
    formats: tuple[str, ...] = ()
    last_modified: str | None = None
    source: str | None = None
    text: str = ""

    def as_json(self) -> dict[str, Any]:
        """Plain JSON, every field present."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in dataclasses.asdict(self).items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ModelCard:
        """Read what `as_json` wrote; fields that are not known are ignored.

        Raises:
            CardError: `id` or `task` is missing, or a field has the wrong type.
        """
        fields = {f.name for f in dataclasses.fields(cls)}
        values = {k: v for k, v in data.items() if k in fields and v is not None}
        for name in ("id", "task"):
            if not isinstance(values.get(name), str) or not values[name].strip():
                raise CardError(f"A model card has no {name!r}: {json.dumps(dict(data), default=str)[:120]}")
        for name in _TUPLES:
            if name in values:
                entries = values[name]
                if not isinstance(entries, list | tuple) or not all(isinstance(e, str) for e in entries):
                    raise CardError(f"Model card {values['id']!r}: {name!r} must be a list of strings, not {entries!r:.80}")
                values[name] = tuple(entries)
        for name, least in _NUMBERS.items():
            if name in values and (isinstance(values[name], bool) or not isinstance(values[name], int) or values[name] < least):
                raise CardError(f"Model card {values['id']!r}: {name!r} must be a whole number from {least}, not {values[name]!r:.80}")
        for name in _TEXTS:
            if not isinstance(values.get(name, ""), str):
                raise CardError(f"Model card {values['id']!r}: {name!r} must be a string, not {values[name]!r:.80}")
        if not isinstance(values.get("gated", False), bool):
            raise CardError(f"Model card {values['id']!r}: 'gated' must be true or false, not {values['gated']!r:.80}")
        return cls(**values)
