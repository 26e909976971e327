from __future__ import annotations

from pathlib import Path

import pytest

from langchain_hugginggpt.agent import HuggingGPT, Settings, SettingsError
from langchain_hugginggpt.agent.request import Request
from langchain_hugginggpt.agent.settings import build_planner
from langchain_hugginggpt.index.errors import BudgetError, CallerError, IndexFileError, UnknownNameError
from langchain_hugginggpt.tools.hub_tasks import HUB_TASKS
from tests.fakes import ScriptedChat


def test_the_environment_is_read_once_and_blank_counts_as_not_set() -> None:
    found = Settings.from_environment(
        {
            "HUGGINGGPT_LLM": " openai:x ",
            "HUGGINGGPT_PLANNER": "",
            "HUGGINGGPT_INDEX": "/i",
            "HUGGINGGPT_OUT": "o",
            "HUGGINGGPT_TASK_TIMEOUT": "5",
            "HUGGINGGPT_CONTEXT_TOKENS": " 8192 ",
        }
    )
    assert found == Settings(llm="openai:x", planner=None, index=Path("/i"), out=Path("o"), task_timeout=5.0, context_tokens=8192)
    assert Settings.from_environment({}) == Settings()


@pytest.mark.parametrize("value", ["soon", "0", "-1", "nan"])
def test_a_timeout_that_is_none(value: str) -> None:
    with pytest.raises(SettingsError, match="HUGGINGGPT_TASK_TIMEOUT"):
        Settings.from_environment({"HUGGINGGPT_TASK_TIMEOUT": value})


@pytest.mark.parametrize("value", ["many", "8k", "0", "-1", "1.5"])
def test_a_context_that_is_none(value: str) -> None:
    with pytest.raises(SettingsError, match=rf"HUGGINGGPT_CONTEXT_TOKENS must be .*'{value}'"):
        Settings.from_environment({"HUGGINGGPT_CONTEXT_TOKENS": value})


def test_the_planner_keeps_the_context_that_is_set() -> None:
    planner = build_planner(Settings(llm="some:model", context_tokens=2000), model=ScriptedChat(script=[]))
    with pytest.raises(BudgetError, match="room for 1,500"):
        planner.plan(Request(text="word " * 5000), HUB_TASKS)
    with pytest.raises(SettingsError, match="context of -5 tokens"):
        build_planner(Settings(llm="some:model", context_tokens=-5), model=ScriptedChat(script=[]))


def test_wrong_settings_are_the_callers_fault(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"no planner named 'embeded'.*'embedded'"):
        HuggingGPT.from_settings(Settings(planner="embeded"))
    with pytest.raises(SettingsError, match="needs a chat model"):
        HuggingGPT.from_settings(Settings(planner="llm"))
    with pytest.raises(IndexFileError, match="no index"):
        HuggingGPT.from_settings(Settings(index=tmp_path))
    (tmp_path / "f").write_text("x")
    with pytest.raises(CallerError, match="cannot be written to"):
        HuggingGPT.from_settings(Settings(out=tmp_path / "f" / "out"))


def test_an_agent_from_settings_answers(tmp_path: Path) -> None:
    reply = HuggingGPT.from_settings(Settings(out=tmp_path)).ask("How similar are 'a cat' and 'a kitten'?")
    assert reply.trace.complete
    assert 0.5 < reply.trace.results[0].output["scores"][0] < 1
