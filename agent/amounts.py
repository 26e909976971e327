"""Numbers as people write them."""

from __future__ import annotations

import re

from ..index.card import MOST
from .errors import SettingsError

_COUNTS = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9, "t": 10**12}
_BYTES = {"": 1, **{u + e: n for u, n in (("k", 10**3), ("m", 10**6), ("g", 10**9), ("t", 10**12)) for e in ("", "b")}}
_BYTES |= {f"{u}ib": 1024**i for i, u in enumerate("kmgt", 1)} | {"b": 1}
_NUMBER = re.compile(r"(\d{1,18}(?:\.\d{1,18})?) ?([a-z]*)")


def count(text: str, name: str) -> int:
    """A number as in `350M`, `1.5B`, `22,700,000`, 1 or more. Raises SettingsError."""
    return _number(text, name, _COUNTS, "350M or 1.5B", 1)


def size(text: str, name: str, *, least: int = 1) -> int:
    """A number of bytes as in `500MB`, `2GB`, `1.5GiB`. Raises SettingsError."""
    return _number(text, name, _BYTES, "500MB or 2GB", least)


def _number(text: str, name: str, units: dict[str, int], example: str, least: int) -> int:
    found = _NUMBER.fullmatch(text.strip().lower().replace(",", "").replace("_", ""))
    if found is None or found[2] not in units:
        raise SettingsError(f"{name} must be a number such as {example}, not {text!r:.80}.")
    number = round(float(found[1]) * units[found[2]])
    if number < least:
        raise SettingsError(f"{name} must be at least {least}, not {text!r:.80}.")
    return min(number, MOST)
