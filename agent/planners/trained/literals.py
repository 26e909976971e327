"""What a request holds word by word: files that it names, and quoted texts; and the request as it is encoded, with long quotes cut."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ....tools.artifacts import Artifact
from ....tools.task import Kind

_QUOTE = re.compile(
    r"""(?:(?<=^)|(?<=[\s(\[:,]))(?:'(?P<a>[^\n]{1,4000}?)'(?=[\s.,;:!?)\]]|$)|"(?P<b>[^"\n]+)"|‘(?P<c>[^’\n]+)’|“(?P<d>[^”\n]+)”)"""
)
_LONG, _KEPT, _ELLIPSIS = 80, 36, " ..."
_SENTENCE = re.compile(r"\S[^.?!]*(?:[.?!](?!\s|$)[^.?!]*)*(?:[.?!]|$)")


@dataclass(frozen=True, kw_only=True)
class Literal:
    """A stretch of a request that an argument may hold.

    Attributes:
        text: what it says: a file's name, or the words between quotation marks.
        kind: of the file; text for words.
        start: where it stands, in characters.
    """

    text: str
    kind: Kind
    start: int


def literals(text: str, files: Sequence[Artifact]) -> list[Literal]:
    """Files and quoted texts, in order, each once. A file that is attached and not named stands at the beginning."""
    found = [Literal(text=f.name, kind=f.kind, start=max(0, text.find(f.name))) for f in files]
    names = {f.name for f in files}
    for quote in _QUOTE.finditer(text):
        group = quote.lastgroup or "a"
        if quote[group].strip() not in names:
            found.append(Literal(text=quote[group], kind=Kind.TEXT, start=quote.start(group)))
    return list({x.text: x for x in sorted(found, key=lambda x: x.start)}.values())


@dataclass(frozen=True, kw_only=True)
class Shortened:
    """A request as it is encoded.

    Attributes:
        text: with quoted texts over 80 characters cut to some 36: what they say is worked on, and asks for nothing.
        cuts: (place in `text`, how many characters are missing there), in order.
    """

    text: str
    cuts: tuple[tuple[int, int], ...]

    def original(self, place: int) -> int:
        """Where a character of `text` stands in the request."""
        return place + sum(missing for at, missing in self.cuts if place >= at)


def shortened(text: str) -> Shortened:
    """Cut long quoted texts."""
    out: list[str] = []
    cuts: list[tuple[int, int]] = []
    last = length = 0
    for quote in _QUOTE.finditer(text):
        group = quote.lastgroup or "a"
        start, end = quote.span(group)
        if end - start <= _LONG:
            continue
        space = text.rfind(" ", start, start + _KEPT)
        kept = space if space > start else start + _KEPT
        out += [text[last:kept], _ELLIPSIS]
        length += kept - last + len(_ELLIPSIS)
        cuts.append((length, end - kept - len(_ELLIPSIS)))
        last = end
    return Shortened(text="".join([*out, text[last:]]), cuts=tuple(cuts))


def sentence_at(text: str, place: float, names: Sequence[str]) -> str:
    """The sentence around a place, a question before others: it stands for a text that is not quoted.

    Args:
        text: the request.
        place: where the task is spoken of, in characters.
        names: files' names: a sentence that names one is about the file.
    """
    sentences = [(m[0].strip(), (m.start() + m.end()) / 2) for m in _SENTENCE.finditer(text)]
    free = [s for s in sentences if not any(n in s[0] for n in names)] or sentences or [(text, 0.0)]
    return min(free, key=lambda s: abs(s[1] - place) - 180 * s[0].endswith("?"))[0]
