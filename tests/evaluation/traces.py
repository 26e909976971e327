"""Short ways to write traces in tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from langchain_hugginggpt.agent import Plan, PlannedTask, Reply, TaskResult, Trace
from langchain_hugginggpt.tools import Artifact
from tests.agent.plans import plan, ref, task

SPEECH = Artifact(
    id="artifact-00112233445566aa", path=Path("/out/00112233445566aa.wav"), media_type="audio/wav", name="speech.wav", size=574_620
)
SCAN = Artifact(id="artifact-aa00112233445566", path=Path("/in/my scan 7.png"), media_type="image/png", name="my scan 7.png", size=345_365)
PLAN = plan(
    task("1", "image-to-text", image="my scan 7.png"),
    task("2", "zero-shot-classification", text=ref("1"), candidate_labels=["complaint", "praise"]),
    task("3", "summarization", text=ref("1")),
    task("4", "text-to-speech", text=ref("3")),
)
LABELS = [{"label": "complaint", "score": 0.9834}, {"label": "praise", "score": 0.0166}]
LETTER = "Dear Brightwater Kettles,\nplease refund the price of 49 euros. The kettle cost 1,340 crowns “in all”."


def ok(planned: PlannedTask, started: float, seconds: float, *files: Artifact, **output: Any) -> TaskResult:
    return TaskResult(
        task_id=planned.id, task=planned.task, status="ok", model=f"m/{planned.task}", output=output, artifacts=files,
        started=started, seconds=seconds,
    )  # fmt: skip


def results() -> tuple[TaskResult, ...]:
    """1 takes 1 s; 2 and 3 wait for it and take 2 s and 0.5 s; 4 waits for 3, begins 0.1 s late, and takes 1 s."""
    one, two, three, four = PLAN.tasks
    return (
        ok(one, 0.0, 1.0, text=LETTER),
        ok(two, 1.0, 2.0, labels=LABELS),
        ok(three, 1.0, 0.5, summary="Please refund the price of 49 euros."),
        ok(four, 1.6, 1.0, SPEECH, audio=SPEECH.as_json()),
    )


def reply(text: str = "", *, made: Plan = PLAN, ran: tuple[TaskResult, ...] | None = None) -> Reply:
    trace = Trace(text="Is it a complaint? Answer in 2 words.", files=(SCAN,), plan=made, results=results() if ran is None else ran)
    return Reply(text=text, artifacts=trace.artifacts, trace=trace)


def write_lines(path: Path, *entries: Any) -> Path:
    path.write_text("".join((e if isinstance(e, str) else json.dumps(e)) + "\n" for e in entries), "utf-8")
    return path
