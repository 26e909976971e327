"""Several experts asked the same, side by side; one that fails is replaced by the next candidate."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import dataclass
from functools import partial
from typing import Any

from ...index.errors import CallerError, ExpertError, HuggingGPTError
from ..errors import InputError
from ..experts import Candidate
from ..runners.runner import RunnerOutput
from ..runners.workers import Job, Workers
from ..task import HubTask

MOST = 16
"""So many experts are asked side by side at most."""

_LEAST, _TIMES = 30.0, 3.0
"""With two answers in, the others have so many seconds in all, or so many times the seconds that the latest answer took."""

_FAREWELL = 1.0
"""Seconds in which a call that is cancelled may clean up."""


def read_patience(patience: Any) -> float | None:
    """Seconds after which a panel is content with one answer; None for no limit.

    Raises:
        InputError: it is not a number above 0.
    """
    if patience is None or (isinstance(patience, int | float) and not isinstance(patience, bool) and patience > 0):
        return patience
    raise InputError(f"'patience' is a number of seconds above 0, not {patience!r:.80}.", remedy="Leave it out to wait for all experts.")


def read_agree(agree: Any) -> int | None:
    """How many experts are asked; None for one.

    Raises:
        InputError: it is not a whole number from 2 to `MOST`.
    """
    if agree is None or (isinstance(agree, int) and not isinstance(agree, bool) and 2 <= agree <= MOST):
        return agree
    raise InputError(
        f"'agree' says how many experts are asked side by side: a whole number from 2 to {MOST}, not {agree!r:.80}.",
        remedy="Leave it out to ask one expert.",
    )


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An expert gave an output that is what its ports promise.

    Attributes:
        candidate: the expert.
        seconds: how long it took.
        output: what it gave.
    """

    candidate: Candidate
    seconds: float
    output: RunnerOutput


@dataclass(frozen=True, kw_only=True)
class Failure:
    """An expert gave no output.

    Attributes:
        candidate: the expert.
        seconds: how long it took.
        error: why.
    """

    candidate: Candidate
    seconds: float
    error: HuggingGPTError


