"""What `make demo` runs: five requests through the agent, shown as the command line shows them. Files go to ./out/."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from langchain_hugginggpt.agent import HuggingGPT, Settings
from langchain_hugginggpt.app.ask import follow
from langchain_hugginggpt.app.display import Progress, show_reply

INPUTS = Path(__file__).parent / "inputs"
REQUESTS = (
    ("Read this receipt and tell me the total", "receipt.png"),
    ("Read the notice in this picture aloud", "notice.png"),
    ("Summarise this article in two sentences and read the summary to me", "article.txt"),
    ("Read the letter in scan.png, tell me whether it is a complaint or praise, and read me a short summary", "scan.png"),
    ("Paint a fox in the snow", ""),  # planned, with the model that would do it; no expert of this version can
)


def show(agent: HuggingGPT, text: str, files: list[str], console: Console) -> None:
    """Ask, and show plan, progress and reply."""
    with Progress(console) as progress:
        reply = asyncio.run(follow(agent, text, files, progress.show))
    show_reply(console, reply)


def main() -> None:
    """Every request in turn, with one agent, so that each engine is loaded once."""
    console = Console(highlight=False)
    agent = HuggingGPT.from_settings(replace(Settings.from_environment(), out=Path("out")))
    for text, name in REQUESTS:
        file = f" --file {name}" if name else ""
        console.print(f'\n[bold cyan]$ hugginggpt ask "{escape(text)}"{file}[/]', soft_wrap=True)
        show(agent, text, [str(INPUTS / name)] if name else [], console)


if __name__ == "__main__":
    main()
