"""Plans that run while they are written: the graph with a planner that grows its plan."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.store.memory import InMemoryStore

from langchain_hugginggpt.agent import ChatModelError, HuggingGPT, Plan, PlanError, PlannedTask, Reply, Request, Trace
from langchain_hugginggpt.agent.planners.planner import GrowingPlanner
from langchain_hugginggpt.index.errors import HuggingGPTError
from langchain_hugginggpt.tools import TaskTable
from tests.agent.plans import plan, ref, task
from tests.agent.stubs import StubRunner, toolkit

ONE = task("1", "translation", text="hello")
TWO = task("2", "summarization", text=ref("1"))
BROKEN = ChatModelError("The connection broke.", remedy="Try again.")

Step = PlannedTask | asyncio.Event | Exception | Plan


class Growing:
    """A `GrowingPlanner` that goes through a script: plans a task, waits for an event, raises an error, or gives its whole plan."""

    def __init__(self, *script: Step) -> None:
        self._script = script
        self.closed = 0

    def plan(self, request: Request, tasks: TaskTable) -> Plan:
        return Plan(tasks=tuple(s for s in self._script if isinstance(s, PlannedTask)))

    async def aplan(self, request: Request, tasks: TaskTable) -> Plan:
        return self.plan(request, tasks)

    async def astream(self, request: Request, tasks: TaskTable) -> AsyncIterator[PlannedTask]:
        for planned in self.plan(request, tasks).tasks:
            yield planned

    async def agrow(self, request: Request, tasks: TaskTable) -> AsyncIterator[Plan]:
        made: list[PlannedTask] = []
        try:
            for step in self._script:
                if isinstance(step, asyncio.Event):
                    await asyncio.wait_for(step.wait(), 10)
                elif isinstance(step, Exception):
                    raise step
                elif isinstance(step, Plan):
                    yield step
                else:
                    made.append(step)
                    yield Plan(tasks=tuple(made))
        finally:
            self.closed += 1


class Silent:
    """A responder that must not be asked."""

    def stream(self, request: Request, trace: Trace, runnable: Sequence[str] = ()) -> Iterator[str]:
        raise AssertionError("asked for a reply")

    async def astream(self, request: Request, trace: Trace, runnable: Sequence[str] = ()) -> AsyncIterator[str]:
        raise AssertionError("asked for a reply")
        yield ""


def agent(*script: Step, runner: StubRunner | None = None, **kwargs: Any) -> HuggingGPT:
    return HuggingGPT(toolkit=toolkit(runner), planner=Growing(*script), **kwargs)


async def watch(one: HuggingGPT, on: Callable[[Any], None] = lambda event: None) -> tuple[list[str], Reply]:
    """What happened, shortened, and the reply."""
    seen: list[str] = []
    async for step in one.awatch("x"):
        if isinstance(step, Reply):
            return seen, step
        on(step)
        if step["type"] == "plan":
            seen.append(f"plan {'whole' if step['whole'] else 'broken' if step['error'] else 'grows'} {len(step['plan'])}")
        elif step["type"] != "reply":
            seen.append(f"{step['type']} {step['task_id'] if step['type'] == 'task_start' else step['result']['task_id']}")
    raise AssertionError("no reply")


def test_the_stub_is_a_growing_planner() -> None:
    planner: GrowingPlanner = Growing()
    assert isinstance(planner, GrowingPlanner)


async def test_a_task_runs_while_the_plan_is_written() -> None:
    ended = asyncio.Event()

    def on(event: Any) -> None:
        if event["type"] == "task_end":
            ended.set()

    seen, reply = await watch(agent(ONE, ended, TWO), on)  # the second task is not planned before the first has run
    assert seen == ["plan grows 1", "task_start 1", "task_end 1", "plan grows 2", "plan whole 2", "task_start 2", "task_end 2"]
    assert "summarization(translation(hello))" in reply.text
    assert reply.trace.complete


async def test_repairs_and_doubts_of_the_whole_plan_are_kept() -> None:
    whole = Plan(tasks=(ONE, TWO), repairs=("the port was read otherwise",), confidence=0.5)
    seen, reply = await watch(agent(ONE, whole))
    assert [s for s in seen if s.startswith("plan")] == ["plan grows 1", "plan grows 2", "plan whole 2"]
    assert reply.trace.plan == whole


async def test_what_ran_is_kept_when_the_plan_breaks_off() -> None:
    seen, reply = await watch(agent(ONE, task("3", "translation", text="more"), BROKEN, responder=Silent()))
    assert seen[:3] == ["plan grows 1", "plan grows 2", "plan broken 2"]
    assert sorted(seen[3:]) == ["task_end 1", "task_end 3", "task_start 1", "task_start 3"]
    assert [r.status for r in reply.trace.results] == ["ok", "ok"]
    assert "translation(hello)" in reply.text
    assert "The plan broke off, and nothing besides this was run: The connection broke." in reply.text
    assert not reply.trace.complete
    assert reply.trace.plan.error == "The connection broke."
    assert Trace.from_json(reply.trace.as_json()) == reply.trace


async def test_a_plan_that_contradicts_itself_in_the_end_keeps_its_results() -> None:
    _, reply = await watch(agent(ONE, PlanError(["the tasks 2, 3 wait for each other"])))
    assert reply.trace.results[0].output == {"text": "translation(hello)"}
    assert "wait for each other" in reply.text


@pytest.mark.parametrize("error", [BROKEN, PlanError(["there is no plan"]), RuntimeError("a bug")])
async def test_an_error_before_any_task_is_raised_as_it_is(error: Exception) -> None:
    with pytest.raises(type(error)) as caught:
        await agent(error).ainvoke("x")
    assert caught.value is error


async def test_a_bug_of_a_planner_is_not_told_as_a_reply() -> None:
    with pytest.raises(RuntimeError, match="a bug"):
        await agent(ONE, RuntimeError("a bug")).ainvoke("x")


async def test_a_failure_takes_down_what_is_planned_later() -> None:
    ended = asyncio.Event()
    seen: list[Any] = []

    def on(event: Any) -> None:
        seen.append(event)
        if event["type"] == "task_end":
            ended.set()

    _, reply = await watch(agent(task("1", "translation", text="fail"), ended, TWO), on)
    assert [r.status for r in reply.trace.results] == ["failed", "skipped"]


async def test_cancelling_closes_the_planner_and_stops_what_runs() -> None:
    runner = StubRunner()
    one = agent(task("1", "translation", text="sleep 60"), task("2", "translation", text="sleep 60"), asyncio.Event(), runner=runner)
    running = asyncio.create_task(one.ainvoke("x"))
    await asyncio.wait_for(runner.both.wait(), 10)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert runner.cancelled == ["translation", "translation"]
    assert isinstance(one.planner, Growing)
    assert one.planner.closed == 1


async def test_a_watcher_may_leave() -> None:
    one = agent(ONE, asyncio.Event(), TWO)
    async with aclosing(one.awatch("x")) as steps:  # type: ignore[type-var]
        async for step in steps:
            if not isinstance(step, Reply) and step["type"] == "task_end":
                break
    assert isinstance(one.planner, Growing)
    assert one.planner.closed == 1


async def test_small_talk_is_answered_by_the_planners_model() -> None:
    for one in (agent(Plan(answer="You are welcome!"), responder=Silent()), agent(Plan(question="Which?"))):
        seen, reply = await watch(one)
        assert seen == ["plan whole 0"]
        assert reply.text in ("You are welcome!", "Which?")
        assert reply.trace.results == ()


async def test_a_plan_without_tasks_is_left_to_the_responder() -> None:
    seen, reply = await watch(agent())
    assert seen == ["plan whole 0"]
    assert "Here and now I can run" in reply.text


def test_waiting_callers_wait_for_the_whole_plan() -> None:
    one = agent(ONE, TWO)
    assert "summarization(translation(hello))" in one.invoke("x").text
    assert isinstance(one.planner, Growing)
    assert one.planner.closed == 0  # it never streamed


async def test_a_run_that_was_cut_off_does_not_repeat_what_was_done() -> None:
    class CutOnce(Growing):
        cut = True

        async def agrow(self, request: Request, tasks: TaskTable) -> AsyncIterator[Plan]:
            yield plan(ONE)
            if self.cut:
                self.cut = False
                raise RuntimeError("power cut")
            yield plan(ONE, TWO)

    runner = StubRunner()
    one = HuggingGPT(toolkit=toolkit(runner), planner=CutOnce(), checkpointer=InMemorySaver(), store=InMemoryStore())
    config: Any = {"configurable": {"thread_id": "t"}}
    with pytest.raises(RuntimeError, match="power cut"):
        await one.ainvoke("x", config)
    state = await one.graph.ainvoke(None, config)
    assert "summarization(translation(hello))" in state["messages"][-1].text
    assert [name for name, _ in runner.calls] == ["translation", "summarization"]


async def test_errors_of_ours_have_a_message_for_the_trace() -> None:
    _, reply = await watch(agent(ONE, HuggingGPTError("odd", remedy="none")))
    assert reply.trace.as_json()["plan_error"] == "odd"
