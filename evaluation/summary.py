"""Figures of a run, read from its records in one pass."""

from __future__ import annotations

import heapq
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .bootstrap import Ratio, RatiosOfSums, percentile_interval, weights
from .metrics.counts import Counts, of_sets
from .metrics.table import metric
from .record import Record

ALL = "all"
NOTHING = "(nothing)"
_SHOWN = 60  # cases that a report shows
_HISTOGRAM = 24


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One metric over some cases.

    Attributes:
        value: in the metric's own unit (percentages as 0..1); None when no case counts for it.
        interval: 95 % bootstrap interval; None for fewer than two cases, and where all cases agree.
        n: how many cases count for it.
    """

    value: float | None
    interval: tuple[float, float] | None
    n: int


@dataclass(frozen=True, kw_only=True)
class Group:
    """Cases that share something, e.g. their type.

    Attributes:
        n: how many.
        figures: by metric key.
    """

    n: int
    figures: Mapping[str, Figure]


@dataclass(frozen=True, kw_only=True)
class Latency:
    """Seconds a case.

    Attributes:
        p50, p95: quantiles.
        edges: borders of the histogram's bins, one more than `counts`; spaced evenly in the logarithm.
        counts: cases in each bin.
    """

    p50: float
    p95: float
    edges: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What a run shows.

    Attributes:
        kind: `planning`, `selection` or `agent`.
        primary: key of the metric that tells good cases from bad ones.
        overall: over every case.
        gains: by key of a baseline's figure, `NAME/filtered.r5`: how far what was evaluated is above it, with the interval of the paired
            difference. It tells more than two intervals that overlap.
        groups: `{"type": {"chain": Group, …}, …}`, the values in the order of their size or number.
        tasks: counts by task, compared as sets in each case; the commonest label first.
        confusion: `(labelled, came instead)` to a number of cases; `(nothing)` on either side.
        latency: None when nothing was timed.
        errors: why nothing came out, with how often.
        usage: tokens by chat model.
        worst: records with the lowest primary metric, worst first; at most 60.
    """

    kind: str
    primary: str
    overall: Group
    gains: Mapping[str, Figure]
    groups: Mapping[str, Mapping[str, Group]]
    tasks: Mapping[str, Counts]
    confusion: Mapping[tuple[str, str], float]
    latency: Latency | None
    errors: Mapping[str, int]
    usage: Mapping[str, Mapping[str, int]]
    worst: tuple[Record, ...]

    def told(self, key: str) -> float | None:
        """An overall figure as it stands in JSON (percentages as 0..100); None when there is none."""
        figure = self.overall.figures.get(key)
        return metric(key).told(figure.value) if figure else None

    def latency_json(self) -> dict[str, float] | None:
        """`{"p50", "p95"}` in milliseconds, or None."""
        if self.latency is None:
            return None
        return {"p50": round(self.latency.p50 * 1000, 3), "p95": round(self.latency.p95 * 1000, 3)}


def block(group: Group, name: str) -> dict[str, float | None]:
    """The figures of one block as JSON: `block(group, "official")` is `{"n_f1": 81.5, …}`."""
    found: dict[str, float | None] = {}
    for key, figure in group.figures.items():
        head, _, tail = key.rpartition(".")
        if head == name:
            found[tail] = metric(key).told(figure.value)
    return found


def intervals(group: Group) -> dict[str, list[float | None]]:
    """95 % intervals of every figure as JSON: `{"official.n_f1": [79.8, 83.1]}`."""
    return {k: [metric(k).told(end) for end in f.interval] for k, f in group.figures.items() if f.interval}


def gains_json(gains: Mapping[str, Figure]) -> dict[str, dict[str, Any]]:
    """`{"minilm/filtered.r1": {"gain": 3.1, "interval": [0.4, 5.8]}}`."""
    return {
        k: {"gain": metric(k).told(f.value), "interval": [metric(k).told(end) for end in f.interval] if f.interval else None}
        for k, f in gains.items()
    }


def _group(sums: RatiosOfSums) -> Group:
    return Group(n=sums.cases, figures={k: Figure(value=r.value, interval=r.interval, n=r.n) for k, r in sums.ratios().items()})


