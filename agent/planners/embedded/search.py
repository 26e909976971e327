"""Typed search: which links between the chosen tasks, and in which order they run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ....tools.task import HubTask, Kind
from ...checking.bridges import bridges
from .telling import gives, takes
from .weights import Decoding

if TYPE_CHECKING:
    from ....index.minilm import Floats

Link = tuple[int, int]
_FILES = {Kind.IMAGE, Kind.AUDIO, Kind.VIDEO}
_NEAR = -3.0  # logit from which a task on a text may have been meant where one on a file was heard, and no file is given


def _given(task: HubTask) -> tuple[Kind, ...]:
    """What its main output may be read as."""
    return (*gives(task), Kind.TEXT) if Kind.TABLE in gives(task) else gives(task)


def choose(scores: Floats, decoding: Decoding) -> list[int]:
    """Positions of the tasks above the threshold; of the best one where none is."""
    chosen = [i for i, score in enumerate(scores.tolist()) if score > decoding.node]
    return chosen or [int(scores.argmax())]


def margin(scores: Floats, chosen: Sequence[int]) -> float:
    """By how much the choice of tasks was made, in log-odds: of the least likely chosen task, or of the likeliest other one."""
    others = [float(-x) for i, x in enumerate(scores) if i not in chosen]
    return min([float(scores[i]) for i in chosen] + others)


def complete(chosen: Sequence[int], scores: Floats, tasks: Sequence[HubTask], given: set[Kind], decoding: Decoding) -> list[int]:
    """The chosen tasks, and for each that lacks a kind of input the likeliest task that makes it out of what is there, or the only one that
    makes text of a file that is given.

    Args:
        chosen: positions in `tasks`.
        scores: (t,) logits.
        tasks: the table.
        given: kinds of input that the request brings along.
        decoding: `maker` is the logit from which a task is put in.
    """
    out = list(chosen)
    while (lack := _lacking(out, tasks, given)) is not None:
        kind, there = lack
        ready = [j for j in range(len(tasks)) if j not in out and kind in _given(tasks[j]) and _needs(tasks[j]) <= there]
        likely = [j for j in ready if scores[j] > decoding.maker]
        readers = [] if decoding.spoken or kind is not Kind.TEXT else [j for j in _readers(tasks, given) if j in ready]
        if not likely and not readers:
            break
        out.append(max(likely, key=lambda j: float(scores[j])) if likely else readers[0])
    return out


def _needs(task: HubTask) -> set[Kind]:
    return set(takes(task, content=True))


def _lacking(chosen: Sequence[int], tasks: Sequence[HubTask], given: set[Kind]) -> tuple[Kind, set[Kind]] | None:
    """A kind that some chosen task lacks whatever the others make, and the kinds that there are; None when all can be fed."""
    there = set(given)
    left = list(chosen)
    while fed := [i for i in left if _needs(tasks[i]) <= there]:
        left = [i for i in left if i not in fed]
        there |= {k for i in fed for k in _given(tasks[i])}
    return next(((k, there) for i in left for k in takes(tasks[i], content=True) if k not in there), None)


def _readers(tasks: Sequence[HubTask], given: set[Kind]) -> list[int]:
    """For each medium that is given, the only task that makes text of it and needs nothing else."""
    names = [found[0] for kind in sorted(given & _FILES) if len(found := bridges(tuple(tasks), kind, Kind.TEXT)) == 1]
    return [j for j, t in enumerate(tasks) if t.name in names]


def feasible(chosen: Sequence[int], scores: Floats, tasks: Sequence[HubTask], given: set[Kind]) -> list[int]:
    """The chosen tasks without those that need a kind of file that nothing gives, where files of other kinds are given: what was heard as
    a wish for a recording is one for the video that is there. The likeliest task that can be fed takes their place when none is left.

    Args:
        chosen: positions in `tasks`.
        scores: (t,) logits.
        tasks: the table.
        given: kinds of input that the request brings along.
    """

    def fed(i: int, there: set[Kind]) -> bool:
        return {k for k in takes(tasks[i], content=True) if k in _FILES} <= there

    made = given | {k for j in chosen for k in _given(tasks[j])}
    left = [i for i in chosen if fed(i, made)]
    if left:
        return left if given & _FILES else list(chosen)
    least = -math.inf if given & _FILES else _NEAR
    fitting = [i for i in range(len(tasks)) if fed(i, given) and _needs(tasks[i]) & given and scores[i] > least]
    return [max(fitting, key=lambda i: float(scores[i]))] if fitting else list(chosen)


def wire(chosen: Sequence[int], links: Floats, tasks: Sequence[HubTask], given: set[Kind], decoding: Decoding) -> list[Link]:
    """Links, the best first, without cycles, and only where what the one gives fits what the other takes.

    A further parent, a parent of a kind that another gives already, and a further child cost something. A task that nothing in the
    request can feed takes its best parent of a fitting kind, however unsure: it could not run without.

    Args:
        chosen: positions in `tasks`.
        links: (t, t) logits, from and to.
        tasks: the table.
        given: kinds of the literals in the request.
        decoding: thresholds and costs.
    """
    taken: list[Link] = []

    def reaches(x: int, y: int) -> bool:
        return x == y or any(reaches(b, y) for a, b in taken if a == x)

    def worth(a: int, b: int) -> float:
        parents = [p for p, child in taken if child == b]
        children = sum(p == a for p, _ in taken)
        there = [k for p in parents for k in _given(tasks[p])]
        full = any(there.count(k) >= takes(tasks[b]).count(k) for k in gives(tasks[a]))
        starved = not parents and not set(takes(tasks[b])) & given
        cost = decoding.parent * len(parents) + decoding.full * full + decoding.child * children
        return float(links[a, b]) - cost + decoding.lacking * starved

    fitting = [(a, b) for a in chosen for b in chosen if a != b and set(_given(tasks[a])) & set(takes(tasks[b]))]
    left = list(fitting)
    while left:
        score, a, b = max((worth(a, b), a, b) for a, b in left)
        if score < decoding.link:
            break
        left.remove((a, b))
        if not reaches(b, a):
            taken.append((a, b))
    for b in chosen:
        _feed(b, [p for p in fitting if p[1] == b], taken, links, tasks, given, reaches, decoding.spoken)
    return taken


def _feed(
    b: int,
    fitting: Sequence[Link],
    taken: list[Link],
    links: Floats,
    tasks: Sequence[HubTask],
    given: set[Kind],
    reaches: object,
    spoken: bool,
) -> None:
    """Give a task that lacks a file, or a text to work on, the best parent that makes one."""
    there = {k for a, child in taken if child == b for k in _given(tasks[a])}
    needs = [k for k in takes(tasks[b]) if k is not Kind.TEXT] if spoken else takes(tasks[b], content=True)
    for kind in dict.fromkeys(needs):
        if kind in there or kind in given:
            continue
        parents = [(float(links[a, b]), a) for a, _ in fitting if kind in _given(tasks[a]) and not reaches(b, a)]  # type: ignore[operator]
        if parents:
            taken.append((max(parents)[1], b))
            there.add(kind)


def ordered(chosen: Sequence[int], links: Sequence[Link], places: Floats) -> list[int]:
    """Parents before children; of those that may come next, the one that is spoken of first."""
    left, out = sorted(chosen, key=lambda i: float(places[i])), list[int]()
    while left:
        first = next(i for i in left if not any(b == i and a in left for a, b in links))
        left.remove(first)
        out.append(first)
    return out
