from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.prompts import ChatPromptTemplate
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.store.memory import InMemoryStore

from langchain_hugginggpt.agent import HuggingGPT, Plan, Reply, RequestError, Trace
from langchain_hugginggpt.agent.response import EmbeddedResponder
from langchain_hugginggpt.index.errors import HuggingGPTError
from langchain_hugginggpt.tools import ArtifactStore
from tests.agent.plans import plan, ref, task
from tests.agent.stubs import FixedPlanner, StubRunner, toolkit

CHAIN = plan(task("1", "translation", text="hello"), task("2", "summarization", text=ref("1")))
PNG = b"\x89PNG\r\n\x1a\n-a picture"


def agent(*plans: Plan, runner: StubRunner | None = None, **kwargs: Any) -> HuggingGPT:
    return HuggingGPT(toolkit=toolkit(runner, store=kwargs.pop("files", None)), planner=FixedPlanner(*(plans or (CHAIN,))), **kwargs)


def trace_of(message: Any) -> dict[str, Any]:
    found: dict[str, Any] = message.response_metadata["hugginggpt"]
    return found


@pytest.mark.parametrize(
    "given",
    [
        "translate it",
        HumanMessage("translate it"),
        [("user", "translate it")],
        {"messages": [HumanMessage("translate it")]},
        {"input": "translate it"},
    ],
)
async def test_what_it_takes_and_gives(given: Any) -> None:
    one = agent()
    for message in (one.invoke(given), await one.ainvoke(given)):
        assert isinstance(message, AIMessage)
        assert "summarization(translation(hello))" in message.text
        assert trace_of(message)["request"]["text"] == "translate it"
        assert json.loads(json.dumps(trace_of(message))) == trace_of(message)


def test_sync_calls_work_again_and_again_and_inside_a_running_loop() -> None:
    one = agent()
    assert [one.invoke("a").text for _ in range(3)].count(one.invoke("a").text) == 3

    async def inside() -> str:
        return one.invoke("a").text

    assert asyncio.run(inside()) == one.invoke("a").text


def test_it_stands_in_a_chain() -> None:
    chain = ChatPromptTemplate.from_messages([("human", "Do {what}")]) | agent() | (lambda m: m.text.upper())
    assert "SUMMARIZATION" in chain.invoke({"what": "it"})


async def test_streamed_chunks_add_up_to_the_reply_with_files_and_trace() -> None:
    one = agent(plan(task("1", "text-to-image", prompt="a fox")))
    chunks = [c async for c in one.astream("paint")]
    assert chunks[:-1] == [] or all(isinstance(c, AIMessageChunk) for c in chunks)
    total = chunks[0]
    for chunk in chunks[1:]:
        total = total + chunk
    sync = list(one.stream("paint"))
    assert total.text == one.invoke("paint").text == "".join(c.text for c in sync)
    assert [b["type"] for b in total.content_blocks] == ["text", "image"]
    assert trace_of(total)["plan"][0]["task"] == "text-to-image"


async def test_events_of_a_run() -> None:
    names = [e["name"] async for e in agent().astream_events("x", version="v2") if e["event"] == "on_tool_end"]
    assert names == ["translation", "summarization"]


def test_callbacks_are_told_of_every_tool() -> None:
    class Seen(BaseCallbackHandler):
        def __init__(self) -> None:
            self.started: list[str] = []
            self.ended: list[Any] = []

        def on_tool_start(self, serialized: dict[str, Any], input_str: str, **kwargs: Any) -> None:
            self.started.append(serialized["name"])

        def on_tool_end(self, output: Any, **kwargs: Any) -> None:
            self.ended.append(output.status)

    seen = Seen()
    agent(plan(task("1", "translation", text="a"), task("2", "translation", text="fail"))).invoke("x", {"callbacks": [seen]})
    assert seen.started == ["translation", "translation"]
    assert sorted(seen.ended) == ["error", "success"]


def test_files_come_in_as_blocks_and_go_out_as_blocks() -> None:
    block = {"type": "image", "base64": base64.b64encode(PNG).decode(), "mime_type": "image/png", "extras": {"filename": "fox.png"}}
    one = agent(plan(task("1", "image-to-image", image="fox.png")))
    message = one.invoke([HumanMessage(content=[{"type": "text", "text": "sharpen"}, block])])
    made = next(b for b in message.content_blocks if b["type"] == "image")
    assert base64.b64decode(made["base64"]).startswith(b"\x89PNG")
    assert trace_of(message)["results"][0]["status"] == "ok"


def test_a_file_block_that_openai_writes_is_understood() -> None:
    url = "data:image/png;base64," + base64.b64encode(PNG).decode()
    planner = FixedPlanner(Plan())
    one = HuggingGPT(toolkit=toolkit(), planner=planner)
    one.invoke([HumanMessage(content=[{"type": "text", "text": "x"}, {"type": "image_url", "image_url": {"url": url}}])])
    assert [f.media_type for f in planner.requests[0].files] == ["image/png"]