def _gains(ratios: Mapping[str, Ratio]) -> dict[str, Figure]:
    """What was evaluated, less each baseline."""
    found = {}
    for key, baseline in ratios.items():
        own = ratios.get(key.partition("/")[2])
        if own is not None and own.value is not None and baseline.value is not None:
            interval = percentile_interval(own.resampled - baseline.resampled) if baseline.n > 1 else None
            found[key] = Figure(value=own.value - baseline.value, interval=interval, n=baseline.n)
    return found


def summarise(kind: str, records: Iterable[Record], *, primary: str) -> Summary:
    """Read every record once. Memory grows with the groups and by eight bytes a case, not with the cases' content.

    Args:
        kind: what was evaluated.
        records: each case once, in any order: the figures do not depend on it.
        primary: key of the metric by which `worst` is chosen.
    """
    overall, groups = RatiosOfSums(), dict[str, dict[str, RatiosOfSums]]()
    tasks: dict[str, Counts] = {}
    confusion: Counter[tuple[str, str]] = Counter()
    errors: Counter[str] = Counter()
    usage: dict[str, Counter[str]] = {}
    seconds = array("d")
    worst: list[tuple[float, str, int, Record]] = []
    for position, record in enumerate(records):
        weight = weights(record.id)
        overall.add(record.scores, weight)
        for name, value in record.groups.items():
            groups.setdefault(name, {}).setdefault(value, RatiosOfSums()).add(record.scores, weight)
        _count_tasks(record, tasks, confusion)
        if record.error:
            errors[record.error[:160]] += 1
        for model, tokens in record.usage.items():
            usage.setdefault(model, Counter()).update(tokens)
        if record.seconds is not None:
            seconds.append(record.seconds)
        above, below = record.scores.get(primary, (0.0, 0.0))
        if below and above < below:
            # lowest first; ties by id, so that the same cases are shown whatever the order
            _keep(worst, (-above / below, record.id, position, record))
    return Summary(
        kind=kind,
        primary=primary,
        overall=_group(overall),
        gains=_gains(overall.ratios()),
        groups={name: {v: _group(by[v]) for v in _ordered(by)} for name, by in groups.items()},
        tasks=dict(sorted(tasks.items(), key=lambda i: (-(i[1].tp + i[1].fn), -i[1].fp, i[0]))),
        confusion=dict(confusion),
        latency=_latency(seconds),
        errors=dict(errors.most_common(20)),
        usage={m: dict(c) for m, c in sorted(usage.items())},
        worst=tuple(r for *_, r in sorted(worst, key=lambda w: (-w[0], w[1]))),
    )


def _keep(worst: list[tuple[float, str, int, Record]], entry: tuple[float, str, int, Record]) -> None:
    if len(worst) < _SHOWN:
        heapq.heappush(worst, entry)
    else:
        heapq.heappushpop(worst, entry)


def _count_tasks(record: Record, tasks: dict[str, Counts], confusion: Counter[tuple[str, str]]) -> None:
    gold, predicted = set(record.gold), set(record.predicted)
    if not gold:
        return
    for task in gold | predicted:
        tasks[task] = tasks.get(task, Counts()) + of_sets({task} & gold, {task} & predicted)
    for task in gold & predicted:
        confusion[task, task] += 1
    missed, extra = sorted(gold - predicted), sorted(predicted - gold)
    for task in missed:
        for other in extra or [NOTHING]:
            confusion[task, other] += 1
    if not missed:
        for other in extra:
            confusion[NOTHING, other] += 1


def _ordered(groups: Mapping[str, RatiosOfSums]) -> list[str]:
    if all(v.isdecimal() for v in groups):
        return sorted(groups, key=int)
    return sorted(groups, key=lambda v: (-groups[v].cases, v))


def _latency(seconds: array[float]) -> Latency | None:
    if not seconds:
        return None
    values = np.maximum(np.frombuffer(seconds), 1e-6)
    low, high = float(values.min()), float(values.max())
    edges = np.geomspace(low, max(high, low * 1.5), _HISTOGRAM + 1)
    edges[-1] = max(edges[-1], high)
    counts, _ = np.histogram(values, bins=edges)
    p50, p95 = (float(q) for q in np.quantile(values, (0.5, 0.95)))
    return Latency(p50=p50, p95=p95, edges=tuple(map(float, edges)), counts=tuple(int(c) for c in counts))
