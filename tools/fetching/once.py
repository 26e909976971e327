"""Work that is done once for a key, however many threads ask for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import Generic, TypeVar

Result = TypeVar("Result")


class Once(Generic[Result]):
    """Remembers results by key.

    Args:
        holds: whether a result is still good; one that is not is made again.
        most: how many results are remembered; the oldest goes first.
    """

    def __init__(self, *, holds: Callable[[Result], bool], most: int = 1_000) -> None:
        self._holds = holds
        self._most = most
        self._futures: dict[str, Future[Result]] = {}
        self._lock = threading.Lock()

    def get(self, key: str, work: Callable[[], Result]) -> Result:
        """The result for a key. Where it is not there, `work` makes it in the calling thread, or is waited for where another thread
        does it. What it raises is raised to all who wait, and not remembered."""
        while True:
            future, is_mine = self._claimed(key)
            if is_mine:
                return self._done(key, future, work)
            try:
                return future.result()
            except CancelledError:  # the thread that worked was interrupted; this one was not
                continue

    def _claimed(self, key: str) -> tuple[Future[Result], bool]:
        with self._lock:
            future = self._futures.get(key)
            if future is not None and (not future.done() or (future.exception() is None and self._holds(future.result()))):
                return future, False
            self._futures.pop(key, None)
            future = self._futures[key] = Future()
            while len(self._futures) > self._most:
                del self._futures[next(iter(self._futures))]
            return future, True

    def _done(self, key: str, future: Future[Result], work: Callable[[], Result]) -> Result:
        try:
            result = work()
        except BaseException as e:
            with self._lock:
                if self._futures.get(key) is future:
                    del self._futures[key]
            if isinstance(e, Exception):
                future.set_exception(e)
            else:
                future.cancel()
            raise
        future.set_result(result)
        return result
