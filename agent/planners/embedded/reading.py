"""Reads a request: which words instruct, which are quoted, which are the text to work on."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ....tools.sentences import sentences as split_sentences
from .arguments import labels

_QUOTES = re.compile(
    r'"(?P<a>[^"]{1,20000})"|“(?P<b>[^”]{1,20000})”|«(?P<c>[^»]{1,20000})»|„(?P<d>[^“”]{1,20000})[“”]'
    r"|(?<!\w)‘(?P<e>.{1,20000}?)’(?!\w)|(?<!\w)'(?=\S)(?P<f>.{1,20000}?)(?<=\S)'(?!\w)|`(?P<g>[^`]{1,20000})`",
    re.S,
)
_ITEM = re.compile(r"^\s*(?:[-*•–—]|\(?\d{1,3}[.)]|\(?[a-z]\))\s+(?P<text>\S.*)$")
_BETWEEN = re.compile(r"^[\s,;/]*(?:and|or|und|oder|with|to|vs\.?)?[\s,;/]*$", re.I)
_COLON = re.compile(r":(?=\s|$)")
_FILES = re.compile(r"\bthe (?:image|recording|text file|video|table|file|3D object)\b")
_MARK = '"…"'
_TAIL = 24  # words that may follow a colon and still be read as an instruction
_INSTRUCTS = 0.6
_IDLE = 0.2
_PARTS = re.compile(r"\s*(?:[,;]|\band\b|\bthen\b)\s*")
_STOPS = re.compile(r"\s*(?:;|->|→)\s*")
_LONG = 12  # words from which a block counts as a text to work on rather than as an instruction


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """One sentence of the instruction.

    Attributes:
        raw: its words as the user wrote them.
        head: its words up to a colon, in normal form: quotes as "…", file names as what they are.
        tail: what follows the colon, as written; empty when nothing does.
        quotes: the texts quoted in it, in order.
    """

    raw: str
    head: str
    tail: str
    quotes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A request, read.

    Attributes:
        sentences: the instruction.
        quotes: every quoted text, in order.
        run: the longest row of quotes that only commas and conjunctions separate; at least two, else empty.
        items: the entries of a list.
        payload: a block of text to work on; empty when there is none.
    """

    sentences: tuple[Sentence, ...]
    quotes: tuple[str, ...] = ()
    run: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    payload: str = ""


def read(text: str, files: Sequence[tuple[str, str]], instructs: Callable[[Sequence[str]], list[float]]) -> Reading:
    """Read a request.

    Args:
        text: the user's words.
        files: (name, kind) of every attached file.
        instructs: for each of some texts, how much it looks like an instruction, 0..1.
    """
    spans = [(m.start(), m.end(), next(g for g in m.groups() if g is not None).strip()) for m in _QUOTES.finditer(text)]
    lines, items = _take_items(text)
    lines, payload = _take_payload(lines, instructs) if len(lines) > 1 else (lines, "")
    quotes = tuple(q for _, _, q in spans)
    if payload and (inside := [q for q in quotes if q in payload]) and len(" ".join(inside)) > 0.7 * len(payload):
        payload = max(inside, key=len)  # the block is one quoted text
    outside = [s for s in spans if s[2] not in payload and s[2] not in "\n".join(items)]
    sentences = [_with_tail(_sentence(s, files), files, instructs) for line in lines for s in _sentences(line)]
    return Reading(
        sentences=tuple(s for s in sentences if s.head or s.tail),
        quotes=tuple(q for _, _, q in outside),
        run=_run(text, outside),
        items=tuple(items),
        payload=payload,
    )


def _sentences(line: str) -> list[str]:
    """Sentences of a line; a quoted text is never cut, whatever stops stand in it."""
    kept: list[str] = []

    def hide(m: re.Match[str]) -> str:
        kept.append(m.group(0))
        return f'"Q{len(kept) - 1}Q"'

    def show(s: str) -> str:
        return re.sub(r'"Q(\d+)Q"', lambda m: kept[int(m.group(1))], s)

    return [show(part) for s in split_sentences(_QUOTES.sub(hide, line)) for part in _STOPS.split(s) if part]


