"""`--llm` with the real ChatOpenAI, as a user calls it, against a local server that speaks the protocol."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from langchain_hugginggpt.agent import ChatModelError, HuggingGPT, Plan, Reply
from langchain_hugginggpt.agent.planners.llm import LLMPlanner
from langchain_hugginggpt.agent.planners.llm.prompt import answer_json
from langchain_hugginggpt.agent.response_llm import LLMResponder
from langchain_hugginggpt.index.errors import BudgetError
from langchain_hugginggpt.index.minilm import MiniLM
from tests.agent.plans import plan, ref, task
from tests.agent.stubs import toolkit
from tests.openai_server import Fails, OpenAIServer, Says

ENCODER = MiniLM()
SIMILAR = plan(task("1", "sentence-similarity", source_sentence="a cat", sentences=["a kitten"]))


def written(made: Plan) -> str:
    return json.dumps(answer_json(made, "", structured=True))


def run(server_url: str, tmp_path: Path, *args: str, command: str = "ask", **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("HUGGINGGPT_", "OPENAI_"))}
    environment |= {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "OPENAI_BASE_URL": server_url, "OPENAI_API_KEY": "sk-secret-key"}
    line = [sys.executable, "-c", "from langchain_hugginggpt.app.main import main; main()", command, *args, "--llm", "openai:local"]
    environment |= variables
    done = subprocess.run(line, capture_output=True, text=True, env=environment, timeout=120, check=False)
    assert "Traceback" not in done.stderr
    return done


def test_the_model_plans_and_answers(tmp_path: Path) -> None:
    with OpenAIServer(Says(text=written(SIMILAR)), Says(text="They are quite close [1].")) as server:
        done = run(server.url, tmp_path, "Are a cat and a kitten alike?", "--json")
    data = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert data["reply"] == "They are quite close [1]."
    assert data["results"][0]["model"] == "embedded/minilm-similarity"
    assert server.seen[0].body["response_format"]["type"] == "json_schema"
    assert str(data["results"][0]["output"]["scores"][0])[:4] in " ".join(server.seen[1].texts)


@pytest.mark.parametrize("answers", [[Fails(status=401)] * 4, [Fails(status=500)] * 9, [Fails(status=429)] * 9, None])
def test_a_model_that_does_not_answer_is_an_error_and_never_the_embedded_planner(tmp_path: Path, answers: list[Fails] | None) -> None:
    if answers is None:
        done = run("http://127.0.0.1:9/v1", tmp_path, "How similar are 'a cat' and 'a kitten'?", "--json")
    else:
        with OpenAIServer(*answers) as server:
            done = run(server.url, tmp_path, "How similar are 'a cat' and 'a kitten'?", "--json")
    error = json.loads(done.stdout)["error"]
    assert done.returncode == 1
    assert error["type"] == "ChatModelError"
    assert error["remedy"]
    assert "sk-secret-key" not in done.stdout + done.stderr


def test_a_provider_that_is_not_known(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from langchain_hugginggpt.app.main import main; main()", "ask", "x", "--llm", "opnai:x"]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "HOME": str(tmp_path)}, timeout=60, check=False)
    assert done.returncode == 2
    assert "openai" in done.stderr
    assert "Traceback" not in done.stderr


def test_plan_shows_what_the_model_says_instead_of_tasks(tmp_path: Path) -> None:
    asks = json.dumps({"tasks": [], "question": "Which [b]picture[/b]?"})
    with OpenAIServer("Hello!", "Hello!", asks, asks) as server:
        hello, seen = (run(server.url, tmp_path, "hi there", *more, command="plan") for more in (["--json"], []))
        question, read = (run(server.url, tmp_path, "Read the picture", *more, command="plan") for more in (["--json"], []))
    data = json.loads(hello.stdout)
    assert (data["plan"], data["answer"], data["question"]) == ([], "Hello!", None)
    assert seen.stdout == "answer: Hello!\n"
    data = json.loads(question.stdout)
    assert (data["plan"], data["answer"], data["question"]) == ([], None, "Which [b]picture[/b]?")
    assert read.stdout == "question: Which [b]picture[/b]?\n"


def test_the_models_context_is_set_by_option_or_variable(tmp_path: Path) -> None:
    words = "word " * 3000
    with OpenAIServer() as server:
        option = run(server.url, tmp_path, words, "--context-tokens", "2000", command="plan", HUGGINGGPT_CONTEXT_TOKENS="9000")
        variable = run(server.url, tmp_path, words, "--json", HUGGINGGPT_CONTEXT_TOKENS="1200")
        wrong = run(server.url, tmp_path, words, HUGGINGGPT_CONTEXT_TOKENS="8k")
    assert server.seen == []
    assert (option.returncode, variable.returncode, wrong.returncode) == (1, 1, 2)
    assert "has room for 1,500" in option.stderr
    assert "has room for 900" in json.loads(variable.stdout)["error"]["message"]
    assert "HUGGINGGPT_CONTEXT_TOKENS must be a whole number of tokens, not '8k'" in wrong.stderr


def agent(server: OpenAIServer, **settings: Any) -> HuggingGPT:
    model = ChatOpenAI(model="local", base_url=server.url, api_key=SecretStr("x"), max_retries=0, timeout=10)
    return HuggingGPT(toolkit=toolkit(), planner=LLMPlanner(model, encoder=ENCODER, **settings), responder=LLMResponder(model))


CHAIN = plan(task("1", "translation", text="hello"), task("2", "summarization", text=ref("1", "text")))


async def test_the_reply_is_streamed_through_the_agent() -> None:
    with OpenAIServer(Says(text=written(CHAIN)), Says(text="One two three four five")) as server:
        pieces = [c.text async for c in agent(server).astream("translate hello and shorten it")]
    assert "".join(pieces) == "One two three four five"
    assert len([p for p in pieces if p]) > 1


def test_sync_and_async_calls_take_turns_on_one_model() -> None:
    with OpenAIServer(*[Says(text=written(CHAIN)), Says(text="done")] * 4) as server:
        one = agent(server)
        assert one.invoke("x").text == "done"
        assert asyncio.run(one.ainvoke("x")).text == "done"
        assert one.invoke("x").text == "done"


def test_media_never_goes_to_the_model() -> None:
    with OpenAIServer(Says(text=written(Plan())), Says(text="A red square?")) as server:
        block: dict[str, Any] = {"type": "image", "base64": "iVBORw0KGgo=", "mime_type": "image/png", "extras": {"filename": "red.png"}}
        agent(server).invoke([HumanMessage(content=[{"type": "text", "text": "What is it?"}, block])])
    sent = json.dumps([s.body for s in server.seen])
    assert "iVBORw0KGgo" not in sent
    assert "red.png" in sent


async def test_an_error_of_the_model_leaves_the_agent_as_itself() -> None:
    with OpenAIServer(Fails(status=401)) as server, pytest.raises(ChatModelError) as raised:
        await agent(server).ainvoke("x")
    assert raised.value.status == 401


async def watched(one: HuggingGPT, text: str, gate: threading.Event | None = None) -> tuple[list[str], Reply]:
    """Events in short, and the reply. The gate is opened when the first task has ended."""
    seen: list[str] = []
    async for step in one.awatch(text):
        if isinstance(step, Reply):
            return seen, step
        if step["type"] == "plan":
            seen.append(f"plan {len(step['plan'])}{' whole' if step['whole'] else ''}")
        elif step["type"] == "task_end":
            seen.append(f"end {step['result']['task_id']} {step['result']['status']}")
            if gate is not None:
                gate.set()
    raise AssertionError("no reply")


async def test_the_first_expert_is_done_before_the_plan_is_written() -> None:
    text = written(CHAIN)
    cut = text.index('{"id": "2"')
    says = Says(pieces=(text[:cut], text[cut:]), hold=1)
    with OpenAIServer(says, Says(text="Short [2].")) as server:
        seen, reply = await watched(agent(server), "translate hello and shorten it", says.gate)
    assert seen[:3] == ["plan 1", "end 1 ok", "plan 2"]
    assert sorted(seen[3:]) == ["end 2 ok", "plan 2 whole"]
    assert reply.text == "Short [2]."
    assert reply.trace.complete


async def test_what_ran_is_told_when_the_connection_breaks() -> None:
    text = written(CHAIN)
    cut = text.index('{"id": "2"')
    with OpenAIServer(Says(pieces=(text[:cut], text[cut : cut + 9], "never"), break_before=2)) as server:
        _, reply = await watched(agent(server), "translate hello and shorten it")
    assert len(server.seen) == 1  # the model that failed is not asked for the reply
    assert "translation(hello)" in reply.text
    assert "The plan broke off" in reply.text
    assert "connection broke" in reply.trace.plan.error
    assert [r.task_id for r in reply.trace.results] == ["1"]


async def test_a_plan_that_is_faulty_in_the_end_is_repaired_around_what_runs() -> None:
    lame = written(CHAIN).replace('"summarization"', '"sing-it"')
    with OpenAIServer(lame, Says(text=written(CHAIN)), Says(text="Short [2].")) as server:
        seen, reply = await watched(agent(server), "translate hello and shorten it")
    assert seen[0] == "plan 1"
    assert seen.count("end 1 ok") == 1
    assert [r.status for r in reply.trace.results] == ["ok", "ok"]
    assert "have started; repeat them unchanged" in server.seen[1].texts[3]


async def test_a_plan_beyond_repair_keeps_what_ran() -> None:
    circle = plan(CHAIN.tasks[0], task("2", "summarization", text=ref("3")), task("3", "summarization", text=ref("2")))
    with OpenAIServer(written(circle), written(circle)) as server:
        _, reply = await watched(agent(server), "translate hello and shorten it")
    assert "wait for each other" in reply.trace.plan.error
    assert "translation(hello)" in reply.text
    assert [r.task_id for r in reply.trace.results] == ["1"]
    assert server.left == 0


async def test_what_can_be_run_of_a_faulty_plan_is_run_and_the_rest_is_told() -> None:
    lame = written(CHAIN).replace('"summarization"', '"sing-it"')
    with OpenAIServer(lame, lame, Says(text="Hello [1].")) as server:
        _, reply = await watched(agent(server), "translate hello and sing it")
    assert [r.task_id for r in reply.trace.results] == ["1"]
    assert any("sing-it" in r and "left out" in r for r in reply.trace.plan.repairs)
    assert "left out" in server.seen[2].texts[1]


async def test_small_talk_costs_one_call() -> None:
    with OpenAIServer("Hello! What shall I do for you?") as server:
        seen, reply = await watched(agent(server), "hi there")
    assert (seen, reply.text) == (["plan 0 whole"], "Hello! What shall I do for you?")
    assert reply.trace.as_json()["answer"] == reply.trace.plan.answer == reply.text
    assert len(server.seen) == 1


async def test_a_request_without_room_leaves_the_agent_as_an_error() -> None:
    with OpenAIServer() as server, pytest.raises(BudgetError, match="has room for 1,500"):
        await agent(server, context_tokens=2000).ainvoke("word " * 5000)


def test_a_broken_plan_in_the_terminal(tmp_path: Path) -> None:
    made = plan(SIMILAR.tasks[0], task("2", "translation", text="x"))
    text = written(made)
    cut = text.index('{"id": "2"')
    with OpenAIServer(Says(pieces=(text[:cut], text[cut : cut + 9], "never"), break_before=2)) as server:
        done = run(server.url, tmp_path, "Are a cat and a kitten alike?")
    assert done.returncode == 3, done.stderr
    assert done.stdout.count("sentence-similarity") >= 3  # plan, end, reply
    assert "the plan broke off:" in done.stdout
    assert "The plan broke off, and nothing besides this was run" in done.stdout
