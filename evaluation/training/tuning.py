"""Chooses how scores become a plan, on cases that were not trained on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ...agent.planners.embedded.scoring import Scorer, Scores
from ...agent.planners.embedded.search import Link, choose, complete, feasible, margin, wire
from ...agent.planners.embedded.telling import KINDS, tell
from ...agent.planners.embedded.weights import Decoding, Weights
from ...index.minilm import MiniLM
from ...tools.task import HubTask, Kind, TaskTable
from ..metrics.counts import Counts, of_sets
from .logistic import logistic
from .samples import RUN, Sample

if TYPE_CHECKING:
    from .samples import Floats

_NODES = tuple(round(-1.2 + 0.1 * i, 1) for i in range(22))
_MAKERS = (9.0, 0.5, 0.0, -0.5, -1.0, -1.5, -2.0, -2.5, -3.0, -4.0)
_ALIKE = 0.02  # on some hundred cases less than that is chance
_GRID: dict[str, tuple[Any, ...]] = {
    "link": (-1.5, -1.0, -0.7, -0.4, 0.0, 0.5),
    "parent": (0.0, 0.5, 1.0, 2.0, 3.0),
    "child": (0.0, 0.5, 1.0, 2.0),
    "full": (0.0, 0.5, 1.0, 2.0, 4.0),
    "lacking": (0.0, 1.0, 2.0, 3.0),
}


@dataclass(frozen=True, kw_only=True)
class Tuned:
    """What was chosen, and how it scores on the same cases.

    Attributes:
        decoding: how scores become a plan.
        cases: how many.
        n_f1: micro F1 of tasks, in percent; requests for which nothing is to be run are left out.
        e_f1: micro F1 of the given links, likewise.
        exact: of all cases those with all tasks, links and repetitions right, in percent.
    """

    decoding: Decoding
    cases: int
    n_f1: float
    e_f1: float
    exact: float


@dataclass(frozen=True, kw_only=True)
class _Case:
    sample: Sample
    scores: Scores
    given: set[Kind]


def tune(
    weights: Weights,
    tasks: TaskTable,
    samples: Sequence[Sample],
    encoder: MiniLM,
    start: Decoding,
    on_progress: Callable[[str, int, int], None],
) -> Tuned:
    """The threshold of tasks that gives the most requests with all tasks right, or, where that is what a benchmark counts, the best F1 of
    tasks; then, one after the other, what gives the best F1 of links.

    Args:
        weights: trained.
        tasks: the table.
        samples: not trained on.
        encoder: a MiniLM to share.
        start: what is not chosen here stays.
        on_progress: called with a stage, how many are done, and of how many.
    """
    scorer, rows = Scorer(weights, tasks, encoder), list(tasks.values())
    cases: list[_Case] = []
    for i, sample in enumerate(samples, 1):
        given = {k for k, there in zip(KINDS, sample.given, strict=False) if there}
        cases.append(_Case(sample=sample, scores=scorer.score(tell(sample.request)), given=given))
        on_progress("held-out requests", i, len(samples))
    ran = [c for c in cases if c.sample.mode == RUN]
    figure = _f1_of_tasks if start.spoken else _right_tasks
    best = replace(start, node=_middle({n: figure(ran, rows, replace(start, node=n)) for n in _NODES}))
    best = replace(best, maker=_middle({m: figure(ran, rows, replace(best, maker=m)) for m in _MAKERS}))
    chosen = [_chosen(c, rows, best) for c in ran]
    links = [scorer.links(c.scores, which) for c, which in zip(ran, chosen, strict=True)]
    for name, values in _GRID.items():
        best = max((replace(best, **{name: v}) for v in values), key=lambda d: _f1(_links(ran, chosen, links, rows, d)))
    slope, shift = _calibrated([(margin(c.scores.tasks, w), _same_tasks(c, w)) for c, w in zip(ran, chosen, strict=True)])
    return Tuned(
        decoding=replace(best, slope=slope, shift=shift),
        cases=len(cases),
        n_f1=round(100 * _f1(_tasks(ran, rows, best)), 2),
        e_f1=round(100 * _f1(_links(ran, chosen, links, rows, best)), 2),
        exact=round(100 * sum(_right(c, scorer, rows, best) for c in cases) / max(1, len(cases)), 1),
    )


def _f1_of_tasks(cases: Sequence[_Case], rows: Sequence[HubTask], decoding: Decoding) -> float:
    return _f1(_tasks(cases, rows, decoding))


def _right_tasks(cases: Sequence[_Case], rows: Sequence[HubTask], decoding: Decoding) -> float:
    return sum(_same_tasks(c, _chosen(c, rows, decoding)) for c in cases) / max(1, len(cases))


def _middle(figures: Mapping[float, float]) -> float:
    """The middle one of the values that are about as good as the best: on few cases the best one is so by chance."""
    best = max(figures.values(), default=0.0)
    good = sorted(value for value, figure in figures.items() if figure >= best - _ALIKE)
    return good[len(good) // 2]


def _same_tasks(case: _Case, which: Sequence[int]) -> bool:
    return set(which) == set(case.sample.tasks.nonzero()[0].tolist())


def _calibrated(choices: Sequence[tuple[float, bool]]) -> tuple[float, float]:
    """Slope and shift of the curve that tells from a margin how often the choice was right."""
    import numpy as np

    features = np.array([[m, 1.0] for m, _ in choices], np.float32).reshape(-1, 2)
    slope, shift = logistic(features, np.array([ok for _, ok in choices], np.float32))
    return round(float(slope), 3), round(float(shift), 3)


def _right(case: _Case, scorer: Scorer, rows: Sequence[HubTask], decoding: Decoding) -> bool:
    mode = RUN if decoding.spoken else int(case.scores.mode.argmax())
    if mode != RUN or case.sample.mode != RUN:
        return (mode == RUN) == (case.sample.mode == RUN)
    which = _chosen(case, rows, decoding)
    links = wire(which, scorer.links(case.scores, which), rows, case.given, decoding)
    twice = {i for i in which if case.scores.twice[i] > decoding.twice}
    labelled = ({i for i, y in enumerate(case.sample.tasks) if y}, {i for i, y in enumerate(case.sample.twice) if y})
    return (set(which), twice) == labelled and set(links) == set(case.sample.links)


def _f1(counts: Iterable[Counts]) -> float:
    above, below = sum(counts, Counts()).f1
    return above / below if below else 0.0


def _chosen(case: _Case, rows: Sequence[HubTask], decoding: Decoding) -> list[int]:
    chosen = feasible(choose(case.scores.tasks, decoding), case.scores.tasks, rows, case.given)
    return complete(chosen, case.scores.tasks, rows, case.given, decoding)


def _tasks(cases: Sequence[_Case], rows: Sequence[HubTask], decoding: Decoding) -> Iterable[Counts]:
    for case in cases:
        yield of_sets((i for i, y in enumerate(case.sample.tasks) if y), _chosen(case, rows, decoding))


def _links(
    cases: Sequence[_Case], chosen: Sequence[list[int]], links: Sequence[Floats], rows: Sequence[HubTask], decoding: Decoding
) -> Iterable[Counts]:
    for case, which, scored in zip(cases, chosen, links, strict=True):
        found: list[Link] = wire(which, scored, rows, case.given, decoding)
        yield of_sets(case.sample.links, found)
