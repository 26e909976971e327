"""Files of model cards: our own JSON lines, and those that JARVIS shipped in 2023."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...index.card import ModelCard
from ...index.errors import CardError
from ...index.problems import Problems
from ..jsonl import read_objects


def read_cards(path: Path, problems: Problems) -> tuple[ModelCard, ...]:
    """The cards of a file of JSON lines, each (id, task) once, in the order of the file.

    A line is what `ModelCard.as_json` gives, or has JARVIS' form: `id`, `task` or `pipeline_tag`, `downloads`, `likes`, `description`,
    and the README's front matter under `meta`. What is no card, and what comes twice (the first holds), goes to `problems`.

    Raises:
        DatasetError: the file cannot be read.
    """
    found: dict[tuple[str, str], ModelCard] = {}
    for place, row in read_objects(path, problems):
        try:
            card = ModelCard.from_json(_fields(row))
        except CardError as e:
            problems.add("model card cannot be used", f"{place}: {e.message}")
            continue
        if (card.id, card.task) in found:
            problems.add("model card occurs twice (the first holds)", f"{place}: {card.id}")
        else:
            found[card.id, card.task] = card
    return tuple(found.values())


def with_downloads(cards: Iterable[ModelCard], known: Iterable[ModelCard]) -> tuple[ModelCard, ...]:
    """The cards, with downloads and likes of cards of the same id where they have none of their own."""
    facts = {c.id: c for c in known}
    return tuple(
        replace(card, downloads=facts[card.id].downloads, likes=facts[card.id].likes)
        if card.downloads is None and card.id in facts
        else card
        for card in cards
    )


def _fields(row: Mapping[str, Any]) -> dict[str, Any]:
    meta = row.get("meta")
    meta = meta if isinstance(meta, dict) else {}
    told = {
        "task": row.get("pipeline_tag"),
        "text": row.get("description"),
        "tags": _strings(meta.get("tags")),
        "languages": _strings(meta.get("language")),
        "datasets": _strings(meta.get("datasets")),
        "library": _string(meta.get("library_name")),
        "license": _string(meta.get("license")),
    }
    return {**told, **{k: v for k, v in row.items() if v is not None}}


def _string(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _strings(value: object) -> list[str]:
    """Front matter says one thing as a string and several as a list."""
    return [v for v in (value if isinstance(value, list) else [value]) if isinstance(v, str)]
