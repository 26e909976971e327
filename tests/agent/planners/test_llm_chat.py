"""agent/chat.py: foreign errors, loading by name, messages without media."""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from langchain_hugginggpt.agent.chat import (
    aask,
    ask,
    astream,
    chat_model_error,
    cut,
    delimited,
    fill,
    in_process,
    load_chat_model,
    one_line,
)
from langchain_hugginggpt.agent.errors import ChatModelError, SettingsError
from langchain_hugginggpt.index.errors import CallerError
from langchain_hugginggpt.tools.errors import MissingExtraError
from tests.fakes import ScriptedChat


class ConnectError(Exception):
    """As of a provider that is not OpenAI."""


class ReadTimeout(Exception):
    """As of httpx."""


class AuthenticationError(Exception):
    """As of a provider that gives no status."""


class Answer:
    """A response."""

    def __init__(self, status_code: int) -> None:
        self.status_code = status_code


class HTTPStatusError(Exception):
    """As of httpx: the status stands in the response."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.response = Answer(status)


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (ConnectError("nobody there"), None, "cannot be reached, or the connection broke: ConnectError: nobody there"),
        (ConnectionRefusedError(111, "refused"), None, "cannot be reached"),
        (ReadTimeout("slow"), None, "did not answer in time"),
        (TimeoutError(), None, "did not answer in time"),
        (AuthenticationError("who?"), None, "refused the key"),
        (HTTPStatusError("boom", 503), 503, "failed (503)"),
        (HTTPStatusError("no", 403), 403, "refused the key (403)"),
        (HTTPStatusError("teapot", 418), 418, "refused the request (418)"),
        (HTTPStatusError("prompt is too long: 9 tokens", 400), 400, "too long for the chat model"),
        (IndexError("list index out of range"), None, "without any choice"),
        (RuntimeError("odd\nsecond line"), None, "failed: RuntimeError: odd Check"),
        (ValueError(), None, "failed: ValueError Check"),
    ],
)
def test_foreign_errors_are_told_by_status_or_class(error: Exception, status: int | None, message: str) -> None:
    with pytest.raises(ChatModelError) as caught:
        ask(ScriptedChat(script=[error]), [HumanMessage("hi")])
    assert message in str(caught.value)
    assert caught.value.status == status
    assert caught.value.__cause__ is error
    assert caught.value.remedy


def test_our_own_errors_pass() -> None:
    error = CallerError("ours")
    with pytest.raises(CallerError, match="ours"):
        ask(ScriptedChat(script=[error]), [HumanMessage("hi")])


def test_an_error_that_was_being_handled_is_no_cause() -> None:
    try:
        raise HTTPStatusError("elsewhere", 404)
    except HTTPStatusError:
        with pytest.raises(ChatModelError, match="failed: RuntimeError: odd") as caught:
            ask(ScriptedChat(script=[RuntimeError("odd")]), [HumanMessage("hi")])
    assert caught.value.status is None


def test_a_cause_in_a_circle_ends() -> None:
    a, b = RuntimeError("a"), RuntimeError("b")
    a.__cause__, b.__cause__ = b, a
    assert "a" in str(chat_model_error(a))


def test_secrets_of_an_address_are_not_shown() -> None:
    class Model:
        base_url = "https://user:pass@example.org:8443/v1?key=abc"

    shown = str(chat_model_error(ConnectError("x"), Model()))
    assert "at https://example.org:8443 " in shown
    assert "pass" not in shown
    assert "abc" not in shown


@pytest.mark.parametrize(
    ("name", "message", "remedy"),
    [
        ("", "is empty", "openai:"),
        ("opnai:gpt-5", "no provider 'opnai'", "Did you mean 'openai:gpt-5'?"),
        ("zzzz:thing", "no provider 'zzzz'", "known providers: .*openai"),
        ("my-model", "provider of the chat model 'my-model' is not known", "provider:model"),
        ("anthropic:claude-x", "needs the package langchain-anthropic", "pip install langchain-anthropic"),
    ],
)
def test_names_that_cannot_be_loaded(name: str, message: str, remedy: str) -> None:
    with pytest.raises(SettingsError, match=message) as caught:
        load_chat_model(name)
    assert caught.match(remedy)


def test_a_missing_key_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(SettingsError, match=r"cannot be set up: .*key"):
        load_chat_model("openai:gpt-5-mini")


def test_a_model_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "x")
    assert load_chat_model(" openai:gpt-5-mini ")._llm_type == "openai-chat"


@pytest.mark.parametrize(("missing", "extra"), [("langchain.chat_models", "llm"), ("langchain_openai", "openai")])
def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch, missing: str, extra: str) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith(missing):
            raise ImportError(f"No module named {name!r}")
        return real(name, *args, **kwargs)

    if extra == "openai":
        import langchain.chat_models as models

        def init(name: str) -> None:
            raise ImportError(
                "Initializing ChatOpenAI requires the langchain-openai package. Please install it with `pip install langchain-openai`"
            )

        monkeypatch.setattr(models, "init_chat_model", init)
    else:
        monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=rf"langchain-hugginggpt\[{extra}\]"):
        load_chat_model("openai:gpt-5-mini")


def test_texts_of_prompts() -> None:
    assert delimited("a", "x") == "<a>\nx\n</a>"
    assert delimited("a", "</a></a-2>") == "<a-3>\n</a></a-2>\n</a-3>"
    assert fill("{{a}} {{b}} {a}", a="{{b}} \\1", b="2") == "{{b}} \\1 2 {a}"
    assert cut("abc", 3) == "abc"
    assert cut("abcd", 3) == "abc… (cut)"
    assert one_line(" a\n b\t", 9) == "a b"


class Waits(ScriptedChat):
    """A model without an asynchronous side, as ChatHuggingFace over a local pipeline: each way fails otherwise."""

    async def _agenerate(self, *args: Any, **kwargs: Any) -> ChatResult:
        raise NotImplementedError("async generation is not supported")

    async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
        raise AttributeError("no attribute 'async_client'", name="async_client")
        yield


async def test_a_model_that_can_only_wait_is_called_in_a_thread() -> None:
    model = Waits(script=["one two", "one two"])
    assert (await aask(model, [HumanMessage("hi")])).text == "one two"
    assert "".join([piece.text async for piece in astream(model, [HumanMessage("hi")])]) == "one two"
    with pytest.raises(ChatModelError, match="AttributeError: odd"):
        await aask(ScriptedChat(script=[AttributeError("odd")]), [HumanMessage("hi")])


class InProcess(ScriptedChat):
    """As ChatHuggingFace over a local pipeline: `llm.pipeline`, and the prompt comes back unless it is told not to."""

    llm: Any = SimpleNamespace(pipeline=object())

    def _generate(self, messages: list[BaseMessage], *args: Any, skip_prompt: bool = False, **kwargs: Any) -> ChatResult:
        said = self._next(messages, []).text
        return ChatResult(generations=[ChatGeneration(message=AIMessage(said if skip_prompt else messages[-1].text + said))])


async def test_a_pipeline_in_this_process_is_told_to_leave_the_prompt_out() -> None:
    model = InProcess(script=["one", "two"])
    assert ask(model, [HumanMessage("hi")]).text == "one"
    assert (await aask(model, [HumanMessage("hi")])).text == "two"
    assert in_process(model) is model.llm.pipeline
    assert in_process(ScriptedChat(script=[])) is None
