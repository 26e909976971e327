"""How a card lies in the card file: its facts as JSON, what is not known left out, and its text beside them."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

from ..card import ModelCard
from ..errors import IndexFileError
from ..text import well_formed

_EMPTY = {f.name: f.default for f in fields(ModelCard) if f.name not in ("id", "task")}
_TUPLES = {name for name, value in _EMPTY.items() if value == ()}


def mended(card: ModelCard) -> ModelCard:
    """The card with U+FFFD for halves of surrogate pairs, which a database does not take; nearly always the very same card."""
    values = card.__dict__.values()
    said = "".join(v if isinstance(v, str) else "".join(v) for v in values if isinstance(v, str | tuple))
    if said == well_formed(said):
        return card
    told: dict[str, Any] = {}
    for name, value in card.__dict__.items():
        told[name] = tuple(map(well_formed, value)) if isinstance(value, tuple) else well_formed(value) if isinstance(value, str) else value
    return ModelCard(**told)


def facts_of(card: ModelCard) -> str:
    """A card's facts."""
    told = {k: v for k, v in card.__dict__.items() if k != "text" and v != _EMPTY.get(k)}
    return json.dumps(told, ensure_ascii=False)


def stored_card(facts: str, text: str) -> ModelCard:
    """The card again. Raises IndexFileError when that is no card."""
    try:
        told = json.loads(facts)
        for name in _TUPLES & told.keys():
            told[name] = tuple(told[name])
        card = object.__new__(ModelCard)  # past the constructor of a frozen dataclass, which takes longer than all else in a search
        card.__dict__.update(_EMPTY, id=told["id"], task=told["task"], text=text)
        card.__dict__.update((name, value) for name, value in told.items() if name in _EMPTY)
    except (TypeError, ValueError, AttributeError, KeyError) as e:
        raise IndexFileError(f"The index's card file holds a card that cannot be read: {e}.", remedy="Build the index again.") from e
    return card
