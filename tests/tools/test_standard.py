"""One suite for every tool that can run here: LangChain's own tests of tools, and what this project promises beyond them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from langchain_core.messages import ToolMessage
from langchain_core.tools import BaseTool
from langchain_tests.integration_tests import ToolsIntegrationTests
from langchain_tests.unit_tests import ToolsUnitTests

from langchain_hugginggpt.tools import HubToolkit
from langchain_hugginggpt.tools.runners.embedded.table import EXPERTS
from tests.tools.media_files import arguments

TOOLKIT = HubToolkit()
ARGUMENTS = arguments(TOOLKIT.store)


class OfOneTool:
    """What LangChain's tests ask for; one subclass for each task."""

    task: str

    @property
    def tool_constructor(self) -> BaseTool:
        return TOOLKIT.tool(self.task)

    @property
    def tool_constructor_params(self) -> dict[str, Any]:
        return {}

    @property
    def tool_invoke_params_example(self) -> dict[str, Any]:
        return ARGUMENTS[self.task]


def suites() -> dict[str, type]:
    made: dict[str, type] = {}
    for task in ARGUMENTS:
        name = task.title().replace("-", "")
        for kind, base in (("Unit", ToolsUnitTests), ("Integration", ToolsIntegrationTests)):
            made[f"Test{kind}{name}"] = type(f"Test{kind}{name}", (OfOneTool, base), {"task": task, "__module__": __name__})
    return made


globals().update(suites())


def test_every_embedded_expert_is_in_this_suite() -> None:
    assert set(ARGUMENTS) == set(EXPERTS)


def test_every_one_of_them_can_run_here() -> None:
    assert set(TOOLKIT.runnable()) == set(ARGUMENTS)


@pytest.mark.parametrize("task", ARGUMENTS)
def test_a_result_is_plain_json_with_every_output(task: str) -> None:
    message = TOOLKIT.tool(task).invoke({"type": "tool_call", "id": "1", "name": task, "args": ARGUMENTS[task]})
    assert isinstance(message, ToolMessage)
    assert (message.status, message.artifact["status"]) == ("success", "ok"), message.content
    assert json.loads(json.dumps(message.artifact, allow_nan=False)) == message.artifact
    assert list(message.artifact["output"]) == [p.name for p in TOOLKIT.tasks[task].outputs]
    assert [a["model"] for a in message.artifact["attempts"]] == [EXPERTS[task].card_id]
    assert str(message.content).endswith(f"made by: {EXPERTS[task].card_id}")


@pytest.mark.parametrize("task", ARGUMENTS)
async def test_async_gives_the_same(task: str) -> None:
    tool, call = TOOLKIT.tool(task), {"type": "tool_call", "id": "1", "name": task, "args": ARGUMENTS[task]}
    one, two = tool.invoke(call).artifact, (await tool.ainvoke(call)).artifact
    assert [a["media_type"] for a in one["artifacts"]] == [a["media_type"] for a in two["artifacts"]]
    if not one["artifacts"]:  # espeak-ng does not say a text twice in the same bytes
        assert one["output"] == two["output"]
    assert (one["status"], one["notes"], one["candidates"]) == (two["status"], two["notes"], two["candidates"])
