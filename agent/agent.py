"""HuggingGPT: the agent as a LangChain Runnable."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from langchain_core.runnables import Runnable

from ..tools.toolkit import HubToolkit
from .errors import RequestError
from .events import Event
from .executor import Executor
from .messages import TRACE_KEY, human_message, reply_block
from .planners.embedded import EmbeddedPlanner
from .response import EmbeddedResponder, Responder
from .trace import Reply, Trace

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage, AIMessageChunk, AnyMessage
    from langchain_core.runnables import RunnableConfig
    from langgraph.graph.state import CompiledStateGraph

    from .planners.planner import Planner
    from .selection import Selector
    from .settings import Settings

Input = Any
"""A string, a message, a list of messages, or `{"messages": [...]}`; it ends in a human message."""


class HuggingGPT(Runnable[Input, "AIMessage"]):
    """Plans a request into Hub tasks, chooses an expert for each, runs them and answers.

        HuggingGPT().invoke("How similar are 'a cat' and 'a kitten'?").text

    `invoke`, `ainvoke`, `stream`, `astream` and `astream_events` take a string or messages and give an AIMessage (chunks when
    streamed): the reply, the files that were made as content blocks, the trace in `response_metadata["hugginggpt"]`.
    `graph` is the same as a LangGraph graph, to nest into another.

    Args:
        toolkit: the tasks and experts; default every embedded one.
        planner: default the embedded planner.
        responder: default the embedded renderer.
        selector: default the index's ranking.
        task_timeout: seconds that one task may take.
        concurrency: how many tasks at once; None for no limit beyond the runners' own.
        agree: how many experts do each task and are compared, 2 to 16, unless its plan says otherwise; None: one.
        checkpointer: keeps chats by `thread_id`; any LangGraph checkpointer.
        store: keeps finished results; any LangGraph store.
    """

    def __init__(
        self,
        *,
        toolkit: HubToolkit | None = None,
        planner: Planner | None = None,
        responder: Responder | None = None,
        selector: Selector | None = None,
        task_timeout: float = 300.0,
        concurrency: int | None = None,
        agree: int | None = None,
        checkpointer: Any = None,
        store: Any = None,
    ) -> None:
        self.toolkit = toolkit or HubToolkit()
        self._planner = planner or EmbeddedPlanner(self.toolkit.encoder)
        self._responder = responder or EmbeddedResponder(self.toolkit.tasks)
        self._executor = Executor(self.toolkit, selector=selector, timeout=task_timeout, concurrency=concurrency, agree=agree)
        self._checkpointer = checkpointer
        self._store = store

    @classmethod
    def from_settings(cls, settings: Settings | None = None) -> HuggingGPT:
        """The agent that the settings describe; by default those of the environment (`HUGGINGGPT_*`).

        Raises:
            SettingsError: a setting cannot be used.
            IndexFileError: the index that is named cannot be opened.
            ChatModelError, MissingExtraError: the chat model that is named cannot be made.
        """
        from .building import build
        from .settings import Settings

        return build(settings or Settings.from_environment())

    @property
    def planner(self) -> Planner:
        """What plans."""
        return self._planner

    @cached_property
    def graph(self) -> CompiledStateGraph[Any, Any, Any, Any]:
        """The compiled graph: `messages` in and out; further state `plan` and `results`."""
        from .graph import Parts, build_graph

        parts = Parts(planner=self._planner, toolkit=self.toolkit, executor=self._executor, responder=self._responder)
        return build_graph(parts, checkpointer=self._checkpointer, store=self._store)

    def invoke(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> AIMessage:
        """The reply. Raises HuggingGPTError for what is not a task's own failure (an empty request, a plan beyond repair …)."""
        return _last(self.graph.invoke({"messages": _messages(input)}, config, **kwargs))

    async def ainvoke(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> AIMessage:
        """`invoke` without blocking the event loop."""
        return _last(await self.graph.ainvoke({"messages": _messages(input)}, config, **kwargs))

    def stream(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Iterator[AIMessageChunk]:
        """The reply piece by piece; the last chunk holds the files and the trace."""
        for mode, data in self.graph.stream({"messages": _messages(input)}, config, stream_mode=["custom", "values"], **kwargs):
            yield from _chunks(mode, data)

    async def astream(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> AsyncIterator[AIMessageChunk]:
        """`stream` without blocking the event loop."""
        events = self.graph.astream({"messages": _messages(input)}, config, stream_mode=["custom", "values"], **kwargs)
        async with aclosing(events) as seen:  # type: ignore[type-var]  # declared an iterator, is a generator
            async for mode, data in seen:
                for chunk in _chunks(mode, data):
                    yield chunk

    def ask(self, text: str, files: Sequence[Path | str] = (), *, config: RunnableConfig | None = None) -> Reply:
        """The reply to a request with files, as data.

        Raises:
            RequestError: the request is empty.
            MediaError: a file is absent, empty or cannot be read.
        """
        return _reply(self.invoke(self.message(text, files), config))

    async def aask(self, text: str, files: Sequence[Path | str] = (), *, config: RunnableConfig | None = None) -> Reply:
        """`ask` without blocking the event loop."""
        import asyncio

        message = await asyncio.to_thread(self.message, text, files)
        return _reply(await self.ainvoke(message, config))

    async def awatch(
        self, text: str, files: Sequence[Path | str] = (), *, history: Sequence[AnyMessage] = (), config: RunnableConfig | None = None
    ) -> AsyncIterator[Event | Reply]:
        """Everything that happens, as it happens, and the reply last. Cancelling or leaving it cancels every running task."""
        import asyncio

        asked = await asyncio.to_thread(self.message, text, files)
        last: Any = None
        events = self.graph.astream({"messages": [*history, asked]}, config, stream_mode=["custom", "values"])
        async with aclosing(events) as seen:  # type: ignore[type-var]  # declared an iterator, is a generator
            async for mode, data in seen:
                if mode == "custom":
                    yield cast("Event", data)
                else:
                    last = data
        yield _reply(_last(last))

    def message(self, text: str, files: Sequence[Path | str] = ()) -> AnyMessage:
        """A human message with files that the caller names: paths anywhere, or http(s) addresses. Raises RequestError and MediaError."""
        if not text.strip():
            raise RequestError("The request is empty.", remedy="Say what you need.")
        return human_message(text, [self.toolkit.store.add(f) for f in files])


def _messages(given: Input) -> list[Any]:
    from langchain_core.messages import BaseMessage, HumanMessage, convert_to_messages

    if isinstance(given, dict):
        given = given.get("messages", given.get("input"))
    if isinstance(given, str):
        return [HumanMessage(given)]
    if isinstance(given, BaseMessage):
        return [given]
    if hasattr(given, "to_messages"):
        return list(given.to_messages())
    if isinstance(given, Sequence) and given:
        return list(convert_to_messages(given))
    raise RequestError(f"A request is a string, a message or a list of messages, not {given!r:.80}.")


def _last(state: dict[str, Any]) -> AIMessage:
    message: AIMessage = state["messages"][-1]
    return message


def _reply(message: AIMessage) -> Reply:
    trace = Trace.from_json(message.response_metadata[TRACE_KEY])
    return Reply(text=message.text, artifacts=trace.artifacts, trace=trace)


def _chunks(mode: str, data: Any) -> Iterator[AIMessageChunk]:
    from langchain_core.messages import AIMessageChunk

    if mode == "custom" and data.get("type") == "reply":
        yield AIMessageChunk(content=data["text"])
    elif mode == "values" and data["messages"] and (trace := data["messages"][-1].response_metadata.get(TRACE_KEY)):
        blocks: list[Any] = [reply_block(a) for a in Trace.from_json(trace).artifacts]
        yield AIMessageChunk(content=blocks or "", response_metadata={TRACE_KEY: trace})
