"""`hugginggpt models`: a search in the index of model cards."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table

from ..agent.building import build_toolkit
from ..agent.settings import Settings
from ..index.errors import UnknownNameError
from ..index.filters import CardFilter
from ..index.model_card_index import Hit, ModelCardIndex
from .foreign import as_json_line, foreign

_FLAG = "⚑"
_FLAGS = {
    "gives-orders": "its text gives orders to a language model; they are kept as data, and nobody follows them",
    "control-tokens": "its text holds control tokens of chat templates",
}


def show_models(settings: Settings, query: str, filters: CardFilter, *, task: str | None, limit: int, as_json: bool) -> None:
    """Search the index and print what was found. Raises UnknownNameError for a task that neither the Hub nor the index has."""
    toolkit = build_toolkit(settings)
    index = toolkit.experts.index
    if task is not None and task not in index.tasks:
        toolkit.tasks.find(task)
    hits = index.search(query, task=task, filters=filters, limit=limit)
    if as_json:
        facts = [{**h.card.as_json(), "score": h.score, "why": h.why} for h in hits]
        sys.stdout.write(as_json_line([{k: f[k] for k in ("id", "task", "score", "why")} | f for f in facts]))
        return
    console = Console(highlight=False, emoji=False)
    if not hits:
        console.print("No model was found" + (" that passes every filter." if filters != CardFilter() else "."))
        for hint in _hints(index, filters):
            console.print(foreign(hint, 1000), soft_wrap=True)
        return
    console.print(_table(hits))
    for flag in dict.fromkeys(f for h in hits for f in h.card.flags):
        console.print(f"{_FLAG} {foreign(flag)}: {_FLAGS.get(flag, 'see the card')}", soft_wrap=True)


def _table(hits: Sequence[Hit]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", expand=True)
    table.add_column("model, task", overflow="fold", ratio=3)
    table.add_column("licence", overflow="fold", max_width=12)
    for column in ("parameters", "downloads"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("why", ratio=2)
    for hit in hits:
        card = hit.card
        mark = f" [yellow]{_FLAG}[/]" if card.flags else ""
        table.add_row(
            f"[bold]{foreign(card.id)}[/]{mark}\n[dim]{foreign(card.task)}[/]",
            foreign(card.license or "?", 40),
            _short(card.parameters),
            _short(card.downloads),
            foreign(hit.why, 300),
        )
    return table


def _short(number: int | None) -> str:
    """`1.5 B`, `22.7 M`, `640`; `?` where it is not known."""
    if number is None:
        return "?"
    for unit, factor in (("T", 10**12), ("B", 10**9), ("M", 10**6), ("k", 10**3)):
        if number >= factor:
            return f"{number / factor:,.3g} {unit}" if number < 1000 * factor else f"{number / factor:,.0f} {unit}"
    return str(number)


def _hints(index: ModelCardIndex, filters: CardFilter) -> Iterator[str]:
    """Values that no card of the index has, and what may have been meant."""
    asked = (
        ("license", "licence", filters.license),
        ("language", "language", (filters.language,)),
        ("library", "library", (filters.library,)),
    )
    for fact, word, values in asked:
        known = index.count_by(fact) if any(values) else {}
        yield from (str(UnknownNameError(f"{word} in the index", v, [k for k in known if k])) for v in values if v and v not in known)
