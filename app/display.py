"""How runs look in a terminal: the plan, progress, the reply. Plain lines where there is no terminal."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.panel import Panel
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from ..agent.events import Event
from ..agent.trace import Reply

_MARKS = {"ok": "[green]✓[/]", "failed": "[red]✗[/]", "unavailable": "[yellow]–[/]", "skipped": "[yellow]↷[/]"}


def plan_table(plan: Sequence[dict[str, Any]], *, confidence: float | None, goes_on: bool = False) -> Table:
    """The plan as a table; without a head where it goes on with one that was shown."""
    sure = "" if confidence is None else f" (confidence {confidence:.2f})"
    table = Table(title=None if goes_on else f"Plan{sure}", title_justify="left", box=None, padding=(0, 2, 0, 0), show_header=not goes_on)
    for column in ("", "task", "inputs"):
        table.add_column(column, overflow="fold")
    for task in plan:
        inputs = ", ".join(f"{port} = {_short(value)}" for port, value in task["arguments"].items())
        table.add_row(str(task["id"]), f"[bold]{escape(task['task'])}[/]", escape(inputs))
    return table


def _short(value: Any) -> str:
    if isinstance(value, dict) and "ref" in value:
        return f"[{value['ref']}].{value['port']}" + (" for each" if value.get("each") else "")
    if isinstance(value, list):
        return "[" + ", ".join(_short(v) for v in value[:6]) + (", …]" if len(value) > 6 else "]")
    if not isinstance(value, str):
        return f"{value:g}" if isinstance(value, int | float) else json.dumps(value, ensure_ascii=False)
    text = " ".join(value.split())
    return f'"{text[:60]}…"' if len(text) > 61 else f'"{text}"'


class Progress:
    """Shows events as they come; keeps what finished, for the moment when somebody presses Ctrl-C.

    Args:
        console: where to write.
        quiet: show nothing, only keep.
    """

    def __init__(self, console: Console, *, quiet: bool = False) -> None:
        self._console = console
        self._quiet = quiet
        self._running: dict[str, str] = {}
        self._planned: set[str] = set()
        self._live = Live(console=console, refresh_per_second=8, transient=True) if console.is_terminal and not quiet else None
        self._streamed = False
        self.finished: list[dict[str, Any]] = []

    def __enter__(self) -> Progress:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def show(self, event: Event) -> None:
        """One event."""
        if event["type"] == "task_end":
            self.finished.append(event["result"])
        if self._quiet:
            return
        if event["type"] == "plan" and event["plan"]:
            self._show_plan(event)
        elif event["type"] == "task_start":
            self._running[event["task_id"]] = f"{event['task']} with {event['candidates'][0] if event['candidates'] else '…'}"
            self._refresh()
        elif event["type"] == "task_end":
            self._running.pop(event["task_id"], None)
            self._print(_ended(event["result"]))
            self._refresh()

    def _show_plan(self, event: Event) -> None:
        """What a plan that is being written has grown by; once it is whole, its repairs."""
        new = [t for t in event["plan"] if t["id"] not in self._planned]
        if new:
            self._print(plan_table(new, confidence=event["confidence"], goes_on=bool(self._planned)))
            self._planned |= {t["id"] for t in new}
        if event["error"]:
            self._print(f"[red]the plan broke off:[/] {escape(event['error'])}")
        if event["whole"] or event["error"]:
            for repair in event["repairs"]:
                self._print(f"[dim]repaired: {escape(repair)}[/]")
            self._print("")

    def _print(self, what: object) -> None:
        (self._live.console if self._live else self._console).print(what)

    def _refresh(self) -> None:
        if self._live:
            self._live.update(Group(*(Spinner("dots", Text(f" {i}  {what}")) for i, what in self._running.items())))


def _ended(result: dict[str, Any]) -> str:
    agreement = result.get("agreement")
    by = ", ".join(agreement["experts"]) if agreement else result["model"] or result["error"] or ""
    after = f" [dim]({escape(failed)})[/]" if result["status"] == "ok" and (failed := _failed(result["attempts"])) else ""
    if agreement:
        after = f" [dim](agreement {agreement['score']:.2f})[/]{after}"
    line = f"{_MARKS[result['status']]} {result['task_id']}  {escape(result['task'])}  [dim]{escape(by)}[/]{after}"
    return f"{line}  [dim]{result['seconds']:.2f} s[/]"


def _failed(attempts: Sequence[dict[str, Any]]) -> str:
    """Which models failed before the output came, as in "after org/a, org/b (3 times) failed"; empty where none did."""
    counts = Counter(a["model"] for a in attempts if a["error"])
    told = [model if n == 1 else f"{model} ({n} times)" for model, n in counts.items()]
    return f"after {', '.join(told)} failed" if told else ""


def show_reply(console: Console, reply: Reply) -> None:
    """The reply and its files."""
    console.print()
    if console.is_terminal:
        console.print(Panel(Text(reply.text), title="Reply", title_align="left", border_style="dim"))
    else:
        console.print(Text(reply.text), soft_wrap=True)
    for artifact in reply.artifacts:
        if str(artifact.path) not in reply.text:
            console.print(Text(f"{artifact.media_type}  {artifact.path}"), soft_wrap=True)
    if spent := _spent(reply):
        console.print(Text(spent, style="dim"), soft_wrap=True)


def _spent(reply: Reply) -> str:
    """What hosted models took together, as far as their providers told; empty where none did."""
    total: Counter[str] = Counter()
    for attempt in (a for r in reply.trace.results for a in r.attempts):
        total.update(attempt.usage)
    tokens = f"{total['input_tokens']:,.0f} tokens in, {total['output_tokens']:,.0f} out" if total["input_tokens"] else ""
    cost = f"${total['usd']:.4f}" if total["usd"] else ""
    return f"Hosted models took {', '.join(t for t in (tokens, cost) if t)}, as their providers tell." if tokens or cost else ""


def finished_lines(results: Sequence[dict[str, Any]]) -> list[str]:
    """What had finished when a run was stopped, a line each."""
    lines = []
    for r in results:
        if r["status"] == "ok":
            files = ", ".join(a["path"] for a in r["artifacts"])
            text = next((v for v in r["output"].values() if isinstance(v, str)), "")
            lines.append(f"finished: {r['task_id']} {r['task']}: {files or ' '.join(text.split())[:300] or 'done'}")
    return lines
