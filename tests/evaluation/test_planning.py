"""Evaluating planning: planners, recorded plans, and everything that may go wrong with one case."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from langchain_hugginggpt.agent import ChatModelError, Plan, PlanError, PlannedTask, Ref, Request
from langchain_hugginggpt.agent.planners.llm import LLMPlanner
from langchain_hugginggpt.evaluation import (
    DatasetError,
    LaidOutPlan,
    Recorded,
    RefusedError,
    RunFolderError,
    RunOptions,
    aevaluate_planning,
    evaluate_planning,
    lay_out,
    load_taskbench,
    planning_json,
)
from langchain_hugginggpt.evaluation.datasets.predictions import Predictions
from langchain_hugginggpt.index.problems import Problems
from langchain_hugginggpt.tools import HUB_TASKS, TaskTable
from tests.evaluation.taskbench_files import case, link, node, prediction, write_lines, write_set
from tests.fakes import ScriptedChat

ASR, TTS = "Automatic Speech Recognition", "Text-to-Speech"
CASES = [
    case("chain", node(ASR, "example.wav"), node("Summarization", "<node-0>"), links=[link(ASR, "Summarization")], type="chain"),
    case("single", node(TTS, "Hello"), user_request="Say 'Hello'."),
    case("dag", node(ASR, "example.wav"), node("Summarization", "<node-0>"), node(TTS, "<node-0>"), type="dag"),
]
RIGHT = Plan(
    tasks=(
        PlannedTask(id="a", task=ASR, arguments={"audio": "example.wav"}),
        PlannedTask(id="b", task="Summarization", arguments={"text": Ref(task_id="a")}),
    ),
    confidence=0.5,
)


class FunctionPlanner:
    """Plans by a function of the request."""

    def __init__(self, function: Callable[[Request], Plan]) -> None:
        self._function = function

    def plan(self, request: Request, tasks: TaskTable) -> Plan:
        return self._function(request)

    async def aplan(self, request: Request, tasks: TaskTable) -> Plan:
        return self._function(request)

    async def astream(self, request: Request, tasks: TaskTable) -> AsyncIterator[PlannedTask]:
        for task in self._function(request).tasks:
            yield task


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_set(tmp_path / "set", CASES)


def test_figures_by_hand(folder: Path) -> None:
    found = planning_json(evaluate_planning(load_taskbench(folder), FunctionPlanner(lambda _: RIGHT)))
    # chain: 2 of 2; single: 0 of 1 and 2 too many; dag: 2 of 3
    assert found["n"] == 3
    assert found["official"] == {
        "samples": 3,
        "scored": 3,
        "n_f1": pytest.approx(100 * 8 / 12, abs=1e-4),
        "e_f1": pytest.approx(100 * 4 / 6, abs=1e-4),
        "t_f1": pytest.approx(100 * 8 / 12, abs=1e-4),
        "v_f1": pytest.approx(100 * 8 / 12, abs=1e-4),
        "edit_distance": pytest.approx((0 + 1 + 1 / 5) / 3, abs=1e-4),
    }
    assert found["strict"]["e_f1"] == pytest.approx(100 * 2 / 4, abs=1e-4)  # the dag's label gives no links
    assert found["hugginggpt"]["accuracy"] == pytest.approx(100 / 3, abs=1e-4)
    assert list(found["by_type"]) == ["chain", "dag", "single"]
    assert found["by_type"]["chain"]["official"]["n_f1"] == 100.0
    assert list(found["by_number_of_tasks"]) == ["1", "2", "3"]
    assert 0 < found["latency_ms"]["p50"] <= found["latency_ms"]["p95"]
    assert found["problems"] == {}
    json.dumps(found)


def test_predictions_are_written_in_the_official_layout_and_score_the_same(folder: Path, tmp_path: Path) -> None:
    data = load_taskbench(folder)
    first = evaluate_planning(data, FunctionPlanner(lambda _: RIGHT), options=RunOptions(out=tmp_path / "out"))
    lines = [json.loads(line) for line in (tmp_path / "out" / "predictions.jsonl").read_text().splitlines()]
    assert lines[1] == {
        "id": "single",
        "user_request": "Say 'Hello'.",
        "result": {
            "task_steps": [f"Step 1: Call {ASR}", "Step 2: Call Summarization"],
            "task_nodes": [node(ASR, "example.wav"), node("Summarization", "<node-0>")],
            "task_links": [link(ASR, "Summarization")],
        },
    }
    second = evaluate_planning(data, Recorded(path=tmp_path / "out" / "predictions.jsonl"))
    assert second.summary.overall == first.summary.overall
    assert second.summary.latency is None


def test_laying_out_a_plan() -> None:
    plan = Plan(
        tasks=(
            PlannedTask(id="x", task="question-answering", arguments={"context": "a text", "question": "What?", "extra": 3}),
            PlannedTask(
                id="y",
                task="sentence-similarity",
                arguments={"sentences": [Ref(task_id="x"), "b", Ref(task_id="gone")], "source_sentence": Ref(task_id="x", each=True)},
            ),
        )
    )
    assert lay_out(plan, HUB_TASKS) == LaidOutPlan(
        task_nodes=[
            node("question-answering", "What?", "a text", "3"),  # in the order of the ports
            node("sentence-similarity", "<node-0>", "<node-0>", "b"),
        ],
        task_links=[link("question-answering", "sentence-similarity")],
        task_steps=["Step 1: Call question-answering", "Step 2: Call sentence-similarity"],
    )


def test_a_plan_that_fails_counts_as_empty_and_costs_nothing_else(folder: Path) -> None:
    def plan(request: Request) -> Plan:
        if "chain" in request.text:
            raise PlanError(["there is no task 'x'"])
        if "Hello" in request.text:
            raise ZeroDivisionError("a fault")
        return RIGHT

    evaluation = evaluate_planning(load_taskbench(folder), FunctionPlanner(plan))
    found = planning_json(evaluation)
    assert found["n"] == 3
    assert found["strict"]["n_f1"] == pytest.approx(100 * 4 / (4 + 2 + 1 + 1), abs=1e-4)
    assert found["errors"] == {"The plan cannot be run: there is no task 'x'.": 1, "ZeroDivisionError: a fault": 1}


def test_a_chat_model_that_is_away_is_asked_again_when_resumed(folder: Path, tmp_path: Path) -> None:
    options = RunOptions(out=tmp_path / "out")

    def away(request: Request) -> Plan:
        if "Hello" in request.text:
            raise ChatModelError("503", status=503)
        return RIGHT

    data = load_taskbench(folder)
    first = evaluate_planning(data, FunctionPlanner(away), options=options)
    assert first.summary.errors == {"503": 1}
    asked: list[str] = []

    def back(request: Request) -> Plan:
        asked.append(request.text)
        return RIGHT

    second = evaluate_planning(data, FunctionPlanner(back), options=RunOptions(out=tmp_path / "out", resume=True))
    assert asked == ["Say 'Hello'."]
    assert (second.n, second.summary.errors) == (3, {})


def test_a_wrong_key_stops_the_run_at_once(tmp_path: Path) -> None:
    def refused(request: Request) -> Plan:
        raise ChatModelError("The server refused the key (401).", status=401)

    data = load_taskbench(write_set(tmp_path, [case(str(i), node(TTS, "x")) for i in range(100)]))
    with pytest.raises(RefusedError, match=r"first 5 cases all failed: The server refused the key"):
        evaluate_planning(data, FunctionPlanner(refused))


async def test_the_llm_planner_and_its_tokens(folder: Path) -> None:
    written = {"tasks": [{"id": "1", "task": TTS, "arguments": [{"port": "text", "value": "Hello"}]}]}
    model = ScriptedChat(script=[json.dumps(written["tasks"])] * 3, tools=False)
    evaluation = await aevaluate_planning(load_taskbench(folder), LLMPlanner(model), options=RunOptions(workers=2))
    assert evaluation.n == 3
    assert evaluation.summary.groups["type"]["single"].figures["strict.n_f1"].value == 1.0
    assert len(model.asked) == 3


def test_recorded_predictions_of_all_kinds(folder: Path, tmp_path: Path) -> None:
    path = write_lines(
        tmp_path / "p.jsonl",
        [
            prediction("chain", node(ASR, "example.wav"), node("Summarization", "<node-0>"), links=[link(ASR, "Summarization")]),
            {"id": "single", "task_nodes": [node(TTS, "Hello")], "task_links": []},  # the looser layout
            {"id": "dag", "result": "no plan"},
            prediction("stranger", node(TTS, "x")),
            "{torn",
            {"no": "id"},
        ],
    )
    evaluation = evaluate_planning(load_taskbench(folder), Recorded(path=path))
    found = planning_json(evaluation)
    assert found["n"] == 3
    assert (found["official"]["samples"], found["official"]["scored"], found["official"]["n_f1"]) == (3, 2, 100.0)
    assert found["strict"]["n_f1"] == pytest.approx(100 * 6 / 9, abs=1e-4)
    assert found["errors"] == {"the recorded plan cannot be read": 1}
    assert {k: v["count"] for k, v in found["problems"].items()} == {
        "line is not JSON": 1,
        "line has no id": 1,
        "prediction for an unknown id": 1,
    }


def test_a_case_without_a_prediction_is_empty_or_left_out(folder: Path, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "p.jsonl", [prediction("single", node(TTS, "Hello"))])
    data = load_taskbench(folder)
    counted = planning_json(evaluate_planning(data, Recorded(path=path)))
    assert (counted["n"], counted["official"]["samples"], counted["official"]["n_f1"]) == (3, 1, 100.0)
    assert counted["strict"]["n_f1"] == pytest.approx(100 * 2 / 7, abs=1e-4)
    assert counted["problems"]["no prediction was recorded for this case"]["count"] == 2
    left = planning_json(evaluate_planning(data, Recorded(path=path, skip_missing=True)))
    assert (left["n"], left["strict"]["n_f1"]) == (1, 100.0)


def test_predictions_that_are_none(tmp_path: Path) -> None:
    empty = write_lines(tmp_path / "p.jsonl", [])
    with pytest.raises(DatasetError, match="holds no prediction"):
        Predictions(empty, Problems())
    with pytest.raises(DatasetError, match="There is no file"):
        Predictions(tmp_path / "q.jsonl", Problems())


def test_without_labels_plans_are_written_and_nothing_is_scored(tmp_path: Path) -> None:
    write_set(tmp_path / "set", [{"id": "1", "user_request": "Write down a.wav"}], name="user_requests.json")
    out = tmp_path / "out"
    found = planning_json(
        evaluate_planning(load_taskbench(tmp_path / "set"), FunctionPlanner(lambda _: RIGHT), options=RunOptions(out=out))
    )
    assert (found["n"], found["official"], found["strict"], found["by_type"]) == (1, {}, {}, {})
    assert len((out / "predictions.jsonl").read_text().splitlines()) == 1


def test_labels_without_arguments_have_no_t_and_v(tmp_path: Path) -> None:
    entry = {"id": "1", "type": "chain", "user_request": "x", "tasks": [ASR, "Summarization"], "links": [[0, 1]]}
    found = planning_json(evaluate_planning(load_taskbench(write_set(tmp_path, [entry])), FunctionPlanner(lambda _: RIGHT)))
    assert found["official"]["n_f1"] == found["official"]["e_f1"] == 100.0
    assert "t_f1" not in found["official"]
    assert "v_f1" not in found["strict"]


def test_an_empty_set_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    data = load_taskbench(write_set(tmp_path / "set", ["{torn", case("1")["user_request"]]))
    with pytest.raises(DatasetError, match=r"no case that can be used.* What was found: 2 × line is not JSON"):
        evaluate_planning(data, FunctionPlanner(lambda _: RIGHT), options=RunOptions(out=tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_a_limit_and_more_of_it_later(folder: Path, tmp_path: Path) -> None:
    data, out = load_taskbench(folder), tmp_path / "out"
    assert evaluate_planning(data, FunctionPlanner(lambda _: RIGHT), options=RunOptions(out=out, limit=1)).n == 1
    started: list[int] = []
    options = RunOptions(out=out, resume=True, on_start=started.append)
    assert evaluate_planning(data, FunctionPlanner(lambda _: RIGHT), options=options).n == 3
    assert started == [1]
    with pytest.raises(RunFolderError, match="holds 3 cases already; 2 would be fewer"):
        evaluate_planning(data, FunctionPlanner(lambda _: RIGHT), options=RunOptions(out=out, resume=True, limit=2))


def test_other_predictions_under_the_same_name_are_not_added_to_a_run(folder: Path, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "p.jsonl", [prediction("single", node(TTS, "Hello"))])
    evaluate_planning(load_taskbench(folder), Recorded(path=path), options=RunOptions(out=tmp_path / "out", limit=1))
    write_lines(path, [prediction("single", node(ASR, "a.wav"))])
    with pytest.raises(RunFolderError, match="sha256 of the predictions"):
        evaluate_planning(load_taskbench(folder), Recorded(path=path), options=RunOptions(out=tmp_path / "out", resume=True))
