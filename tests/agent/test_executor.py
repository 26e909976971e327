from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from langchain_core.tools import tool

from langchain_hugginggpt.agent import Executor, Plan, PlanError, Request, TaskResult
from langchain_hugginggpt.tools import ArtifactStore, DeclaredTool, HubTask, Kind, Port
from tests.agent.plans import plan, ref, task
from tests.agent.stubs import StubRunner, toolkit


async def run(made: Plan, runner: StubRunner | None = None, **kwargs: Any) -> dict[str, TaskResult]:
    timeout = kwargs.pop("timeout", 30.0)
    concurrency = kwargs.pop("concurrency", None)
    executor = Executor(toolkit(runner, **kwargs.pop("toolkit", {})), timeout=timeout, concurrency=concurrency)
    request = kwargs.pop("request", Request(text="x"))
    return {r.task_id: r for r in await executor.arun(made, request, **kwargs)}


async def test_outputs_flow_along_references() -> None:
    results = await run(plan(task("1", "translation", text="hello"), task("2", "summarization", text=ref("1", "text"))))
    assert results["2"].output == {"summary": "summarization(translation(hello))"}
    assert results["1"].model is not None
    assert results["1"].model.startswith("stub/translation-")
    assert results["1"].runner == "stub"


async def test_one_output_feeds_a_port_that_takes_a_list() -> None:
    made = plan(task("1", "translation", text="a"), task("2", "sentence-similarity", source_sentence="b", sentences=ref("1")))
    assert (await run(made))["2"].status == "ok"


async def test_labels_feed_a_text_port_as_text() -> None:
    results = await run(plan(task("1", "text-classification", text="a"), task("2", "text-to-speech", text=ref("1"))))
    assert results["2"].status == "ok"
    assert results["2"].artifacts[0].media_type == "image/png"  # the stub's bytes decide, not the port


async def test_a_task_starts_when_its_own_parents_end_not_when_a_level_ends() -> None:
    events: list[str] = []

    def listen(event: Any) -> None:
        if event["type"] in ("task_start", "task_end"):
            events.append(f"{event['type'][5:]} {event['task_id']}")

    made = plan(
        task("slow", "translation", text="sleep 0.5"),
        task("fast", "translation", text="quick"),
        task("child", "summarization", text=ref("fast")),
    )
    await run(made, listener=listen)
    assert events.index("end child") < events.index("end slow")


async def test_a_failure_takes_down_its_own_descendants_only() -> None:
    made = plan(
        task("1", "translation", text="fail"),
        task("2", "summarization", text=ref("1")),
        task("3", "text-to-speech", text=ref("2")),
        task("4", "translation", text="fine"),
        task("5", "summarization", text=ref("4")),
    )
    results = await run(made)
    assert {i: r.status for i, r in results.items()} == {"1": "failed", "2": "skipped", "3": "skipped", "4": "ok", "5": "ok"}
    assert [a.error for a in results["1"].attempts] == ["the stub was told to fail"] * 2
    assert "task 1" in results["2"].error


async def test_the_next_candidate_is_tried_and_the_failure_is_recorded() -> None:
    result = (await run(plan(task("1", "translation", text="fail-first"))))["1"]
    assert result.status == "ok"
    assert result.model == "stub/translation-b"
    assert len(result.candidates) == 2


async def test_the_callers_fault_is_not_tried_again() -> None:
    runner = StubRunner()
    result = (await run(plan(task("1", "translation", text="wrong")), runner))["1"]
    assert (result.status, result.error, result.remedy) == ("failed", "the stub blames the caller", "Ask for something else.")
    assert len(runner.calls) == 1


async def test_a_foreign_exception_is_a_failure_of_that_expert() -> None:
    result = (await run(plan(task("1", "translation", text="crash"))))["1"]
    assert result.status == "failed"
    assert "ValueError: boom" in result.error


async def test_a_task_that_no_expert_can_run_is_unavailable_and_says_what_would_help() -> None:
    results = await run(
        plan(task("1", "text-to-image", prompt="a fox"), task("2", "image-to-text", image=ref("1"))), StubRunner(without=("text-to-image",))
    )
    assert results["1"].status == "unavailable"
    assert "left out of this test" in results["1"].error
    assert results["1"].remedy == "Put it in."
    assert results["1"].candidates
    assert results["2"].status == "skipped"


async def test_a_task_that_takes_too_long_is_stopped_and_frees_the_caller() -> None:
    runner = StubRunner()
    loop = asyncio.get_running_loop()
    began = loop.time()
    results = await run(plan(task("1", "translation", text="sleep 60"), task("2", "translation", text="fine")), runner, timeout=0.2)
    assert loop.time() - began < 20
    assert results["1"].status == "failed"
    assert "0.2 s" in results["1"].error
    (attempt,) = results["1"].attempts
    assert attempt.error == "it was stopped before it ended"
    assert attempt.seconds >= 0.19
    assert results["2"].status == "ok"
    assert runner.cancelled == ["translation"]


