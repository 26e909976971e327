"""One request, its plan as a model writes it, and three ways of asking for it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from langchain_hugginggpt.agent.plan import Plan, PlannedTask, Ref
from langchain_hugginggpt.agent.planners.llm import LLMPlanner
from langchain_hugginggpt.agent.planners.llm.prompt import answer_json
from langchain_hugginggpt.agent.planners.planner import Planner
from langchain_hugginggpt.agent.request import Request
from langchain_hugginggpt.index.minilm import MiniLM
from langchain_hugginggpt.tools.hub_tasks import HUB_TASKS
from langchain_hugginggpt.tools.task import TaskTable
from tests.fakes import file
from tests.openai_server import OpenAIServer

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
