"""Compares two runs over the same cases: the difference of each figure, with its interval, and the cases that changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..index.problems import Problems
from .bootstrap import Ratio, RatiosOfSums, percentile_interval, weights
from .errors import RunFolderError
from .jsonl import LinesById
from .metrics.table import METRICS, metric
from .record import Record, Score
from .run_folder import RECORDS, RunFolder

SHOWN = 50


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One metric in both runs, over the cases that both have.

    Attributes:
        before, after: the figures, in the metric's own unit.
        difference: after - before; None when one is missing.
        interval: its 95 % interval by the paired bootstrap: both runs are resampled alike. It tells more than two intervals that overlap.
        n: how many cases count for it in both runs.
    """

    before: float | None
    after: float | None
    difference: float | None
    interval: tuple[float, float] | None
    n: int

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.interval is not None and not self.interval[0] <= 0 <= self.interval[1]


@dataclass(frozen=True, kw_only=True)
class Change:
    """A case whose primary figure changed.

    Attributes:
        id: of the case.
        before, after: the primary metric of this case, 0..1.
        predicted_before, predicted_after: tasks that came out.
        gold: labelled tasks.
        text: what was asked.
    """

    id: str
    before: float
    after: float
    predicted_before: tuple[str, ...]
    predicted_after: tuple[str, ...]
    gold: tuple[str, ...]
    text: str

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "id": self.id,
            "before": round(self.before, 4),
            "after": round(self.after, 4),
            "predicted_before": list(self.predicted_before),
            "predicted_after": list(self.predicted_after),
            "gold": list(self.gold),
            "text": self.text,
        }


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two runs side by side.

    Attributes:
        kind: of both.
        names: of both.
        primary: key of the metric by which cases count as changed.
        n: cases that both have.
        only: cases that only the first has, and only the second.
        differing: cases that ask or want something else in the second, under the same id: the runs were made on different data.
        metrics: by key.
        better, worse: how many cases changed for the better, and for the worse.
        changes: the 50 largest, the largest first.
    """

    kind: str
    names: tuple[str, str]
    primary: str
    n: int
    only: tuple[int, int]
    differing: int
    metrics: Mapping[str, Difference]
    better: int
    worse: int
    changes: tuple[Change, ...]

    def as_json(self) -> dict[str, Any]:
        """`{"kind", "a", "b", "n", "only_a", "only_b", "differing", "metrics", "primary", "better", "worse", "changes"}`.

        `metrics` is `{key: {"a", "b", "difference", "interval", "n"}}`.
        """
        told = {}
        for key, d in self.metrics.items():
            m = metric(key)
            told[key] = {
                "a": m.told(d.before),
                "b": m.told(d.after),
                "difference": m.told(d.difference),
                "interval": [m.told(end) for end in d.interval] if d.interval else None,
                "n": d.n,
            }
        return {
            "kind": self.kind,
            "a": self.names[0],
            "b": self.names[1],
            "n": self.n,
            "only_a": self.only[0],
            "only_b": self.only[1],
            "differing": self.differing,
            "metrics": told,
            "primary": self.primary,
            "better": self.better,
            "worse": self.worse,
            "changes": [c.as_json() for c in self.changes],
        }


def compare(a: Path | str, b: Path | str) -> Comparison:
    """Compare the runs in two folders.

    Raises:
        RunFolderError: a folder holds no run, or none that can be read, the runs are of two kinds, or they have no case in common.
        DatasetError: the first folder has no records.
    """
    first, second = RunFolder.open(Path(a)), RunFolder.open(Path(b))
    if first.kind != second.kind:
        raise RunFolderError(f"{str(a)!r} holds a run of {first.kind}, {str(b)!r} one of {second.kind}.", remedy="Compare two of one kind.")
    primary = str(first.run["settings"].get("primary"))
    if primary.rpartition(".")[2] not in METRICS:
        raise RunFolderError(f"The run in {str(a)!r} names no metric that is known: {primary!r:.60}.", remedy="Run the evaluation again.")
    sums = (RatiosOfSums(), RatiosOfSums())
    lower = not metric(primary).higher_is_better
    changes: list[Change] = []
    n = seen_after = differing = better = worse = 0
    lines = LinesById(first.path / RECORDS, Problems())
    for record, old in _pairs(second, lines):
        seen_after += 1
        if old is None:
            continue
        n += 1
        weight = weights(record.id)
        shared = [k for k in record.scores if k in old.scores]
        for into, scores in zip(sums, (old.scores, record.scores), strict=True):
            into.add({k: scores[k] for k in shared}, weight)
        differing += _asked(old) != _asked(record)
        if (change := _change(primary, old, record)) is not None:
            if (change.after < change.before) is lower:
                better += 1
            else:
                worse += 1
            changes = _largest([*changes, change])
    if not n:
        raise RunFolderError(f"{str(a)!r} and {str(b)!r} have no case in common.", remedy="Compare two runs on one data set.")
    earlier, after = (s.ratios() for s in sums)
    return Comparison(
        kind=first.kind,
        names=(str(first.run["settings"].get("name", a)), str(second.run["settings"].get("name", b))),
        primary=primary,
        n=n,
        only=(len(lines) - n, seen_after - n),
        differing=differing,
        metrics={k: _difference(before, after[k]) for k, before in earlier.items()},
        better=better,
        worse=worse,
        changes=tuple(changes),
    )


def _largest(changes: list[Change]) -> list[Change]:
    """At most so many as are shown, so that memory does not grow with the cases."""
    return sorted(changes, key=lambda c: (-abs(c.after - c.before), c.id))[:SHOWN]


def _pairs(second: RunFolder, lines: LinesById) -> Iterator[tuple[Record, Record | None]]:
    for record in second.records():
        line = lines.get(record.id)
        try:
            old = Record.from_json(line) if line is not None else None
        except ValueError:  # as in `RunFolder.records`
            old = None
        yield record, old


def _difference(before: Ratio, after: Ratio) -> Difference:
    there = before.value is not None and after.value is not None
    return Difference(
        before=before.value,
        after=after.value,
        difference=after.value - before.value if before.value is not None and after.value is not None else None,
        interval=percentile_interval(after.resampled - before.resampled) if there and before.n > 1 else None,
        n=before.n,
    )


def _share(score: Score | None) -> float:
    """1 where nothing was wanted and nothing came; 0 without a score."""
    if score is None:
        return 0.0
    return score[0] / score[1] if score[1] else 1.0


def _text(record: Record) -> str:
    return next((str(record.detail[k]) for k in ("request", "query") if k in record.detail), "")


def _asked(record: Record) -> tuple[object, ...]:
    return _text(record), record.gold, record.detail.get("label"), record.detail.get("model")


def _change(primary: str, old: Record, new: Record) -> Change | None:
    before, after = _share(old.scores.get(primary)), _share(new.scores.get(primary))
    if before == after:
        return None
    return Change(
        id=new.id,
        before=before,
        after=after,
        predicted_before=old.predicted,
        predicted_after=new.predicted,
        gold=new.gold,
        text=_text(new)[:400],
    )