def _sentence(raw: str, files: Sequence[tuple[str, str]]) -> Sentence:
    quotes = tuple(next(g for g in m.groups() if g is not None).strip() for m in _QUOTES.finditer(raw))
    normal = normal_form(raw, files)
    colon = _COLON.search(normal)
    if colon is None or not re.search(r"\w", _without_files(normal[: colon.start()])):
        return Sentence(raw=raw, head=normal if colon is None else normal.replace(":", ",", 1), tail="", quotes=quotes)
    tail = raw[m.end() :] if (m := _COLON.search(_QUOTES.sub(lambda q: " " * len(q.group(0)), raw))) else ""
    return Sentence(raw=raw, head=normal[: colon.start()].strip(), tail=tail.strip(), quotes=quotes)


def _with_tail(sentence: Sentence, files: Sequence[tuple[str, str]], instructs: Callable[[Sequence[str]], list[float]]) -> Sentence:
    """ "As audio, please: the gist of this article": what follows the colon instructs as well, and is no text to work on."""
    tail = normal_form(sentence.tail, files)
    if not tail or len(tail.split()) > _TAIL or len(labels("", "", tail, ())) > 1:
        return sentence
    head, *parts = instructs([sentence.head, tail, *_PARTS.split(tail)])
    if head < _IDLE or (max(parts) >= _INSTRUCTS and (head < _INSTRUCTS or files)):
        return replace(sentence, head=f"{sentence.head}, {tail}", tail="")
    return sentence


def normal_form(text: str, files: Sequence[tuple[str, str]]) -> str:
    """The text with quotes as "…" and file names as "the image", "the recording", "the text file" …"""
    out = _QUOTES.sub(_MARK, text)
    for name, kind in sorted(files, key=lambda f: -len(f[0])):
        out = re.sub(rf"(?:\bthe\s+)?(?<!\w){re.escape(name)}(?!\w)", _noun(kind), out, flags=re.I)
    return re.sub(r"\s+", " ", out).strip()


def _noun(kind: str) -> str:
    return {"audio": "the recording", "text": "the text file", "json": "the file", "object3d": "the 3D object"}.get(kind, f"the {kind}")


def _without_files(text: str) -> str:
    return _FILES.sub("", text)


def only_files(text: str) -> bool:
    """Whether a clause in normal form names files and says nothing else."""
    return re.search(r"\w", _without_files(text)) is None


def _take_items(text: str) -> tuple[list[str], list[str]]:
    """The lines that are not list entries, and the entries; one entry alone is no list."""
    lines = [line for line in text.splitlines() if line.strip()]
    entries = [_ITEM.match(line) for line in lines]
    if sum(e is not None for e in entries) < 2:
        return lines, []
    return (
        [line for line, e in zip(lines, entries, strict=True) if e is None],
        [e["text"].strip().strip("\"'“”‘’") for e in entries if e is not None],
    )


def _take_payload(lines: list[str], instructs: Callable[[Sequence[str]], list[float]]) -> tuple[list[str], str]:
    """Splits lines into those that instruct and the block to work on: what stands before, after or between them."""
    opening = normal_form((split_sentences(lines[0]) or lines)[0], ())[:300]
    closing = normal_form((split_sentences(lines[-1]) or lines)[-1], ())[:300]
    first, last = instructs([opening, closing])
    if first >= last - 0.1 and len(lines[0].split()) < 60:
        rest = lines[1:]
        keep = [lines[0]]
    else:
        rest = lines[:-1]
        keep = [lines[-1]]
    block = "\n".join(rest)
    if len(block.split()) < _LONG and not _MARK_ONLY.match(_QUOTES.sub(_MARK, block)):
        return lines, ""
    return keep, block.strip()


_MARK_ONLY = re.compile(r'^\s*(?:"…"\s*)+$')


def _run(text: str, spans: Sequence[tuple[int, int, str]]) -> tuple[str, ...]:
    best: list[str] = []
    current: list[str] = []
    for i, (start, _, quote) in enumerate(spans):
        joined = i > 0 and _BETWEEN.match(text[spans[i - 1][1] : start]) is not None
        current = [*current, quote] if joined else [quote]
        if len(current) > len(best):
            best = current
    return tuple(best) if len(best) > 1 else ()