class Panel:
    """So many seats, each of which asks one candidate after the other until one gives an output.

    Those that take much longer than the others are not waited for: with two answers in, a panel ends after 30 s, or three times as long as
    the latest of the answers took; with one in, after `patience`. They are among the failures, and their calls are given up.

    Args:
        task: the task.
        inputs: as runners take them.
        candidates: best first; of several with one model the first is asked, and another where that fails and no other model is left.
        seats: how many outputs are wanted, at least 1.
        check: raises ExpertError where an output is no good.
        patience: seconds after which one answer is enough; None: all are waited for until there are two.
    """

    def __init__(
        self,
        task: HubTask,
        inputs: Mapping[str, Any],
        candidates: Sequence[Candidate],
        *,
        seats: int,
        check: Callable[[RunnerOutput], object],
        patience: float | None = None,
    ) -> None:
        self._task = task
        self._inputs = inputs
        different: dict[str, Candidate] = {}
        self._elsewhere: dict[str, list[Candidate]] = {}  # the same models by other runners, for when the first of them fails
        for candidate in candidates:
            if different.setdefault(candidate.card.id, candidate) is not candidate:
                self._elsewhere.setdefault(candidate.card.id, []).append(candidate)
        self._order = {model: n for n, model in enumerate(different)}
        self._first = list(different.values())[:seats]  # each seat has one before any can fail and clear the line
        self._waiting = list(reversed(list(different.values())[seats:]))
        self._check = check
        self._patience = patience
        self._began = 0.0
        self._latest = 0.0  # seconds until the latest of the answers
        self._over = False
        self._asked: dict[str, tuple[Candidate, float]] = {}
        self._tries: list[Answer | Failure] = []
        self._lock = threading.Lock()

    @property
    def answers(self) -> list[Answer]:
        """Those that gave an output, the best candidate first."""
        return [t for t in self._sorted() if isinstance(t, Answer)]

    @property
    def failures(self) -> list[Failure]:
        """Those that gave no output, the best candidate first."""
        return [t for t in self._sorted() if isinstance(t, Failure)]

    def ask(self, workers: Workers) -> None:
        """Ask them in threads, and wait for them as long as it is worth it."""
        self._began = time.perf_counter()
        jobs = [workers.submit(partial(self._sit, candidate)) for candidate in self._first]
        left = {job.future for job in jobs}
        try:
            while left and (seconds := self._left()) != 0:
                done, left = wait(left, timeout=seconds, return_when=FIRST_COMPLETED)
                for future in done:
                    future.result()
        finally:  # interrupted or not: nobody asks another candidate
            self._end()
            for job in jobs:
                job.abandon()

    async def aask(self) -> None:
        """The same without blocking the event loop."""
        import asyncio

        self._began = time.perf_counter()
        seats = [asyncio.create_task(self._asit(candidate)) for candidate in self._first]
        left = set(seats)
        try:
            while left and (seconds := self._left()) != 0:
                done, left = await asyncio.wait(left, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
                for seat in done:
                    if not seat.cancelled():
                        seat.result()
        finally:
            self._end()
            for seat in left:
                seat.cancel()
            if left:  # a call that does not heed its cancelling is left behind
                await asyncio.wait(left, timeout=_FAREWELL)

    def _sit(self, first: Candidate, job: Job[None]) -> None:
        candidate: Candidate | None = first
        while candidate is not None and not job.abandoned:
            began = self._ask(candidate)
            try:
                output = candidate.runner.run(self._task, candidate.card, self._inputs)
                self._check(output)
            except Exception as e:
                self._add(Failure(candidate=candidate, seconds=time.perf_counter() - began, error=_failure(e)))
            else:
                self._add(Answer(candidate=candidate, seconds=time.perf_counter() - began, output=output))
                return
            candidate = self._next()

    async def _asit(self, first: Candidate) -> None:
        import asyncio

        candidate: Candidate | None = first
        while candidate is not None:
            began = self._ask(candidate)
            try:
                output = await candidate.runner.arun(self._task, candidate.card, self._inputs)
                await asyncio.to_thread(self._check, output)
            except Exception as e:
                self._add(Failure(candidate=candidate, seconds=time.perf_counter() - began, error=_failure(e)))
            else:
                self._add(Answer(candidate=candidate, seconds=time.perf_counter() - began, output=output))
                return
            candidate = self._next()

    def _left(self) -> float | None:
        """Seconds that the others have left, at least 0; None for no limit."""
        with self._lock:
            answers = sum(isinstance(t, Answer) for t in self._tries)
            limits = [self._patience] if answers and self._patience is not None else []
            limits += [max(_LEAST, _TIMES * self._latest)] if answers > 1 else []
            return max(0.0, self._began + min(limits) - time.perf_counter()) if limits else None

    def _ask(self, candidate: Candidate) -> float:
        began = time.perf_counter()
        with self._lock:
            self._asked[candidate.card.id] = (candidate, began)
        return began

    def _next(self) -> Candidate | None:
        with self._lock:
            return self._waiting.pop() if self._waiting else None

    def _add(self, tried: Answer | Failure) -> None:
        with self._lock:
            if self._over:
                return
            self._tries.append(tried)
            del self._asked[tried.candidate.card.id]
            if isinstance(tried, Answer):
                self._latest = time.perf_counter() - self._began
            elif isinstance(tried.error, CallerError):  # the input is at fault: others would fail as well
                self._waiting.clear()
                self._elsewhere.clear()
            elif others := self._elsewhere.get(tried.candidate.card.id):
                self._waiting.insert(0, others.pop(0))  # behind all other models

    def _end(self) -> None:
        """Nobody is asked any more, and those that are still at it have failed."""
        with self._lock:
            self._over = True
            self._waiting.clear()
            now = time.perf_counter()
            for candidate, began in self._asked.values():
                late = ExpertError("it did not answer in time: the others were done", retryable=True)
                self._tries.append(Failure(candidate=candidate, seconds=now - began, error=late))
            self._asked.clear()

    def _sorted(self) -> list[Answer | Failure]:
        return sorted(self._tries, key=lambda t: self._order[t.candidate.card.id])


def _failure(error: Exception) -> HuggingGPTError:
    return error if isinstance(error, HuggingGPTError) else ExpertError(f"{type(error).__name__}: {error}")
