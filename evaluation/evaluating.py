"""One evaluation from cases to figures: the same for planning, selection and whole runs."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from ..index.problems import Problems
from .errors import DatasetError, RunFolderError
from .record import Record
from .run_folder import RunFolder
from .running import Case, arun, limited, unique
from .summary import Summary, intervals, summarise

C = TypeVar("C", bound=Case)
SUMMARY = "summary.json"


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How a run goes.

    Attributes:
        out: folder for records and reports; None keeps nothing.
        limit: only so many cases, the first ones; None for all. A run may be resumed with another limit.
        workers: cases at a time. Seconds a case are honest with 1 only, where the thing that is measured uses the processor.
        resume: go on with the run that `out` holds.
        on_start: called once, with how many cases an earlier run has finished, e.g. to show progress.
        on_record: called with each record after it was written.
    """

    out: Path | None = None
    limit: int | None = None
    workers: int = 1
    resume: bool = False
    on_start: Callable[[int], None] | None = None
    on_record: Callable[[Record], None] | None = None

    def check(self) -> None:
        """Refuse a folder that holds a run, unless that shall be resumed. Raises RunFolderError."""
        if self.out is not None:
            RunFolder(self.out).check(resume=self.resume)


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What an evaluation gave.

    Attributes:
        name: what was evaluated on what, for people.
        summary: the figures.
        problems: what could not be used.
        seconds: how long this call took; cases of an earlier, resumed run are not in it.
        notes: what a reader must know to judge the figures.
        folder: where the records are, or None.
    """

    name: str
    summary: Summary
    problems: Problems
    seconds: float
    notes: tuple[str, ...] = ()
    folder: Path | None = None

    @property
    def n(self) -> int:
        """How many cases have a record."""
        return self.summary.overall.n

    def figure(self, key: str) -> float | None:
        """An overall figure, e.g. `figure("official.n_f1")`: percentages as 0..100; None when no case counts for it."""
        return self.summary.told(key)

    def common_json(self) -> dict[str, Any]:
        """What the JSON of every kind holds: `intervals, latency_ms, errors, usage, problems, notes, seconds, out`."""
        return {
            "intervals": intervals(self.summary.overall),
            "latency_ms": self.summary.latency_json(),
            "errors": dict(self.summary.errors),
            "usage": {m: dict(u) for m, u in self.summary.usage.items()},
            "problems": self.problems.as_json(),
            "notes": list(self.notes),
            "seconds": round(self.seconds, 3),
            "out": str(self.folder) if self.folder else None,
        }


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is evaluated, and on what.

    Attributes:
        kind: `planning`, `selection` or `agent`.
        name: for people, e.g. `embedded planner on taskbench/dev.jsonl`.
        settings: what must be the same for a run to be resumed: data, planner, model … (plain JSON).
        primary: key of the metric that tells good cases from bad ones.
        notes: what a reader must know to judge the figures.
    """

    kind: str
    name: str
    settings: Mapping[str, Any]
    primary: str
    notes: tuple[str, ...] = field(default=())


async def aevaluate(
    subject: Subject,
    cases: Callable[[Problems], Iterator[C]],
    judge: Callable[[C], Awaitable[Record]],
    options: RunOptions,
) -> Evaluation:
    """Judge every case, keep the records, and add them up.

    Raises:
        DatasetError: there is no case at all; nothing was written.
        RunFolderError: the folder holds another run, or cannot be written.
        RefusedError: a remote side failed every one of the first cases.
    """
    if options.out is None:
        with tempfile.TemporaryDirectory(prefix="hugginggpt-") as folder:
            return await _evaluate(subject, cases, judge, options, RunFolder(Path(folder)))
    return await _evaluate(subject, cases, judge, options, RunFolder(options.out))


async def _evaluate(
    subject: Subject,
    cases: Callable[[Problems], Iterator[C]],
    judge: Callable[[C], Awaitable[Record]],
    options: RunOptions,
    folder: RunFolder,
) -> Evaluation:
    began = time.perf_counter()
    problems = Problems()
    wanted = limited(unique(cases(problems), problems), options.limit)
    first = next(wanted, None)
    if first is None:  # before the folder is touched, so that nothing stands in the way of another try
        raise DatasetError(f"There is no case that can be used for {subject.name}.", remedy=_found(problems))
    settings = {"name": subject.name, "primary": subject.primary, **subject.settings}
    await asyncio.to_thread(folder.begin, subject.kind, settings, resume=options.resume)
    if options.limit is not None and len(folder.finished) > options.limit:
        folder.close()
        raise RunFolderError(
            f"{str(folder.path)!r} holds {len(folder.finished)} cases already; {options.limit} would be fewer.",
            remedy="Leave the limit out, or raise it; nothing was changed.",
        )
    try:
        if options.on_start is not None:
            options.on_start(len(folder.finished))
        await arun(chain((first,), wanted), judge, folder, workers=options.workers, on_record=options.on_record)
    finally:
        folder.close()
    summary = await asyncio.to_thread(summarise, subject.kind, folder.records(), primary=subject.primary)
    return Evaluation(
        name=subject.name,
        summary=summary,
        problems=problems,
        seconds=time.perf_counter() - began,
        notes=subject.notes,
        folder=folder.path if options.out is not None else None,
    )


def _found(problems: Problems) -> str:
    found = "; ".join(f"{n} × {kind}" for kind, n in problems.counts.most_common(3))
    return f"What was found: {found}." if found else "It is empty."


def write_summary(folder: Path, data: Mapping[str, Any]) -> None:
    """Write `summary.json` whole or not at all."""
    RunFolder(folder).write(SUMMARY, json.dumps(data, indent=1, ensure_ascii=False))
