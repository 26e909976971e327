"""Why a card was found, in a person's words: what the search saw, and the facts that people choose by."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..card import ModelCard
from ..languages import language_name
from .evidence import Evidence, Query

_WORD = re.compile(r"[^\W_]+")
_SHORTEST, _SHOWN = 3, 4
_UNITS = ((1e9, " B"), (1e6, " M"), (1e3, " k"))
_FLAGS = {"gives-orders": "beware: its text gives orders to language models"}


def why(query: Query, evidence: Evidence) -> str:
    """E.g. `no. 1 by meaning (0.62); its name or tags say: german, speech; 1.2 M downloads a month; mit; 94 M weights`."""
    return "; ".join(_reasons(query, evidence))


def _reasons(query: Query, evidence: Evidence) -> Iterator[str]:
    card = evidence.card
    if evidence.dense_rank:
        yield f"no. {evidence.dense_rank} by meaning ({max(evidence.cosines):.2f})"
    if said := shared_words(query.text, card):
        yield f"its name or tags say: {', '.join(said[:_SHOWN])}"
    elif evidence.lexical_rank:
        yield f"no. {evidence.lexical_rank} by the words of its text"
    if card.downloads is not None:
        yield f"{_count(card.downloads)} downloads a month"
    yield card.license or "no licence told"
    if card.parameters is not None:
        yield f"{_count(card.parameters)} weights"
    if card.gated:
        yield "asks for consent before download"
    yield from (_FLAGS.get(flag, flag) for flag in card.flags)


def shared_words(query: str, card: ModelCard) -> list[str]:
    """The words of a query that are in a card's id, tags, data sets or languages, singular or plural, in the query's order, each once."""
    told = " ".join((card.id, *card.tags, *card.datasets, *map(language_name, card.languages))).lower()
    of_card = {w.rstrip("s") for w in _WORD.findall(told)}
    words = dict.fromkeys(w for w in _WORD.findall(query.lower()) if len(w) >= _SHORTEST)
    return [w for w in words if w.rstrip("s") in of_card]


def _count(number: int) -> str:
    for unit, name in _UNITS:
        if number >= unit:
            return f"{number / unit:.{1 if number < 10 * unit else 0}f}{name}"
    return str(number)
