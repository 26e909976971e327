"""Several experts asked through the tool, for tests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from langchain_core.messages import ToolMessage

from langchain_hugginggpt.index import ModelCard
from langchain_hugginggpt.tools import (
    HUB_TASKS,
    ArtifactStore,
    Candidate,
    Experts,
    HubTask,
    HubTaskTool,
    Runner,
)
from tests.fakes import ScriptedRunner, WordEncoder

TASK = "text-classification"
NAMES = ("first", "second", "third", "fourth")


def label(name: str, score: float = 1.0) -> dict[str, Any]:
    return {"labels": [{"label": name, "score": score}]}


def card(name: str, task: str = TASK, **facts: Any) -> ModelCard:
    return ModelCard(id=f"lab/{name}", task=task, **facts)


def experts(runner: Runner, *names: str, task: str = TASK, **facts: Any) -> list[Candidate]:
    return [Candidate(card=card(n, task, **facts), runner=runner, score=1.0, why="") for n in names]


def no_index() -> Any:
    raise AssertionError("candidates are given")


def run(script: Mapping[str, Any], agree: Any = 3, *, task: str | HubTask = TASK, text: Any = "some text", **more: Any) -> ToolMessage:
    """By `invoke` and by `ainvoke`: the same, but for the seconds."""
    runner = ScriptedRunner({f"lab/{n}": v for n, v in script.items()})
    chosen = HUB_TASKS[task] if isinstance(task, str) else task
    tool = HubTaskTool(chosen, experts=Experts(no_index, [runner]), store=ArtifactStore(), encoder=WordEncoder("cat", "dog"))
    candidates = more.pop("candidates", None) or experts(runner, *script, task=chosen.name)
    arguments = {chosen.inputs[0].name: text, "agree": agree, "candidates": candidates, **more}
    call = {"type": "tool_call", "id": "call_1", "name": chosen.name, "args": arguments}
    one, other = tool.invoke(call), asyncio.run(tool.ainvoke(call))
    assert isinstance(one, ToolMessage)
    assert comparable(one) == comparable(other)
    assert json.loads(json.dumps(one.artifact, allow_nan=False)) == one.artifact
    return one


def comparable(message: ToolMessage) -> dict[str, Any]:
    data = json.loads(message.model_dump_json(exclude={"id"}))
    for attempt in data["artifact"]["attempts"]:
        attempt.pop("seconds")
    return dict(data)


def tried(message: ToolMessage) -> list[tuple[str, bool]]:
    return [(a["model"].removeprefix("lab/"), a["error"] is None) for a in message.artifact["attempts"]]
