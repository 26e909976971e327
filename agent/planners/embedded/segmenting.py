"""Cuts sentences into clauses and decides, all together, which tasks they ask for."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from ....tools.task import HubTask, Kind, Role, TaskTable
from .arguments import labels
from .matching import Match, Matcher
from .reading import Sentence, only_files

_CUT = re.compile(
    r"\s*(?:,\s*(?:and\s+then|and|then|but)?|;|->|→|\+|&|\s-\s|\s–\s|\band\s+then\b|\bthen\b|\band\s+also\b|\band\b|\bafter\s+that\b|\bplus\b)\s*",
    re.I,
)
_MOST_PIECES = 7
_LIST = 120  # characters that a row of choices may be long
_PIECE = 0.04  # what one more clause must gain
_CUT_GAIN = 0.08  # what a further clause that clearly asks for another task is worth
_CLEAR = 0.6
_WEIGHT = 8.0  # log-odds that one unit of fit is worth
_BEAM = 6
_SURE = 0.7
_HINT = 0.15
_DOUBTFUL = 0.4


@dataclass(frozen=True, kw_only=True)
class Step:
    """A clause and the tasks it asks for.

    Attributes:
        text: the clause in normal form.
        sentence: number of its sentence.
        tasks: in order; empty: none.
        score: its probability among the readings of the clause, kinds of input taken into account, 0..1.
    """

    text: str
    sentence: int
    tasks: tuple[str, ...]
    score: float


@dataclass(frozen=True, kw_only=True)
class _Sentence:
    number: int
    tail: bool


@dataclass(frozen=True, kw_only=True)
class _Path:
    steps: tuple[Step, ...]
    kinds: frozenset[Kind]
    total: float


@dataclass(frozen=True, kw_only=True)
class Given:
    """What a request brings along.

    Attributes:
        attached: kinds of the attached files (and of earlier ones, when nothing is attached), and text when there is one to work on.
        choices: whether some words name labels to choose from.
        texts: how many texts there are for ports that take several.
        files: whether files are attached to this request.
    """

    attached: frozenset[Kind]
    choices: Callable[[str], bool]
    texts: int
    files: bool


def segment(sentences: Sequence[Sentence], matcher: Matcher, tasks: TaskTable, given: Given) -> tuple[Step, ...]:
    """The clauses of an instruction, each with its tasks.

    Sentences are cut at commas and conjunctions where that makes the clauses match better; every choice takes into account which
    kinds of input are there or have been made by then.

    Args:
        sentences: the instruction.
        matcher: over `tasks`.
        tasks: the table.
        given: what the request brings along.
    """
    pieces = [_pieces(s.head) for s in sentences]
    spans = [[_span(p[i:j]) for i in range(len(p)) for j in range(i + 1, len(p) + 1)] for p in pieces]
    unique = list(dict.fromkeys(s for group in spans for s in group if s))
    matches = dict(zip(unique, matcher.match(unique), strict=True))
    matches |= {s: [Match(tasks=(), score=1.0)] for s in unique if only_files(s)}
    beam = [_Path(steps=(), kinds=given.attached, total=0.0)]
    for number, parts in enumerate(pieces):
        beam = _cut(parts, _Sentence(number=number, tail=bool(sentences[number].tail)), matches, tasks, given, beam)
    asking = [p for p in beam if any(s.tasks and s.score > _HINT for s in p.steps)] if given.files else []
    return _without_weak(max(asking or beam, key=lambda p: p.total).steps)


def _span(pieces: Sequence[str]) -> str:
    """Pieces put together, without the separator that the first one begins with."""
    text = " ".join(pieces)
    lead = _CUT.match(text)
    return (text[lead.end() :] if lead else text).strip(" ,;")


def _pieces(head: str) -> list[str]:
    """The pieces between separators, each with the separator before it; neighbours are joined until there are at most seven."""
    pieces: list[str] = []
    last = 0
    choices = labels(head, "", "", ())
    first, end = (head.find(choices[0]), head.rfind(choices[-1])) if len(choices) > 1 else (-1, -1)
    for m in _CUT.finditer(head):
        inside = 0 <= first <= m.start() < end <= first + _LIST  # "a, b or c" is never cut
        if m.start() > last and not inside:
            pieces.append(head[last : m.start()])
            last = m.start()
    pieces.append(head[last:])
    pieces = [p.strip() for p in pieces if p.strip(" ,;")]
    while len(pieces) > _MOST_PIECES:
        i = min(range(len(pieces) - 1), key=lambda k: len(pieces[k]) + len(pieces[k + 1]))
        pieces[i : i + 2] = [f"{pieces[i]} {pieces[i + 1]}"]
    return pieces


def _cut(
    parts: Sequence[str],
    sentence: _Sentence,
    matches: dict[str, list[Match]],
    tasks: TaskTable,
    given: Given,
    beam: Sequence[_Path],
) -> list[_Path]:
    words = sum(len(p.split()) for p in parts) or 1
    at: list[list[_Path]] = [list(beam)] + [[] for _ in parts]
    for end in range(1, len(parts) + 1):
        for start in range(end):
            span = _span(parts[start:end])
            weight = len(" ".join(parts[start:end]).split()) / words
            for path in at[start]:
                at[end] += _extend(path, span, sentence, matches.get(span, []), tasks, given, weight, first=start == 0)
        at[end] = sorted(at[end], key=lambda p: -p.total)[:_BEAM]
    return at[-1] or list(beam)


def _extend(
    path: _Path,
    span: str,
    sentence: _Sentence,
    readings: Sequence[Match],
    tasks: TaskTable,
    given: Given,
    weight: float,
    *,
    first: bool,
) -> list[_Path]:
    choices = given.choices(span)
    readings = _continued(path, readings)
    fits = [_fit(r.tasks, tasks, path.kinds, given, choices=choices, tail=sentence.tail) for r in readings]
    weights = [r.score * math.exp(_WEIGHT * fit) for r, (fit, _) in zip(readings, fits, strict=True)]
    total = max(sum(weights), 1e-9)
    rest = max(0.0, 1.0 - sum(r.score for r in readings))  # readings that are not among the best
    out = []
    for reading, (_, kinds), w in zip(readings, fits, weights, strict=True):
        score = w / (total + rest)
        step = Step(text=span, sentence=sentence.number, tasks=reading.tasks, score=score)
        new = reading.tasks and score > _CLEAR and not (path.steps and path.steps[-1].tasks == reading.tasks)
        gain = score * weight + (_CUT_GAIN * score if new else 0.0 if first else -_PIECE)
        out.append(replace(path, steps=(*path.steps, step), kinds=kinds, total=path.total + gain))
    return out


def _continued(path: _Path, readings: Sequence[Match]) -> list[Match]:
    """Readings as they are meant after what was asked before: "read me the summary" after a summary asks for speech only."""
    done = next((s.tasks[-1] for s in reversed(path.steps) if s.tasks), None)
    merged: dict[tuple[str, ...], float] = {}
    for reading in readings:
        left = reading.tasks[1:] if len(reading.tasks) > 1 and reading.tasks[0] == done else reading.tasks
        merged[left] = merged.get(left, 0.0) + reading.score
    return [Match(tasks=tasks, score=score) for tasks, score in merged.items()]


def _without_weak(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Steps that are doubtful beside a sure one ask for nothing."""
    if max((s.score for s in steps if s.tasks), default=0.0) < _SURE:
        return steps
    return tuple(replace(s, tasks=()) if s.score < _DOUBTFUL else s for s in steps)


