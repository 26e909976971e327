"""Test doubles that several tests share: small, real classes."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolCall
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from numpy.typing import NDArray
from pydantic import Field

from langchain_hugginggpt.index.card import ModelCard
from langchain_hugginggpt.tools.artifacts import Artifact
from langchain_hugginggpt.tools.runners.runner import Availability, RunnerOutput
from langchain_hugginggpt.tools.task import HubTask


class ScriptedChat(BaseChatModel):
    """A real chat model that answers from a script and records what it was asked.

    Attributes:
        script: the answers, in order: a str is the content; a dict the arguments of the first bound tool (as JSON where none is
            bound); an AIMessage is itself; an exception is raised; a function is called with the messages and gives one of those.
        tools: whether it takes tools, and so structured output; else `bind_tools` raises NotImplementedError.
        piece: how many characters a streamed piece has.
        asked: the messages of each call.
        bound: the tools of each call.
    """

    script: list[Any]
    tools: bool = True
    piece: int = 7
    asked: list[list[BaseMessage]] = Field(default_factory=list)
    bound: list[list[dict[str, Any]]] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(
        self, tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool], *, tool_choice: str | None = None, **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        if not self.tools:
            raise NotImplementedError("this model takes no tools")
        return self.bind(tools=[convert_to_openai_tool(t) for t in tools], **kwargs)

    def _next(self, messages: list[BaseMessage], tools: list[dict[str, Any]]) -> AIMessage:
        self.asked.append(messages)
        self.bound.append(tools)
        if not self.script:
            raise AssertionError(f"the script ended, and the model was asked once more: {messages[-1].text!r:.300}")
        item = self.script.pop(0)
        if callable(item) and not isinstance(item, BaseMessage):
            item = item(messages)
        if isinstance(item, Exception):
            raise item
        if isinstance(item, AIMessage):
            return item
        if isinstance(item, dict) and tools:
            return AIMessage("", tool_calls=[ToolCall(name=tools[0]["function"]["name"], args=item, id=f"call_{len(self.asked)}")])
        return AIMessage(item if isinstance(item, str) else json.dumps(item))

    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: CallbackManagerForLLMRun | None = None, **kwargs: Any
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self._next(messages, kwargs.get("tools", [])))])

    def _stream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: CallbackManagerForLLMRun | None = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        message = self._next(messages, kwargs.get("tools", []))
        for text in self._pieces(message.text):
            chunk = ChatGenerationChunk(message=AIMessageChunk(content=text))
            if run_manager:
                run_manager.on_llm_new_token(text, chunk=chunk)
            yield chunk
        for i, call in enumerate(message.tool_calls):
            for n, text in enumerate(self._pieces(json.dumps(call["args"]))):
                part = tool_call_chunk(name=None if n else call["name"], args=text, id=None if n else call["id"], index=i)
                yield ChatGenerationChunk(message=AIMessageChunk(content="", tool_call_chunks=[part]))
        last = AIMessageChunk(
            content="", chunk_position="last", usage_metadata=message.usage_metadata, response_metadata=message.response_metadata
        )
        yield ChatGenerationChunk(message=last)

    def _pieces(self, text: str) -> list[str]:
        return [text[i : i + self.piece] for i in range(0, len(text), self.piece)]


def file(name: str, media_type: str) -> Artifact:
    """An artifact of that name and type that lies nowhere: for planners, which never read a file."""
    ident = f"artifact-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
    return Artifact(id=ident, path=Path("/nowhere") / name, media_type=media_type, name=name, size=1)


class WordEncoder:
    """Counts words, one dimension for each: cosines can be worked out by hand.

    A text without any of the words points along a last dimension of its own, so that every vector has length 1.
    """

    def __init__(self, *words: str, name: str = "words") -> None:
        self._words = words
        self.name = name

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = np.zeros((len(texts), len(self._words) + 1), np.float32)
        for i, text in enumerate(texts):
            found = "".join(c if c.isalnum() else " " for c in text.lower()).split()
            vectors[i, :-1] = [found.count(w) for w in self._words]
            vectors[i, -1] = not vectors[i].any()
        unit: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit


class ScriptedRunner:
    """A runner whose models do what a script says, and that records what it was asked.

    Attributes:
        script: by model id: the values of the output ports, a RunnerOutput, an exception to raise, a function of the inputs that
            gives one of those, or anything else to be given back as it stands.
        seconds: how long each call takes.
        asked: (model id, inputs) of each call.
    """

    def __init__(self, script: Mapping[str, Any], *, name: str = "scripted", seconds: float = 0.0) -> None:
        self.script = dict(script)
        self.name = name
        self.seconds = seconds
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def availability(self, task: HubTask, card: ModelCard | None = None) -> Availability:
        if card is None or card.id in self.script:
            return Availability(supported=True, ok=True)
        return Availability(supported=False, ok=False, why="it is not in the script", remedy="Write it into the script.")

    def run(self, task: HubTask, card: ModelCard, inputs: Mapping[str, Any]) -> RunnerOutput:
        time.sleep(self.seconds)
        return self._answer(card, inputs)

    async def arun(self, task: HubTask, card: ModelCard, inputs: Mapping[str, Any]) -> RunnerOutput:
        await asyncio.sleep(self.seconds)
        return self._answer(card, inputs)

    def _answer(self, card: ModelCard, inputs: Mapping[str, Any]) -> RunnerOutput:
        self.asked.append((card.id, dict(inputs)))
        item = self.script[card.id]
        item = item(inputs) if callable(item) else item
        if isinstance(item, BaseException):
            raise item
        given: RunnerOutput = RunnerOutput(values=item) if isinstance(item, Mapping) else item
        return given
