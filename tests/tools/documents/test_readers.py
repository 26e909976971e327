from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from langchain_hugginggpt.tools.documents import readers
from langchain_hugginggpt.tools.documents.readers import BrokenError, Reader, Readers, SlowError
from langchain_hugginggpt.tools.runners.workers import Job, Workers
from tests.tools.documents.files import text_pdf
from tests.tools.documents.test_pdf import bomb

HOURS = 10_000.0


@pytest.fixture
def good(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "good \udcff.pdf").write_bytes(text_pdf([["Hello"]]))
    return {"do": "text", "path": str(tmp_path / "good \udcff.pdf"), "first": 1, "last": 9, "most": 100}


@pytest.fixture
def bad(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "bad.pdf").write_bytes(bomb())
    return {"do": "picture", "path": str(tmp_path / "bad.pdf"), "page": 1}


def started(pool: Readers) -> list[Reader]:
    return list(pool._started)


def test_a_process_is_used_again_and_replaced_when_it_has_ended(good: dict[str, Any], bad: dict[str, Any]) -> None:
    pool = Readers()
    assert pool.ask(good, seconds=HOURS)[0]["texts"] == ["Hello"]
    [first] = started(pool)
    assert pool.ask(good, seconds=HOURS)[0]["lacks"] == [""]
    assert started(pool) == [first]
    with pytest.raises(SlowError):
        pool.ask(bad, seconds=0.2)
    assert (started(pool), first.is_alive) == ([], False)
    pool.ask(good, seconds=HOURS)
    [second] = started(pool)
    second._process.kill()
    second._process.wait()
    assert pool.ask(good, seconds=HOURS)[0]["texts"] == ["Hello"]
    assert second not in started(pool)


def test_a_process_that_fails_as_a_whole(bad: dict[str, Any]) -> None:
    pool = Readers()
    killer = threading.Thread(target=lambda: busy(pool)._process.kill())
    killer.start()
    with pytest.raises(BrokenError):
        pool.ask(bad, seconds=HOURS)
    killer.join()


def busy(pool: Readers) -> Reader:
    """The reader that works on something, once there is one."""
    while True:
        if found := [r for r in started(pool) if r not in pool._idle]:
            return found[0]
        os.sched_yield()


def test_a_file_that_takes_long_keeps_no_other_waiting(good: dict[str, Any], bad: dict[str, Any]) -> None:
    pool = Readers(2)
    workers = Workers(1)

    def work(_: Job[object]) -> object:
        return pool.ask(bad, seconds=HOURS)

    job = workers.submit(work)
    slow = busy(pool)
    assert pool.ask(good, seconds=HOURS)[0]["texts"] == ["Hello"]
    assert slow.is_alive
    job.abandon()
    slow._process.wait(60)  # giving up ends it
    assert pool.ask(good, seconds=HOURS)[0]["texts"] == ["Hello"]


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="no such signals here")
def test_an_interrupt_ends_the_process(bad: dict[str, Any], good: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    pool = Readers()
    main = threading.get_ident()
    seen: list[Reader] = []
    waits = threading.Event()
    read = Reader._read

    def reading(reader: Reader, size: int) -> bytes:
        waits.set()
        return read(reader, size)

    def interrupt() -> None:
        waits.wait()
        seen.append(busy(pool))
        signal.pthread_kill(main, signal.SIGINT)

    monkeypatch.setattr(Reader, "_read", reading)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        pool.ask(bad, seconds=HOURS)
    thread.join()
    assert seen[0]._process.returncode is not None
    assert pool.ask(good, seconds=HOURS)[0]["texts"] == ["Hello"]


def test_a_late_end_of_a_request_does_not_end_the_next(good: dict[str, Any]) -> None:
    reader = Reader()
    reader.ask(good, seconds=HOURS)
    reader._kill(0)
    assert reader.is_alive
    reader._kill(1)
    assert not reader.is_alive
    reader.end()


def test_all_processes_end_with_their_pool(good: dict[str, Any], bad: dict[str, Any]) -> None:
    pool = Readers()
    workers = Workers(2)

    def work(_: Job[object]) -> object:
        return pool.ask(bad, seconds=HOURS)

    jobs = [workers.submit(work) for _ in range(2)]
    while len(started(pool)) < 2:
        os.sched_yield()
    ended = started(pool)
    pool._end()  # as when the program ends
    assert [r._process.returncode is None for r in ended] == [False, False]
    for job in jobs:
        with pytest.raises(BrokenError):
            job.future.result(60)
    idle = Readers()
    idle.ask(good, seconds=HOURS)
    [reader] = started(idle)
    del idle
    assert reader._process.returncode is not None


def test_a_fork_starts_processes_of_its_own(good: dict[str, Any]) -> None:
    pool = Readers()
    pool.ask(good, seconds=HOURS)
    [reader] = started(pool)
    pool._begin_anew()
    pool.ask(good, seconds=HOURS)
    assert reader not in started(pool)
    reader.end()


def test_a_reply_that_is_too_large_is_not_taken(good: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "_MOST", 5)
    with pytest.raises(BrokenError):
        Readers().ask(good, seconds=HOURS)


def test_an_odd_request_is_told_and_the_process_goes_on(good: dict[str, Any]) -> None:
    pool = Readers()
    assert pool.ask({**good, "do": "no such thing"}, seconds=HOURS)[0]["fault"] == "damaged"
    assert pool.ask({**good, "path": "/nowhere.pdf"}, seconds=HOURS)[0]["fault"] == "gone"
    assert pool.ask(good, seconds=HOURS)[0]["texts"] == ["Hello"]
