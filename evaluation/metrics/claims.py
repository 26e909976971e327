"""What a reply claims that can be looked up: quotes, files, marks of tasks, and numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from ...tools.sniff import claimed_type


class ClaimKind(StrEnum):
    """What is claimed."""

    QUOTE = "quote"
    ARTIFACT = "artifact"
    TASK = "task"
    NUMBER = "number"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One stretch of a reply.

    Attributes:
        kind: what it is.
        text: the words of a quote without its marks; the path, name, id or address of a file; a mark such as `[1]`; a number.
        unit: what stands behind a number and scales it, in small letters (`%`, `kb`, `ms` …); empty otherwise.
    """

    kind: ClaimKind
    text: str
    unit: str = ""


_LONGEST, _LONGEST_SINGLE = 4000, 500  # characters of a quote; single marks are looked for at each apostrophe
_FENCE = re.compile(r"^[ \t]*```([^\n]*)(?:\n|$)", re.M)
_BLOCK = re.compile(r"(?:^[ \t]*>[^\n]*(?:\n|$))+", re.M)
_CHARACTER = r"(?:(?!\n\s*\n).)"  # a quote does not go on over an empty line
_WITHIN, _WITHIN_SINGLE = rf"{_CHARACTER}{{0,{_LONGEST}}}?", rf"{_CHARACTER}{{1,{_LONGEST_SINGLE}}}?"
_QUOTES = tuple(
    re.compile(pattern, re.S)
    for pattern in (
        rf'(?<!\w)"({_WITHIN})"',
        rf"„({_WITHIN})[“”]",
        rf"“({_WITHIN})[”“]",
        rf"«({_WITHIN})»",
        rf"»({_WITHIN})«",
        rf"「({_WITHIN})」",
        rf"`({_WITHIN})`",
        # an apostrophe inside a word neither opens nor closes
        rf"(?<!\w)'(?=\S)({_WITHIN_SINGLE})(?<=\S)'(?!\w)",
        rf"(?<!\w)‘(?=\S)({_WITHIN_SINGLE})(?<=\S)’(?!\w)",
    )
)
_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]{0,20}://[^\s\"'`<>()\[\]]+", re.I)
_ARTIFACT_ID = re.compile(r"\bartifact-\w+")
_WORD = re.compile(r"[^\s\"'`()<>\[\],;!?“”„«»]+")
_MARK = re.compile(r"\[\d+(?:\s*[,;–-]\s*\d+)*\]|\btasks?\s+#?\d+\b", re.I)
_NUMBERING = re.compile(r"^[ \t]*(?:[-*•][ \t]+)?(?:#+[ \t]+)?\d{1,3}[.)](?=\s)", re.M)
_UNIT = r"%|per\s?cent|percent|kib|mib|gib|kb|mb|gb|bytes?|ms|milliseconds?"
_NUMBER = re.compile(
    # not inside a name such as `MiniLM-L6-v2` or `base-1.0`
    rf"(?<![\w.,])(?<![a-z]-)([-−+]?\d+(?:[.,]\d+)*(?:e[-+]?\d+)?)(?:[ \u00a0\u202f]?({_UNIT})(?!\w))?",
    re.I,
)
_ORDINAL = re.compile(r"(?:st|nd|rd|th)\b", re.I)


def claims_of(reply: str, files: Iterable[str] = ()) -> list[Claim]:
    """Every claim of a reply, in its order. No stretch is counted twice: what stands in a quote belongs to the quote.

    Quotes are what stands between any usual pair of marks, in a code span or block, or in lines that begin with `>`. A quote that is
    only a file's name is that file. Files are artifact ids, addresses, and words that end like a file. Numbers are written in digits;
    the numbering of a list, ordinals (`2nd`) and digits inside a name (`MiniLM-L6`) are none. Words for numbers are not looked at.

    Args:
        reply: the text.
        files: names and paths that are known, which are found even with blanks in them.
    """
    taken = bytearray(len(reply))
    found: list[tuple[int, Claim]] = []
    for start, end, claim in _candidates(reply, files):
        if any(taken[start:end]):
            continue
        taken[start:end] = b"\1" * (end - start)
        if claim is not None:
            found.append((start, claim))
    return [claim for _, claim in sorted(found, key=lambda f: f[0])]


def _candidates(reply: str, files: Iterable[str]) -> Iterator[tuple[int, int, Claim | None]]:
    """Stretches with what they claim, None for those that claim nothing, the most telling kinds first."""
    known = sorted({f for f in files if "." in f}, key=len, reverse=True)
    yield from _quotes(reply)
    for name in known:
        for found in re.finditer(rf"(?<![\w/\\.-]){re.escape(name)}(?!\w)", reply):
            yield *found.span(), Claim(kind=ClaimKind.ARTIFACT, text=name)
    yield from _files(reply)
    for found in _NUMBERING.finditer(reply):
        yield *found.span(), None
    for found in _MARK.finditer(reply):
        yield *found.span(), Claim(kind=ClaimKind.TASK, text=found[0])
    for found in _NUMBER.finditer(reply):
        if not _ORDINAL.match(reply, found.end(1)):
            unit = re.sub(r"\s", "", (found[2] or "").lower())
            yield *found.span(), Claim(kind=ClaimKind.NUMBER, text=found[1], unit=unit)


def _quotes(reply: str) -> Iterator[tuple[int, int, Claim]]:
    yield from _fenced(reply)
    for found in _BLOCK.finditer(reply):
        yield from _quote(found.span(), re.sub(r"^[ \t]*>[> \t]*", "", found[0], flags=re.M))
    for pattern in _QUOTES:
        for found in pattern.finditer(reply):
            yield from _quote(found.span(), found[1])


def _fenced(reply: str) -> Iterator[tuple[int, int, Claim]]:
    opened: re.Match[str] | None = None
    for fence in _FENCE.finditer(reply):
        if opened is None:
            opened = fence
        elif not fence[1].strip():
            yield from _quote((opened.start(), fence.end()), reply[opened.end() : fence.start()])
            opened = None


def _quote(span: tuple[int, int], words: str) -> Iterator[tuple[int, int, Claim]]:
    words = words.strip()
    if any(c.isalnum() for c in words):
        yield *span, Claim(kind=ClaimKind.ARTIFACT if _is_file(words) else ClaimKind.QUOTE, text=words)


def _is_file(words: str) -> bool:
    whole = _ADDRESS.fullmatch(words) or _ARTIFACT_ID.fullmatch(words)
    return whole is not None or ("\n" not in words and len(words) < 300 and _named_like_a_file(words))


def _named_like_a_file(word: str) -> bool:
    stem, _, _ = word.rpartition(".")
    return claimed_type(word) is not None and stem[-1:].isalnum()


def _files(reply: str) -> Iterator[tuple[int, int, Claim]]:
    for pattern in (_ADDRESS, _ARTIFACT_ID, _WORD):
        for found in pattern.finditer(reply):
            begun = found[0].lstrip("*_.:")  # of Markdown, or of the sentence
            text = begun.rstrip("*_.:,;!?")
            if pattern is not _WORD or _named_like_a_file(text):
                yield found.end() - len(begun), found.end() - len(begun) + len(text), Claim(kind=ClaimKind.ARTIFACT, text=text)
