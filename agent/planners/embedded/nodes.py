"""The tasks that a request asks for, each with the words that ask for it and what it works on the output of."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ....tools.artifacts import Artifact
from ....tools.task import HubTask, Kind, Role
from ...request import Request
from .arguments import labels, languages
from .reading import Reading, hidden_quotes
from .search import Link

CUT = re.compile(
    r"\s*(?:,\s*(?:and\s+then|and|then|but)?|;|->|→|\+|&|\s-\s|\s–\s|\band\s+then\b|\bthen\b|\band\s+also\b|\band\b|\bafter\s+that\b|\bplus\b)\s*",
    re.I,
)
_LIST = 120  # characters that a row of choices may be long
_MOST = 50  # copies of one task


@dataclass(frozen=True, kw_only=True)
class Node:
    """One task to be planned.

    Attributes:
        id: unique in the plan.
        task: what it is.
        words: the words that ask for it, as written.
        sentence: number of their sentence; -1 when the request has none.
        parents: ids of the nodes whose outputs it takes, in order.
        file: the file that it works on, where the same is asked for several files.
        copy: which of several copies it is, from 0; None where there is one alone.
    """

    id: str
    task: HubTask
    words: str
    sentence: int
    parents: tuple[str, ...] = ()
    file: Artifact | None = None
    copy: int | None = None


def nodes(
    request: Request,
    reading: Reading,
    tasks: Sequence[HubTask],
    order: Sequence[int],
    links: Sequence[Link],
    places: Mapping[int, int],
    twice: Sequence[int] | None,
) -> list[Node]:
    """The nodes, parents before children; a task that is asked for more than once stands there once for each file or value.

    Args:
        request: what was asked.
        reading: how it was read.
        tasks: the table.
        order: positions of the chosen tasks, parents before children.
        links: between them.
        places: by position, where the request speaks of the task, in characters.
        twice: positions of the tasks that are asked for more than once; None where each is meant once, whatever files there are.
    """
    words = _words(reading, order, places)
    copies = _copies(request, reading, tasks, order, links, twice)
    found: dict[int, list[Node]] = {}
    for position in order:
        made: list[Node] = []
        parents = [a for a, b in links if b == position and a in found]
        hints = copies.get(position, [None])
        for i, file in enumerate(hints):
            alone = len(hints) == 1
            ids = [n.id for a in sorted(parents, key=order.index) for n in _of_copy(found[a], None if alone else i)]
            made.append(
                Node(
                    id=str(sum(map(len, found.values())) + len(made) + 1),
                    task=tasks[position],
                    words=words[position],
                    sentence=reading.sentence_at(places[position]),
                    parents=tuple(ids),
                    file=file,
                    copy=None if alone else i,
                )
            )
        found[position] = made
    return _file_by_file([n for position in order for n in found[position]])


def _of_copy(parents: Sequence[Node], copy: int | None) -> list[Node]:
    """Copy by copy where there are as many; all of them else."""
    return [parents[copy]] if copy is not None and copy < len(parents) > 1 else list(parents)


def _file_by_file(found: Sequence[Node]) -> list[Node]:
    """The first file's tasks, then the second's, then what takes from several; numbered anew."""
    if not any(n.file for n in found):
        return list(found)
    order = sorted(found, key=lambda n: (n.copy is None and len(n.parents) > 1, n.copy or 0))
    placed: list[Node] = []
    while order:
        first = next(n for n in order if not any(m.id in n.parents for m in order))
        order.remove(first)
        placed.append(first)
    number = {n.id: str(i) for i, n in enumerate(placed, 1)}
    return [replace(n, id=number[n.id], parents=tuple(number[p] for p in n.parents)) for n in placed]


def _copies(
    request: Request, reading: Reading, tasks: Sequence[HubTask], order: Sequence[int], links: Sequence[Link], twice: Sequence[int] | None
) -> dict[int, list[Artifact | None]]:
    """For each task that is asked for more than once, the file of every copy, or None for copies that differ otherwise."""
    found: dict[int, list[Artifact | None]] = {}
    if twice is None:
        return found
    for position in order:
        if position not in twice and not _each_file(request, tasks, order, links, position):
            continue
        above = [found[a] for a, b in links if b == position and a in found]
        if above:
            found[position] = [None] * len(above[0])
            continue
        ports = [p for p in tasks[position].inputs if p.required and p.role is Role.CONTENT]
        kinds = [p.kind for p in ports if not p.many]
        files = next((group for k in kinds if len(group := _of_kind(request.files, k)) > 1), [])
        if files:
            found[position] = list(files[:_MOST])
        elif any(b == position for _, b in links) or not any(p.many for p in ports):
            found[position] = [None] * min(_MOST, max(2, _values(tasks[position], reading)))
    return found


def _each_file(request: Request, tasks: Sequence[HubTask], order: Sequence[int], links: Sequence[Link], position: int) -> bool:
    """Whether a task must be meant for every file of a kind: it takes one, is the only one that takes such, and none or all are named.
    Or whether it goes on with what such a task makes, and nothing says how."""
    above = [a for a, b in links if b == position]
    if above:
        told = any(p.role is Role.INSTRUCTION for p in tasks[position].inputs)  # it may be told to make one out of all
        joins = told or len(above) > 1 or any(p.many for p in tasks[position].inputs)
        return not joins and _each_file(request, tasks, order, links, above[0])
    kinds = {p.kind for p in tasks[position].inputs if p.required and p.role is Role.CONTENT and p.kind.is_media}
    for kind in kinds:
        files = _of_kind(request.files, kind)
        named = [f for f in files if f.name.lower() in request.text.lower()]
        fed = {b for _, b in links}
        takers = [i for i in order if i not in fed and any(p.kind is kind and p.role is Role.CONTENT for p in tasks[i].inputs)]
        alone = takers == [position] and not any(p.many and p.kind is kind for p in tasks[position].inputs)
        if len(files) > 1 and alone and len(named) in (0, len(files)):
            return True
    return False


def _of_kind(files: Sequence[Artifact], kind: Kind) -> list[Artifact]:
    return [f for f in files if f.kind is kind]


def _values(task: HubTask, reading: Reading) -> int:
    """How many values the words hold by which copies of a task may differ."""
    options = max((len(languages(s.raw)) for s in reading.sentences), default=0) if any("language" in p.name for p in task.inputs) else 0
    return max(options, len(reading.run), len(reading.items) if options < 2 else 0)


def _words(reading: Reading, order: Sequence[int], places: Mapping[int, int]) -> dict[int, str]:
    """The words that ask for each task: its sentence, or its part of it where the sentence asks for several."""
    found: dict[int, str] = {}
    at = {i: reading.sentence_at(places[i]) for i in order}
    for number in sorted(set(at.values()) - {-1}):
        sentence = reading.sentences[number]
        here = [i for i in order if at[i] == number]
        apart = {places[i] for i in here}
        if len(apart) < 2:
            found |= dict.fromkeys(here, sentence.raw)
            continue
        for i, part in _parts(sentence.raw, {i: places[i] - sentence.start for i in here}).items():
            found[i] = part
    return {i: found.get(i, "") for i in order}


def _parts(raw: str, places: Mapping[int, int]) -> dict[int, str]:
    """Cuts a sentence at commas and conjunctions, and gives each task the pieces about the place where it is spoken of."""
    hidden = hidden_quotes(raw)
    choices = labels(hidden, "", "", ())
    first, last = (hidden.find(choices[0]), hidden.rfind(choices[-1])) if len(choices) > 1 else (-1, -1)
    cuts = [m for m in CUT.finditer(hidden) if not 0 <= first <= m.start() < last <= first + _LIST]  # "a, b or c" is never cut
    edges = [0, *(m.end() for m in cuts), len(raw)]
    ends = [*(m.start() for m in cuts), len(raw)]
    pieces = [(a, b) for a, b in zip(edges, ends, strict=False) if b > a]
    owner: list[int | None] = []
    for a, b in pieces:
        inside = [i for i, p in places.items() if a <= p <= b]
        owner.append(inside[0] if inside else (owner[-1] if owner else None))
    leading = next((o for o in owner if o is not None), None)
    owner = [leading if o is None else o for o in owner]
    found: dict[int, str] = {}
    for i, place in places.items():
        mine = [piece for piece, o in zip(pieces, owner, strict=True) if o == i]
        mine = mine or [piece for piece in pieces if piece[0] <= place <= piece[1]] or [(0, len(raw))]
        found[i] = raw[mine[0][0] : mine[-1][1]].strip(" ,;")
    return found
