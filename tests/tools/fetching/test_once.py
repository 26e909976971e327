"""Work that is done once for a key."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait

import pytest

from langchain_hugginggpt.tools.fetching.once import Once


def test_results_are_remembered_by_key() -> None:
    once, done = Once[str](holds=lambda _: True), []

    def work(key: str) -> str:
        done.append(key)
        return key.upper()

    assert [once.get(k, lambda k=k: work(k)) for k in "abab"] == ["A", "B", "A", "B"]  # type: ignore[misc]
    assert done == ["a", "b"]


def test_what_holds_no_more_is_made_again() -> None:
    good = {1}
    once = Once[int](holds=good.__contains__)
    assert [once.get("a", lambda: 1), once.get("a", lambda: 2)] == [1, 1]
    good.clear()
    assert [once.get("a", lambda: 3), once.get("a", lambda: 4)] == [3, 4]


def test_the_oldest_is_forgotten() -> None:
    once = Once[int](holds=lambda _: True, most=2)
    assert [once.get(k, lambda n=n: n) for n, k in enumerate("abcab")] == [0, 1, 2, 3, 4]  # type: ignore[misc]
    assert once.get("b", lambda: 9) == 4


def test_many_threads_wait_for_one() -> None:
    once, begun, go = Once[int](holds=lambda _: True), threading.Event(), threading.Event()

    def slow() -> int:
        begun.set()
        assert go.wait(5)
        return 1

    with ThreadPoolExecutor(4) as threads:
        first = threads.submit(once.get, "a", slow)
        assert begun.wait(5)
        others = [threads.submit(once.get, "a", lambda: pytest.fail("it is being done")) for _ in range(3)]
        go.set()
        assert [f.result(5) for f in [first, *others]] == [1] * 4


def test_an_error_is_told_and_not_remembered() -> None:
    once = Once[int](holds=lambda _: True)

    def fail() -> int:
        raise ValueError("broken")

    for _ in range(2):
        with pytest.raises(ValueError, match="broken"):
            once.get("a", fail)
    assert once.get("a", lambda: 1) == 1


def test_an_interrupt_is_only_for_the_thread_that_it_meets() -> None:
    once, begun, go = Once[int](holds=lambda _: True), threading.Event(), threading.Event()

    def interrupted() -> int:
        begun.set()
        assert go.wait(5)
        raise KeyboardInterrupt

    with ThreadPoolExecutor(2) as threads:
        first: Future[int] = threads.submit(once.get, "a", interrupted)
        assert begun.wait(5)
        second = threads.submit(once.get, "a", lambda: 2)
        go.set()
        wait([first, second], 5)
        assert isinstance(first.exception(), KeyboardInterrupt)
        assert second.result() == 2
