"""Evaluating whole runs, with stubs for experts and a scripted chat model."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver

from langchain_hugginggpt.agent import ChatModelError, HuggingGPT, Plan, PlanError, PlannedTask, Reply, Request
from langchain_hugginggpt.agent.planners.llm import LLMPlanner
from langchain_hugginggpt.agent.planners.llm.prompt import answer_json
from langchain_hugginggpt.evaluation.agent_runs import (
    AgentEvaluation,
    aevaluate_agent,
    agent_json,
    ascore_traces,
    evaluate_agent,
    score_traces,
)
from langchain_hugginggpt.evaluation.checks import TextCheck
from langchain_hugginggpt.evaluation.datasets.agent_case import AgentCase
from langchain_hugginggpt.evaluation.errors import DatasetError, RefusedError, RunFolderError
from langchain_hugginggpt.evaluation.evaluating import RunOptions
from langchain_hugginggpt.evaluation.metrics.runs import Price
from langchain_hugginggpt.evaluation.run_folder import RunFolder
from langchain_hugginggpt.tools import TaskTable
from tests.agent.plans import plan, ref, task
from tests.agent.stubs import FixedPlanner, toolkit
from tests.evaluation.traces import write_lines
from tests.fakes import ScriptedChat

CHAIN = plan(task("1", "translation", text="hello"), task("2", "summarization", text=ref("1")))
PLANS: dict[str, Plan | Exception] = {
    "chain": CHAIN,
    "wrong plan": plan(task("1", "translation", text="hello")),
    "failing": plan(task("1", "translation", text="fail"), task("2", "summarization", text=ref("1"))),
    "hello": Plan(),
    "paint": plan(task("1", "text-to-image", prompt="a fox")),
    "broken": ValueError("boom"),
    "no plan": PlanError(["the plan is wrong"]),
    "refused": ChatModelError("The server is busy."),
}
LINK = (("translation", "summarization"),)
CASES = (
    AgentCase(id="good", request="chain", tasks=("translation", "summarization"), links=LINK, reply=TextCheck(contains=("hello",))),
    AgentCase(id="wrong plan", request="wrong plan", tasks=("translation", "summarization"), links=LINK),
    AgentCase(id="failing", request="failing", tasks=("translation", "summarization"), links=LINK),
    AgentCase(id="chat", request="hello", tasks=()),
    AgentCase(id="plan only", request="paint", tasks=("text-to-image",), plan_only=True),
    AgentCase(id="any plan", request="chain", reply=TextCheck(excludes=("hello",))),
)


class ByRequest:
    """A planner that gives the plan, or raises the error, that stands for the request's words."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def plan(self, request: Request, tasks: TaskTable) -> Plan:
        self.asked.append(request.text)
        found = PLANS[request.text]
        if isinstance(found, Exception):
            raise found
        return found

    async def aplan(self, request: Request, tasks: TaskTable) -> Plan:
        await asyncio.sleep(0)
        return self.plan(request, tasks)

    async def astream(self, request: Request, tasks: TaskTable) -> Any:
        for planned in self.plan(request, tasks).tasks:
            yield planned


def agent(planner: Any = None, **kwargs: Any) -> HuggingGPT:
    return HuggingGPT(toolkit=toolkit(), planner=planner or ByRequest(), **kwargs)


async def evaluated(*cases: AgentCase, **kwargs: Any) -> AgentEvaluation:
    return await aevaluate_agent(cases, agent(), **kwargs)


