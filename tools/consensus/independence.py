"""Whether experts that agree, or fail, do so on their own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...index.card import ModelCard

_BASE = "base_model:"
_ID = re.compile(r"[\w.-]+/[\w.-]+")
_STEM = re.compile(r"[^\W_]+")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`")
_PATH = re.compile(r"(?:\w:)?(?:[\\/][^\s\\/:,;'\"]+)+")
_HEX = re.compile(r"\b(?:0x)?(?=[0-9a-f]*\d)[0-9a-f]{6,}\b", re.I)
_DIGITS = re.compile(r"\d+(?:[.,]\d+)*")


def related(cards: Sequence[ModelCard]) -> tuple[str, ...]:
    """A note for each family among the cards, whose members may err alike: those with one base model, or of one owner and series."""
    shared: dict[str, list[str]] = {}
    for one, other in combinations(cards, 2):
        why = _kin(one, other)
        if why:
            shared.setdefault(why, []).extend(i for i in (one.id, other.id) if i not in shared.get(why, ()))
    return tuple(
        f"{_and(ids)} are not independent ({why}): they may err alike, and their agreement is worth less" for why, ids in shared.items()
    )


def failed_alike(failures: Mapping[str, str]) -> tuple[str, ...]:
    """A sentence for each way in which several experts failed alike.

    Args:
        failures: by model id: the message. Messages are alike when they are equal without ids, paths, names in quotes and numbers.
    """
    ways: dict[str, list[str]] = {}
    for model, message in failures.items():
        ways.setdefault(_way(message, failures), []).append(model)
    return tuple(
        f"{len(models)} experts that should be independent failed in the same way ({', '.join(models)}): the input or what they share is "
        "likely at fault."
        for models in ways.values()
        if len(models) > 1
    )


def _kin(one: ModelCard, other: ModelCard) -> str:
    bases = ({one.id.casefold()} | _bases(one)) & ({other.id.casefold()} | _bases(other))
    if bases:
        return f"both come from {min(bases)}"
    stem = _stem(one.id)
    return f"both belong to {stem}…" if stem and stem == _stem(other.id) else ""


def _bases(card: ModelCard) -> set[str]:
    """Ids of the models that a card's tags say it was made from: `base_model:org/name`, `base_model:finetune:org/name`."""
    found = (tag[len(_BASE) :].rpartition(":")[2] for tag in card.tags if tag.startswith(_BASE))
    return {base.casefold() for base in found if _ID.fullmatch(base)}


def _stem(model: str) -> str:
    """Owner and series, as in "facebook/bart" of "facebook/bart-large-cnn"; empty where there is no owner, or the name is one word."""
    owner, _, name = model.casefold().partition("/")
    first = _STEM.match(name)
    return f"{owner}/{first.group()}" if first and first.group() != name else ""


def _way(message: str, models: Mapping[str, str]) -> str:
    text = message
    for model in sorted(models, key=len, reverse=True):
        text = text.replace(model, "…")
    for pattern in (_QUOTED, _PATH, _HEX, _DIGITS):
        text = pattern.sub("…", text)
    return " ".join(text.casefold().split())


def _and(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
