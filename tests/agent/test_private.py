"""Which experts may run, and what `private` forbids whatever else is set."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_openai import ChatOpenAI

from langchain_hugginggpt.agent import HuggingGPT, Settings, SettingsError
from langchain_hugginggpt.agent.building import build_hosted, build_toolkit
from langchain_hugginggpt.agent.privacy import check_private
from langchain_hugginggpt.app.doctor import examine
from langchain_hugginggpt.index import MiniLM, ModelCard, ModelCardIndex
from langchain_hugginggpt.index.encoders.named import is_asked_elsewhere
from langchain_hugginggpt.index.errors import CallerError, UnknownNameError
from langchain_hugginggpt.tools import HUB_TASKS
from langchain_hugginggpt.tools.runners.retrying import RetryingRunner
from tests.fakes import ScriptedChat, WordEncoder
from tests.hosted_server import HostedServer

TRANSLATION = HUB_TASKS["translation"]


@pytest.fixture(autouse=True)
def _a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_test")


def runs(settings: Settings) -> set[str]:
    """Names of the kinds of experts that might run a task for which an embedded and a hosted model exist, and a local one if there were."""
    answers = build_toolkit(settings).availability(HUB_TASKS["text-classification"])
    return {name for name, a in answers.items() if a.ok or "is on this machine" in a.why}


@pytest.mark.parametrize(
    ("settings", "kinds"),
    [
        (Settings(), {"embedded", "local"}),
        (Settings(experts="embedded"), {"embedded"}),
        (Settings(experts="local"), {"embedded", "local"}),
        (Settings(experts="hosted"), {"hosted"}),
        (Settings(experts="hybrid"), {"embedded", "local", "hosted"}),
        (Settings(experts="hybrid", private=True), {"embedded", "local"}),
        (Settings(experts="embedded", endpoints=(("text-classification", "http://127.0.0.1:9"),)), {"embedded", "hosted"}),
        (Settings(private=True, endpoints=(("text-classification", "http://127.0.0.1:9"),)), {"embedded", "local", "hosted"}),
        (Settings(private=True, endpoints=(("text-classification", "https://models.example.org"),)), {"embedded", "local"}),
    ],
)
def test_whose_experts_may_run(settings: Settings, kinds: set[str]) -> None:
    assert runs(settings) == kinds


def test_what_may_not_run_says_why_and_what_would_help() -> None:
    default = build_toolkit(Settings()).availability(TRANSLATION)["hosted"]
    assert (default.supported, default.ok) == (False, False)
    assert default.why == "they would be sent what they work on, and were not asked for"
    assert "--experts hybrid" in default.remedy
    private = build_toolkit(Settings(private=True)).availability(TRANSLATION)["hosted"]
    assert "--private forbids it" in private.why
    only = build_toolkit(Settings(experts="hosted")).availability(TRANSLATION)
    assert only["local"].why == only["embedded"].why == "only hosted experts are to run"


def test_private_and_hosted_only_exclude_each_other_but_for_endpoints_on_this_machine() -> None:
    with pytest.raises(SettingsError, match="--private forbids hosted experts"):
        build_toolkit(Settings(private=True, experts="hosted"))
    own = Settings(private=True, experts="hosted", endpoints=(("text-classification", "http://127.0.0.1:9"),))
    assert runs(own) == {"hosted"}


def test_private_never_calls_the_hub() -> None:
    runner = build_hosted(Settings(private=True, experts="hybrid", endpoints=(("translation", "http://localhost:9/t"),)))
    assert runner is not None
    assert runner.endpoints == {"translation": "http://localhost:9/t"}
    assert not runner.availability(HUB_TASKS["summarization"]).ok


def openai(url: str | None) -> BaseChatModel:
    return ChatOpenAI(model="m", api_key="none", base_url=url)  # type: ignore[arg-type]


def test_private_and_chat_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.delenv("OPENAI_API_BASE", raising=False)
    check_private(None)
    check_private(openai("http://localhost:8000/v1"))
    with pytest.raises(SettingsError, match=r"ChatOpenAI asks api\.example\.org, and --private forbids"):
        check_private(openai("https://api.example.org/v1"))
    with pytest.raises(SettingsError, match=r"asks api\.openai\.com"):
        check_private(openai(None))
    with pytest.raises(SettingsError, match="ScriptedChat does not tell where"):
        check_private(ScriptedChat(script=[]))
    monkeypatch.setenv("OPENAI_BASE_URL", "https://api.example.org/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    with pytest.raises(SettingsError, match=r"asks api\.example\.org"):
        HuggingGPT.from_settings(Settings(llm="openai:m", private=True))


def test_private_and_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sent to this machine through a proxy leaves it."""
    for name in ("ALL_PROXY", "all_proxy", "http_proxy", "no_proxy", "HTTP_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    local = openai("http://localhost:8000/v1")
    check_private(local)
    monkeypatch.setenv("HTTP_PROXY", "http://user:secret@proxy.example.org:3128")
    with pytest.raises(SettingsError, match=r"localhost would go through the proxy proxy\.example\.org, and") as refused:
        check_private(local)
    assert "secret" not in str(refused.value)
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")
    check_private(local)
    own = ChatOpenAI(model="m", api_key="none", base_url="http://localhost:8000/v1", openai_proxy="http://proxy.example.org")  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match=r"proxy\.example\.org"):
        check_private(own)


