"""The planner against the real ChatOpenAI and a server that speaks its protocol: schemas, repairs, chat, room."""

from __future__ import annotations

import json
import re

import pytest
from langchain_core.messages import AIMessage, BaseMessage

from langchain_hugginggpt.agent.errors import PlanError
from langchain_hugginggpt.agent.plan import Plan
from langchain_hugginggpt.agent.planners.llm.budget import estimate
from langchain_hugginggpt.agent.request import Request
from langchain_hugginggpt.index.errors import BudgetError
from langchain_hugginggpt.tools.hub_tasks import HUB_TASKS
from tests.agent.planners.asking import ANSWER, BROKEN, GOOD, REQUEST, TASKS, Even, planned, planner_of, ways
from tests.fakes import ScriptedChat
from tests.openai_server import OpenAIServer, Says


@ways
async def test_a_plan_is_asked_for_by_a_strict_schema(how: str) -> None:
    with OpenAIServer(GOOD) as server:
        plan = await planned(server, how)
    assert plan == Plan(tasks=TASKS)
    body = server.seen[0].body
    form = body["response_format"]
    assert form["type"] == "json_schema"
    assert form["json_schema"]["strict"] is True
    assert form["json_schema"]["schema"]["required"] == ["tasks", "question"]
    assert bool(body.get("stream")) == (how == "stream")
    assert "scan.png" in server.seen[0].texts[1]
    assert "tools" not in body


@ways
async def test_prose_around_the_plan_does_not_matter(how: str) -> None:
    text = f"Sure, here it [is]:\n```json\n{json.dumps(ANSWER, indent=2)}\n```\nAnything {{else}}?"
    with OpenAIServer(text) as server:
        assert (await planned(server, how)).tasks == TASKS


@ways
async def test_a_faulty_plan_is_repaired_once(how: str) -> None:
    with OpenAIServer(BROKEN, GOOD) as server:
        plan = await planned(server, how)
    assert plan.tasks == TASKS
    said = server.seen[1].texts
    assert said[2] == BROKEN
    assert "task 1 (image-to-text), port image: there is no attached file 'letter.png'" in said[3]
    if how != "stream":
        assert re.search("asked again, since: .*letter.png", plan.repairs[0])


@ways
@pytest.mark.parametrize("second", [BROKEN, "I cannot do that.", "", GOOD[:-30]])
async def test_a_plan_beyond_repair_is_an_error_that_shows_the_answer(how: str, second: str) -> None:
    with OpenAIServer("Let me think.", second) as server:
        with pytest.raises(PlanError) as caught:
            await planned(server, how, plausibility=Even(1.0))
        assert server.left == 0
    assert caught.value.answer == second
    assert caught.value.problems
    assert caught.value.remedy
    assert second[:20] in str(caught.value)


async def test_how_often_to_repair_is_a_choice() -> None:
    with OpenAIServer("no", "no", GOOD) as server:
        assert (await planned(server, "async", plausibility=Even(1.0), repairs=2)).tasks == TASKS
    with OpenAIServer("no") as server, pytest.raises(PlanError, match="holds no plan"):
        await planned(server, "async", plausibility=Even(1.0), repairs=0)


@ways
async def test_no_tasks_is_chat_and_a_question_is_kept(how: str) -> None:
    with OpenAIServer('{"tasks": [], "question": null}') as server:
        assert await planned(server, how) == Plan()
    with OpenAIServer('{"tasks": [], "question": "Which?"}') as server:
        assert await planned(server, how) == Plan(question="" if how == "stream" else "Which?")


@ways
async def test_a_refusal_is_shown(how: str) -> None:
    with OpenAIServer(Says(refusal="I will not."), Says(refusal="I will not.")) as server, pytest.raises(PlanError):
        await planned(server, how, plausibility=Even(1.0))


@pytest.mark.parametrize("tools", [True, False])
@pytest.mark.parametrize("item", [ANSWER, GOOD])
async def test_models_with_tools_or_without_structure(tools: bool, item: object) -> None:
    model = ScriptedChat(script=[item] * 3, tools=tools)
    planner = planner_of(model)
    assert planner.plan(REQUEST, HUB_TASKS).tasks == TASKS
    assert (await planner.aplan(REQUEST, HUB_TASKS)).tasks == TASKS
    assert [t async for t in planner.astream(REQUEST, HUB_TASKS)] == list(TASKS)
    assert all(bool(b) == tools for b in model.bound)


