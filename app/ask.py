"""`hugginggpt ask TEXT`: plan, run, reply."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from ..agent.agent import HuggingGPT
from ..agent.settings import Settings
from ..agent.trace import Reply


def answer(settings: Settings, text: str, files: Sequence[str], *, as_json: bool) -> int:
    """Answer one request and print it. Returns the exit code: 0, or 3 when some task did not run."""
    agent = HuggingGPT.from_settings(settings)
    message_files = list(files)
    if as_json:
        return _as_json(agent, text, message_files)
    from rich.console import Console

    from .display import Progress, finished_lines, show_reply

    console = Console(highlight=False)
    with Progress(console) as progress:
        try:
            reply = _watch(agent, text, message_files, progress.show)
        except KeyboardInterrupt:
            for line in finished_lines(progress.finished):
                sys.stderr.write(line + "\n")
            raise
    show_reply(console, reply)
    return 0 if reply.trace.complete else 3


def _as_json(agent: HuggingGPT, text: str, files: Sequence[str]) -> int:
    from ..agent.events import Event

    finished: list[dict[str, object]] = []

    def keep(event: Event) -> None:
        if event["type"] == "task_end":
            finished.append(event["result"])

    try:
        reply = _watch(agent, text, files, keep)
    except KeyboardInterrupt:
        error = {"type": "Interrupted", "message": "Stopped.", "remedy": ""}
        sys.stdout.write(json.dumps({"error": error, "results": finished}, ensure_ascii=False) + "\n")
        raise SystemExit(130) from None
    sys.stdout.write(json.dumps(reply.as_json(), ensure_ascii=False) + "\n")
    return 0 if reply.trace.complete else 3


def _watch(agent: HuggingGPT, text: str, files: Sequence[str], show: object) -> Reply:
    reply: Reply | None = None
    for step in agent.watch(text, files):
        if isinstance(step, Reply):
            reply = step
        elif callable(show):
            show(step)
    assert reply is not None  # watch ends in a reply or raises
    return reply
