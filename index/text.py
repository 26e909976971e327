"""The text of a card that an index encodes. One template, with a version that the index records."""

from __future__ import annotations

import re

from .card import ModelCard

TEMPLATE = "id. task. library, languages, tags. text (1)"
_LONE = re.compile(r"[\ud800-\udfff]")
_NOISE = re.compile(r"```.*?```|<[^>]{0,200}>|!\[[^\]]*\]\([^)]*\)|https?://\S+|^\s*\|.*\|\s*$", re.S | re.M)


def card_text(card: ModelCard) -> str:
    """`{id}. {task}. {library, languages, tags}. {text without code, tables, pictures and links}`."""
    facts = ", ".join(f for f in (card.library, *card.languages[:6], *card.tags[:12]) if f)
    prose = re.sub(r"\s+", " ", _NOISE.sub(" ", card.text)).strip()
    return well_formed(". ".join(p for p in (card.id, card.task.replace("-", " "), facts, prose) if p))


def well_formed(text: str) -> str:
    """The text with U+FFFD for halves of surrogate pairs, which JSON may hold and UTF-8 may not."""
    return _LONE.sub("\ufffd", text)
