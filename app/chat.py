"""`hugginggpt ask` without TEXT: a chat in the terminal. Earlier files and results can be meant again."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Sequence
from typing import Any

from rich.console import Console

from ..agent.agent import HuggingGPT
from ..agent.messages import reply_message
from ..agent.settings import Settings
from ..index.errors import HuggingGPTError
from .ask import follow
from .display import Progress, show_reply

_HELP = "Say what you need. /file PATH attaches a file to your next message, /quit ends."


def chat(settings: Settings, files: Sequence[str]) -> int:
    """Chat until end of input or /quit. Returns the exit code."""
    agent = HuggingGPT.from_settings(settings)
    console = Console(highlight=False, emoji=False)
    console.print(f"[dim]{_HELP}[/]")
    history: list[Any] = []
    attached = list(files)
    with asyncio.Runner() as runner:  # one event loop for the whole chat: connections of a chat model belong to theirs
        while True:
            try:
                line = console.input("[bold]> [/]").strip()
            except EOFError:
                return 0
            if line in ("/quit", "/exit"):
                return 0
            if line.startswith("/"):
                _command(line, attached, console)
            elif line:
                said = _turn(agent, console, line, attached, history, runner)
                history += said
                attached = [] if said else attached  # what was stopped or refused can be said again


def _command(line: str, attached: list[str], console: Console) -> None:
    try:
        name, *paths = shlex.split(line)
    except ValueError as e:
        console.print(f"[red]{e}[/]", markup=True)
        return
    if name == "/file" and paths:
        attached += paths
        console.print(f"attached: {', '.join(attached)}", markup=False)
    else:
        console.print(_HELP, markup=False)


def _turn(
    agent: HuggingGPT, console: Console, text: str, files: Sequence[str], history: Sequence[Any], runner: asyncio.Runner
) -> list[Any]:
    """One exchange; what it adds to the history. A fault is shown and the chat goes on."""
    try:
        asked = agent.message(text, files)
        with Progress(console) as progress:
            reply = runner.run(follow(agent, text, files, progress.show, history=history))
    except HuggingGPTError as e:
        console.print(str(e), style="red", markup=False)
        return []
    except KeyboardInterrupt:
        console.print("stopped", style="yellow")
        return []
    show_reply(console, reply)
    return [asked, reply_message(reply)]
