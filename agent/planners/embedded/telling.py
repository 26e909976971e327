"""A request as the network reads it, and tasks as it is told of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ....tools.artifacts import Artifact
from ....tools.task import HubTask, Kind, Port, Role
from ...request import Request

if TYPE_CHECKING:
    from ....index.minilm import Floats

KINDS = (Kind.TEXT, Kind.IMAGE, Kind.AUDIO, Kind.VIDEO, Kind.TABLE)
"""What the network tells apart; JSON that is asked for counts as a table, a number alone is nothing that flows."""
GIVEN = 2 * len(KINDS) + 2
"""How many numbers say what a request brings along."""

# An opening mark may stand inside a quoted text a few times: without a limit, many that are never closed would cost their square.
_OPENS, _CLOSES = r"(?<=[\s(\[:,])", r"(?=[\s.,;:!?)\]]|$)"
_WITHIN = rf"(?:[^'\n]|(?<![\s(\[:,])'(?!{_CLOSES}))*+"
_QUOTE = re.compile(
    rf"""(?:(?<=^)|{_OPENS})(?:'(?!'{_CLOSES})(?P<a>{_WITHIN}(?:{_OPENS}'(?!{_CLOSES}){_WITHIN}){{0,8}}+)'{_CLOSES}|"(?P<b>[^"\n]+)"|"""
    r"""‘(?!’)(?P<c>[^‘’\n]*+(?:‘[^‘’\n]*+){0,8}+)’|“(?!”)(?P<d>[^“”\n]*+(?:“[^“”\n]*+){0,8}+)”)"""
)
_LONG, _KEPT, _ELLIPSIS = 80, 36, " ..."
_NAMES = {
    Kind.IMAGE: "example.jpg",
    Kind.AUDIO: "example.wav",
    Kind.VIDEO: "example.mp4",
    Kind.TABLE: "example.csv",
    Kind.TEXT: "example.txt",
}
_READ = 500  # characters that are read at either end of a long request


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
class Told:
    """A request as it is encoded.

    Attributes:
        text: with quoted texts over 80 characters cut to some 36, the middle of a long request left out, and files named by what they
            are: what is worked on asks for nothing.
        given: (12,) of 0 and 1: which kinds of input there are, which of them several times, whether texts are quoted, and whether the
            files are those of earlier turns.
        cuts: (place in `text`, characters missing there; negative where there are more), in order.
    """

    text: str
    given: tuple[float, ...]
    cuts: tuple[tuple[int, int], ...]

    def original(self, place: int) -> int:
        """Where a character of `text` stands in the request."""
        return place + sum(missing for at, missing in self.cuts if place >= at)


def tell(request: Request) -> Told:
    """What the network reads of a request."""
    text = request.text
    spans = [*_quotes(text), *_file_names(text, request.files)]
    if len(text) > 2 * _READ:
        head, tail = text.rfind(" ", 0, _READ) + 1 or _READ, len(text) - _READ
        space = text.find(" ", tail)
        spans.append((head, space if space > 0 else tail, _ELLIPSIS))
    out: list[str] = []
    cuts: list[tuple[int, int]] = []
    last = length = 0
    for start, end, instead in sorted(spans, key=lambda s: (s[0], -s[1])):
        start = max(start, last)
        if start >= end:
            continue
        out += [text[last:start], instead]
        length += start - last + len(instead)
        cuts.append((length, end - start - len(instead)))
        last = end
    return Told(text="".join([*out, text[last:]]), given=_given(request), cuts=tuple(cuts))


def _quotes(text: str) -> list[tuple[int, int, str]]:
    """(start, end, instead) of the rest of long quoted texts."""
    found = []
    for quote in _QUOTE.finditer(text):
        start, end = quote.span(quote.lastgroup or "a")
        if end - start > _LONG:
            space = text.rfind(" ", start, start + _KEPT)
            found.append((space if space > start else start + _KEPT, end, _ELLIPSIS))
    return found


def _file_names(text: str, files: Sequence[Artifact]) -> list[tuple[int, int, str]]:
    names = {f.name: _NAMES.get(f.kind, f.name) for f in files if f.name}
    if not names:
        return []
    anyone = "|".join(re.escape(n) for n in sorted(names, key=len, reverse=True))
    low = {n.lower(): instead for n, instead in names.items()}
    return [(m.start(), m.end(), low[m[0].lower()]) for m in re.finditer(rf"(?<!\w)(?:{anyone})(?!\w)", text, re.I)]


def _given(request: Request) -> tuple[float, ...]:
    files = [f.kind for f in request.files]
    earlier = [] if files else next(([m.artifact.kind for m in turn.made] for turn in reversed(request.history) if turn.made), [])
    names = {f.name for f in request.files}
    quoted = len({q[q.lastgroup or "a"].strip() for q in _QUOTE.finditer(request.text)} - names)
    kinds = [k if k in KINDS else Kind.TABLE for k in files or earlier] + [Kind.TEXT] * (quoted or request.text.strip().count("\n") > 1)
    pages = any(f.fits(Kind.IMAGE) for f in request.files)  # of a PDF, which may be read as a text or looked at
    there = [float(k in kinds or (k is Kind.IMAGE and pages)) for k in KINDS]
    several = [float(kinds.count(k) > 1) for k in KINDS]
    return (*there, *several, float(quoted > 0), float(bool(earlier)))


