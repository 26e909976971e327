"""Several experts asked the same, side by side; one that fails is replaced by the next candidate."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...index.errors import CallerError, ExpertError, HuggingGPTError
from ..errors import InputError
from ..experts import Candidate
from ..runners.runner import RunnerOutput
from ..runners.workers import Workers
from ..task import HubTask

MOST = 16
"""So many experts are asked side by side at most."""


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

    Args:
        task: the task.
        inputs: as runners take them.
        candidates: best first; of several with one model the first is asked.
        seats: how many outputs are wanted, at least 1.
        check: raises ExpertError where an output is no good.
    """

    def __init__(
        self,
        task: HubTask,
        inputs: Mapping[str, Any],
        candidates: Sequence[Candidate],
        *,
        seats: int,
        check: Callable[[RunnerOutput], object],
    ) -> None:
        self._task = task
        self._inputs = inputs
        different: dict[str, Candidate] = {}
        for candidate in candidates:
            different.setdefault(candidate.card.id, candidate)
        self._order = {model: n for n, model in enumerate(different)}
        self._waiting = list(reversed(different.values()))
        self._seats = min(seats, len(self._waiting))
        self._check = check
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
        """Ask them in threads, and wait for all."""
        jobs = [workers.submit(lambda _: self._sit()) for _ in range(self._seats)]
        try:
            for job in jobs:
                job.future.result()
        except BaseException:
            for job in jobs:
                job.abandon()
            raise

    async def aask(self) -> None:
        """The same without blocking the event loop."""
        import asyncio

        async with asyncio.TaskGroup() as group:
            for _ in range(self._seats):
                group.create_task(self._asit())

    def _sit(self) -> None:
        while (candidate := self._next()) is not None:
            began = time.perf_counter()
            try:
                output = candidate.runner.run(self._task, candidate.card, self._inputs)
                self._check(output)
            except Exception as e:
                self._add(Failure(candidate=candidate, seconds=time.perf_counter() - began, error=_failure(e)))
            else:
                self._add(Answer(candidate=candidate, seconds=time.perf_counter() - began, output=output))
                return

    async def _asit(self) -> None:
        import asyncio

        while (candidate := self._next()) is not None:
            began = time.perf_counter()
            try:
                output = await candidate.runner.arun(self._task, candidate.card, self._inputs)
                await asyncio.to_thread(self._check, output)
            except Exception as e:
                self._add(Failure(candidate=candidate, seconds=time.perf_counter() - began, error=_failure(e)))
            else:
                self._add(Answer(candidate=candidate, seconds=time.perf_counter() - began, output=output))
                return

    def _next(self) -> Candidate | None:
        with self._lock:
            return self._waiting.pop() if self._waiting else None

    def _add(self, tried: Answer | Failure) -> None:
        with self._lock:
            self._tries.append(tried)
            if isinstance(tried, Failure) and isinstance(tried.error, CallerError):  # the input is at fault: others would fail as well
                self._waiting.clear()

    def _sorted(self) -> list[Answer | Failure]:
        return sorted(self._tries, key=lambda t: self._order[t.candidate.card.id])


def _failure(error: Exception) -> HuggingGPTError:
    return error if isinstance(error, HuggingGPTError) else ExpertError(f"{type(error).__name__}: {error}")
