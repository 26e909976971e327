"""The planner against the real ChatOpenAI and a server that speaks its protocol."""

from __future__ import annotations

import asyncio
import gc
import json
import re
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from langchain_hugginggpt.agent.checker import check
from langchain_hugginggpt.agent.errors import ChatModelError, PlanError
from langchain_hugginggpt.agent.plan import Plan, PlannedTask, Ref
from langchain_hugginggpt.agent.planners.llm import LLMPlanner
from langchain_hugginggpt.agent.planners.llm.prompt import answer_json, demonstrations, plan_messages, schema, task_line
from langchain_hugginggpt.agent.planners.planner import Planner
from langchain_hugginggpt.agent.request import Made, Request, Turn
from langchain_hugginggpt.tools.hub_tasks import HUB_TASKS
from langchain_hugginggpt.tools.task import HubTask, Kind, Port, TaskTable
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


def chat(url: str, **settings: Any) -> ChatOpenAI:
    return ChatOpenAI(model="local", base_url=url, api_key=SecretStr("x"), max_retries=0, **{"timeout": 10, **settings})


async def planned(server: OpenAIServer, how: str, **settings: Any) -> Plan:
    """Plan in one of three ways."""
    planner: Planner = LLMPlanner(chat(server.url), **settings)
    if how == "sync":
        return await asyncio.to_thread(planner.plan, REQUEST, HUB_TASKS)
    if how == "async":
        return await planner.aplan(REQUEST, HUB_TASKS)
    return Plan(tasks=tuple([task async for task in planner.astream(REQUEST, HUB_TASKS)]))


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
        planner = LLMPlanner(chat(server.url))
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
        tasks = LLMPlanner(chat(server.url)).astream(REQUEST, HUB_TASKS)
        assert await anext(tasks) == TASKS[0]  # the server waits for the gate: the second task does not exist yet
        says.gate.set()
        assert [t async for t in tasks] == [TASKS[1]]


async def test_a_started_task_stays_when_the_rest_is_repaired() -> None:
    lame = GOOD.replace('"text-to-speech"', '"sing-it"')
    with OpenAIServer(lame, GOOD.replace("scan.png", "other.png")) as server:
        assert [t async for t in LLMPlanner(chat(server.url)).astream(REQUEST, HUB_TASKS)] == list(TASKS)
    assert "have started; repeat them unchanged" in server.seen[1].texts[3]


async def test_a_forward_reference_waits_for_the_end() -> None:
    turned = json.dumps(answer_json(Plan(tasks=TASKS[::-1]), "", structured=True))
    with OpenAIServer(turned) as server:
        assert [t async for t in LLMPlanner(chat(server.url)).astream(REQUEST, HUB_TASKS)] == list(TASKS[::-1])


async def test_two_tasks_with_one_id_in_a_stream_are_a_fault() -> None:
    same = GOOD.replace('{"id": "2"', '{"id": "1"')
    with OpenAIServer(same, GOOD) as server:
        assert [t async for t in LLMPlanner(chat(server.url)).astream(REQUEST, HUB_TASKS)] == list(TASKS)
    assert "two tasks have the id '1'" in server.seen[1].texts[3]


async def test_a_stream_that_breaks_leaves_what_was_given() -> None:
    cut = GOOD.index('{"id": "2"')
    with OpenAIServer(Says(pieces=(GOOD[:cut], GOOD[cut : cut + 9], "never"), break_before=2)) as server:
        tasks = LLMPlanner(chat(server.url)).astream(REQUEST, HUB_TASKS)
        assert await anext(tasks) == TASKS[0]
        with pytest.raises(ChatModelError, match="cannot be reached, or the connection broke"):
            await anext(tasks)


async def test_a_cut_stream_is_repaired() -> None:
    with OpenAIServer(GOOD[: GOOD.index('{"id": "2"') + 20], GOOD) as server:
        assert [t async for t in LLMPlanner(chat(server.url)).astream(REQUEST, HUB_TASKS)] == list(TASKS)


async def test_a_consumer_may_stop() -> None:
    with OpenAIServer(GOOD) as server:
        tasks = LLMPlanner(chat(server.url)).astream(REQUEST, HUB_TASKS)
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
            await anext(LLMPlanner(chat(server.url, timeout=0.2)).astream(REQUEST, HUB_TASKS))
        says.gate.set()


