"""`hugginggpt ask TEXT`: plan, run, reply."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

from ..agent.agent import HuggingGPT
from ..agent.events import Event
from ..agent.settings import Settings
from ..agent.trace import Reply


def answer(settings: Settings, text: str, files: Sequence[str], *, as_json: bool) -> int:
    """Answer one request and print it. Returns the exit code: 0, or 3 when some task did not run."""
    agent = HuggingGPT.from_settings(settings)
    reply = _as_json(agent, text, files) if as_json else _shown(agent, text, files)
    return 0 if reply.trace.complete else 3


def _shown(agent: HuggingGPT, text: str, files: Sequence[str]) -> Reply:
    from rich.console import Console

    from .display import Progress, finished_lines, show_reply

    console = Console(highlight=False, emoji=False)
    with Progress(console) as progress:
        try:
            reply = asyncio.run(follow(agent, text, files, progress.show))
        except KeyboardInterrupt:
            for line in ("hugginggpt: Stopped.", *finished_lines(progress.finished)):
                sys.stderr.write(line + "\n")
            raise
    show_reply(console, reply)
    return reply


def _as_json(agent: HuggingGPT, text: str, files: Sequence[str]) -> Reply:
    finished: list[dict[str, Any]] = []

    def keep(event: Event) -> None:
        if event["type"] == "task_end":
            finished.append(event["result"])

    try:
        reply = asyncio.run(follow(agent, text, files, keep))
    except KeyboardInterrupt:
        error = {"type": "Interrupted", "message": "Stopped.", "remedy": ""}
        sys.stdout.write(json.dumps({"error": error, "results": finished}, ensure_ascii=False) + "\n")
        raise SystemExit(130) from None
    sys.stdout.write(json.dumps(reply.as_json(), ensure_ascii=False) + "\n")
    return reply


async def follow(
    agent: HuggingGPT, text: str, files: Sequence[str], show: Callable[[Event], None], *, history: Sequence[Any] = ()
) -> Reply:
    """Run a request, showing what happens; the reply."""
    reply: Reply | None = None
    async for step in agent.awatch(text, files, history=history):
        if isinstance(step, Reply):
            reply = step
        else:
            show(step)
    assert reply is not None  # awatch ends in a reply or raises
    return reply
