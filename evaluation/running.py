"""Runs the cases of a data set, some at a time, and writes a record of each as it finishes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Protocol, TypeVar

from ..index.errors import CallerError
from ..index.problems import Problems
from .errors import RefusedError
from .record import Record
from .run_folder import RunFolder

REFUSALS = 5
"""So many first cases refused by a remote side, and none that was not: the run is stopped, since the rest would be refused as well."""


class Case(Protocol):
    """What a data set consists of."""

    @property
    def id(self) -> str:
        """Unique in the data set."""


C = TypeVar("C", bound=Case)


async def arun(
    cases: Iterable[C],
    judge: Callable[[C], Awaitable[Record]],
    folder: RunFolder,
    *,
    workers: int = 1,
    on_record: Callable[[Record], None] | None = None,
) -> None:
    """Judge each case that has no record yet; `workers` at a time in one event loop.

    Cases are taken from the iterator as workers become free, so that memory does not grow with their number.

    Args:
        cases: the cases.
        judge: gives the record of a case. It turns what may go wrong with a case into a record; what it raises ends the run.
        folder: begun; every record is in it before the next case is taken.
        workers: how many cases at once, at least 1.
        on_record: called with each record after it was written.

    Raises:
        RefusedError: a remote side refused the first five cases and answered none; or refused all of a run that has fewer.
        CallerError: fewer than one worker.
    """
    if workers < 1:
        raise CallerError(f"There must be at least 1 worker, not {workers}.")
    waiting = (case for case in cases if case.id not in folder.finished)
    first: list[Record] = []
    answered = False
    begun_anew = not folder.finished

    async def work() -> None:
        nonlocal answered
        for case in waiting:
            record = await judge(case)
            folder.append(record)
            answered = answered or not record.again
            if not answered:
                first.append(record)
                if len(first) >= REFUSALS:
                    raise _refused(first)
            if on_record is not None:
                on_record(record)
            await asyncio.sleep(0)  # a judge that never waits would keep the loop to itself, and Ctrl-C out

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(work())
    except ExceptionGroup as e:
        raise e.exceptions[0] from None
    if first and not answered and begun_anew:
        raise _refused(first)


def _refused(records: Sequence[Record]) -> RefusedError:
    which = f"The first {len(records)} cases all" if len(records) > 1 else "The only case"
    return RefusedError(f"{which} failed: {records[-1].error}", remedy="See to it, then try again.")


def limited(cases: Iterable[C], limit: int | None) -> Iterator[C]:
    """The first cases, in the data set's order; all of them without a limit."""
    return islice(cases, limit)


def unique(cases: Iterable[C], problems: Problems) -> Iterator[C]:
    """The cases, each id once: the first holds, the others are noted."""
    seen: set[str] = set()
    for case in cases:
        if case.id in seen:
            problems.add("id occurs twice (the first holds)", case.id)
        else:
            seen.add(case.id)
            yield case
