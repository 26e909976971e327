from __future__ import annotations

from typing import Any

from langchain_hugginggpt.agent import EmbeddedResponder, Plan, Request, TaskResult, Trace
from langchain_hugginggpt.tools import HUB_TASKS
from tests.agent.plans import plan, ref, task

RESPONDER = EmbeddedResponder(HUB_TASKS)


def reply(made: Plan, *results: TaskResult, runnable: tuple[str, ...] = ()) -> str:
    return "".join(RESPONDER.stream(Request(text="x"), Trace(text="x", plan=made, results=results), runnable))


def ok(ident: str, name: str, notes: tuple[str, ...] = (), **output: Any) -> TaskResult:
    return TaskResult(task_id=ident, task=name, status="ok", model="org/model", runner="stub", output=output, notes=notes)


def test_every_statement_points_at_its_task_and_every_task_at_its_model() -> None:
    made = plan(task("1", "image-to-text", image="a.png"), task("2", "text-classification", text=ref("1")))
    labels = [{"label": "positive", "score": 0.9}, {"label": "negative", "score": 0.1}]
    text = reply(made, ok("1", "image-to-text", text="All good.", notes=("small print",)), ok("2", "text-classification", labels=labels))
    assert "All good. [1]" in text
    assert "positive (0.90; negative 0.10) [2]" in text
    assert "[1] image-to-text: org/model (small print)" in text


def test_numbers_vectors_and_rows() -> None:
    made = plan(task("1", "sentence-similarity"), task("2", "feature-extraction"), task("3", "voice-activity-detection"))
    text = reply(
        made,
        ok("1", "sentence-similarity", scores=[0.8765]),
        ok("2", "feature-extraction", embedding=[0.5] * 384),
        ok("3", "voice-activity-detection", segments=[{"start": 1.0, "end": 2.5}]),
    )
    assert "scores: 0.88 [1]" in text
    assert "embedding: 384 numbers, beginning 0.5000" in text
    assert "- 1.00 to 2.50 s [3]" in text


def test_nothing_found_is_said() -> None:
    made = plan(task("1", "voice-activity-detection"), task("2", "image-to-text"))
    text = reply(made, ok("1", "voice-activity-detection", segments=[], notes=("nobody speaks",)), ok("2", "image-to-text", text=""))
    assert "segments: none [1]" in text
    assert "(no text) [2]" in text


def test_a_long_text_that_a_later_task_took_is_shortened_and_one_that_is_the_answer_is_not() -> None:
    long = "word " * 2000
    made = plan(task("1", "image-to-text", image="a.png"), task("2", "text-to-speech", text=ref("1")))
    assert "…" in reply(made, ok("1", "image-to-text", text=long))
    assert long.strip() in reply(plan(task("1", "image-to-text", image="a.png")), ok("1", "image-to-text", text=long.strip()))


def test_what_was_left_out_of_the_plan_is_named() -> None:
    made = Plan(tasks=(task("1", "image-to-text", image="a.png"),), repairs=("translation was left out: nothing feeds its text",))
    assert "Not done: translation was left out" in reply(made, ok("1", "image-to-text", text="x"))


async def test_chat_tells_what_can_run_and_async_says_the_same() -> None:
    text = reply(Plan(), runnable=("summarization",))
    assert "summarization: Shorten" in text
    assert "text-to-image" not in text
    trace = Trace(text="x")
    assert [p async for p in RESPONDER.astream(Request(text="x"), trace, ("summarization",))] == [text]
    assert "doctor" in reply(Plan())
