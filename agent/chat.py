"""The one seam to chat models: asking them, turning every foreign error into ChatModelError, and what stands in a prompt.

Provider packages raise errors of their own; none of them is imported here. What went wrong is read from the HTTP status where
there is one (`status_code`, `response.status_code`), else from the names of the error's classes, along the whole chain of causes.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from difflib import get_close_matches
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Any, TypeVar

from ..index.errors import HuggingGPTError
from ..tools.errors import MissingExtraError
from .errors import ChatModelError, SettingsError

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage
    from langchain_core.runnables import Runnable

T = TypeVar("T")
_CONTEXT = re.compile(
    r"context.{0,10}(?:length|window|size|limit)|maximum context|prompt is too long|too many (?:input )?tokens|input tokens exceed", re.I
)
_KEY = re.compile(r"\b(?:sk|hf)[-_][\w-]{8,}")
_SHOWN = 300


def ask(model: Runnable[Any, T], messages: Sequence[BaseMessage]) -> T:
    """The model's answer. Calls `invoke` only: an asynchronous client may be bound to another event loop.

    Raises:
        ChatModelError: the model could not be reached, refused, or answered nothing that can be read.
    """
    with _translated(model):
        return model.invoke(list(messages), **_options(model))


async def aask(model: Runnable[Any, T], messages: Sequence[BaseMessage]) -> T:
    """The same without blocking the event loop. Raises ChatModelError.

    Where the model's HTTP client is bound to another event loop, a closed one for instance, `invoke` is called in a thread instead:
    langchain-openai shares one client by address between all models and loops. The server may then have seen the request twice: the
    error comes after it was sent. The same where the model has no asynchronous side.
    """
    with _translated(model):
        try:
            return await model.ainvoke(list(messages), **_options(model))
        except (RuntimeError, AttributeError) as e:
            if not (_other_loop(e) or _waits_only(e)):
                raise
        return await asyncio.to_thread(model.invoke, list(messages), **_options(model))


def stream(model: Runnable[Any, T], messages: Sequence[BaseMessage]) -> Iterator[T]:
    """The answer in pieces, as they come. Raises ChatModelError, also when the answer breaks off."""
    with _translated(model):
        yield from model.stream(list(messages))


async def astream(model: Runnable[Any, T], messages: Sequence[BaseMessage]) -> AsyncIterator[T]:
    """The same without blocking the event loop. The connection is closed when the consumer stops. Raises ChatModelError."""
    with _translated(model):
        begun = False
        try:
            async with aclosing(model.astream(list(messages))) as pieces:  # type: ignore[type-var]  # declared an iterator, is a generator
                async for piece in pieces:
                    begun = True
                    yield piece
            return
        except (RuntimeError, AttributeError) as e:
            if begun or not (_other_loop(e) or _waits_only(e)):
                raise
        waiting = model.stream(list(messages))  # as in aask
        while held := await asyncio.to_thread(lambda: list(islice(waiting, 1))):
            yield held[0]


def in_process(model: object) -> object | None:
    """The transformers pipeline that the model runs in this process, as ChatHuggingFace over a HuggingFacePipeline does; else None.

    Such a model drops a schema that is bound to it without a word: it is not to be asked with one.
    """
    return getattr(getattr(model, "llm", None), "pipeline", None)


def _options(model: object) -> dict[str, Any]:
    """What a call needs besides the messages: a pipeline gives the whole prompt back before its answer, unless it is told not to."""
    return {"skip_prompt": True} if in_process(model) is not None else {}


def _waits_only(error: Exception) -> bool:
    """Whether a model has no asynchronous side, as ChatHuggingFace over a local pipeline: NotImplementedError, or no `async_client`."""
    return isinstance(error, NotImplementedError) or getattr(error, "name", "") == "async_client"


def _other_loop(error: Exception) -> bool:
    return any("Event loop is closed" in str(e) or "different event loop" in str(e) or "different loop" in str(e) for e in _chain(error))


@contextmanager
def _translated(model: object) -> Iterator[None]:
    handled = sys.exc_info()[1]
    try:
        yield
    except HuggingGPTError:
        raise
    except Exception as e:
        raise chat_model_error(e, model, handled=handled) from e


def chat_model_error(error: Exception, model: object = None, *, handled: BaseException | None = None) -> ChatModelError:
    """What a foreign error of a chat model means, and what to do about it.

    Args:
        error: as the provider's package raised it.
        model: the model that was asked; its address is named where the error does not name one.
        handled: an error that the caller was handling when it asked, which is no cause of this one.
    """
    chain = list(takewhile(lambda e: e is not handled, _chain(error)))
    status = next((s for e in chain if (s := _status(e)) is not None), None)
    names = {c.__name__ for e in chain for c in type(e).__mro__}
    said = next((text for e in chain if (text := _said(e))), type(error).__name__)
    at = next((f" at {u}" for e in chain if (u := _address(e))), "") or _at(model)
    if status is None and len(chain) > 1 and (root := _said(chain[-1])) != said:
        said = f"{said} ({root})"
    message, remedy = _meaning(status, names, said, at)
    return ChatModelError(message, remedy=remedy, status=status)


def _meaning(status: int | None, names: set[str], said: str, at: str) -> tuple[str, str]:
    def named(*parts: str) -> bool:
        return any(part in name for name in names for part in parts)

    if named("ContextOverflow", "ContextWindow") or (status in (None, 400, 413, 422) and _CONTEXT.search(said)):
        return (
            f"The prompt is too long for the chat model: {said}",
            "Shorten the request, attach long texts as files, or use a model with a larger context.",
        )
    if status in (401, 403) or (status is None and named("Authentication", "PermissionDenied")):
        return (
            f"The chat model's server{at} refused the key ({status or 'no status'}): {said}",
            "Check the key of the model: it is wrong, missing or lacks the right.",
        )
    if status == 404 or (status is None and named("ModelNotFound", "NotFoundError")):
        return (
            f"The server{at} does not know the chat model or the address (404): {said}",
            "Check the model's name and the base URL (it often ends in /v1).",
        )
    if status == 429 or (status is None and named("RateLimit")):
        return (
            f"The chat model's server{at} refuses more requests for now (429): {said}",
            "Wait, check the quota of the account, or use another model.",
        )
    if status == 408 or (status is None and named("Timeout")):
        return f"The chat model{at} did not answer in time: {said}", "Try again, raise the model's timeout, or use a smaller model."
    if status is not None and status >= 500:
        return f"The chat model's server{at} failed ({status}): {said}", "Try again later, or look into the server's log."
    if status is not None:
        return (
            f"The chat model's server{at} refused the request ({status}): {said}",
            "Check the model's settings: it may not take one of them.",
        )
    if named("Connect", "RemoteProtocol", "ReadError", "NetworkError"):
        return (
            f"The chat model{at} cannot be reached, or the connection broke: {said}",
            "Check that its server runs and that the address is right.",
        )
    if named("LengthFinishReason"):
        return f"The chat model's answer was cut at its limit of tokens: {said}", "Raise max_tokens of the model."
    if names & {"IndexError", "KeyError"} or "choices" in said or "No generation" in said:
        return (
            f"The chat model's server{at} answered without any choice",
            "Its answer does not follow the protocol: look into the server's log, or use another server.",
        )
    return f"The chat model{at} failed: {said}", "Check the model with one call of its own `invoke`."


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)


def _status(error: BaseException) -> int | None:
    for holder in (error, getattr(error, "response", None)):
        status = getattr(holder, "status_code", None)
        if isinstance(status, int) and not isinstance(status, bool):
            return status
    return None


def _said(error: BaseException) -> str:
    """The error's first line, cut, without what looks like a key."""
    body = getattr(error, "body", None)
    inner = body.get("message") if isinstance(body, Mapping) else None
    line = next(iter(str(inner or error).strip().splitlines()), "")
    return cut(_KEY.sub("(key)", f"{type(error).__name__}: {line}" if line and not inner else line), _SHOWN)


