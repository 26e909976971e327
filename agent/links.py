"""Addresses in a request's own words, as in "What is on https://example.org/cat.jpg?"."""

from __future__ import annotations

import re

MAX_LINKS = 8
_QUOTED = re.compile(r"""(?<!\w)(?:"[^"]*"|“[^”]*”|„[^“”]*[“”]|«[^»]*»|`[^`]*`|‘[^’]*’|'[^']*')(?!\w)""")
_LINK = re.compile(r"(?<!\w)https?://[^\s<>]+", re.I)
_OPENING = {")": "(", "]": "[", "}": "{"}


def links(text: str) -> tuple[str, ...]:
    """The http(s) addresses that a request names, each once, in order; at most 8. What stands in quotation marks is a text,
    and is left alone."""
    return tuple(dict.fromkeys(_trimmed(m[0]) for m in _LINK.finditer(_QUOTED.sub(" ", text))))[:MAX_LINKS]


def _trimmed(link: str) -> str:
    """Without what belongs to the sentence: a full stop, a comma, a bracket that was opened before the address."""
    while link[-1:] in ".,;:!?…*_" or (link[-1:] in _OPENING and link.count(link[-1]) > link.count(_OPENING[link[-1]])):
        link = link[:-1]
    return link
