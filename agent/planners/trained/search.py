"""Typed search: which links between the chosen tasks, and in which order they run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ....tools.task import HubTask, Kind
from .scoring import flowing
from .weights import Decoding

if TYPE_CHECKING:
    from ....index.minilm import Floats

Link = tuple[int, int]


def takes(task: HubTask) -> tuple[Kind, ...]:
    """The kinds of its required inputs, one for each."""
    return flowing([p for p in task.inputs if p.required])


def gives(task: HubTask) -> tuple[Kind, ...]:
    """The kind of its main output; none for a number."""
    return flowing(task.outputs[:1])


def choose(scores: Floats, decoding: Decoding) -> list[int]:
    """Positions of the tasks above the threshold; of the best one where none is."""
    chosen = [i for i, score in enumerate(scores.tolist()) if score > decoding.node]
    return chosen or [int(scores.argmax())]


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
        there = [k for p in parents for k in gives(tasks[p])]
        full = any(there.count(k) >= takes(tasks[b]).count(k) for k in gives(tasks[a]))
        starved = not parents and not set(takes(tasks[b])) & given
        cost = decoding.parent * len(parents) + decoding.full * full + decoding.child * children
        return float(links[a, b]) - cost + decoding.lacking * starved

    fitting = [(a, b) for a in chosen for b in chosen if a != b and set(gives(tasks[a])) & set(takes(tasks[b]))]
    left = list(fitting)
    while left:
        score, a, b = max((worth(a, b), a, b) for a, b in left)
        if score < decoding.link:
            break
        left.remove((a, b))
        if not reaches(b, a):
            taken.append((a, b))
    for b in chosen:
        _feed(b, [p for p in fitting if p[1] == b], taken, links, tasks, given, reaches)
    return taken


def _feed(
    b: int, fitting: Sequence[Link], taken: list[Link], links: Floats, tasks: Sequence[HubTask], given: set[Kind], reaches: object
) -> None:
    """Give a task that lacks a file the best parent that makes one."""
    there = {k for a, child in taken if child == b for k in gives(tasks[a])}
    for kind in takes(tasks[b]):
        if kind is Kind.TEXT or kind in there or kind in given:
            continue
        parents = [(float(links[a, b]), a) for a, _ in fitting if kind in gives(tasks[a]) and not reaches(b, a)]  # type: ignore[operator]
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
