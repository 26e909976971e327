"""The planner against the real ChatOpenAI and a server that speaks its protocol."""

from __future__ import annotations

import asyncio
import gc
import json
import re
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from langchain_hugginggpt.agent.errors import ChatModelError, PlanError
from langchain_hugginggpt.agent.plan import Plan, PlannedTask, Ref
from langchain_hugginggpt.agent.planners.llm import LLMPlanner
from langchain_hugginggpt.agent.planners.llm.budget import estimate
from langchain_hugginggpt.agent.planners.llm.prompt import answer_json
from langchain_hugginggpt.agent.planners.planner import GrowingPlanner, Planner
from langchain_hugginggpt.agent.request import Request
from langchain_hugginggpt.index.errors import BudgetError
from langchain_hugginggpt.index.minilm import MiniLM
from langchain_hugginggpt.tools.hub_tasks import HUB_TASKS
from langchain_hugginggpt.tools.task import TaskTable
from tests.fakes import ScriptedChat, file
from tests.openai_server import Fails, OpenAIServer, Raw, Says

REQUEST = Request(text="Read scan.png aloud.", files=(file("scan.png", "image/png"),))
TASKS = (
    PlannedTask(id="1", task="image-to-text", arguments={"image": "scan.png"}),
    PlannedTask(id="2", task="text-to-speech", arguments={"text": Ref(task_id="1")}),
)
ANSWER = answer_json(Plan(tasks=TASKS), "", structured=True)
GOOD = json.dumps(ANSWER)
BROKEN = GOOD.replace('"scan.png"', '"letter.png"')
ENCODER = MiniLM()


def planner_of(model: BaseChatModel, **settings: Any) -> LLMPlanner:
    return LLMPlanner(model, encoder=ENCODER, **settings)


def chat(url: str, **settings: Any) -> ChatOpenAI:
    return ChatOpenAI(model="local", base_url=url, api_key=SecretStr("x"), max_retries=0, **{"timeout": 10, **settings})


class Even:
    """Finds every task as plausible as the others."""

    def __init__(self, score: float) -> None:
        self._score = score

    def plausible(self, request: Request, tasks: TaskTable) -> dict[str, float]:
        return dict.fromkeys(tasks, self._score)


async def planned(server: OpenAIServer, how: str, *, request: Request = REQUEST, **settings: Any) -> Plan:
    """Plan in one of three ways."""
    planner: Planner = planner_of(chat(server.url), **settings)
    if how == "sync":
        return await asyncio.to_thread(planner.plan, request, HUB_TASKS)
    if how == "async":
        return await planner.aplan(request, HUB_TASKS)
    return Plan(tasks=tuple([task async for task in planner.astream(request, HUB_TASKS)]))


ways = pytest.mark.parametrize("how", ["sync", "async", "stream"])


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
@pytest.mark.parametrize("status", [400, 422])
async def test_a_server_without_schemas_is_asked_for_plain_text(how: str, status: int) -> None:
    plain = json.dumps(answer_json(Plan(tasks=TASKS), "", structured=False))
    with OpenAIServer(Fails(status=status, message="response_format is not supported"), f"Plan: {plain}") as server:
        plan = await planned(server, how)
    assert plan == Plan(tasks=TASKS)
    assert "response_format" in server.seen[0].body
    assert "response_format" not in server.seen[1].body
    assert "no words before or after it" in server.seen[1].texts[0]


async def test_a_server_without_schemas_is_asked_for_one_only_once() -> None:
    with OpenAIServer(Fails(status=400), GOOD, GOOD, GOOD) as server:
        planner = planner_of(chat(server.url))
        assert (await planner.aplan(REQUEST, HUB_TASKS)).tasks == TASKS
        assert (await planner.aplan(REQUEST, HUB_TASKS)).tasks == TASKS
        assert [t async for t in planner.astream(REQUEST, HUB_TASKS)] == list(TASKS)
    assert ["response_format" in s.body for s in server.seen] == [True, False, False, False]


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
            await planned(server, how)
        assert server.left == 0
    assert caught.value.answer == second
    assert caught.value.problems
    assert caught.value.remedy
    assert second[:20] in str(caught.value)


async def test_how_often_to_repair_is_a_choice() -> None:
    with OpenAIServer("no", "no", GOOD) as server:
        assert (await planned(server, "async", repairs=2)).tasks == TASKS
    with OpenAIServer("no") as server, pytest.raises(PlanError, match="holds no plan"):
        await planned(server, "async", repairs=0)


