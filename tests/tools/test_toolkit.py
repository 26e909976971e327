"""Which tasks become tools, and how a user's own tools join them."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from langchain_core.tools import BaseTool, BaseToolkit, tool

from langchain_hugginggpt.index import MiniLM, ModelCardIndex
from langchain_hugginggpt.index.errors import CallerError, UnknownNameError
from langchain_hugginggpt.tools import (
    HUB_TASKS,
    ArtifactStore,
    Availability,
    DeclaredTool,
    HubTask,
    HubTaskTool,
    HubToolkit,
    Kind,
    Port,
)
from langchain_hugginggpt.tools.runners.absent import AbsentRunner
from langchain_hugginggpt.tools.runners.embedded.table import EXPERTS
from tests.fakes import ScriptedRunner


@tool
def shout(text: str) -> str:
    """Make it loud."""
    return text.upper()


TEXT = Port(name="text", kind=Kind.TEXT)
SHOUT = HubTask(name="shout", summary="Say a text loudly.", inputs=(TEXT,), outputs=(TEXT,))


def no_index() -> ModelCardIndex:
    raise AssertionError("the index was opened")


def names(tools: list[BaseTool]) -> list[str]:
    return [t.name for t in tools]


def test_only_what_can_run_becomes_a_tool_in_the_order_of_the_table() -> None:
    toolkit = HubToolkit(index=no_index)
    assert isinstance(toolkit, BaseToolkit)
    assert names(toolkit.get_tools()) == [n for n in HUB_TASKS if n in EXPERTS]
    assert toolkit.runnable() == names(toolkit.get_tools())


def test_without_runners_there_are_no_tools_and_every_task_is_still_known() -> None:
    toolkit = HubToolkit(index=no_index, runners=[])
    assert toolkit.get_tools() == []
    assert list(toolkit.tasks) == list(HUB_TASKS)


@pytest.mark.parametrize("task", HUB_TASKS.values(), ids=lambda t: t.name)
def test_every_task_says_whether_it_can_run_and_why_not(task: HubTask) -> None:
    answers = HubToolkit(index=no_index).availability(task)
    assert list(answers) == ["embedded", "local", "hosted"]
    assert answers["embedded"].ok is (task.name in EXPERTS)
    for answer in answers.values():
        assert answer.ok or answer.why
        assert not answer.why.endswith(".")  # it is put into a sentence
        assert answer.supported or not answer.ok
    assert "HubToolkit" in answers["hosted"].remedy


def test_a_task_that_cannot_run_is_a_tool_that_says_so() -> None:
    toolkit = HubToolkit()
    message = toolkit.tool("text-to-image").invoke({"type": "tool_call", "id": "1", "name": "x", "args": {"prompt": "a cat"}})
    assert message.artifact["status"] == "unavailable"
    for said in (
        "embedded: no embedded expert does this task",
        "local: no model that does it is on this machine",
        "hosted: they would be sent",
        "DeclaredTool",
    ):
        assert said in message.content
    assert len(message.artifact["candidates"]) >= 3
    assert all(toolkit.experts.index.get(i, task="text-to-image") for i in message.artifact["candidates"])


def test_a_tool_is_always_the_same_object() -> None:
    toolkit = HubToolkit(index=no_index)
    assert toolkit.tool("summarization") is toolkit.tool("summarization")
    assert all(toolkit.tool(t.name) is t for t in toolkit.get_tools())
    assert isinstance(toolkit.tool("summarization"), HubTaskTool)


def test_the_nearest_task_is_suggested() -> None:
    with pytest.raises(UnknownNameError, match=r"no task named 'sumarization'\. Did you mean 'summarization'\?"):
        HubToolkit(index=no_index).tool("sumarization")


def test_store_and_encoder_are_the_ones_given() -> None:
    store, encoder = ArtifactStore(), MiniLM()
    toolkit = HubToolkit(store=store, encoder=encoder, index=no_index)
    assert (toolkit.store, toolkit.encoder) == (store, encoder)


def test_a_tool_of_ones_own_joins() -> None:
    toolkit = HubToolkit(index=no_index, runners=[], tools=[DeclaredTool(tool=shout, task=SHOUT)])
    assert list(toolkit.tasks) == [*HUB_TASKS, "shout"]
    assert toolkit.get_tools() == [shout]
    assert toolkit.tool("shout") is shout
    assert toolkit.availability(SHOUT) == {"own tool": Availability(supported=True, ok=True)}


def test_a_tool_of_ones_own_may_stand_for_a_hub_task() -> None:
    task = HubTask(name="translation", summary="Translate loudly.", inputs=(TEXT,), outputs=(TEXT,))
    toolkit = HubToolkit(index=no_index, tools=[DeclaredTool(tool=shout, task=task)])
    assert toolkit.tool("translation") is shout
    assert toolkit.tasks["translation"] is task
    assert len(toolkit.tasks) == 56
    assert "translation" in toolkit.runnable()


def test_a_declared_tool_must_take_what_its_ports_give() -> None:
    task = HubTask(name="t", summary="s", inputs=(TEXT, Port(name="voice", kind=Kind.AUDIO, required=False)), outputs=(TEXT,))
    with pytest.raises(CallerError, match=r"The tool 'shout' has no argument 'voice' for the ports declared\. Its arguments are text\."):
        DeclaredTool(tool=shout, task=task)


def test_runners_of_ones_own() -> None:
    toolkit = HubToolkit(index=no_index, runners=[AbsentRunner("cloud", why="no key", remedy=""), ScriptedRunner({})])
    assert len(toolkit.get_tools()) == 56
    assert [a.ok for a in toolkit.availability(HUB_TASKS["translation"]).values()] == [False, True]


@pytest.mark.parametrize("module", ["tools", "index"])
def test_importing_loads_nothing_heavy(module: str) -> None:
    heavy = ["torch", "transformers", "sentence_transformers", "faiss", "gradio", "onnxruntime", "rapidocr", "PIL"]
    code = f"import sys, langchain_hugginggpt.{module}; print([m for m in {heavy} if m in sys.modules])"
    done: Any = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
