"""The text of a card that an index encodes. One template, with a version that the index records."""

from __future__ import annotations

import re

from .card import ModelCard

TEMPLATE = "id. task. library, languages, tags. text (1)"
_NOISE = re.compile(r"```.*?```|<[^>]{0,200}>|!\[[^\]]*\]\([^)]*\)|https?://\S+|^\s*\|.*\|\s*$", re.S | re.M)


def card_text(card: ModelCard) -> str:
    """`{id}. {task}. {library, languages, tags}. {text without code, tables, pictures and links}`."""
    facts = ", ".join(f for f in (card.library, *card.languages[:6], *card.tags[:12]) if f)
    prose = re.sub(r"\s+", " ", _NOISE.sub(" ", card.text)).strip()
    return ". ".join(p for p in (card.id, card.task.replace("-", " "), facts, prose) if p)