async def test_cancelling_cancels_every_running_task() -> None:
    runner = StubRunner()
    made = plan(task("1", "translation", text="sleep 60"), task("2", "summarization", text="sleep 60"))
    running = asyncio.create_task(run(made, runner))
    await runner.both.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert sorted(runner.cancelled) == ["summarization", "translation"]


async def test_concurrency_is_limited_when_asked() -> None:
    runner = StubRunner()
    await run(plan(*(task(str(i), "translation", text=f"sleep 0.05 {i}") for i in range(6))), runner, concurrency=2)
    assert runner.most == 2


async def test_each_runs_once_for_each_element_at_the_same_time() -> None:
    runner = StubRunner()
    made = plan(
        task("1", "image-segmentation", image="scan.png"),
        task("2", "image-to-text", image=ref("1", "masks", each=True)),
    )
    store = ArtifactStore()
    request = Request(text="x", files=(store.put(b"\x89PNG\r\n\x1a\n1", name="scan.png"),))
    results = await run(made, runner, request=request, toolkit={"store": store})
    assert results["2"].status == "ok"
    assert len(results["2"].output["text"]) == 2
    assert [name for name, _ in runner.calls].count("image-to-text") == 2


async def test_finished_results_are_found_by_key_and_not_run_again() -> None:
    class Kept(dict[str, dict[str, Any]]):
        async def aget(self, key: str) -> dict[str, Any] | None:
            return self.get(key)

        async def aput(self, key: str, result: dict[str, Any]) -> None:
            self[key] = result

    runner, kept = StubRunner(), Kept()
    made = plan(task("1", "translation", text="a"), task("2", "summarization", text=ref("1")), task("3", "translation", text="fail"))
    first = await run(made, runner, results=kept)
    calls = len(runner.calls)
    second = await run(made, runner, results=kept)
    assert second["2"].output == first["2"].output
    assert [c for c in runner.calls[calls:] if c[1] != "fail"] == []  # only what had failed ran again
    changed = plan(task("1", "translation", text="b"))
    assert (await run(changed, runner, results=kept))["1"].output == {"text": "translation(b)"}


def _shout(store: ArtifactStore) -> DeclaredTool:
    @tool
    def shout(words: str) -> str:
        """Shout."""
        if "crash" in words:
            raise RuntimeError("no voice")
        return words.upper() + "!"

    inputs, outputs = (Port(name="words", kind=Kind.TEXT),), (Port(name="loud", kind=Kind.TEXT),)
    return DeclaredTool(tool=shout, task=HubTask(name="shouting", summary="Shout a text.", inputs=inputs, outputs=outputs))


async def test_a_users_own_tool_takes_part() -> None:
    store = ArtifactStore()
    kit = {"store": store, "tools": [_shout(store)]}
    notes = store.put(b"from a file", name="notes.txt")
    made = plan(
        task("1", "shouting", words="notes.txt"), task("2", "translation", text=ref("1", "loud")), task("3", "shouting", words="crash")
    )
    results = await run(made, request=Request(text="x", files=(notes,)), toolkit=kit)
    assert results["1"].output == {"loud": "FROM A FILE!"}
    assert results["1"].model == "shout"
    assert results["2"].output == {"text": "translation(FROM A FILE!)"}
    assert results["3"].status == "failed"
    assert "no voice" in results["3"].error


async def test_results_are_plain_json_both_ways() -> None:
    result = (await run(plan(task("1", "text-to-image", prompt="a fox"))))["1"]
    assert TaskResult.from_json(result.as_json()).as_json() == result.as_json()


async def grow(*steps: Plan | Exception) -> AsyncIterator[Plan]:
    for step in steps:
        if isinstance(step, Exception):
            raise step
        yield step


async def test_a_task_may_stand_before_its_parent() -> None:
    results = await run(plan(task("2", "summarization", text=ref("1")), task("1", "translation", text="a")))
    assert results["2"].output == {"summary": "summarization(translation(a))"}
    assert list(results) == ["2", "1"]


async def test_a_plan_that_grows_gives_the_results_of_the_whole() -> None:
    one, two = task("1", "translation", text="a"), task("2", "summarization", text=ref("1"))
    inserted = task("b", "translation", text="b")
    ran = await Executor(toolkit()).agrow(grow(plan(one), plan(one, inserted, two)), Request(text="x"))
    assert ran.plan == plan(one, inserted, two)
    assert [r.task_id for r in ran.results] == ["1", "b", "2"]
    assert all(r.status == "ok" for r in ran.results)


async def test_what_waits_for_a_task_that_never_came_is_skipped() -> None:
    made = plan(task("1", "translation", text="a"), task("3", "summarization", text=ref("2")))
    ended: list[str] = []
    ran = await Executor(toolkit()).agrow(
        grow(made, PlanError(["no more"])),
        Request(text="x"),
        listener=lambda e: ended.append(e["type"]) if e["type"] == "task_end" else None,
    )
    assert [(r.status, r.error) for r in ran.results] == [("ok", ""), ("skipped", "its input from task 2 never came")]
    assert ran.plan.error == "The plan cannot be run: no more."
    assert len(ended) == 2