async def test_every_figure_by_hand(tmp_path: Path) -> None:
    evaluation = await evaluated(*CASES, options=RunOptions(out=tmp_path / "run"))
    records = {r.id: r for r in RunFolder.open(tmp_path / "run").records()}
    assert {i: r.detail["problems"] for i, r in records.items()} == {
        "good": [],
        "wrong plan": [
            "the plan lacks summarization: its tasks are translation.",
            "the plan lacks translation -> summarization: its links are none.",
        ],
        "failing": records["failing"].detail["problems"],
        "chat": [],
        "plan only": [],
        "any plan": ["the reply contains 'hello': " + records["any plan"].detail["problems"][0].split(": ", 1)[1]],
    }
    assert [p.split(":")[0] for p in records["failing"].detail["problems"]] == [
        "translation (task 1) failed",
        "summarization (task 2) was skipped",
    ]
    told = agent_json(evaluation)
    assert told["n"] == 6
    assert told["success"] == 50.0  # good, chat, plan only
    assert told["completed"] == 80.0  # of the five with tasks all but the failing one ran to the end
    # tp 2 + 1 + 2 + 0 + 1 = 6, fn 1 (wrong plan): 12 / 13; links tp 1 + 0 + 1, fn 1: 4 / 5
    assert told["strict"] == {"n_f1": round(100 * 12 / 13, 4), "e_f1": 80.0}
    assert {k: v["n"] for k, v in told["by_type"].items()} == {"chain": 4, "chat": 1, "single": 1}
    assert told["by_type"]["chain"]["success"] == 25.0
    assert {k: v["n"] for k, v in told["by_number_of_tasks"].items()} == {"0": 1, "1": 1, "2": 4}
    assert told["makespan"] >= 0.999
    assert told["latency_ms"]["p50"] > 0
    assert (told["usage"], told["cost"]) == ({}, None)
    assert told["notes"] == ["1 of 6 cases pin their plan only: they succeed with it, whether or not it could run."]
    assert json.loads(json.dumps(told)) == told
    assert evaluation.figure("agent.success") == 50.0
    assert (records["good"].gold, records["good"].predicted) == (("translation", "summarization"),) * 2
    assert records["any plan"].gold == ()


async def test_a_run_that_breaks_off_has_failed_and_costs_no_other(tmp_path: Path) -> None:
    cases = [AgentCase(id=i, request=i, tasks=("translation",)) for i in ("broken", "no plan", "refused", "chain")]
    cases.append(AgentCase(id="gone", request="chain", files=(tmp_path / "gone.png",)))
    evaluation = await evaluated(*cases, options=RunOptions(out=tmp_path / "run", workers=3))
    records = {r.id: r for r in RunFolder.open(tmp_path / "run").records()}
    assert {i: r.error.split(".")[0] for i, r in records.items() if r.error} == {
        "broken": "ValueError: boom",
        "no plan": "The plan cannot be run: the plan is wrong",
        "refused": "The server is busy",
        "gone": f"There is no file '{tmp_path}/gone",
    }
    assert [i for i, r in records.items() if r.again] == ["refused"]
    assert records["broken"].detail["problems"] == ["There is no reply: ValueError: boom"]
    told = agent_json(evaluation)
    assert (told["success"], told["completed"]) == (0.0, 20.0)
    assert told["by_type"]["unknown"]["n"] == 1  # no plan is expected, and none was made
    assert told["strict"]["n_f1"] == pytest.approx(100 * 2 / (2 + 1 + 3), abs=1e-4)  # one right, one too much, three missing


async def test_a_refused_case_is_asked_again_when_the_run_is_resumed(tmp_path: Path) -> None:
    cases = [AgentCase(id=i, request=i) for i in ("chain", "refused", "hello")]
    await evaluated(*cases, options=RunOptions(out=tmp_path))
    planner = ByRequest()
    again = await aevaluate_agent(cases, agent(planner), options=RunOptions(out=tmp_path, resume=True))
    assert planner.asked == ["refused"]
    assert again.n == 3


async def test_a_server_that_refuses_everything_stops_the_run() -> None:
    with pytest.raises(RefusedError, match="The server is busy"):
        await evaluated(*(AgentCase(id=str(i), request="refused") for i in range(9)))


async def test_other_cases_are_another_run(tmp_path: Path) -> None:
    await evaluated(CASES[0], options=RunOptions(out=tmp_path))
    with pytest.raises(RunFolderError, match="holds the records of another run"):
        await evaluated(CASES[1], options=RunOptions(out=tmp_path, resume=True))
    with pytest.raises(RunFolderError, match="llm"):
        await evaluated(CASES[0], options=RunOptions(out=tmp_path, resume=True), settings={"llm": "openai:gpt-5-mini"})