def _address(error: BaseException) -> str:
    try:
        url = getattr(getattr(error, "request", None), "url", None)
    except RuntimeError:  # httpx: an error that was raised outside of a request
        return ""
    return _host(str(url)) if url else ""


def _at(model: object) -> str:
    url = address_of(model)
    return f" at {_host(url)}" if url else ""


def address_of(model: object) -> str | None:
    """Where a chat model is asked; None where it does not tell."""
    for holder in (model, getattr(model, "bound", None), getattr(model, "first", None)):
        clients = [getattr(holder, name, None) for name in ("root_client", "client", "_client")]  # OpenAI's, Anthropic's, Ollama's
        for told in (holder, *clients, *(getattr(c, "_client", None) for c in clients)):
            for name in ("openai_api_base", "base_url", "endpoint_url", "inference_server_url"):
                if url := getattr(told, name, None):
                    return str(url)
    return None


def _host(url: str) -> str:
    """Scheme, host and port: a path or a query may hold a secret."""
    found = re.match(r"([a-z][a-z0-9+.-]*://)(?:[^/@]*@)?([^/?#]+)", url, re.I)
    return f"{found.group(1)}{found.group(2)}" if found else ""


def load_chat_model(name: str) -> BaseChatModel:
    """The chat model of that name, as in `openai:gpt-5-mini` or `ollama:qwen3`: https://docs.langchain.com/oss/python/langchain/models.

    Raises:
        MissingExtraError: the package langchain, or the one of the provider OpenAI, is not installed.
        SettingsError: the name is empty, the provider unknown or its package not installed, or the model cannot be set up (no key).
    """
    if not name.strip():
        raise SettingsError("The name of the chat model is empty.", remedy="Give one as provider:model, as in openai:gpt-5-mini.")
    try:
        from langchain.chat_models import init_chat_model
    except ImportError as e:
        raise MissingExtraError("langchain", "llm") from e
    try:
        return init_chat_model(name.strip())
    except ImportError as e:
        package = found.group(1) if (found := re.search(r"pip install ([\w.-]+)", str(e))) else (e.name or "the provider's package")
        if package == "langchain-openai":
            raise MissingExtraError(package, "openai") from e
        raise SettingsError(
            f"The chat model {name!r} needs the package {package}, which is not installed.", remedy=f"Run: pip install {package}"
        ) from e
    except Exception as e:
        raise _unusable(name.strip(), e) from e