@pytest.mark.parametrize(
    ("name", "elsewhere"),
    [
        ("openai:text-embedding-3-small", True),
        ("cohere:embed-v4.0", True),
        ("huggingface:org/name", False),
        ("minilm", False),
        ("org/name", False),
        (MiniLM.name, False),
    ],
)
def test_encoders_that_are_asked_elsewhere(name: str, elsewhere: bool) -> None:
    assert is_asked_elsewhere(name) is elsewhere


def test_private_and_an_index_whose_encoder_is_asked_elsewhere(tmp_path: Path) -> None:
    cards = [ModelCard(id="lab/a", task="translation", text="cats")]
    ModelCardIndex.from_cards(cards, encoder=WordEncoder("cats", name="openai:text-embedding-3-small")).save(tmp_path / "index")
    with pytest.raises(SettingsError, match="openai:text-embedding-3-small, which would be sent every request"):
        build_toolkit(Settings(index=tmp_path / "index", private=True))


def test_doctor_asks_nobody_in_private(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with HostedServer() as server:
        server.hub(monkeypatch)
        for name, value in (("PRIVATE", "1"), ("EXPERTS", "hybrid"), ("ENDPOINTS", f"translation={server.url('translation')}")):
            monkeypatch.setenv(f"HUGGINGGPT_{name}", value)
        monkeypatch.setenv("HUGGINGGPT_LLM", "openai:m")
        monkeypatch.setenv("OPENAI_API_KEY", "none")
        monkeypatch.setenv("OPENAI_BASE_URL", "https://api.example.org/v1")
        examine(as_json=True)
        checks = {c["name"]: c for c in json.loads(capsys.readouterr().out)["checks"]}
        assert server.calls == []
    assert "--private forbids" in checks["chat model"]["detail"]
    assert "endpoint" in checks
    assert "hosted models" not in checks


CALL = """
import sys
from langchain_hugginggpt.agent import HuggingGPT, Settings
agent = HuggingGPT.from_settings(Settings(private=True, endpoints=(("text-classification", sys.argv[1]),)))
print(agent.ask("Is this review positive or negative: 'a wonderful film'").trace.complete)
"""


def test_in_private_the_hub_is_not_asked_for_anything(tmp_path: Path) -> None:
    """Not even by huggingface_hub itself, which looks up which agents there are."""
    with HostedServer() as server:
        hub = server.url("text-classification").partition("/tasks")[0]
        environment = os.environ | {"HF_ENDPOINT": hub, "HF_HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
        environment.pop("HF_HUB_DISABLE_TELEMETRY", None)
        arguments = [sys.executable, "-c", CALL, server.url("text-classification")]
        done = subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert done.stdout == "True\n", done.stderr
        assert [c.path for c in server.calls] == ["/tasks/text-classification"]


def test_private_and_tracing(monkeypatch: pytest.MonkeyPatch) -> None:
    import langsmith.utils

    forget: Any = langsmith.utils.get_env_var
    forget.cache_clear()
    monkeypatch.setenv("LANGSMITH_TRACING", "true")
    try:
        with pytest.raises(SettingsError, match="LangSmith"):
            HuggingGPT.from_settings(Settings(private=True))
    finally:
        forget.cache_clear()


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("EXPERTS", "hostd", "no kind of experts named 'hostd'. Did you mean 'hosted'"),
        ("PRIVATE", "maybe", "HUGGINGGPT_PRIVATE must be 1 or 0, not 'maybe'"),
        ("AGREE", "1", "HUGGINGGPT_AGREE must be a whole number of experts from 2 to 16, not '1'"),
        ("AGREE", "17", "from 2 to 16"),
        ("AGREE", "many", "from 2 to 16"),
        ("ENDPOINTS", "translation", "HUGGINGGPT_ENDPOINTS must be a Hub task or a model id, and an address"),
        ("ENDPOINTS", "=http://a", "HUGGINGGPT_ENDPOINTS must be"),
    ],
)
def test_values_that_are_none(variable: str, value: str, message: str) -> None:
    with pytest.raises((SettingsError, UnknownNameError), match=message):
        Settings.from_environment({f"HUGGINGGPT_{variable}": value})