async def test_without_cases_there_is_nothing_to_evaluate() -> None:
    with pytest.raises(DatasetError, match="There is no case"):
        await evaluated()


async def test_each_case_is_a_chat_of_its_own() -> None:
    seen: list[str] = []

    class Watched(HuggingGPT):
        async def aask(self, text: str, files: Any = (), *, config: RunnableConfig | None = None) -> Reply:
            seen.append((config or {})["configurable"]["thread_id"])
            return await super().aask(text, files, config=config)

    planner = FixedPlanner(CHAIN)
    remembering = Watched(toolkit=toolkit(), planner=planner, checkpointer=InMemorySaver())
    await aevaluate_agent((CASES[0], CASES[5]), remembering)
    assert len(set(seen)) == 2
    assert [r.history for r in planner.requests] == [(), ()]


async def test_tokens_and_cost_by_model() -> None:
    used = {"input_tokens": 1_000_000, "output_tokens": 500_000, "total_tokens": 1_500_000}
    tasks = (PlannedTask(id="1", task="translation", arguments={"text": "hello"}),)
    answer = json.dumps(answer_json(Plan(tasks=tasks), "", structured=True))
    message = AIMessage(answer, usage_metadata=used, response_metadata={"model_name": "gpt-x"})

    def run(**prices: Price) -> Any:
        planner = LLMPlanner(ScriptedChat(script=[message, message]))
        cases = (AgentCase(id="a", request="x"), AgentCase(id="b", request="x"))
        return aevaluate_agent(cases, agent(planner), prices=prices or None)

    told = agent_json(await run(**{"gpt-x": Price(input=0.25, output=2.0)}))
    assert told["usage"] == {"gpt-x": {"input_tokens": 2_000_000, "output_tokens": 1_000_000, "cost": 2.5}}
    assert told["cost"] == 2.5
    other = agent_json(await run(other=Price(input=1.0, output=1.0)))
    assert (other["usage"]["gpt-x"]["cost"], other["cost"]) == (None, None)
    assert agent_json(await run())["usage"]["gpt-x"]["cost"] is None


def test_sync_and_scored_again_without_running_anything(tmp_path: Path) -> None:
    first = evaluate_agent(CASES, agent(), options=RunOptions(out=tmp_path / "run"))
    again = score_traces(CASES, tmp_path / "run")
    figures = ("n", "success", "completed", "faithfulness", "makespan", "strict", "by_type", "by_number_of_tasks", "intervals")
    before, after = agent_json(first), agent_json(again)
    assert {k: before[k] for k in figures} == {k: after[k] for k in figures}
    assert after["latency_ms"] is None
    assert after["notes"][0].startswith("Recorded runs were scored")
    assert after["problems"] == {}


async def test_recorded_runs_that_do_not_fit_the_cases(tmp_path: Path) -> None:
    reply = await agent().aask("chain")
    path = write_lines(tmp_path / "r.jsonl", {**reply.as_json(), "id": "good"}, {"id": "chat", "reply": 5}, {"id": "who"}, "{torn")
    evaluation = await ascore_traces(CASES[:4], path)
    told = agent_json(evaluation)
    assert (told["n"], told["success"], told["completed"]) == (4, 25.0, 25.0)
    assert {k: v["count"] for k, v in told["problems"].items()} == {
        "line is not JSON": 1,
        "recorded run of an unknown case": 1,
        "no run was recorded for the case (it has failed)": 2,
    }
    assert told["errors"]["no run was recorded for this case"] == 2


async def test_a_limit_takes_the_first_cases(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "r.jsonl", {**(await agent().aask("chain")).as_json(), "id": "good"})
    evaluation = await ascore_traces(CASES, path, options=RunOptions(limit=2))
    assert evaluation.n == 2
    assert evaluation.problems.counts["no run was recorded for the case (it has failed)"] == 1
