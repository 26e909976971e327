"""Experts side by side: whom a panel waits for, and how it ends."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from typing import Any

import pytest

from langchain_hugginggpt.index import ModelCard
from langchain_hugginggpt.index.errors import CallerError, ExpertError
from langchain_hugginggpt.tools import (
    HUB_TASKS,
    ArtifactStore,
    Experts,
    HubTask,
    HubTaskTool,
    RunnerOutput,
)
from langchain_hugginggpt.tools.consensus import panel
from langchain_hugginggpt.tools.runners.runner import Availability
from langchain_hugginggpt.tools.runners.workers import Workers, check_abandoned, when_abandoned
from tests.fakes import ScriptedRunner
from tests.tools.consensus.asking import NAMES, TASK, experts, label, no_index, run, tried


class Meeting:
    """A runner whose experts end only when so many are inside at the same time."""

    name = "meeting"

    def __init__(self, together: int) -> None:
        self._barrier = threading.Barrier(together)
        self._inside = 0
        self._all = asyncio.Event()
        self._together = together

    def availability(self, task: HubTask, card: ModelCard | None = None) -> Availability:
        return Availability(supported=True, ok=True)

    def run(self, task: HubTask, card: ModelCard, inputs: Mapping[str, Any]) -> RunnerOutput:
        self._barrier.wait(timeout=30)
        return RunnerOutput(values=label("dog"))

    async def arun(self, task: HubTask, card: ModelCard, inputs: Mapping[str, Any]) -> RunnerOutput:
        self._inside += 1
        if self._inside == self._together:
            self._all.set()
        async with asyncio.timeout(30):
            await self._all.wait()
        return RunnerOutput(values=label("dog"))


def test_experts_run_side_by_side() -> None:
    for how in ("invoke", "ainvoke"):
        runner = Meeting(4)
        tool = HubTaskTool(HUB_TASKS[TASK], experts=Experts(no_index, [runner]), store=ArtifactStore())
        call = {"type": "tool_call", "id": "1", "name": TASK, "args": {"text": "x", "agree": 4, "candidates": experts(runner, *NAMES)}}
        message = tool.invoke(call) if how == "invoke" else asyncio.run(tool.ainvoke(call))
        assert len(message.artifact["agreement"]["experts"]) == 4


async def test_giving_up_ends_all_experts() -> None:
    begun, ended = [asyncio.Event() for _ in range(3)], []

    class Endless(Meeting):
        async def arun(self, task: HubTask, card: ModelCard, inputs: Mapping[str, Any]) -> RunnerOutput:
            begun[NAMES.index(card.id.removeprefix("lab/"))].set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(card.id)
            raise AssertionError

    runner = Endless(1)
    tool = HubTaskTool(HUB_TASKS[TASK], experts=Experts(no_index, [runner]), store=ArtifactStore())
    call = {"type": "tool_call", "id": "1", "name": TASK, "args": {"text": "x", "agree": 3, "candidates": experts(runner, *NAMES)}}
    running = asyncio.create_task(tool.ainvoke(call))
    for event in begun:
        await event.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert sorted(ended) == ["lab/first", "lab/second", "lab/third"]


class Stuck:
    """A runner some of whose experts never answer, but end when nobody waits for them any more."""

    name = "stuck"

    def __init__(self, *stuck: str) -> None:
        self.stuck = stuck
        self.given_up: list[str] = []
        self.all_given_up = threading.Event()

    def availability(self, task: HubTask, card: ModelCard | None = None) -> Availability:
        return Availability(supported=True, ok=True)

    def run(self, task: HubTask, card: ModelCard, inputs: Mapping[str, Any]) -> RunnerOutput:
        if card.id.removeprefix("lab/") in self.stuck:
            over = threading.Event()
            with when_abandoned(over.set):
                check_abandoned()
                assert over.wait(timeout=30)
            self._gave_up(card)
            check_abandoned()
        return RunnerOutput(values=label("dog"))

    async def arun(self, task: HubTask, card: ModelCard, inputs: Mapping[str, Any]) -> RunnerOutput:
        if card.id.removeprefix("lab/") in self.stuck:
            try:
                await asyncio.Event().wait()
            finally:
                self._gave_up(card)
        return RunnerOutput(values=label("dog"))

    def _gave_up(self, card: ModelCard) -> None:
        self.given_up.append(card.id)
        if len(self.given_up) == len(self.stuck):
            self.all_given_up.set()


@pytest.mark.parametrize("how", ["invoke", "ainvoke"])
@pytest.mark.parametrize(
    ("stuck", "more", "left"),
    [(("second",), {}, ["lab/first", "lab/third"]), (("first", "third"), {"patience": 0.05}, ["lab/second"])],
    ids=["two of three answer", "one of three answers"],
)
def test_experts_that_take_far_too_long_are_left_behind(
    how: str, stuck: tuple[str, ...], more: dict[str, Any], left: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(panel, "_LEAST", 0.05)
    runner = Stuck(*stuck)
    tool = HubTaskTool(HUB_TASKS[TASK], experts=Experts(no_index, [runner]), store=ArtifactStore())
    arguments = {"text": "x", "agree": 3, "candidates": experts(runner, *NAMES[:3]), **more}
    call = {"type": "tool_call", "id": "1", "name": TASK, "args": arguments}
    message = tool.invoke(call) if how == "invoke" else asyncio.run(tool.ainvoke(call))
    assert message.artifact["output"] == label("dog")
    late = {f"lab/{n}": "it did not answer in time: the others were done" for n in stuck}
    assert {a["model"]: a["error"] for a in message.artifact["attempts"]} == {**late, **dict.fromkeys(left)}
    if len(left) > 1:
        assert list(message.artifact["agreement"]["experts"]) == left
        assert message.artifact["agreement"]["failures"] == late
    else:
        assert message.artifact["notes"][0] == f"nobody could be asked to agree with {left[0]}: the others failed"
    assert runner.all_given_up.wait(timeout=30)


def test_impatience_does_not_end_a_panel_that_has_no_answer() -> None:
    message = run({"first": ExpertError("no"), "second": label("dog")}, agree=2, patience=1e-9)
    assert message.artifact["output"] == label("dog")


@pytest.mark.parametrize("bad", [0, -1.0, "long", True, float("nan")], ids=repr)
def test_a_patience_that_makes_no_sense_is_refused(bad: Any) -> None:
    message = run({"first": label("dog")}, patience=bad)
    assert (message.artifact["status"], tried(message)) == ("failed", [])
    assert "a number of seconds above 0" in str(message.content)


def test_an_interrupted_panel_asks_nobody_else() -> None:
    begun, second, threads, asked = threading.Event(), threading.Event(), dict[str, threading.Thread](), list[str]()

    class Interrupted(Stuck):
        def run(self, task: HubTask, card: ModelCard, inputs: Mapping[str, Any]) -> RunnerOutput:
            asked.append(card.id)
            threads[card.id] = threading.current_thread()
            if card.id == "lab/first":
                assert begun.wait(timeout=30)
                raise KeyboardInterrupt
            begun.set()
            assert second.wait(timeout=30)
            raise ExpertError("it broke")

    runner = Interrupted()
    made = panel.Panel(HUB_TASKS[TASK], {}, experts(runner, *NAMES), seats=2, check=lambda _: None)
    with pytest.raises(KeyboardInterrupt):
        made.ask(Workers(2))
    second.set()
    threads["lab/second"].join(timeout=30)  # it has lost its place, and ends; the other one rests
    assert not threads["lab/second"].is_alive()
    assert sorted(asked) == ["lab/first", "lab/second"]


async def test_a_cancelled_panel_asks_nobody_else_though_its_experts_make_a_failure_of_it() -> None:
    begun, asked = asyncio.Event(), list[str]()

    class Stubborn(Stuck):
        async def arun(self, task: HubTask, card: ModelCard, inputs: Mapping[str, Any]) -> RunnerOutput:
            asked.append(card.id)
            if len(asked) == 2:
                begun.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError as e:
                raise ExpertError("the connection was closed") from e
            raise AssertionError

    runner = Stubborn()
    made = panel.Panel(HUB_TASKS[TASK], {}, experts(runner, *NAMES), seats=2, check=lambda _: None)
    running = asyncio.create_task(made.aask())
    await begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert asked == ["lab/first", "lab/second"]


def test_each_seat_has_its_first_candidate_before_any_can_fail() -> None:
    runner = ScriptedRunner({"lab/first": CallerError("too long for me"), "lab/second": label("cat"), "lab/third": label("never asked")})
    made = panel.Panel(HUB_TASKS[TASK], {"text": "x"}, experts(runner, *NAMES[:3]), seats=2, check=lambda _: None)
    made.ask(Workers(1))  # the second seat begins when the first has ended
    assert [a.candidate.card.id for a in made.answers] == ["lab/second"]
    assert len(runner.asked) == 2
