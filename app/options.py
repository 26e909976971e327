"""Options of the command line over the settings of the environment."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from ..agent.errors import SettingsError
from ..agent.settings import Settings, index_in_use, tokens
from ..index.card import MOST

_COUNTS = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9, "t": 10**12}
_BYTES = {"": 1, **{u + e: n for u, n in (("k", 10**3), ("m", 10**6), ("g", 10**9), ("t", 10**12)) for e in ("", "b")}}
_BYTES |= {f"{u}ib": 1024**i for i, u in enumerate("kmgt", 1)} | {"b": 1}
_NUMBER = re.compile(r"(\d{1,18}(?:\.\d{1,18})?) ?([a-z]*)")


def settings(
    *,
    llm: str | None = None,
    planner: str | None = None,
    encoder: Path | None = None,
    index: Path | None = None,
    out: Path | None = None,
    context_tokens: str | None = None,
) -> Settings:
    """The environment's settings, with every option that was given in its place. Raises SettingsError."""
    found = Settings.from_environment()
    return replace(
        found,
        llm=llm or found.llm,
        planner=planner or found.planner,
        encoder=encoder or found.encoder,
        index=index or found.index,
        out=out or found.out,
        context_tokens=found.context_tokens if context_tokens is None else tokens(context_tokens, "--context-tokens"),
    )


def with_index_in_use(found: Settings) -> Settings:
    """The settings, with the index that `hugginggpt index use` chose where they name none. Raises SettingsError."""
    return found if found.index is not None else replace(found, index=index_in_use())


def count(text: str | None, name: str) -> int | None:
    """A number as people write it: `350M`, `1.5B`, `22,700,000`. None for None. Raises SettingsError."""
    return None if text is None else _number(text, name, _COUNTS, "350M or 1.5B")


def size(text: str | None, name: str) -> int | None:
    """A number of bytes as people write it: `500MB`, `2GB`, `1.5GiB`. None for None. Raises SettingsError."""
    return None if text is None else _number(text, name, _BYTES, "500MB or 2GB")


def _number(text: str, name: str, units: dict[str, int], example: str) -> int:
    found = _NUMBER.fullmatch(text.strip().lower().replace(",", "").replace("_", ""))
    if found is None or found[2] not in units:
        raise SettingsError(f"{name} must be a number such as {example}, not {text!r:.80}.")
    number = round(float(found[1]) * units[found[2]])
    if number < 1:
        raise SettingsError(f"{name} must be at least 1, not {text!r:.80}.")
    return min(number, MOST)