def test_a_repair_sends_no_tool_calls_back() -> None:
    model = ScriptedChat(script=[json.loads(BROKEN), ANSWER])
    assert planner_of(model).plan(REQUEST, HUB_TASKS).tasks == TASKS
    sent = model.asked[1][2]
    assert isinstance(sent, AIMessage)
    assert not sent.tool_calls
    assert "letter.png" in sent.text


@ways
@pytest.mark.parametrize("said", ["Hello! How can I help you today?", "<think>They greet me.</think>\nHello!"])
async def test_prose_is_the_answer_to_small_talk(how: str, said: str) -> None:
    with OpenAIServer(said) as server:
        plan = await planned(server, how, request=Request(text="Hi there, how are you?"))
    assert plan == Plan(answer="" if how == "stream" else said.rpartition("\n")[2])


@ways
async def test_prose_that_tries_to_be_a_plan_is_sent_back(how: str) -> None:
    with OpenAIServer("My plan:\n1. image-to-text on scan.png", '{"tasks": []}') as server:
        assert await planned(server, how, request=Request(text="Hi there, how are you?")) == Plan(
            repairs=() if how == "stream" else ("the model was asked again, since: the answer holds no plan in JSON",)
        )


async def test_a_model_that_insists_that_no_task_serves_is_believed() -> None:
    said = "I cannot order a taxi for you."
    with OpenAIServer(said, said) as server:
        plan = await planned(server, "async", request=Request(text="Order a taxi to the station"), plausibility=Even(0.4))
    assert plan == Plan(answer=said)
    with OpenAIServer(said, said) as server, pytest.raises(PlanError, match="holds no plan"):
        await planned(server, "async", request=Request(text="Order a taxi to the station"), plausibility=Even(0.95))


async def test_a_small_context_is_kept_in_every_message_of_a_repair() -> None:
    long = BROKEN + " " + "words and words " * 2000
    with OpenAIServer(long, GOOD) as server:
        assert (await planned(server, "async", context_tokens=9000)).tasks == TASKS
        sizes = [sum(estimate(t) + 8 for t in s.texts) + estimate(json.dumps(s.body.get("response_format", ""))) for s in server.seen]
    assert all(size <= 9000 - 1024 for size in sizes)
    with OpenAIServer(long) as server, pytest.raises(PlanError, match=r"letter\.png"):  # no room to ask again
        await planned(server, "async", context_tokens=3000)


async def test_where_a_schema_has_no_room_plain_text_is_asked_for() -> None:
    with OpenAIServer(GOOD) as server:
        await planned(server, "stream", context_tokens=1500)
    assert "response_format" not in server.seen[0].body


@ways
async def test_a_request_without_room_is_never_sent(how: str) -> None:
    with OpenAIServer() as server, pytest.raises(BudgetError):
        await planned(server, how, request=Request(text="word " * 9000), context_tokens=8000)
    assert server.seen == []


def test_a_model_that_gives_the_prompt_back_is_read_behind_it() -> None:
    def echo(messages: list[BaseMessage]) -> str:
        return "\n".join(m.text for m in messages) + "\nassistant: " + GOOD

    model = ScriptedChat(script=[echo], tools=False)
    assert planner_of(model).plan(REQUEST, HUB_TASKS).tasks == TASKS
    silent = ScriptedChat(script=[lambda messages: "\n".join(m.text for m in messages)], tools=False)
    with pytest.raises(PlanError, match="empty"):
        planner_of(silent, repairs=0).plan(REQUEST, HUB_TASKS)


async def test_what_has_no_single_repair_is_left_out_when_nobody_is_left_to_ask() -> None:
    lame = GOOD.replace('"text-to-speech"', '"sing-it"')
    with OpenAIServer(lame, lame) as server:
        plan = await planned(server, "async")
    assert plan.tasks == TASKS[:1]
    assert any("sing-it" in r and "left out" in r for r in plan.repairs)
