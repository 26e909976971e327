"""The whole agent as a node of your own LangGraph graph. What the two graphs share is `messages`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from langchain_core.messages import HumanMessage
from langgraph.graph import END, START, MessagesState, StateGraph

from langchain_hugginggpt.agent import HuggingGPT

INPUTS = Path(__file__).parent / "inputs"


class Desk(MessagesState, total=False):
    """A mail desk: a letter comes in, a queue comes out."""

    letter: str
    queue: str


def ask(state: Desk) -> dict[str, Any]:
    """Say what the agent shall find out."""
    return {"messages": [HumanMessage(f'Is this letter about a delivery, a bill or a job?\n\n"{state["letter"]}"')]}


def sort(state: Desk) -> dict[str, Any]:
    """Put the letter where the agent's result says. The trace holds results as data, so that no text must be parsed."""
    trace = state["messages"][-1].response_metadata["hugginggpt"]
    chosen = [
        r["output"]["labels"][0]["label"] for r in trace["results"] if r["task"] == "zero-shot-classification" and r["status"] == "ok"
    ]
    return {"queue": chosen[0] if chosen else "to be read by a person"}


def main() -> None:
    """Sort one letter."""
    builder = StateGraph(Desk)
    builder.add_node("ask", ask)
    builder.add_node("hugginggpt", HuggingGPT().graph)
    builder.add_node("sort", sort)
    builder.add_edge(START, "ask")
    builder.add_edge("ask", "hugginggpt")
    builder.add_edge("hugginggpt", "sort")
    builder.add_edge("sort", END)
    state = builder.compile().invoke(Desk(messages=[], letter=(INPUTS / "letter.txt").read_text("utf-8")))
    print(state["messages"][-1].text)
    print(f"\nqueue: {state['queue']}")


if __name__ == "__main__":
    main()
