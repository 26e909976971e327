"""The agent as a LangGraph graph: plan, execute, respond. State is messages and plain JSON, so any checkpointer can keep it."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from langchain_core.runnables import Runnable, RunnableConfig
from langgraph.config import get_store, get_stream_writer
from langgraph.graph import END, START, MessagesState, StateGraph

from ..index.errors import HuggingGPTError
from ._loop import run_sync
from .errors import RequestError
from .events import Event, Listener, planned
from .executor import Executor, Results
from .links import Link, read_links
from .messages import reply_message, request_of, request_text
from .plan import Plan
from .planners.planner import GrowingPlanner, Planner
from .request import Request
from .response import EmbeddedResponder, Responder
from .trace import Reply, TaskResult, Trace

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph

    from ..tools.toolkit import HubToolkit


class AgentState(MessagesState, total=False):
    """What the graph keeps. `messages` is what it shares with a graph around it.

    Keys:
        plan: JSON of `Plan`, with confidence, repairs, question, answer and error.
        results: JSON of each `TaskResult`.
        links: JSON of each `Link`: what lies at the addresses that the request names.
    """

    plan: dict[str, Any]
    results: list[dict[str, Any]]
    links: list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What the graph is made of."""

    planner: Planner
    toolkit: HubToolkit
    executor: Executor
    responder: Responder


def build_graph(parts: Parts, *, checkpointer: Any = None, store: Any = None) -> CompiledStateGraph[Any, Any, Any, Any]:
    """The compiled graph.

    Args:
        parts: planner, toolkit, executor, responder.
        checkpointer: a LangGraph checkpointer, or None (a graph around this one brings its own).
        store: a LangGraph store in which finished results are kept, or None.
    """
    nodes = _Nodes(parts)
    builder = StateGraph(AgentState)
    builder.add_node("plan", _Both("plan", nodes.plan, nodes.aplan))
    builder.add_node("execute", _Both("execute", nodes.execute, nodes.aexecute))
    builder.add_node("respond", _Both("respond", nodes.respond, nodes.arespond))
    builder.add_edge(START, "plan")
    builder.add_conditional_edges("plan", _after_planning, ["execute", "respond"])
    builder.add_edge("execute", "respond")
    builder.add_edge("respond", END)
    return builder.compile(checkpointer=checkpointer, store=store, name="hugginggpt")


def _after_planning(state: AgentState) -> str:
    """What a growing planner planned has run already."""
    return "execute" if state["plan"]["tasks"] and not state["results"] else "respond"


class _Both(Runnable[Any, Any]):
    """A node with a sync and an async side that adds no run of its own to the event stream."""

    def __init__(self, name: str, sync: Callable[..., Any], asynchronous: Callable[..., Any]) -> None:
        self.name = name
        self._sync = sync
        self._async = asynchronous

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        return self._sync(input, config or {})

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        return await self._async(input, config or {})


