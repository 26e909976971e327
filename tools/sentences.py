"""Sentences of a text, in order: of prose, of letters, of lists, and of the broken lines that OCR gives.

Two steps. Lines are joined where a paragraph was wrapped and kept apart where they stand for themselves (headings, list items,
receipt lines, addresses). Then each block is cut after `. ! ? …` and `。！？`, but not after abbreviations, initials, decimals or
list numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

MAX_LENGTH = 1000
"""Longest sentence in characters; longer ones (text without punctuation) are cut at the last `;`, `,` or space before it."""

_BULLET = re.compile(r"\s*(?:[-*•–—·▪◦‣]|\(?\d{1,3}[.)]|\(?[a-z]\))\s+(?=\S)")
_HEADING = re.compile(r"\s*#{1,6}\s+")
_RULE = re.compile(r"[\W_]+")
_HYPHEN = re.compile(r"[^\W\d_]-$")
_ENDED = re.compile(r"[.!?…:;。！？][\"'”’»)\]]*$")
_STOP = re.compile(r"(?P<mark>[.!?…]+)(?P<close>[\"'”’»)\]]*)(?P<gap>\s+)|(?P<wide>[。！？]+[」』”’）]*)")
_LAST_TOKEN = re.compile(r"[\w.&'’-]*$")
_NEXT_WORD = re.compile(r"[\"'“‘«(\[]*([\w'’-]+)")


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Never the end of a sentence: a name, a number or an explanation follows.
_BEFORE_MORE = _set(
    "mr mrs ms mx dr prof st sr messrs rev hon gen col capt lt sgt gov sen rep pres e.g i.e eg ie cf vs viz al approx ca"
    " fig figs eq sec chap ch pp vol art ed eds dept tel ext incl excl max min est resp"
)
# May end a sentence: it does when a word follows that opens sentences.
_MAYBE_LAST = _set(
    "etc inc ltd co corp llc jr u.s u.k u.n e.u a.m p.m d.c ph.d b.a m.a b.sc m.sc jan feb mar apr jun jul aug sep sept oct"
    " nov dec mon tue wed thu fri sat sun ave rd blvd ft in lb oz"
)
_BEFORE_NUMBER = _set("no nos nr p art")
_OPENERS = _set(
    "the a an this that these those it its he she they we i you his her their our my your there here in on at by for from"
    " with as if when while after before since although though because but and or so yet however then now no not all both"
    " each every some many most what who why how where which please also"
)
# A line that ends in one of these goes on in the next.
_RUNS_ON = _set(
    "the a an of to in on at by for from with and or but as is are was were be been has have had will would can could may"
    " must shall should that which who whose than into over under about per its his her their our your my this these those"
    " not"
)


def sentences(text: str) -> list[str]:
    """The sentences of `text`, in order, each on one line with single spaces. Blank text gives [].

    No word is added or dropped; hyphens at a line's end inside a word are taken out. Linear in the length of the text.
    """
    return [piece for block in _blocks(text) for sentence in _cut(block) for piece in _within_limit(sentence)]


def _blocks(text: str) -> Iterator[str]:
    """Paragraphs and lines that stand for themselves, each on one line."""
    paragraph: list[str] = []
    for line in [*text.splitlines(), ""]:
        if line.strip():
            paragraph.append(line.strip())
        elif paragraph:
            yield from _joined(paragraph)
            paragraph = []


def _joined(lines: list[str]) -> Iterator[str]:
    width = max(map(len, lines))
    held: list[str] = []
    for n, line in enumerate(lines):
        own = "" if _RULE.fullmatch(line) else _HEADING.sub("", line)
        last = n + 1 == len(lines)
        goes_on = not last and _goes_on(line, lines[n + 1], width)
        if goes_on and _HYPHEN.search(own) and lines[n + 1][0].islower():
            held.append(own[:-1])
        else:
            held.append(own + " ")
        if not goes_on:
            block = " ".join("".join(held).split())
            held = []
            if block:
                yield block


def _goes_on(line: str, following: str, width: int) -> bool:
    """Whether `following` continues `line`, in a block whose longest line has `width` characters."""
    if _HEADING.match(line) or _HEADING.match(following) or _BULLET.match(following) or _RULE.fullmatch(following):
        return False
    last, first = line.split()[-1], following.split()[0]
    if first[0].islower() and not _ENDED.search(line) and not last[-1].isdigit():
        return True
    if last.lower() in _RUNS_ON or (last.endswith(",") and 2 * len(line) > width):
        return True
    full = 0.8 * width <= len(line) + 1 + len(first)  # the next word would not have fitted; letters differ in width
    return 40 <= width <= 200 and full and not _is_title(line)


def _is_title(line: str) -> bool:
    """Whether every longer word of a line without a full stop begins with a capital letter."""
    long = [w for w in re.findall(r"[^\W\d_]+", line) if len(w) > 3]
    return not _ENDED.search(line) and bool(long) and all(w[0].isupper() for w in long)


def _cut(block: str) -> Iterator[str]:
    start = 0
    for stop in _STOP.finditer(block):
        if stop["wide"] is None and not _ends_here(block, start, stop):
            continue
        piece = block[start : stop.end()].strip()
        if piece:
            yield piece
        start = stop.end()
    if block[start:].strip():
        yield block[start:].strip()


def _ends_here(block: str, start: int, stop: re.Match[str]) -> bool:
    following = _NEXT_WORD.match(block, stop.end())
    word = following[1] if following else ""
    if word[:1].islower():
        return False
    if stop["mark"] != ".":
        return True
    before = _LAST_TOKEN.search(block, max(start, stop.start() - 30), stop.start())
    token = before[0].lower() if before else ""
    if token in _BEFORE_MORE or (token in _BEFORE_NUMBER and word[:1].isdigit()):
        return False
    alone = block[start : stop.start()].strip()
    if alone.isdigit() and len(alone) <= 3:  # "1. Introduction"
        return False
    if token in _MAYBE_LAST or (len(token) == 1 and token.isalpha()) or re.fullmatch(r"(?:[a-z]\.)+[a-z]", token):
        return word.lower() in _OPENERS and not stop["close"]
    return True


def _within_limit(sentence: str) -> Iterator[str]:
    start = 0
    while len(sentence) - start > MAX_LENGTH:
        window = sentence[start : start + MAX_LENGTH]
        ends = (window.rfind(mark) + 1 for mark in ("; ", ", ", " "))
        size = next((end for end in ends if end > MAX_LENGTH // 4), MAX_LENGTH)
        yield window[:size].strip()
        start += size
    if sentence[start:].strip():
        yield sentence[start:].strip()