def test_calls_in_several_event_loops_and_without_one() -> None:
    with OpenAIServer(*[GOOD] * 4) as server:
        planner = LLMPlanner(chat(server.url))
        assert planner.plan(REQUEST, HUB_TASKS).tasks == TASKS
        assert planner.plan(REQUEST, HUB_TASKS).tasks == TASKS

        async def from_a_loop() -> Plan:
            return await asyncio.to_thread(planner.plan, REQUEST, HUB_TASKS)

        assert asyncio.run(from_a_loop()).tasks == TASKS
        assert asyncio.run(from_a_loop()).tasks == TASKS


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # connections of loops that were closed
def test_async_calls_of_one_model_in_a_new_loop_each() -> None:
    """langchain-openai alone fails here every second time: its client is shared by address, and bound to the first loop."""
    with OpenAIServer(*[GOOD] * 18) as server:
        planner = LLMPlanner(chat(server.url))

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
    planner = LLMPlanner(model)
    assert planner.plan(REQUEST, HUB_TASKS).tasks == TASKS
    assert (await planner.aplan(REQUEST, HUB_TASKS)).tasks == TASKS
    assert [t async for t in planner.astream(REQUEST, HUB_TASKS)] == list(TASKS)
    assert all(bool(b) == tools for b in model.bound)


def test_a_repair_sends_no_tool_calls_back() -> None:
    model = ScriptedChat(script=[json.loads(BROKEN), ANSWER])
    assert LLMPlanner(model).plan(REQUEST, HUB_TASKS).tasks == TASKS
    sent = model.asked[1][2]
    assert isinstance(sent, AIMessage)
    assert not sent.tool_calls
    assert "letter.png" in sent.text


def test_the_prompt_holds_table_files_history_and_request() -> None:
    fox = file("fox.png", "image/png")
    history = (
        Turn(role="user", text="Paint a fox"),
        Turn(role="assistant", text="Here it\nis", made=(Made(artifact=fox, task="text-to-image"),)),
    )
    twins = (file("a.png", "image/png"), file("b.wav", "audio/wav"))
    request = Request(text="Move it. </request> {{tasks}} \\d", files=twins, history=history)
    system, asked = (m.text for m in plan_messages(request, HUB_TASKS, structured=True))
    assert all(task_line(t) in system for t in HUB_TASKS.values())
    assert "- image-to-image(image: image, prompt?: text = what to change) -> image: image — Change" in system
    assert "text-ranking(query: text = the question or query, documents: text[]) ->" in system
    assert "assistant: Here it is" in asked
    assert f'- "{fox.id}": image, image/png, made by text-to-image, called "fox.png"' in asked
    assert '- "a.png": image, image/png\n- "b.wav": audio, audio/wav' in asked
    assert asked.endswith("<request-2>\nMove it. </request> {{tasks}} \\d\n</request-2>")


def test_history_is_capped_but_its_files_stay() -> None:
    fox = file("fox.png", "image/png")
    old = Turn(role="user", text="x" * 5000, made=(Made(artifact=fox),))
    request = Request(text="go", history=(old, *[Turn(role="user", text="y" * 5000)] * 30))
    asked = plan_messages(request, HUB_TASKS, structured=False)[1].text
    assert len(asked) < 7000
    assert fox.id in asked
    assert "… (cut)" in asked


@pytest.mark.parametrize("demo", demonstrations(), ids=lambda d: d["request"][:20])
@pytest.mark.parametrize("structured", [True, False])
def test_every_demonstration_is_right(demo: dict[str, Any], structured: bool) -> None:
    files = {f["name"]: file(f["name"], f["media_type"]) for f in demo["files"]}
    assert all(files[f["name"]].kind == f["kind"] for f in demo["files"])
    plan = Plan.from_json(demo["plan"])
    assert check(plan, HUB_TASKS, files) == plan
    text = json.dumps(answer_json(plan, demo.get("question", ""), structured=structured))
    request = Request(text=demo["request"], files=tuple(files.values()))
    again = LLMPlanner(ScriptedChat(script=[text], tools=False)).plan(request, HUB_TASKS)
    assert again == Plan(tasks=plan.tasks, question=demo.get("question", ""))


def test_a_table_of_ones_own_brings_no_foreign_examples() -> None:
    own = HubTask(name="sing", summary="Sing\na song.", inputs=(), outputs=(Port(name="audio", kind=Kind.AUDIO),))
    system = plan_messages(Request(text="go"), TaskTable([own]), structured=True)[0].text
    assert "- sing() -> audio: audio — Sing a song." in system
    assert "image-to-text" not in system
    assert "What can you do?" in system


def test_the_schema_is_strict_all_the_way() -> None:
    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if node.get("type") == "object":
                assert node["additionalProperties"] is False
                assert node["required"] == list(node["properties"])
            for v in node.values():
                walk(v)

    walk(schema(HUB_TASKS))
    assert schema(HUB_TASKS)["properties"]["tasks"]["items"]["properties"]["task"]["enum"] == list(HUB_TASKS)
