from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from langchain_hugginggpt.agent import HuggingGPT, Settings, SettingsError
from langchain_hugginggpt.agent.building import build_planner, build_toolkit, open_index
from langchain_hugginggpt.agent.request import Request
from langchain_hugginggpt.agent.settings import index_in_use, use_index
from langchain_hugginggpt.index import MiniLM, ModelCard, ModelCardIndex
from langchain_hugginggpt.index.errors import BudgetError, CallerError, IndexFileError, UnknownNameError
from langchain_hugginggpt.tools.hub_tasks import HUB_TASKS
from tests.fakes import ScriptedChat, WordEncoder


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


CARD = ModelCard(id="a/b", task="summarization", text="Sums up.")


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data"


def test_the_index_in_use_is_remembered_by_its_whole_path(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert index_in_use() is None
    use_index(None)  # nothing to forget
    monkeypatch.chdir(tmp_path)
    use_index(Path("some index"))
    assert index_in_use() == tmp_path / "some index"
    use_index(None)
    assert index_in_use() is None


def test_the_index_in_use_is_for_the_command_line_alone(data: Path, tmp_path: Path) -> None:
    """Who builds settings in Python says what is in them."""
    use_index(tmp_path / "nowhere")
    assert Settings.from_environment({}).index is None
    assert len(build_toolkit(Settings()).experts.index) > 250


def test_a_note_that_cannot_be_written(data: Path) -> None:
    data.write_text("a file")
    with pytest.raises(SettingsError, match=r"index\.json' cannot be written: .*HUGGINGGPT_INDEX"):
        use_index(Path("/x"))


def test_an_index_shares_the_encoder_that_made_it_and_loads_another_one_itself(data: Path, tmp_path: Path) -> None:
    class Asked(MiniLM):
        queries: list[str] = []  # noqa: RUF012

        def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
            self.queries.extend(texts)
            return super().encode(texts)

    shared = Asked()
    ModelCardIndex.build([CARD], tmp_path / "one")
    ModelCardIndex.build([CARD], tmp_path / "other", encoder=WordEncoder("sums"))
    assert open_index(tmp_path / "one", shared).search("sum up")
    assert shared.queries == ["sum up"]
    other = build_toolkit(Settings(index=tmp_path / "other")).experts.index  # not refused, though it is no MiniLM's
    assert other.manifest["encoder"] == "words"
    with pytest.raises(UnknownNameError, match="no encoder named 'words'"):
        other.search("sum")


def test_an_error_tells_who_named_the_index(data: Path, tmp_path: Path) -> None:
    with pytest.raises(IndexFileError, match=r"^There is no index in .*Check the path"):
        open_index(tmp_path / "gone")
    use_index(tmp_path / "gone")
    with pytest.raises(IndexFileError, match=r"^The index in use cannot be opened\. There is no index in .*index use --embedded"):
        open_index(tmp_path / "gone")