def _unusable(name: str, error: Exception) -> SettingsError:
    listed = re.search(r"Supported (?:model )?providers(?: are)?: ([\w, ]+)", str(error))
    if listed is None:
        return SettingsError(
            f"The chat model {name!r} cannot be set up: {_said(error)}",
            remedy="Check that its key is set in the environment, and the model's name.",
        )
    known = [p.strip() for p in listed.group(1).split(",")]
    provider = name.split(":", 1)[0] if ":" in name else ""
    near = get_close_matches(provider.lower(), known, n=1, cutoff=0.6)
    hint = (
        f"Did you mean {near[0] + ':' + name.split(':', 1)[1]!r}?"
        if near
        else f"Give one as provider:model; known providers: {', '.join(known)}."
    )
    what = f"There is no provider {provider!r} of chat models" if provider else f"The provider of the chat model {name!r} is not known"
    return SettingsError(f"{what}.", remedy=hint)


def delimited(mark: str, text: str) -> str:
    """Untrusted text between `<mark>` and `</mark>`; the mark gets a number where the text holds its end, so that no text ends it."""
    name, number = mark, 1
    while f"</{name}>" in text:
        number += 1
        name = f"{mark}-{number}"
    return f"<{name}>\n{text}\n</{name}>"


def fill(template: str, **values: str) -> str:
    """The template with each `{{name}}` replaced, once: what a value holds is never replaced in turn."""
    return re.sub(r"\{\{(\w+)\}\}", lambda found: values[found.group(1)], template)


def cut(text: str, limit: int) -> str:
    """At most `limit` characters of a text, and `… (cut)` where there was more."""
    return text if len(text) <= limit else f"{text[:limit]}… (cut)"


def one_line(text: str, limit: int) -> str:
    """A text with line breaks made blanks, cut: for lists of one entry a line."""
    return cut(" ".join(text.split()), limit)
