"""Every task that the local runner has, by a tiny model, through the tool that everybody uses."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import ToolMessage

from langchain_hugginggpt.index.card import ModelCard
from langchain_hugginggpt.tools.artifacts import Artifact
from langchain_hugginggpt.tools.experts import Candidate, Experts
from langchain_hugginggpt.tools.hub_tasks import HUB_TASKS
from langchain_hugginggpt.tools.runners.local import LocalRunner
from langchain_hugginggpt.tools.runners.local.devices import Device
from langchain_hugginggpt.tools.runners.local.table import LOCAL
from langchain_hugginggpt.tools.tool import HubTaskTool
from tests.local_models.all import CASES
from tests.local_models.case import Case
from tests.local_models.samples import Samples


def no_index() -> Any:
    raise AssertionError("candidates are given")


def called(case: Case, runner: LocalRunner, samples: Samples) -> tuple[HubTaskTool, dict[str, Any]]:
    tool = HubTaskTool(HUB_TASKS[case.task], experts=Experts(no_index, [runner]), store=samples.store)
    card = ModelCard(id=case.id, task=case.task)
    arguments = {k: v.id if isinstance(v, Artifact) else v for k, v in case.inputs(samples).items()}
    return tool, {**arguments, "candidates": [Candidate(card=card, runner=runner, score=1.0, why="")]}


def values(case: Case, message: ToolMessage) -> dict[str, Any]:
    """The output by port, files as artifacts. What a file holds is told by its bytes."""
    result = message.artifact
    assert result["status"] == "ok", message.content
    json.dumps(result, allow_nan=False)
    made: dict[str, Any] = {}
    for port in HUB_TASKS[case.task].outputs:
        value = result["output"][port.name]
        if port.kind.is_media:
            files = [Artifact.from_json(v) for v in (value if port.many else [value])]
            assert all(f.kind is port.kind for f in files)
            value = files if port.many else files[0]
        made[port.name] = value
    return made


def test_every_row_has_a_case() -> None:
    assert {c.task for c in CASES} == set(LOCAL)
    assert len({c.id for c in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_a_task_runs(case: Case, built: Callable[[Case], Path], local: LocalRunner, samples: Samples) -> None:
    folder = built(case)
    assert sum(p.stat().st_size for p in folder.rglob("*")) < 1_000_000
    tool, arguments = called(case, local, samples)
    message = tool.invoke({"name": case.task, "args": arguments, "id": "1", "type": "tool_call"})
    case.check(values(case, message), samples)
    assert "made by: " + case.id in message.content


@pytest.mark.parametrize("case", [c for c in CASES if c.half], ids=lambda c: c.id)
async def test_a_task_runs_in_16_bits(case: Case, built: Callable[[Case], Path], models: Path, samples: Samples) -> None:
    built(case)
    runner = LocalRunner(models=[models], device="cpu")
    runner.device = Device(name="cpu", half="bfloat16")
    tool, arguments = called(case, runner, samples)
    message = await tool.ainvoke({"name": case.task, "args": arguments, "id": "1", "type": "tool_call"})
    case.check(values(case, message), samples)


@pytest.mark.parametrize("task", sorted(LOCAL))
def test_a_model_of_another_kind_is_refused(task: str, built: Callable[[Case], Path], local: LocalRunner, samples: Samples) -> None:
    """Every task, given a model of each kind that does another: none is run, and the message says what it is."""
    own = next(c for c in CASES if c.task == task)
    for other in (c for c in CASES if c.kind in ("bert-for-masks", "vit", "wav2vec2-ctc") and c.task != task):
        built(other)
        tool, arguments = called(replace(own, kind=other.kind), local, samples)
        card = ModelCard(id=other.id, task=task)
        available = local.availability(HUB_TASKS[task], card)
        if not available.ok:  # the first look tells
            assert available.why.startswith(f"{other.id} is made for something else ("), available.why
            continue
        arguments["candidates"] = [Candidate(card=card, runner=local, score=1.0, why="")]
        message = tool.invoke({"name": task, "args": arguments, "id": "1", "type": "tool_call"})
        assert message.artifact["status"] == "failed"
        assert "does something else" in message.content or "not whole" in message.content, message.content
