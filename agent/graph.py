"""The agent as a LangGraph graph: plan, execute, respond. State is messages and plain JSON, so any checkpointer can keep it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from langchain_core.runnables import Runnable, RunnableConfig
from langgraph.config import get_store, get_stream_writer
from langgraph.graph import END, START, MessagesState, StateGraph

from ._loop import run_sync
from .errors import RequestError
from .events import Event, Listener
from .executor import Executor, Results
from .messages import reply_message, request_of
from .plan import Plan
from .planners.planner import Planner
from .request import Request
from .response import Responder
from .trace import Reply, TaskResult, Trace

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph

    from ..tools.toolkit import HubToolkit


class AgentState(MessagesState, total=False):
    """What the graph keeps. `messages` is what it shares with a graph around it.

    Keys:
        plan: JSON of `Plan`, with confidence, repairs and question.
        results: JSON of each `TaskResult`.
    """

    plan: dict[str, Any]
    results: list[dict[str, Any]]


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
    builder.add_conditional_edges("plan", lambda s: "execute" if s["plan"]["tasks"] else "respond", ["execute", "respond"])
    builder.add_edge("execute", "respond")
    builder.add_edge("respond", END)
    return builder.compile(checkpointer=checkpointer, store=store, name="hugginggpt")


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
        return self._planned(self._planner.plan(self._request(state), self._toolkit.tasks))

    async def aplan(self, state: AgentState, config: RunnableConfig) -> dict[str, Any]:
        import asyncio

        request = await asyncio.to_thread(self._request, state)
        return self._planned(await self._planner.aplan(request, self._toolkit.tasks))

    def execute(self, state: AgentState, config: RunnableConfig) -> dict[str, Any]:
        return run_sync(lambda: self.aexecute(state, config))

    async def aexecute(self, state: AgentState, config: RunnableConfig) -> dict[str, Any]:
        results = await self._executor.arun(
            plan_from_state(state["plan"]),
            self._request(state),
            listener=_writer(),
            results=_kept(state, config),
            config=config,
        )
        return {"results": [r.as_json() for r in results]}

    def respond(self, state: AgentState, config: RunnableConfig) -> dict[str, Any]:
        request, trace, write = self._request(state), self._trace(state), _writer()
        pieces = []
        for piece in self._responder.stream(request, trace, self._toolkit.runnable()):
            write({"type": "reply", "text": piece})
            pieces.append(piece)
        return self._replied(trace, pieces)

    async def arespond(self, state: AgentState, config: RunnableConfig) -> dict[str, Any]:
        request, trace, write = self._request(state), self._trace(state), _writer()
        pieces = []
        async for piece in self._responder.astream(request, trace, self._toolkit.runnable()):
            write({"type": "reply", "text": piece})
            pieces.append(piece)
        return self._replied(trace, pieces)

    def _request(self, state: AgentState) -> Request:
        if not state.get("messages"):
            raise RequestError("There is no message.", remedy='Invoke with {"messages": [...]} that ends in a human message.')
        return request_of(state["messages"], self._toolkit.store, self._toolkit.tasks)

    def _planned(self, plan: Plan) -> dict[str, Any]:
        tasks = plan.as_json()
        _writer()({"type": "plan", "plan": tasks, "repairs": list(plan.repairs), "confidence": plan.confidence})
        state = {"tasks": tasks, "repairs": list(plan.repairs), "confidence": plan.confidence, "question": plan.question}
        return {"plan": state, "results": []}

    def _trace(self, state: AgentState) -> Trace:
        request = self._request(state)
        results = tuple(TaskResult.from_json(r) for r in state.get("results", []))
        return Trace(text=request.text, files=request.files, plan=plan_from_state(state["plan"]), results=results)

    def _replied(self, trace: Trace, pieces: list[str]) -> dict[str, Any]:
        return {"messages": [reply_message(Reply(text="".join(pieces), artifacts=trace.artifacts, trace=trace))]}


def plan_from_state(state: dict[str, Any]) -> Plan:
    """The plan that the graph's state holds as JSON."""
    plan = Plan.from_json(state["tasks"])
    return replace(plan, confidence=state["confidence"], repairs=tuple(state["repairs"]), question=state["question"])


def _writer() -> Listener:
    write = get_stream_writer()

    def listen(event: Event) -> None:
        write(dict(event))

    return listen


def _kept(state: AgentState, config: RunnableConfig) -> Results | None:
    """Results kept in the graph's store, under the thread and the plan; None when there is no store."""
    try:
        store = get_store()
    except (RuntimeError, KeyError):
        return None
    if store is None:
        return None
    thread = str(config.get("configurable", {}).get("thread_id", "none"))
    asked = str(state["messages"][-1].id)
    plan = hashlib.sha256(json.dumps([state["plan"]["tasks"], asked], sort_keys=True).encode()).hexdigest()[:16]
    return _StoreResults(store, ("hugginggpt", thread, plan))


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