def test_what_the_environment_says() -> None:
    found = Settings.from_environment(
        {
            "HUGGINGGPT_EXPERTS": "hybrid",
            "HUGGINGGPT_PRIVATE": "1",
            "HUGGINGGPT_PROVIDER": "hf-inference",
            "HUGGINGGPT_ENDPOINTS": "translation=http://a/b?c=d  org/name=https://x",
            "HUGGINGGPT_AGREE": "3",
            "HUGGINGGPT_ALLOW_HOSTS": "localhost:8000 files.lan",
        }
    )
    assert (found.experts, found.private, found.provider, found.agree) == ("hybrid", True, "hf-inference", 3)
    assert found.endpoints == (("translation", "http://a/b?c=d"), ("org/name", "https://x"))
    assert found.allow_hosts == ("localhost:8000", "files.lan")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Settings(experts="hosted", provider="hf-infrence"), "Did you mean 'hf-inference'"),
        (Settings(endpoints=(("tranlation", "http://a"),)), "translation"),
        (Settings(endpoints=(("translation", "ftp://a"),)), "ftp"),
    ],
)
def test_providers_and_endpoints_that_are_none(settings: Settings, message: str) -> None:
    with pytest.raises(CallerError, match=message):
        build_toolkit(settings)


def test_an_endpoint_of_ones_own_is_used_first_and_private_allows_it_on_this_machine(tmp_path: Path) -> None:
    with HostedServer() as server:
        url = server.url("text-classification")
        agent = HuggingGPT.from_settings(Settings(private=True, endpoints=(("text-classification", url),), out=tmp_path))
        reply = agent.ask("Is this review positive or negative: 'a wonderful film'")
    (result,) = reply.trace.results
    attempts: list[Any] = [(a.runner, a.error) for a in result.attempts]
    assert (result.status, attempts) == ("ok", [("hosted", "")])
    assert result.model == url


@pytest.mark.parametrize("seconds", [10.0, 120.0, 300.0])
def test_a_server_that_hangs_or_is_busy_leaves_time_for_the_next_candidate(seconds: float) -> None:
    hosted = build_toolkit(Settings(experts="hosted", task_timeout=seconds)).experts.runners[-1]
    assert isinstance(hosted, RetryingRunner)
    one_call = hosted.runner._timeout  # type: ignore[attr-defined]
    assert one_call == seconds / 2
    assert hosted.patience + one_call <= 0.75 * seconds, "no call begins once patience is over"
    assert hosted.longest_wait <= hosted.patience / 2
    assert one_call > hosted.patience / 2, "one that took all its time is not made again"


def test_a_model_with_an_address_of_its_own_is_asked_first_and_for_its_task_alone(tmp_path: Path) -> None:
    cards = [ModelCard(id=f"lab/{n}", task="text-classification", text="sentiment") for n in ("a", "b")]
    ModelCardIndex.from_cards(cards, encoder=MiniLM()).save(tmp_path / "index")
    with HostedServer() as server:
        url = server.url("text-classification")
        settings = Settings(index=tmp_path / "index", private=True, endpoints=(("lab/b", url), ("my/own", url)), out=tmp_path / "out")
        toolkit = build_toolkit(settings)
        first = toolkit.experts.candidates(HUB_TASKS["text-classification"], "sentiment")[0]
        assert (first.card.id, first.runner.name) == ("lab/b", "hosted")
        assert [n for n, t in toolkit.tasks.items() if toolkit.availability(t)["hosted"].ok] == ["text-classification"]
        tool = toolkit.tool("text-classification")
        assert "POSITIVE" in str(tool.invoke({"text": "good", "model": "my/own"}))
