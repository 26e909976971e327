"""`--llm` with the real ChatOpenAI, as a user calls it, against a local server that speaks the protocol."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from langchain_hugginggpt.agent import ChatModelError, HuggingGPT, Plan
from langchain_hugginggpt.agent.planners.llm import LLMPlanner
from langchain_hugginggpt.agent.planners.llm.prompt import answer_json
from langchain_hugginggpt.agent.response_llm import LLMResponder
from tests.agent.plans import plan, ref, task
from tests.agent.stubs import toolkit
from tests.openai_server import Fails, OpenAIServer, Says

SIMILAR = plan(task("1", "sentence-similarity", source_sentence="a cat", sentences=["a kitten"]))


def written(made: Plan) -> str:
    return json.dumps(answer_json(made, "", structured=True))


def run(server_url: str, tmp_path: Path, *args: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("HUGGINGGPT_", "OPENAI_"))}
    environment |= {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "OPENAI_BASE_URL": server_url, "OPENAI_API_KEY": "sk-secret-key"}
    command = [sys.executable, "-c", "from langchain_hugginggpt.app.main import main; main()", "ask", *args, "--llm", "openai:local"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)
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


def agent(server: OpenAIServer) -> HuggingGPT:
    model = ChatOpenAI(model="local", base_url=server.url, api_key=SecretStr("x"), max_retries=0, timeout=10)
    return HuggingGPT(toolkit=toolkit(), planner=LLMPlanner(model), responder=LLMResponder(model))


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
