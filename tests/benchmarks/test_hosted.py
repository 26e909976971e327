"""benchmarks/hosted.py: both sides do the same work, and what is slower than the bar is called so."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from benchmarks.hosted import Case, Crowd, ameasured, cases, crowds, measured, sample, waiting
from langchain_hugginggpt.tools import ArtifactStore
from tests.hosted_server import Fault, HostedServer

CASES = cases()


@pytest.fixture
def server() -> Iterator[HostedServer]:
    with HostedServer() as server:
        yield server


@pytest.mark.filterwarnings("ignore:Use 'content=<...>':DeprecationWarning")  # AsyncInferenceClient, of httpx
@pytest.mark.parametrize("case", CASES, ids=lambda c: c.task)
def test_both_sides_send_the_same(server: HostedServer, case: Case) -> None:
    store = ArtifactStore()
    url = server.url(case.task)
    assert measured(case, url, 1, store).pairs == 1
    assert asyncio.run(ameasured(case, url, 1, store)).pairs == 1
    bodies = {call.body for call in server.calls}
    assert len(server.calls) == 16
    if case.files:
        assert len(bodies) == 1  # the file, as it is
    assert len({(c.path, c.headers.get("content-type"), c.headers["authorization"]) for c in server.calls}) == 1


def test_a_call_that_fails_is_no_fast_call(server: HostedServer) -> None:
    case = CASES[0]
    server.faults.extend([Fault(), Fault(status=400, body={"error": "no"})])
    with pytest.raises(AssertionError, match="400"):
        measured(case, server.url(case.task), 1, ArtifactStore())


def test_the_bar_is_five_percent_or_three_milliseconds() -> None:
    def kept(bare: float, over: float) -> bool:
        return sample(CASES[0], "invoke", [bare] * 3, [bare + over] * 3).kept

    assert [kept(0.001, 0.0029), kept(0.001, 0.0031), kept(0.1, 0.0049), kept(0.1, 0.0051)] == [True, False, True, False]
    assert sample(CASES[0], "invoke", [0.001, 0.002, 0.1], [0.002, 0.003, 0.101]).over == pytest.approx(1.0)


def test_a_crowd_is_answered_whole(server: HostedServer) -> None:
    server.replies["fill-mask"] = waiting
    found = crowds(server.url("fill-mask"), 3, rounds=1)
    assert [(c.way, c.callers) for c in found] == [("ainvoke", 3), ("invoke, threads", 3), ("the client alone, threads", 3)]
    assert all(c.took >= c.slowest > 0.2 for c in found)
    assert len(server.calls) == 10


def test_a_crowd_that_stands_in_line_misses_the_bar() -> None:
    crowd = Crowd(way="ainvoke", callers=50, slowest=1.0, took=1.2)
    assert [crowd.row()[-1], replace(crowd, took=1.21).row()[-1]] == ["kept", "MISSED"]
