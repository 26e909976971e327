"""Cases at a time, lazily; and a remote side that refuses everything."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from langchain_hugginggpt.evaluation import Problems, Record, RefusedError
from langchain_hugginggpt.evaluation.run_folder import RunFolder
from langchain_hugginggpt.evaluation.running import arun, limited, unique
from langchain_hugginggpt.index.errors import CallerError


@dataclass(frozen=True)
class Numbered:
    id: str


def cases(n: int) -> Iterator[Numbered]:
    return (Numbered(str(i)) for i in range(n))


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[RunFolder]:
    made = RunFolder(tmp_path)
    made.begin("planning", {}, resume=False)
    yield made
    made.close()


async def test_each_case_once_and_as_many_at_a_time_as_asked(folder: RunFolder) -> None:
    running = most = taken = 0
    waiting = asyncio.Semaphore(0)

    async def judge(case: Numbered) -> Record:
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == 4:
            for _ in range(20):
                waiting.release()
        await waiting.acquire()
        running -= 1
        return Record(id=case.id)

    def counted() -> Iterator[Numbered]:
        nonlocal taken
        for case in cases(20):
            taken += 1
            assert taken - len(folder.finished) <= 4  # the next is taken when a worker is free
            yield case

    seen: list[str] = []
    await arun(counted(), judge, folder, workers=4, on_record=lambda r: seen.append(r.id))
    assert most == 4
    assert sorted(seen, key=int) == [str(i) for i in range(20)]
    assert sorted((r.id for r in folder.records()), key=int) == [str(i) for i in range(20)]


async def test_finished_cases_are_passed_over(folder: RunFolder) -> None:
    folder.append(Record(id="1"))
    judged: list[str] = []

    async def judge(case: Numbered) -> Record:
        judged.append(case.id)
        return Record(id=case.id)

    await arun(cases(3), judge, folder)
    assert judged == ["0", "2"]


async def test_a_judge_that_never_waits_can_be_stopped(folder: RunFolder) -> None:
    async def judge(case: Numbered) -> Record:
        return Record(id=case.id)

    running = asyncio.create_task(arun(cases(100_000), judge, folder))
    await asyncio.sleep(0.02)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert 0 < len(folder.finished) < 100_000


async def test_five_refusals_at_the_start_stop_the_run(folder: RunFolder) -> None:
    async def refused(case: Numbered) -> Record:
        return Record(id=case.id, error="401: wrong key", again=True)

    with pytest.raises(RefusedError, match="The first 5 cases all failed: 401: wrong key See to it, then try again"):
        await arun(cases(1000), refused, folder, workers=2)
    assert len(folder.finished) <= 6


async def test_refusals_later_on_do_not(folder: RunFolder) -> None:
    async def judge(case: Numbered) -> Record:
        return Record(id=case.id, error="busy", again=case.id != "2")

    await arun(cases(30), judge, folder)
    assert len(folder.finished) == 30


async def test_what_a_judge_raises_ends_the_run_and_keeps_the_records(folder: RunFolder) -> None:
    async def judge(case: Numbered) -> Record:
        if case.id == "3":
            raise ZeroDivisionError("a fault")
        return Record(id=case.id)

    with pytest.raises(ZeroDivisionError, match="a fault"):
        await arun(cases(9), judge, folder)
    assert folder.finished == {"0", "1", "2"}
    with pytest.raises(CallerError, match="at least 1 worker, not 0"):
        await arun(cases(9), judge, folder, workers=0)


def test_limits_and_ids_that_come_twice() -> None:
    problems = Problems()
    found = limited(unique(iter([Numbered("a"), Numbered("a"), Numbered("b"), Numbered("c")]), problems), 2)
    assert [c.id for c in found] == ["a", "b"]
    assert problems.as_json() == {"id occurs twice (the first holds)": {"count": 1, "places": ["a"]}}
    assert Problems.from_json(problems.as_json()) == problems


def test_problems_list_the_first_places_and_count_the_rest() -> None:
    problems = Problems()
    for i in range(100):
        problems.add("line is not JSON", f"a.jsonl:{i}" + "x" * 500)
    assert problems.counts["line is not JSON"] == 100
    assert len(problems.places["line is not JSON"]) == 20
    assert len(problems.places["line is not JSON"][0]) == 200


async def test_when_all_of_a_few_are_refused_the_run_has_failed(folder: RunFolder) -> None:
    async def refused(case: Numbered) -> Record:
        return Record(id=case.id, error="503: away", again=True)

    with pytest.raises(RefusedError, match="The only case failed: 503: away"):
        await arun(cases(1), refused, folder)