class _Nodes:
    def __init__(self, parts: Parts) -> None:
        self._planner = parts.planner
        self._toolkit = parts.toolkit
        self._executor = parts.executor
        self._responder = parts.responder

    def plan(self, state: AgentState, config: RunnableConfig) -> dict[str, Any]:
        links = self._links(state)
        return self._planned(self._planner.plan(self._request(state, links), self._toolkit.tasks), links)

    async def aplan(self, state: AgentState, config: RunnableConfig) -> dict[str, Any]:
        import asyncio

        links = await asyncio.to_thread(self._links, state)
        request = await asyncio.to_thread(self._request, state, links)
        if not isinstance(self._planner, GrowingPlanner):
            return self._planned(await self._planner.aplan(request, self._toolkit.tasks), links)
        write = _writer()
        plans = _told(self._planner.agrow(request, self._toolkit.tasks), write)
        ran = await self._executor.agrow(plans, request, listener=write, results=_kept(state, config), config=config)
        return self._state(ran.plan, links) | {"results": [r.as_json() for r in ran.results]}

    def execute(self, state: AgentState, config: RunnableConfig) -> dict[str, Any]:
        return run_sync(lambda: self.aexecute(state, config))

    async def aexecute(self, state: AgentState, config: RunnableConfig) -> dict[str, Any]:
        import asyncio

        results = await self._executor.arun(
            plan_from_state(state["plan"]),
            await asyncio.to_thread(self._request, state),
            listener=_writer(),
            results=_kept(state, config),
            config=config,
        )
        return {"results": [r.as_json() for r in results]}

    def respond(self, state: AgentState, config: RunnableConfig) -> dict[str, Any]:
        request = self._request(state)
        trace, write = self._trace(state, request), _writer()
        pieces = []
        for piece in self._responds(trace.plan).stream(request, trace, self._toolkit.runnable()):
            write({"type": "reply", "text": piece})
            pieces.append(piece)
        return self._replied(trace, pieces)

    async def arespond(self, state: AgentState, config: RunnableConfig) -> dict[str, Any]:
        import asyncio

        request = await asyncio.to_thread(self._request, state)
        trace, write = self._trace(state, request), _writer()
        pieces = []
        async for piece in self._responds(trace.plan).astream(request, trace, self._toolkit.runnable()):
            write({"type": "reply", "text": piece})
            pieces.append(piece)
        return self._replied(trace, pieces)

    def _responds(self, plan: Plan) -> Responder:
        """Who replies: what ran of a plan that broke off, and what its planner said already, need no further model."""
        return EmbeddedResponder(self._toolkit.tasks) if plan.error or plan.answer else self._responder

    def _links(self, state: AgentState) -> tuple[Link, ...]:
        """What lies at the addresses that the request names. Fetched once: later nodes find it in the state."""
        if not state.get("messages"):
            raise RequestError("There is no message.", remedy='Invoke with {"messages": [...]} that ends in a human message.')
        return read_links(request_text(state["messages"]), self._toolkit.store)

    def _request(self, state: AgentState, links: Sequence[Link] | None = None) -> Request:
        found = [Link.from_json(link) for link in state.get("links", [])] if links is None else links
        return request_of(state["messages"], self._toolkit.store, self._toolkit.tasks, links=found)

    def _planned(self, plan: Plan, links: Sequence[Link]) -> dict[str, Any]:
        _writer()(planned(plan))
        return self._state(plan, links) | {"results": []}

    def _state(self, plan: Plan, links: Sequence[Link]) -> dict[str, Any]:
        """Plan and links as the state holds them; an address that could not be read is told with the plan."""
        unread = tuple(f"{link.url} was left out: {link.why}" for link in links if link.why)
        return {"plan": plan_state(replace(plan, repairs=(*plan.repairs, *unread))), "links": [link.as_json() for link in links]}

    def _trace(self, state: AgentState, request: Request) -> Trace:
        results = tuple(TaskResult.from_json(r) for r in state.get("results", []))
        return Trace(text=request.text, files=request.files, plan=plan_from_state(state["plan"]), results=results)

    def _replied(self, trace: Trace, pieces: list[str]) -> dict[str, Any]:
        return {"messages": [reply_message(Reply(text="".join(pieces), artifacts=trace.artifacts, trace=trace))]}


def plan_state(plan: Plan) -> dict[str, Any]:
    """A plan as the graph's state holds it."""
    return {
        "tasks": plan.as_json(),
        "repairs": list(plan.repairs),
        "confidence": plan.confidence,
        "question": plan.question,
        "answer": plan.answer,
        "error": plan.error,
    }


def plan_from_state(state: dict[str, Any]) -> Plan:
    """The plan that the graph's state holds."""
    return replace(
        Plan.from_json(state["tasks"]),
        confidence=state["confidence"],
        repairs=tuple(state["repairs"]),
        question=state["question"],
        answer=state.get("answer", ""),
        error=state.get("error", ""),
    )


async def _told(plans: AsyncIterator[Plan], listener: Listener) -> AsyncIterator[Plan]:
    """The same plans, with an event for each that brings tasks, and a last one when the plan is whole or breaks off."""
    plan = Plan()
    try:
        async with aclosing(plans) as growing:  # type: ignore[type-var]  # declared an iterator, is a generator
            async for grown in growing:
                if len(grown.tasks) > len(plan.tasks):
                    listener(planned(grown, whole=False))
                plan = grown
                yield plan
    except HuggingGPTError as e:
        if plan.tasks:
            listener(planned(replace(plan, error=e.message)))
        raise
    listener(planned(plan))


def _writer() -> Listener:
    write = get_stream_writer()

    def listen(event: Event) -> None:
        write(dict(event))

    return listen


def _kept(state: AgentState, config: RunnableConfig) -> Results | None:
    """Results kept in the graph's store, under the thread and the request; None when there is no store.

    Not under the plan: a plan that is still being written has no name yet. The key of a result holds its task and inputs.
    """
    try:
        store = get_store()
    except (RuntimeError, KeyError):
        return None
    if store is None:
        return None
    thread = str(config.get("configurable", {}).get("thread_id", "none"))
    asked = hashlib.sha256(str(state["messages"][-1].id).encode()).hexdigest()[:16]
    return _StoreResults(store, ("hugginggpt", thread, asked))


class _StoreResults:
    """`Results` in a LangGraph store."""

    def __init__(self, store: Any, namespace: tuple[str, ...]) -> None:
        self._store = store
        self._namespace = namespace

    async def aget(self, key: str) -> dict[str, Any] | None:
        item = await self._store.aget(self._namespace, key)
        return None if item is None or not _files_there(item.value) else item.value

    async def aput(self, key: str, result: dict[str, Any]) -> None:
        await self._store.aput(self._namespace, key, result)


def _files_there(result: dict[str, Any]) -> bool:
    return all(a.path.is_file() for a in TaskResult.from_json(result).artifacts)
