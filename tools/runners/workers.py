"""Threads for calls that block: so many at once on a device, each freed the moment its caller gives up."""

from __future__ import annotations

import contextvars
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager
from typing import Generic, TypeVar

from ...index.errors import HuggingGPTError
from .forks import in_each_child

Result = TypeVar("Result")
_IDLE_SECONDS = 60.0
_current: contextvars.ContextVar[Job[object] | None] = contextvars.ContextVar("hugginggpt_job", default=None)


class Abandoned(BaseException):
    """Raised inside a call that nobody waits for any more. No `except Exception` of a library catches it."""


def check_abandoned() -> None:
    """Leave the call that runs in this thread if nobody waits for it any more: models call this before each of their steps.

    Raises:
        Abandoned: its caller has given up.
    """
    check_for_this_call()()


def check_for_this_call() -> Callable[[], None]:
    """`check_abandoned` for the call that runs in this thread, to be called from any other: a library's threads know nothing of it."""
    job = _current.get()

    def check() -> None:
        if job is not None and job.abandoned:
            raise Abandoned

    return check


@contextmanager
def when_abandoned(call: Callable[[], None]) -> Iterator[None]:
    """Within it, `call` is called, by the thread that gives up, as soon as nobody waits for the call that runs in this thread any more."""
    job = _current.get()
    if job is None:
        yield
        return
    before, job.on_abandon = job.on_abandon, call
    try:
        yield
    finally:
        job.on_abandon = before


class Job(Generic[Result]):
    """One call, waiting in line, running or done.

    Attributes:
        future: its outcome. It is set at once when the call is abandoned, though the thread may go on for a while.
        abandoned: nobody waits for it any more.
        done: it has ended, and its future is set.
        on_abandon: called when it is abandoned while it runs, if set.
    """

    def __init__(self, work: Callable[[Job[Result]], Result], workers: Workers) -> None:
        self.future: Future[Result] = Future()
        self.abandoned = False
        self.done = False
        self.on_abandon: Callable[[], None] | None = None
        self._work = work
        self._workers = workers
        self._context = contextvars.copy_context()

    def abandon(self, error: HuggingGPTError | None = None) -> None:
        """Give up: a waiting call is not begun, a running one loses its place and ends at its next step.

        Args:
            error: what the future raises; default: it is cancelled.
        """
        self._workers._abandon(self, error)

    def run(self) -> None:
        """Run it in this thread and set the future, unless the caller has given up."""
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            result = self._context.run(self._call)
        except BaseException as e:
            if self._workers._finished(self):
                self.future.set_exception(e)
            return
        if self._workers._finished(self):
            self.future.set_result(result)

    def _call(self) -> Result:
        _current.set(self)  # type: ignore[arg-type]  # a job of something is a job of an object
        return self._work(self)


class Workers:
    """Runs calls in daemon threads of its own: neither the event loop nor `asyncio.to_thread` is held up, and a call that never returns
    keeps neither its caller nor the process. A process that is forked begins anew: calls of its parent go on there alone.

    Args:
        places: how many calls run at once; the others wait in line.
        name: of the threads.
    """

    def __init__(self, places: int = 2, *, name: str = "expert") -> None:
        self._places = places
        self._name = name
        self._begin()
        in_each_child(self._begin)

    def _begin(self) -> None:
        self._changed = threading.Condition()
        self._line: deque[Job[object]] = deque()
        self._running: set[Job[object]] = set()
        self._threads = 0  # that run a call which somebody waits for, or wait for one
        self._resting = 0

    def submit(self, work: Callable[[Job[Result]], Result]) -> Job[Result]:
        """Put a call in line. It is given its own job."""
        job = Job(work, self)
        with self._changed:
            self._line.append(job)  # type: ignore[arg-type]
            if self._resting >= len(self._line):
                self._changed.notify()
            else:
                self._add_thread()
        return job

    def _add_thread(self) -> None:
        if self._threads < self._places:
            self._threads += 1
            threading.Thread(target=self._serve, name=self._name, daemon=True).start()

    def _serve(self) -> None:
        while (job := self._next()) is not None:
            job.run()
            with self._changed:
                if job not in self._running:  # abandoned: this thread lost its place to another
                    return
                self._running.remove(job)
            del job

    def _next(self) -> Job[object] | None:
        with self._changed:
            while True:
                while self._line:
                    job = self._line.popleft()
                    if not job.abandoned:
                        self._running.add(job)
                        return job
                self._resting += 1
                called = self._changed.wait(_IDLE_SECONDS)
                self._resting -= 1
                if not called and not self._line:
                    self._threads -= 1
                    return None

    def _finished(self, job: Job[Result]) -> bool:
        """Whether the outcome of a call that has ended is still wanted."""
        with self._changed:
            job.done = not job.abandoned
            return job.done

    def _abandon(self, job: Job[Result], error: HuggingGPTError | None) -> None:
        with self._changed:
            if job.abandoned or job.done:
                return
            job.abandoned = True
            running = job in self._running
            if running:
                self._running.remove(job)  # type: ignore[arg-type]
                self._threads -= 1
                if self._line:
                    self._add_thread()
        if not job.future.cancel():  # it runs
            job.future.set_exception(error or CancelledError())
        call = job.on_abandon
        if running and call is not None:
            call()
