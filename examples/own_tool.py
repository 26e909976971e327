"""A tool of your own in the planner's table: a task that no planner was made for, found by its one-line summary."""

from __future__ import annotations

from pathlib import Path

from langchain_core.tools import tool

from langchain_hugginggpt.agent import HuggingGPT
from langchain_hugginggpt.tools import DeclaredTool, HubTask, HubToolkit, Kind, Port

INPUTS = Path(__file__).parent / "inputs"
REQUEST = "Read the notice in this picture and tell me how much schooling its readers need"


@tool
def reading_level(text: str) -> str:
    """Automated Readability Index (Senter and Smith, 1967): years of school, from letters in a word and words in a sentence."""
    words = text.split()
    stops = sum(text.count(mark) for mark in ".!?") or 1
    letters = sum(c.isalnum() for c in text)
    years = 4.71 * letters / len(words) + 0.5 * len(words) / stops - 21.43
    return f"{max(1, round(years))} years of school"


READABILITY = DeclaredTool(
    tool=reading_level,
    task=HubTask(
        name="readability",
        summary="Say how difficult a text is to read, and how many years of school its readers need.",
        inputs=(Port(name="text", kind=Kind.TEXT, description="the text"),),
        outputs=(Port(name="level", kind=Kind.TEXT, description="years of school"),),
    ),
)


def main() -> None:
    """The plan wires a Hub task into the tool."""
    agent = HuggingGPT(toolkit=HubToolkit(tools=[READABILITY]))
    reply = agent.ask(REQUEST, [INPUTS / "notice.png"])
    print(" → ".join(t.task for t in reply.trace.plan.tasks))
    print(reply.text)


if __name__ == "__main__":
    main()
