"""Places in line: how many calls run at once, and what becomes of those that nobody waits for."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError
from typing import Any

import pytest

from langchain_hugginggpt.index.errors import ExpertError
from langchain_hugginggpt.tools.runners.workers import Abandoned, Job, Workers, check_abandoned


class Gate:
    """A call that waits until it is let go, and tells that it runs."""

    def __init__(self) -> None:
        self.running = threading.Event()
        self.open = threading.Event()
        self.left = threading.Event()
        self.abandoned = False

    def __call__(self, _: Job[Any]) -> str:
        self.running.set()
        self.open.wait(30)
        try:
            check_abandoned()
        except Abandoned:
            self.abandoned = True
            raise
        finally:
            self.left.set()
        return "done"


@pytest.fixture
def gates() -> Iterator[list[Gate]]:
    made = [Gate() for _ in range(4)]
    yield made
    for gate in made:
        gate.open.set()


def test_no_more_calls_run_than_there_are_places_and_the_others_follow(gates: list[Gate]) -> None:
    workers = Workers(2)
    jobs = [workers.submit(g) for g in gates]
    assert gates[0].running.wait(10)
    assert gates[1].running.wait(10)
    assert not gates[2].running.is_set()
    gates[0].open.set()
    assert jobs[0].future.result(10) == "done"
    assert gates[2].running.wait(10)
    assert not gates[3].running.is_set()


def test_a_call_that_is_given_up_loses_its_place_at_once_though_it_never_returns(gates: list[Gate]) -> None:
    workers = Workers(1)
    stuck = workers.submit(gates[0])
    assert gates[0].running.wait(10)
    following = workers.submit(lambda _: "mine")
    stuck.abandon(ExpertError("too slow"))
    with pytest.raises(ExpertError, match="too slow"):
        stuck.future.result(10)
    assert following.future.result(10) == "mine"
    gates[0].open.set()  # the thread comes to its next step, and ends there
    assert gates[0].left.wait(10)
    assert gates[0].abandoned


def test_places_are_not_gained_by_giving_up(gates: list[Gate]) -> None:
    workers = Workers(1)
    stuck = workers.submit(gates[0])
    assert gates[0].running.wait(10)
    stuck.abandon()
    first = workers.submit(gates[1])
    assert gates[1].running.wait(10)
    workers.submit(gates[2])
    gates[0].open.set()  # the old thread must not go on with the line
    assert gates[0].left.wait(10)
    assert not gates[2].running.wait(0.2)
    gates[1].open.set()
    assert first.future.result(10) == "done"
    assert gates[2].running.wait(10)


def test_a_call_that_is_given_up_in_line_is_never_begun(gates: list[Gate]) -> None:
    workers = Workers(1)
    first = workers.submit(gates[0])
    assert gates[0].running.wait(10)
    second = workers.submit(gates[1])
    second.abandon()
    gates[0].open.set()
    assert first.future.result(10) == "done"
    assert workers.submit(lambda _: 3).future.result(10) == 3
    assert not gates[1].running.is_set()
    with pytest.raises(CancelledError):
        second.future.result(0)


async def test_cancelling_the_one_who_waits_frees_the_place(gates: list[Gate]) -> None:
    workers = Workers(1)
    job = workers.submit(gates[0])

    async def wait() -> str:
        try:
            return await asyncio.wrap_future(job.future)
        except BaseException:
            job.abandon()
            raise

    waiting = asyncio.create_task(wait())
    await asyncio.to_thread(gates[0].running.wait, 10)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert workers.submit(lambda _: "free").future.result(10) == "free"


def test_what_a_call_raises_is_raised_and_the_place_stays(gates: list[Gate]) -> None:
    workers = Workers(1)

    def fail(_: Job[Any]) -> None:
        raise ZeroDivisionError("oh")

    for _ in range(3):
        with pytest.raises(ZeroDivisionError, match="oh"):
            workers.submit(fail).future.result(10)
    assert workers.submit(lambda _: 1).future.result(10) == 1


def test_a_call_sees_the_context_of_its_caller() -> None:
    name: contextvars.ContextVar[str] = contextvars.ContextVar("name", default="nobody")
    name.set("caller")
    assert Workers(1).submit(lambda _: name.get()).future.result(10) == "caller"


def test_threads_are_used_again() -> None:
    workers = Workers(2)
    names = {workers.submit(lambda _: threading.get_ident()).future.result(10) for _ in range(20)}
    assert len(names) <= 2


def test_a_thousand_calls_from_many_threads_all_end() -> None:
    workers = Workers(3)

    def many() -> None:
        jobs = [workers.submit(lambda _: None) for _ in range(100)]
        for i, job in enumerate(jobs):
            if i % 7 == 0:
                job.abandon()
            else:
                job.future.result(30)

    threads = [threading.Thread(target=many) for _ in range(10)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
    assert not any(t.is_alive() for t in threads)
    assert workers.submit(lambda _: "still").future.result(10) == "still"