def _fit(
    names: Sequence[str], tasks: TaskTable, kinds: frozenset[Kind], given: Given, *, choices: bool, tail: bool
) -> tuple[float, frozenset[Kind]]:
    """How well tasks fit what is given, in units of `_WEIGHT` log-odds, and the kinds of input there are after them."""
    fit = against = 0.0
    attached = given.attached
    for name in names:
        task = tasks[name]
        needed = {p.kind for p in task.inputs if p.required and p.role is Role.CONTENT}
        media = {k for k in needed if k.is_media or k is Kind.TABLE}
        if media - kinds:
            against += 0.2
        elif media and not media & attached and task.output.kind is Kind.TEXT:
            against += 0.5  # what was made from text would be turned into text again
        elif media & attached:
            fit += 0.05
        elif not needed and given.files and kinds == attached:
            fit -= 0.1  # files are attached, and this would not look at them
        if any(p.kind is Kind.LABELS and p.required for p in task.inputs):
            fit += 0.25 if choices else -0.25
        if tail and not task.inputs:
            fit -= 0.3  # something is described, and this would not listen
        if given.texts < 2 and any(p.many and p.required for p in task.inputs):
            fit -= 0.08
        if Kind.TEXT in needed and Kind.TEXT not in kinds:
            fit -= 0.02 if bridges(tasks, kinds) else 0.12
        kinds |= {p.kind for p in task.outputs[:1]}
        kinds |= {Kind.TEXT} if task.output.kind.has_text_view else set()
    return fit / max(1, len(names)) - against, kinds


def bridges(tasks: TaskTable, kinds: Iterable[Kind]) -> list[tuple[Kind, HubTask]]:
    """(kind, task): the tasks that turn a medium that is there into text and need nothing else; only where one task does it."""
    out = []
    for kind in kinds:
        found = [
            t
            for t in tasks.values()
            if [p.kind for p in t.inputs if p.required] == [kind] and t.output.kind is Kind.TEXT and not t.output.many
        ]
        if kind.is_media and len(found) == 1:
            out.append((kind, found[0]))
    return out