@ways
async def test_no_tasks_is_chat_and_a_question_is_kept(how: str) -> None:
    with OpenAIServer('{"tasks": [], "question": null}') as server:
        assert await planned(server, how) == Plan()
    with OpenAIServer('{"tasks": [], "question": "Which?"}') as server:
        assert await planned(server, how) == Plan(question="" if how == "stream" else "Which?")


@ways
async def test_a_refusal_is_shown(how: str) -> None:
    with OpenAIServer(Says(refusal="I will not."), Says(refusal="I will not.")) as server, pytest.raises(PlanError):
        await planned(server, how)


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


@ways
@pytest.mark.parametrize(
    ("answer", "status", "message", "remedy"),
    [
        (Fails(status=401, message="Incorrect API key: sk-abcdefghijkl"), 401, r"refused the key \(401\): .*\(key\)", "Check the key"),
        (Fails(status=404, message="no such model"), 404, "does not know the chat model", "model's name and the base URL"),
        (Fails(status=429, message="slow down"), 429, "refuses more requests", "Wait"),
        (Fails(status=500, message="boom"), 500, r"at http://127.0.0.1:\d+ failed \(500\): boom", "log"),
        (
            Raw(body={"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": []}),
            None,
            "without any choice",
            "protocol",
        ),
        (
            Fails(status=400, message="This model's maximum context length is 10 tokens", code="context_length_exceeded"),
            400,
            "too long",
            "Shorten",
        ),
    ],
)
async def test_errors_of_the_server(how: str, answer: Fails | Raw, status: int | None, message: str, remedy: str) -> None:
    with OpenAIServer(answer, answer) as server, pytest.raises(ChatModelError, match=message) as caught:
        await planned(server, how)
    assert caught.value.status == status
    assert remedy in caught.value.remedy
    assert caught.value.__cause__ is not None
    assert "sk-abc" not in str(caught.value)


@ways
async def test_a_server_that_is_down(how: str) -> None:
    with OpenAIServer() as server:
        pass
    with pytest.raises(ChatModelError, match=f"at {server.url.removesuffix('/v1')} cannot be reached") as caught:
        await planned(server, how)
    assert caught.value.status is None
    assert "server runs" in caught.value.remedy


async def test_a_server_that_is_slow() -> None:
    says = Says(pieces=("a", "b"), hold=0)
    with OpenAIServer(says) as server:
        with pytest.raises(ChatModelError, match="did not answer in time"):
            await anext(planner_of(chat(server.url, timeout=0.2)).astream(REQUEST, HUB_TASKS))
        says.gate.set()


def test_calls_in_several_event_loops_and_without_one() -> None:
    with OpenAIServer(*[GOOD] * 4, keep=True) as server:
        planner = planner_of(chat(server.url))
        assert planner.plan(REQUEST, HUB_TASKS).tasks == TASKS
        assert planner.plan(REQUEST, HUB_TASKS).tasks == TASKS

        async def from_a_loop() -> Plan:
            return await asyncio.to_thread(planner.plan, REQUEST, HUB_TASKS)

        assert asyncio.run(from_a_loop()).tasks == TASKS
        assert asyncio.run(from_a_loop()).tasks == TASKS


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # connections of loops that were closed
def test_async_calls_of_one_model_in_a_new_loop_each() -> None:
    """langchain-openai alone fails here every second time: its client is shared by address, and bound to the first loop."""
    with OpenAIServer(*[GOOD] * 18, keep=True) as server:
        planner = planner_of(chat(server.url))

        async def streamed() -> list[PlannedTask]:
            return [t async for t in planner.astream(REQUEST, HUB_TASKS)]

        for _ in range(3):
            assert asyncio.run(planner.aplan(REQUEST, HUB_TASKS)).tasks == TASKS
            assert asyncio.run(streamed()) == list(TASKS)
            assert planner.plan(REQUEST, HUB_TASKS).tasks == TASKS
        gc.collect()


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
        plan = await planned(server, "async", request=Request(text="Order a taxi to the station"), plausibility=Even(0.5))
    assert plan == Plan(answer=said)
    with OpenAIServer(said, said) as server, pytest.raises(PlanError, match="holds no plan"):
        await planned(server, "async", request=Request(text="Order a taxi to the station"), plausibility=Even(0.95))


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