def flowing(ports: Sequence[Port], *, taken: bool) -> tuple[Kind, ...]:
    """The kinds of ports as the network knows them, in order.

    Args:
        ports: some ports of a task.
        taken: they are inputs: JSON must then be given as it is; what a task gives as JSON can be read as text.
    """
    kinds = []
    for port in ports:
        if port.kind in KINDS:
            kinds.append(port.kind)
        elif port.kind is Kind.JSON and taken:
            kinds.append(Kind.TABLE)
        elif port.kind in (Kind.LABELS, Kind.JSON):
            kinds.append(Kind.TEXT)
    return tuple(kinds)


def takes(task: HubTask, *, content: bool = False) -> tuple[Kind, ...]:
    """The kinds of its required inputs, one for each; of those only that are worked on, when `content`."""
    return flowing([p for p in task.inputs if p.required and (p.role is Role.CONTENT or not content)], taken=True)


def gives(task: HubTask) -> tuple[Kind, ...]:
    """The kind of its main output; none for a number."""
    return flowing(task.outputs[:1], taken=False)


def described(task: HubTask) -> str:
    """What the network reads of a task: its name, its summary, and the kinds that it takes and gives."""
    name = task.name.replace("-", " ").replace("_", " ")
    return f"{name}. {task.summary} Takes {' and '.join(takes(task)) or 'nothing'}, gives {' and '.join(gives(task)) or 'a score'}."


def flags(task: HubTask) -> list[float]:
    """(10,) of 0 and 1: the kinds that it takes, and those that it gives. A table can be read as text as well."""
    out = {*gives(task)} | ({Kind.TEXT} if Kind.TABLE in gives(task) else set())
    return [float(k in takes(task)) for k in KINDS] + [float(k in out) for k in KINDS]


def pair_features(spots: Floats, kinds: Floats, given: Floats, odds: Floats) -> Floats:
    """What is known of every pair of n chosen tasks beside their states, (n, n, PAIR_FEATURES), from and to.

    Args:
        spots: (n, heads + 1) where each task is spoken of, in units of 40 tokens; the last is its place.
        kinds: (n, 10) `flags`.
        given: (12,) what the request brings along.
        odds: (n,) logits of the tasks.
    """
    import numpy as np

    n, k = len(spots), len(KINDS)
    shape = (n, n)
    place = spots[:, -1]
    gaps = spots[None] - spots[:, None]
    later = (place[None] > place[:, None]).astype(np.float32)
    rank = (place[None] < place[:, None]).sum(1).astype(np.float32)
    steps = rank[None] - rank[:, None]
    flows = kinds[:, None, k:] * kinds[None, :, :k]
    fits = flows.max(-1) * (1 - np.eye(n, dtype=np.float32))
    could_feed = later @ (later * fits)  # tasks between the two that could feed the second
    could_take = (later * fits) @ later  # tasks between the two that the first could feed
    sure = np.tanh(odds / 3)

    def first(x: Floats) -> Floats:
        return np.broadcast_to(x.reshape(n, 1, -1), (*shape, x.size // n))

    def second(x: Floats) -> Floats:
        return np.broadcast_to(x.reshape(1, n, -1), (*shape, x.size // n))

    parts = [
        np.tanh(2 * gaps),
        np.tanh(4 * gaps[..., -1:]),
        1 / (1 + np.exp(-12 * gaps[..., -1:])),
        np.stack([steps == d for d in (-2, -1, 1, 2, 3)] + [steps < -2, steps > 3], -1).astype(np.float32),
        np.stack([later @ later, could_feed, could_take, later, fits], -1),
        np.stack([(could_feed == 0) * later * fits, (could_take == 0) * later * fits], -1),
        flows,
        second(kinds[:, :k] * given[:k]),
        np.full((*shape, 1), n / 4, np.float32),
        first(sure),
        second(sure),
        second(fits.sum(0) / 4),
        first(fits.sum(1) / 4),
        first(rank / 4),
        second(rank / 4),
    ]
    out: Floats = np.concatenate(parts, -1).astype(np.float32)
    return out


def root_features(features: Floats, given: Floats) -> Floats:
    """(n, 2 + 12): what is known of every task that may have no parent: its rank, how many could feed it, and what is given."""
    import numpy as np

    n = len(features)
    own = features[0][:, [-1, -4]] if n else np.zeros((0, 2), np.float32)
    return np.concatenate([own, np.broadcast_to(given, (n, len(given)))], -1).astype(np.float32)


PAIR_FEATURES = 5 + 1 + 1 + 7 + 5 + 2 + 2 * len(KINDS) + 7
