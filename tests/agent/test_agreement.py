"""Experts that are to agree, through the executor: of lists, under its time limit, and of what was kept."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from langchain_hugginggpt.agent import Executor, Plan, PlannedTask, Request, TaskResult, executor
from langchain_hugginggpt.agent.response import EmbeddedResponder
from langchain_hugginggpt.agent.trace import Trace
from langchain_hugginggpt.index import ModelCard
from langchain_hugginggpt.tools import HUB_TASKS, ArtifactStore, Candidate, HubTask, HubToolkit, NewMedia, RunnerOutput
from tests.agent.plans import plan, ref, task
from tests.fakes import ScriptedRunner

TASK = "text-classification"


class Everybody:
    """Chooses every model of a script."""

    def __init__(self, runner: ScriptedRunner) -> None:
        self._runner = runner

    def select(self, task: HubTask, request: str, wanted: int = 1) -> tuple[Candidate, ...]:
        cards = [ModelCard(id=i, task=task.name) for i in self._runner.script]
        return tuple(Candidate(card=c, runner=self._runner, score=1.0, why="") for c in cards)

    async def aselect(self, task: HubTask, request: str, wanted: int = 1) -> tuple[Candidate, ...]:
        return self.select(task, request, wanted)


class Kept(dict[str, dict[str, Any]]):
    async def aget(self, key: str) -> dict[str, Any] | None:
        return self.get(key)

    async def aput(self, key: str, result: dict[str, Any]) -> None:
        self[key] = result


def labels(name: str) -> dict[str, Any]:
    return {"labels": [{"label": name, "score": 1.0}]}


def masks(inputs: Mapping[str, Any]) -> dict[str, Any]:
    files = [NewMedia(data=b"\x89PNG\r\n\x1a\n" + n, media_type="image/png", name=f"{n.decode()}.png") for n in (b"left", b"right")]
    return {"masks": files, "regions": [{"label": "x", "score": None}] * 2}


def says(left: str, right: str) -> Any:
    """An expert that classifies the two masks."""
    by_name = {"left.png": labels(left), "right.png": labels(right)}
    return lambda inputs: by_name.get(inputs["image"].name) or masks(inputs)


async def run(runner: Any, made: Plan, request: Request | None = None, **more: Any) -> list[TaskResult]:
    toolkit = HubToolkit(runners=[runner], store=more.pop("store", None) or ArtifactStore())
    kept = more.pop("results", None)
    runs = Executor(toolkit, selector=Everybody(runner), **more)
    return list(await runs.arun(made, request or Request(text="x"), results=kept))


async def test_agreement_about_a_list_is_that_of_the_element_they_agree_about_least() -> None:
    store = ArtifactStore()
    request = Request(text="x", files=(store.put(b"\x89PNG\r\n\x1a\n1", name="scan.png"),))
    runner = ScriptedRunner({"a/m": says("cat", "dog"), "b/n": says("bird", "dog"), "c/o": says("fox", "dog")})
    made = plan(task("1", "image-segmentation", image="scan.png"), task("2", "image-classification", image=ref("1", "masks", each=True)))
    results = await run(runner, made, request, agree=3, store=store)
    agreement = results[1].agreement
    assert agreement is not None
    assert agreement.score == 0.0
    assert agreement.definition.startswith("The lowest over 2 parts. Of each: The share of experts")
    assert agreement.experts == {
        "a/m": "1: cat (1.00); 2: dog (1.00)",
        "b/n": "1: bird (1.00); 2: dog (1.00)",
        "c/o": "1: fox (1.00); 2: dog (1.00)",
    }
    assert set(agreement.dissent.values()) == {"1: cat (1.00)", "1: fox (1.00)"}
    assert any("the experts disagree (agreement 0.00 of 1)" in n for n in results[1].notes)
    trace = Trace(text="x", files=request.files, plan=made, results=tuple(results))
    assert "The experts disagree about this." in "".join(EmbeddedResponder(HUB_TASKS).stream(request, trace))


class Stuck(ScriptedRunner):
    """One that never answers beside those of the script."""

    async def arun(self, task: HubTask, card: ModelCard, inputs: Mapping[str, Any]) -> RunnerOutput:
        if card.id == "b/n":
            await asyncio.Event().wait()
        return await super().arun(task, card, inputs)


async def test_an_expert_that_hangs_does_not_cost_the_answer_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor, "_PATIENCE", 0.01)
    runner = Stuck({"a/m": labels("cat"), "b/n": labels("dog")})
    (result,) = await run(runner, plan(task("1", TASK, text="x")), agree=2, timeout=20.0)
    assert (result.status, result.output) == ("ok", labels("cat"))
    assert [(a.model, a.error) for a in result.attempts if a.error] == [("b/n", "it did not answer in time: the others were done")]


async def test_what_was_kept_of_one_expert_is_no_agreement_of_two() -> None:
    runner, kept = ScriptedRunner({"a/m": labels("cat"), "b/n": labels("dog")}), Kept()
    agreements = []
    for agree in (None, 2, 2):
        made = Plan(tasks=(PlannedTask(id="1", task=TASK, arguments={"text": "x"}, agree=agree),))
        agreements.append((await run(runner, made, results=kept))[0].agreement)
    assert agreements[0] is None
    assert agreements[1] is not None
    assert agreements[1] == agreements[2]
    assert len(runner.asked) == 3
    (other,) = await run(runner, plan(task("1", TASK, text="x")), results=kept, agree=2)
    assert (other.agreement, len(runner.asked)) == (agreements[1], 3)
