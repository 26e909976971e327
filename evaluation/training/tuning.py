"""Chooses how scores become a plan, on cases that were not trained on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...agent.planners.trained.literals import literals
from ...agent.planners.trained.scoring import Scorer, Scores
from ...agent.planners.trained.search import choose, wire
from ...agent.planners.trained.weights import Decoding, TrainedWeights
from ...index.minilm import MiniLM
from ...tools.task import HubTask, Kind, TaskTable
from ..metrics.counts import Counts, of_sets
from .samples import Sample

if TYPE_CHECKING:
    from .samples import Floats

_NODES = tuple(round(-1.2 + 0.1 * i, 1) for i in range(19))
_GRID = {
    "link": (-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0),
    "parent": (0.0, 0.5, 1.0, 2.0, 3.0),
    "child": (0.0, 0.5, 1.0, 2.0),
    "full": (0.0, 0.5, 1.0, 2.0, 4.0),
    "lacking": (0.0, 1.0, 2.0, 3.0),
}


@dataclass(frozen=True, kw_only=True)
class Tuned:
    """What was chosen, and the micro F1 of tasks and of given links with it, in percent, on the same cases."""

    decoding: Decoding
    n_f1: float
    e_f1: float


@dataclass(frozen=True, kw_only=True)
class _Case:
    sample: Sample
    scores: Scores
    given: set[Kind]


def tune(
    weights: TrainedWeights, tasks: TaskTable, samples: Sequence[Sample], encoder: MiniLM, on_progress: Callable[[str, int, int], None]
) -> Tuned:
    """The threshold of tasks that gives the best F1 of tasks; then, one after the other, what gives the best F1 of links."""
    scorer, rows = Scorer(weights, tasks, encoder), list(tasks.values())
    cases: list[_Case] = []
    for i, sample in enumerate(samples, 1):
        request = sample.case.request
        if request is not None:
            found = literals(request.text, request.files)
            cases.append(_Case(sample=sample, scores=scorer.score(request.text, found), given={x.kind for x in found}))
        on_progress("held-out requests", i, len(samples))
    best = max((replace(Decoding(), node=n) for n in _NODES), key=lambda d: _f1(_tasks(cases, d)))
    chosen = [choose(c.scores.tasks, best) for c in cases]
    links = [scorer.links(c.scores, which) for c, which in zip(cases, chosen, strict=True)]
    for name, values in _GRID.items():
        best = max((replace(best, **{name: v}) for v in values), key=lambda d: _f1(_links(cases, chosen, links, rows, d)))
    return Tuned(
        decoding=best,
        n_f1=round(100 * _f1(_tasks(cases, best)), 2),
        e_f1=round(100 * _f1(_links(cases, chosen, links, rows, best)), 2),
    )


def _f1(counts: Iterable[Counts]) -> float:
    above, below = sum(counts, Counts()).f1
    return above / below if below else 0.0


def _tasks(cases: Sequence[_Case], decoding: Decoding) -> Iterable[Counts]:
    for case in cases:
        yield of_sets((i for i, y in enumerate(case.sample.tasks) if y), choose(case.scores.tasks, decoding))


def _links(
    cases: Sequence[_Case], chosen: Sequence[list[int]], links: Sequence[Floats], rows: Sequence[HubTask], decoding: Decoding
) -> Iterable[Counts]:
    for case, which, scored in zip(cases, chosen, links, strict=True):
        labelled = {(int(a), int(b)) for a, b in zip(*case.sample.links.nonzero(), strict=True)}
        yield of_sets(labelled, wire(which, scored, rows, case.given, decoding))
