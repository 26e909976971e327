"""Reads a request: which words instruct, which are quoted, which are the text to work on."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from ....tools.sentences import sentences as split_sentences
from .arguments import labels

# An opening mark may stand inside a quoted text a few times: without a limit, many that are never closed would cost their square.
_QUOTES = re.compile(
    r'"(?P<a>[^"]{1,20000})"|“(?!”)(?P<b>[^“”]*+(?:“[^“”]*+){0,8}+)”|«(?!»)(?P<c>[^«»]*+(?:«[^«»]*+){0,8}+)»'
    r"|„(?![“”])(?P<d>[^„“”]*+(?:„[^„“”]*+){0,8}+)[“”]"
    r"|(?<!\w)‘(?!’(?!\w))(?P<e>(?:[^‘’]|’(?=\w))*+(?:‘(?:[^‘’]|’(?=\w))*+){0,8}+)’(?!\w)"
    r"|(?<!\w)'(?=\S)(?!'(?!\w))(?P<f>(?:[^']|(?<=\w)'(?=\w))*+(?:(?:(?<!\w)'(?=\w)|(?<=\s)')(?:[^']|(?<=\w)'(?=\w))*+){0,8}+)(?<=\S)'(?!\w)"
    r"|`(?P<g>[^`]{1,20000})`",
    re.S,
)
_ITEM = re.compile(r"^\s*(?:[-*•–—]|\(?\d{1,3}[.)]|\(?[a-z]\))\s+(?P<text>\S.*)$")
_NUMBER = re.compile(r"(?:(?<=\s)|^)\(?(\d|[a-h])[.)]\s+(?=\S)", re.I)
_BETWEEN = re.compile(r"^[\s,;/]*(?:and|or|und|oder|with|to|vs\.?)?[\s,;/]*$", re.I)
_COLON = re.compile(r":(?=\s|$)")
_FILES = re.compile(r"\bthe (?:image|recording|text file|video|table|file|3D object)\b")
_FILE_NAME = re.compile(
    r"(?<![\w/.-])[\w-][\w.()-]{0,80}\.(?:jpe?g|png|webp|gif|tiff?|bmp|wav|mp3|m4a|ogg|flac|mp4|mov|webm|avi|mkv|csv|xlsx|tsv|txt|md|docx|pdf|json)(?!\w)",
    re.I,
)
_MARK = '"…"'
_TAIL = 24  # words that may follow a colon and still be read as an instruction
_STOPS = re.compile(r"\s*(?:;|->|→)\s*")
_LONG = 12  # words from which a block counts as a text to work on rather than as an instruction


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """One sentence of the instruction.

    Attributes:
        raw: its words as the user wrote them.
        start: where it begins in the request, in characters.
        head: its words up to a colon, in normal form: quotes as "…", file names as what they are.
        tail: what follows the colon, as written; empty when nothing does.
        quotes: the texts quoted in it, in order.
    """

    raw: str
    start: int
    head: str
    tail: str
    quotes: tuple[str, ...]

    def holds(self, place: int) -> bool:
        """Whether a character of the request stands in it."""
        return self.start <= place < self.start + len(self.raw)


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

    def sentence_at(self, place: int) -> int:
        """The number of the sentence in which a character stands, or of the nearest; -1 when there are none."""
        away = [0 if s.holds(place) else min(abs(place - s.start), abs(place - s.start - len(s.raw))) for s in self.sentences]
        return away.index(min(away)) if away else -1


@dataclass(frozen=True, kw_only=True)
class _Line:
    start: int
    text: str

    def asked(self, places: Sequence[int]) -> bool:
        return any(self.start <= p < self.start + len(self.text) for p in places)


def read(text: str, files: Sequence[tuple[str, str]], places: Sequence[int]) -> Reading:
    """Read a request.

    Args:
        text: the user's words.
        files: (name, kind) of every attached file.
        places: where it speaks of what is to be done, in characters: these words instruct, and are no text to work on.
    """
    spans = [(m.start(), m.end(), next(g for g in m.groups() if g is not None).strip()) for m in _QUOTES.finditer(text)]
    lines, items = _take_items([line for line in _lines(text) if line.text.strip()], places)
    lines, payload = _take_payload(text, lines, places) if len(lines) > 1 else (lines, "")
    quotes = tuple(q for _, _, q in spans)
    if payload and (inside := [q for q in quotes if q in payload]) and len(" ".join(inside)) > 0.7 * len(payload):
        payload = max(inside, key=len)  # the block is one quoted text
    starts = [line.start for line in lines]
    outside = [s for s in spans if s[2] and _in_one(lines, bisect_right(starts, s[0]) - 1, s[0])]
    sentences = [_sentence(raw, start, files, places) for line in lines for start, raw in _sentences(line)]
    return Reading(
        sentences=tuple(s for s in sentences if s.head or s.tail),
        quotes=tuple(q for _, _, q in outside),
        run=_run(text, outside),
        items=tuple(items),
        payload=payload,
    )


def _in_one(lines: Sequence[_Line], number: int, place: int) -> bool:
    return number >= 0 and place < lines[number].start + len(lines[number].text)


def _lines(text: str) -> Iterator[_Line]:
    start = 0
    for line in text.splitlines(keepends=True):
        yield _Line(start=start, text=line.rstrip("\r\n"))
        start += len(line)


def _sentences(line: _Line) -> Iterator[tuple[int, str]]:
    """Sentences of a line and where they begin; a quoted text is never cut, whatever stops stand in it."""
    hidden = hidden_quotes(line.text)
    at = 0
    for sentence in split_sentences(hidden):
        for part in _STOPS.split(sentence):
            found = found_in(hidden, part, at) if part else None
            if found is not None:
                at = found[1]
                yield line.start + found[0], line.text[found[0] : at]


def found_in(text: str, part: str, at: int) -> tuple[int, int] | None:
    """(start, end) of a part of a text, from a place on; its spaces may stand for any white space. None where it is not there."""
    start = text.find(part, at)
    if start >= 0:
        return start, start + len(part)
    match = re.compile(r"\s+".join(map(re.escape, part.split()))).search(text, at)
    return None if match is None else match.span()


def _sentence(raw: str, start: int, files: Sequence[tuple[str, str]], places: Sequence[int]) -> Sentence:
    quotes = tuple(next(g for g in m.groups() if g is not None).strip() for m in _QUOTES.finditer(raw))
    normal = normal_form(raw, files)
    colon = _COLON.search(_QUOTES.sub(lambda q: " " * len(q.group(0)), raw))
    if colon is None or not re.search(r"\w", _without_files(normal_form(raw[: colon.start()], files))):
        head, tail = (normal if colon is None else normal.replace(":", ",", 1)), ""
    else:
        head, tail = normal_form(raw[: colon.start()], files), raw[colon.end() :].strip()
    if colon is not None and tail and _instructs(tail, start + colon.end(), len(raw) - colon.end(), files, places):
        head, tail = f"{head}, {normal_form(tail, files)}", ""
    return Sentence(raw=raw, start=start, head=head, tail=tail, quotes=quotes)


def _instructs(tail: str, start: int, length: int, files: Sequence[tuple[str, str]], places: Sequence[int]) -> bool:
    """ "As audio, please: the gist of this article": what follows the colon instructs as well, and is no text to work on."""
    normal = normal_form(tail, files)
    if len(normal.split()) > _TAIL or len(labels("", "", normal, ())) > 1:
        return False
    return any(start <= p < start + length for p in places)


def hidden_quotes(text: str) -> str:
    """The text with the letters of what is quoted made illegible; as long as before."""
    return _QUOTES.sub(lambda m: f'"{"Q" * max(0, len(m.group(0)) - 2)}"', text)


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


def absent_files(text: str, given: Collection[str]) -> list[str]:
    """Files that a request names and that were not given, in order, each once.

    Args:
        text: the request.
        given: names and ids of the files that there are.
    """
    there = {name.lower() for name in given}
    return list(dict.fromkeys(m[0] for m in _FILE_NAME.finditer(text) if m[0].lower() not in there))


def _take_items(lines: Sequence[_Line], places: Sequence[int]) -> tuple[list[_Line], list[str]]:
    """The lines that are not list entries to work on, and those entries; one entry alone is no list."""
    entries = [None if line.asked(places) else _ITEM.match(line.text) for line in lines]
    if sum(e is not None for e in entries) < 2:
        return list(lines), _in_line(lines, places)
    return (
        [line for line, e in zip(lines, entries, strict=True) if e is None],
        [e["text"].strip().strip("\"'“”‘’") for e in entries if e is not None],
    )


def _in_line(lines: Sequence[_Line], places: Sequence[int]) -> list[str]:
    """The entries of a list within a line, "1) … 2) …", that are to be worked on: none of them asks for anything."""
    for line in lines:
        marks = list(_NUMBER.finditer(line.text))
        if [m[1].lower() for m in marks[:3]] in ([*"123"], [*"abc"], [*"12"], [*"ab"]):
            ends = [*(m.start() for m in marks[1:]), len(line.text)]
            if not any(line.start + marks[0].end() <= p < line.start + len(line.text) for p in places):
                return [line.text[m.end() : end].strip(" ,;\"'“”‘’") for m, end in zip(marks, ends, strict=True)]
    return []


def _take_payload(text: str, lines: list[_Line], places: Sequence[int]) -> tuple[list[_Line], str]:
    """Splits lines into those that instruct and the block to work on: what stands before, after or between them."""
    keep = [line for line in lines if line.asked(places)] or lines[:1]
    rest = [line for line in lines if line not in keep]
    if not rest:
        return lines, ""
    together = rest == lines[lines.index(rest[0]) : lines.index(rest[-1]) + 1]
    block = text[rest[0].start : rest[-1].start + len(rest[-1].text)] if together else "\n".join(line.text for line in rest)
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
