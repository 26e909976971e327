"""A runner that calls another one again where that may help."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tenacity import AsyncRetrying, RetryCallState, Retrying

from ...index.errors import ExpertError, HuggingGPTError
from .runner import Availability, Runner, RunnerOutput, Try

if TYPE_CHECKING:
    from ...index.card import ModelCard
    from ..task import HubTask


def _up_to(seconds: float) -> float:
    return random.uniform(0.0, seconds)  # noqa: S311  # spreads calls, guards nothing


class RetryingRunner:
    """Calls a runner again after an ExpertError that says `retryable`, and after no other error.

    Before call n + 1 it waits a random time from 0 to `first_wait` · 2ⁿ⁻¹ seconds ("full jitter"), so that many callers do not come
    back all at once; after an error with `retry_after` it waits that long and the random time on top. The error goes up at once, so
    that the next candidate may try, where `retry_after` is more than `longest_wait`, and where one more call that took as long as the
    last one would end later than `patience` seconds after the first began: a local model that had its full time and did not end is
    not given the same again.

    The calls that failed are in the `tries` of the output or of the error, each with its own seconds, without the waiting.

    Args:
        runner: any runner.
        attempts: calls at most, the first included; 1 or more.
        first_wait: seconds, 0 or more.
        longest_wait: seconds that it waits at most at once, apart from the random time after a `retry_after`; 0 or more.
        patience: seconds for all calls and waits together; a call that runs is not ended by it.
        jitter: draws the random time, given the most seconds it may be.
        wait: how `run` waits so many seconds.
        await_wait: how `arun` does.
        clock: seconds, from any zero.

    Raises:
        ValueError: `attempts` is less than 1, or a number of seconds is negative.
    """

    def __init__(
        self,
        runner: Runner,
        *,
        attempts: int = 4,
        first_wait: float = 0.5,
        longest_wait: float = 20.0,
        patience: float = 60.0,
        jitter: Callable[[float], float] = _up_to,
        wait: Callable[[float], None] = time.sleep,
        await_wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if attempts < 1:
            raise ValueError(f"attempts must be 1 or more, not {attempts}")
        for name, seconds in (("first_wait", first_wait), ("longest_wait", longest_wait), ("patience", patience)):
            if not seconds >= 0:
                raise ValueError(f"{name} must be 0 or more seconds, not {seconds}")
        self.runner = runner
        self.attempts = attempts
        self.first_wait = first_wait
        self.longest_wait = longest_wait
        self.patience = patience
        self.jitter = jitter
        self.clock = clock
        self._wait = wait
        self._await_wait = await_wait

    @property
    def name(self) -> str:
        """Of the runner that is called."""
        return self.runner.name

    def availability(self, task: HubTask, card: ModelCard | None = None) -> Availability:
        """What the runner that is called says."""
        return self.runner.availability(task, card)

    def run(self, task: HubTask, card: ModelCard, inputs: Mapping[str, Any]) -> RunnerOutput:
        """Run it and wait, for the waits between calls as well. Raises what the last call raised."""
        calls = _Calls(self)

        def call() -> RunnerOutput:
            calls.begin()
            return self.runner.run(task, card, inputs)

        again = Retrying(
            sleep=self._wait, retry=calls.may_help, wait=calls.seconds_to_wait, stop=calls.enough, before_sleep=calls.note, reraise=True
        )
        try:
            return calls.answer(again(call))
        except HuggingGPTError as e:
            calls.tell(e)
            raise

    async def arun(self, task: HubTask, card: ModelCard, inputs: Mapping[str, Any]) -> RunnerOutput:
        """The same without blocking the event loop; a caller that is cancelled is so at once, in a wait too."""
        calls = _Calls(self)

        async def call() -> RunnerOutput:
            calls.begin()
            return await self.runner.arun(task, card, inputs)

        again = AsyncRetrying(
            sleep=self._await_wait,
            retry=calls.may_help,
            wait=calls.seconds_to_wait,
            stop=calls.enough,
            before_sleep=calls.note,
            reraise=True,
        )
        try:
            return calls.answer(await again(call))
        except HuggingGPTError as e:
            calls.tell(e)
            raise


class _Calls:
    """The calls that one `run` makes: which failed, whether one more may help, and when. Its methods are what tenacity asks."""

    def __init__(self, settings: RetryingRunner) -> None:
        self._settings = settings
        self._first = self._begun = settings.clock()
        self._seconds = 0.0  # that the last call took
        self._tries: tuple[Try, ...] = ()

    def begin(self) -> None:
        self._begun = self._settings.clock()

    def may_help(self, state: RetryCallState) -> bool:
        self._seconds = self._settings.clock() - self._begun
        error = _error(state)
        return isinstance(error, ExpertError) and error.retryable

    def seconds_to_wait(self, state: RetryCallState) -> float:
        of = self._settings
        doubled = of.first_wait * 2.0 ** min(state.attempt_number - 1, 60)  # a float ends at 2**1023
        return _asked_for(state) + of.jitter(min(doubled, of.longest_wait))

    def enough(self, state: RetryCallState) -> bool:
        of = self._settings
        if state.attempt_number >= of.attempts or not _asked_for(state) <= of.longest_wait:
            return True
        return self._begun - self._first + 2 * self._seconds + state.upcoming_sleep > of.patience

    def note(self, state: RetryCallState) -> None:
        """One more call failed and is followed by another; where its runner had called several times itself, those come first."""
        error = _error(state)
        before = error.tries if isinstance(error, HuggingGPTError) else ()
        self._tries += (*before, (max(0.0, self._seconds - sum(s for s, _ in before)), str(error)))

    def answer(self, output: RunnerOutput) -> RunnerOutput:
        return replace(output, tries=(*self._tries, *output.tries)) if self._tries else output

    def tell(self, error: HuggingGPTError) -> None:
        error.tries = (*self._tries, *error.tries)


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome is not None else None


def _asked_for(state: RetryCallState) -> float:
    """Seconds that the other side wants to be left alone; 0 where it does not say."""
    error = _error(state)
    given = error.retry_after if isinstance(error, ExpertError) else None
    return 0.0 if given is None or given < 0 else given
