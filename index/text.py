"""The text of a card: what is encoded, and which words are searched. One template, with a version that the index records.

Encoded is `{id}. {task}. {languages, tags, datasets}. {prose}`, prose being the README without code, tables, pictures, links and HTML, and
without the sections that every other README has as well. A long one goes on in further passages, each under `{id}. {task}.`, so that the
vector of each is one of this model. Words are searched in the code as well: it says what goes in and what comes out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain, islice

from .card import ModelCard
from .languages import language_name

TEMPLATE = "id. task. languages, tags, datasets. prose; passages of 80 words (2)"
MOST_PASSAGES = 8

_PASSAGE, _LEAST = 80, 15
"""Words of a passage: with its heading some 112 tokens of MiniLM. Fewer than the least are no passage of their own."""
_CHARACTERS = 20_000
_LANGUAGES, _TAGS, _DATASETS = 6, 12, 6
_LONE = re.compile(r"[\ud800-\udfff]")
_LINK = re.compile(r"(?<!!)\[([^\[\]\n]{0,300})\]\([^()\n]{0,600}\)")
_MARKUP = re.compile(r"!\[[^\]\n]{0,300}\]\([^)\n]{0,600}\)|<[^<>]{0,400}>|https?://\S+|[*`#\[\]|]+")
_HEADING = re.compile(r"\s{0,3}(#{1,6})\s+(.*)")
_TABLE = re.compile(r"\s*(\||[-=*_|: ]{3,}$)")
_OF_EVERY_README = re.compile(
    r"hyper-?param|framework versions|training (procedure|results)|evaluation results|cit(e|ation)|bibtex|licen[sc]e|contact|acknowledg"
    r"|environmental|carbon|references?$|how to|usage|install|compute|hardware|software|glossary|authors?$|more information",
    re.I,
)
_UNFILLED = re.compile(r"\[?(more information needed|needs more information)\]?", re.I)
_FRAMEWORKS = frozenset("autotrain diffusers generated_from_trainer jax keras pytorch safetensors tensorflow tf transformers".split())
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|_")


def card_facts(card: ModelCard) -> str:
    """`{languages, tags, datasets}`: languages by their names, without tags that name a framework or repeat a fact (`license:mit`)."""
    tags = [t for t in card.tags if ":" not in t and t.lower() not in _FRAMEWORKS]
    told = (*map(language_name, card.languages[:_LANGUAGES]), *tags[:_TAGS], *card.datasets[:_DATASETS])
    return ", ".join(dict.fromkeys(filter(None, told)))


def card_text(card: ModelCard) -> str:
    """Everything that a search by words shall find: id, task, facts, prose, and the words that code is made of."""
    code = _CAMEL.sub(" ", " ".join(_lines(card.text, code=True)))
    return well_formed(_sentences(_head(card), card_facts(card), " ".join(_prose(card.text)), re.sub(r"\s+", " ", code)))


def card_passages(card: ModelCard) -> tuple[str, ...]:
    """What is encoded: 1 to 8 texts, the card's head and the beginning of its prose first; a short card has just this."""
    words = chain.from_iterable(line.split() for line in _prose(card.text))
    passages = [_sentences(_head(card), card_facts(card), " ".join(islice(words, _PASSAGE)))]
    while len(passages) < MOST_PASSAGES and len(part := list(islice(words, _PASSAGE))) >= _LEAST:
        passages.append(_sentences(_head(card), " ".join(part)))
    return tuple(map(well_formed, passages))


def well_formed(text: str) -> str:
    """The text with U+FFFD for halves of surrogate pairs, which JSON may hold and UTF-8 may not."""
    return _LONE.sub("\ufffd", text)


def _head(card: ModelCard) -> str:
    return f"{card.id}. {card.task.replace('-', ' ')}"


def _sentences(*parts: str) -> str:
    return ". ".join(stripped for part in parts if (stripped := part.strip(" .")))


@lru_cache(maxsize=2)  # the same card is asked for its words and its passages
def _prose(text: str) -> tuple[str, ...]:
    """Lines of plain words. A heading stands before what is below it, unless that is nothing."""
    return tuple(_plain_lines(text))


def _plain_lines(text: str) -> Iterator[str]:
    skipped, heading = 0, ""
    for line in _lines(text, code=False):
        if found := _HEADING.fullmatch(line):
            level = len(found[1])
            if not skipped or level <= skipped:
                skipped = level if _OF_EVERY_README.search(found[2]) else 0
                heading = _plain(found[2])
            continue
        plain = "" if skipped or _TABLE.match(line) else _plain(line)
        if len(plain) > 2:
            yield f"{heading}: {plain}" if heading else plain
            heading = ""


def _lines(text: str, *, code: bool) -> Iterator[str]:
    """The lines inside of fences, or those outside of fences and of HTML comments."""
    fence, comment = "", False
    for line in text[:_CHARACTERS].splitlines():
        start = line.lstrip()
        if fence:
            if start.startswith(fence):
                fence = ""
            elif code:
                yield line
        elif start.startswith(("```", "~~~")):
            fence = start[:3]
        elif not code:
            comment = comment or "<!--" in line
            if not comment:
                yield line
            comment = comment and "-->" not in line


def _plain(line: str) -> str:
    return " ".join(_UNFILLED.sub(" ", _MARKUP.sub(" ", _LINK.sub(r"\1", line))).split()).strip(" -:")


def size_text(size: int) -> str:
    """A number of bytes for people: `575 kB`, `4.2 MB`, `3.5 GB`."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6)):
        if size >= factor:
            return f"{size / factor:,.1f} {unit}"
    return f"{size / 1000:,.0f} kB"
