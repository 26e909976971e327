"""The planner, and what a server or a connection can do to it."""

from __future__ import annotations

import asyncio
import gc
import json

import pytest

from langchain_hugginggpt.agent.errors import ChatModelError
from langchain_hugginggpt.agent.plan import Plan, PlannedTask
from langchain_hugginggpt.agent.planners.llm.prompt import answer_json
from langchain_hugginggpt.tools.hub_tasks import HUB_TASKS
from tests.agent.planners.asking import GOOD, REQUEST, TASKS, chat, planned, planner_of, ways
from tests.openai_server import Fails, OpenAIServer, Raw, Says


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
