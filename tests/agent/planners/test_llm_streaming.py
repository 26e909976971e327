"""Tasks that are given out while the model still writes the plan."""

from __future__ import annotations

import json

import pytest

from langchain_hugginggpt.agent.errors import ChatModelError
from langchain_hugginggpt.agent.plan import Plan
from langchain_hugginggpt.agent.planners.llm.prompt import answer_json
from langchain_hugginggpt.agent.planners.planner import GrowingPlanner
from langchain_hugginggpt.tools.hub_tasks import HUB_TASKS
from tests.agent.planners.asking import ANSWER, GOOD, REQUEST, TASKS, chat, planner_of
from tests.openai_server import OpenAIServer, Says


async def test_a_task_is_given_out_before_the_next_is_written() -> None:
    cut = GOOD.index('{"id": "2"')
    says = Says(pieces=(GOOD[:40], GOOD[40:cut], GOOD[cut:]), hold=2)
    with OpenAIServer(says) as server:
        tasks = planner_of(chat(server.url)).astream(REQUEST, HUB_TASKS)
        assert await anext(tasks) == TASKS[0]  # the server waits for the gate: the second task does not exist yet
        says.gate.set()
        assert [t async for t in tasks] == [TASKS[1]]


async def test_a_started_task_stays_when_the_rest_is_repaired() -> None:
    lame = GOOD.replace('"text-to-speech"', '"sing-it"')
    with OpenAIServer(lame, GOOD.replace("scan.png", "other.png")) as server:
        assert [t async for t in planner_of(chat(server.url)).astream(REQUEST, HUB_TASKS)] == list(TASKS)
    assert "have started; repeat them unchanged" in server.seen[1].texts[3]


async def test_a_forward_reference_waits_for_the_end() -> None:
    turned = json.dumps(answer_json(Plan(tasks=TASKS[::-1]), "", structured=True))
    with OpenAIServer(turned) as server:
        assert [t async for t in planner_of(chat(server.url)).astream(REQUEST, HUB_TASKS)] == list(TASKS[::-1])


async def test_two_tasks_with_one_id_in_a_stream_are_a_fault() -> None:
    same = GOOD.replace('{"id": "2"', '{"id": "1"')
    with OpenAIServer(same, GOOD) as server:
        assert [t async for t in planner_of(chat(server.url)).astream(REQUEST, HUB_TASKS)] == list(TASKS)
    assert "two tasks have the id '1'" in server.seen[1].texts[3]


async def test_a_stream_that_breaks_leaves_what_was_given() -> None:
    cut = GOOD.index('{"id": "2"')
    with OpenAIServer(Says(pieces=(GOOD[:cut], GOOD[cut : cut + 9], "never"), break_before=2)) as server:
        tasks = planner_of(chat(server.url)).astream(REQUEST, HUB_TASKS)
        assert await anext(tasks) == TASKS[0]
        with pytest.raises(ChatModelError, match="cannot be reached, or the connection broke"):
            await anext(tasks)


async def test_a_cut_stream_is_repaired() -> None:
    with OpenAIServer(GOOD[: GOOD.index('{"id": "2"') + 20], GOOD) as server:
        assert [t async for t in planner_of(chat(server.url)).astream(REQUEST, HUB_TASKS)] == list(TASKS)


async def test_a_consumer_may_stop() -> None:
    with OpenAIServer(GOOD) as server:
        tasks = planner_of(chat(server.url)).astream(REQUEST, HUB_TASKS)
        assert await anext(tasks) == TASKS[0]
        await tasks.aclose()  # type: ignore[attr-defined]


async def test_the_plan_grows_and_ends_with_what_aplan_gives() -> None:
    lame = GOOD.replace('"text-to-speech"', '"sing-it"')
    with OpenAIServer(lame, GOOD) as server:
        planner = planner_of(chat(server.url))
        assert isinstance(planner, GrowingPlanner)
        plans = [p async for p in planner.agrow(REQUEST, HUB_TASKS)]
    assert plans[0] == Plan(tasks=TASKS[:1])
    assert plans[1].tasks == TASKS
    assert "asked again" in plans[1].repairs[0]
    assert len(plans) == 2


async def test_a_task_that_had_to_be_mended_waits_for_the_rest_of_the_plan() -> None:
    first = ANSWER["tasks"][0]
    with OpenAIServer(json.dumps({"tasks": [{**first, "arguments": []}, ANSWER["tasks"][1]], "question": None})) as server:
        plans = [p async for p in planner_of(chat(server.url)).agrow(REQUEST, HUB_TASKS)]
    assert [len(p.tasks) for p in plans] == [2]
    assert plans[0].tasks == TASKS
    assert "image" in plans[0].repairs[0]


def without_ids(first: str) -> str:
    """Three tasks as TaskBench writes them; the last refers to the second."""
    nodes = [
        {"task": "image-to-text", "arguments": ["scan.png"]},
        {"task": "translation", "arguments": [first]},
        {"task": "text-to-speech", "arguments": ["<node-1>"]},
    ]
    return json.dumps({"task_steps": ["Step 1: [read] it"], "task_nodes": nodes, "task_links": []})


@pytest.mark.parametrize(("first", "sizes"), [("<node-0>", [1, 2, 3, 3]), ("hello", [1, 2, 3, 3])])
async def test_tasks_without_ids_keep_those_under_which_they_were_given_out(first: str, sizes: list[int]) -> None:
    """References count from 0, which is seen only when the first of them comes; ids that were given out by then stay."""
    text = without_ids(first)
    with OpenAIServer(text, text) as server:
        planner = planner_of(chat(server.url))
        plans = [p async for p in planner.agrow(REQUEST, HUB_TASKS)]
        whole = await planner.aplan(REQUEST, HUB_TASKS)
    assert [len(p.tasks) for p in plans] == sizes
    assert plans[-1].tasks == whole.tasks
    assert [(t.id, t.parents) for t in whole.tasks] == [("1", ()), ("2", ("1",) if first != "hello" else ()), ("3", ("2",))]


async def test_without_ids_a_count_that_is_not_clear_yet_waits() -> None:
    nodes = [
        {"task": "image-to-text", "arguments": {"image": "scan.png"}},
        {"task": "text-to-speech", "arguments": {"text": "<GENERATED>-1"}},
    ]
    with OpenAIServer(json.dumps(nodes)) as server:
        plans = [p async for p in planner_of(chat(server.url)).agrow(REQUEST, HUB_TASKS)]
    assert [len(p.tasks) for p in plans] == [1, 2]
    assert plans[-1].tasks == TASKS