def test_history_holds_files_and_outputs_of_earlier_turns() -> None:
    one = agent(CHAIN, plan(task("1", "text-to-image", prompt="a fox")), Plan())
    first = one.invoke("translate")
    second = one.invoke([HumanMessage("translate"), first, HumanMessage("paint")])
    one.invoke([HumanMessage("translate"), first, HumanMessage("paint"), second, HumanMessage("now read it aloud")])
    planner = one.planner
    assert isinstance(planner, FixedPlanner)
    turns = planner.requests[-1].history
    assert [t.role for t in turns] == ["user", "assistant", "user", "assistant"]
    assert [m.artifact.read_bytes().decode() for m in turns[1].made] == ["translation(hello)", "summarization(translation(hello))"]
    assert [m.artifact.media_type for m in turns[3].made] == ["image/png"]


def test_a_chat_is_kept_by_a_checkpointer_as_plain_json() -> None:
    one = agent(CHAIN, checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "t"}}
    one.invoke("first", config)  # type: ignore[arg-type]
    one.invoke("second", config)  # type: ignore[arg-type]
    state = one.graph.get_state(config)  # type: ignore[arg-type]
    assert len(state.values["messages"]) == 4
    json.dumps({k: v for k, v in state.values.items() if k != "messages"})


def test_a_run_that_was_cut_off_goes_on_where_it_stopped() -> None:
    class Cut(EmbeddedResponder):
        fail = True

        def stream(self, *args: Any, **kwargs: Any) -> Any:
            if self.fail:
                self.fail = False
                raise KeyboardInterrupt
            return super().stream(*args, **kwargs)

    runner = StubRunner()
    kit = toolkit(runner)
    one = HuggingGPT(
        toolkit=kit, planner=FixedPlanner(CHAIN), responder=Cut(kit.tasks), checkpointer=InMemorySaver(), store=InMemoryStore()
    )
    config: Any = {"configurable": {"thread_id": "t"}}
    with pytest.raises(KeyboardInterrupt):
        one.invoke("x", config)
    done = len(runner.calls)
    state = one.graph.invoke(None, config)
    assert "summarization(translation(hello))" in state["messages"][-1].text
    assert len(runner.calls) == done


def test_finished_results_are_kept_for_this_request_only() -> None:
    runner = StubRunner()
    one = agent(CHAIN, runner=runner, checkpointer=InMemorySaver(), store=InMemoryStore())
    config: Any = {"configurable": {"thread_id": "t"}}
    one.invoke("x", config)
    one.invoke("x", config)
    assert len(runner.calls) == 4


async def test_it_nests_as_a_subgraph() -> None:
    outer = StateGraph(MessagesState)
    outer.add_node("hub", agent().graph)
    outer.add_edge(START, "hub")
    outer.add_edge("hub", END)
    graph = outer.compile()
    state = graph.invoke({"messages": [HumanMessage("x")]})
    assert [m.type for m in state["messages"]] == ["human", "ai"]
    events: list[Any] = [c async for c in graph.astream({"messages": [HumanMessage("x")]}, stream_mode="custom", subgraphs=True)]
    assert [e[-1]["type"] for e in events] == ["plan", "task_start", "task_end", "task_start", "task_end", "reply"]


def test_ask_gives_data(tmp_path: Path) -> None:
    picture = tmp_path / "a b'.png"
    picture.write_bytes(PNG)
    one = agent(plan(task("1", "image-to-text", image="a b'.png")), files=ArtifactStore(tmp_path / "out"))
    reply = one.ask("read it", [picture])
    assert isinstance(reply, Reply)
    assert reply.trace.results[0].status == "ok"
    assert reply.as_json()["request"]["files"] == [str(picture)]
    assert Trace.from_json(reply.trace.as_json()) == reply.trace
    assert asyncio.run(one.aask("read it", [picture])).text == reply.text


@pytest.mark.parametrize("given", ["", "   ", [], {"messages": []}, 7, [AIMessage("hello")]])
def test_what_is_no_request_is_refused(given: Any) -> None:
    with pytest.raises(RequestError):
        agent().invoke(given)


def test_a_request_that_is_too_long_is_refused() -> None:
    with pytest.raises(RequestError, match="at most 1,000,000"):
        agent().invoke("a" * 1_000_001)


def test_a_file_that_cannot_be_read_is_the_callers_fault(tmp_path: Path) -> None:
    with pytest.raises(HuggingGPTError, match="no file"):
        agent().ask("read it", [tmp_path / "gone.png"])


def test_an_empty_plan_says_what_can_be_done_and_a_question_is_asked_back() -> None:
    assert "translation" in agent(Plan()).invoke("hello").text
    assert agent(Plan(question="Which text?")).invoke("summarise").text == "Which text?"


def test_the_reply_names_what_failed_and_invents_nothing() -> None:
    made = plan(
        task("1", "text-to-image", prompt="a fox"), task("2", "image-to-text", image=ref("1")), task("3", "translation", text="crash")
    )
    text = agent(made, runner=StubRunner(without=("text-to-image",))).invoke("x").text
    assert "No expert can run text-to-image here" in text
    assert "Put it in." in text
    assert "image-to-text was not run" in text
    assert "translation failed" in text
    assert "boom" in text
