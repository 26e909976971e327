"""`hugginggpt index info` and `index use`: what an index holds, how it was made, and which one is in use."""

from __future__ import annotations

import datetime
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from ..agent.building import open_index
from ..agent.errors import SettingsError
from ..agent.settings import Settings, use_index
from ..index.encoders import load_encoder
from ..index.model_card_index import ModelCardIndex
from ..index.text import size_text
from .foreign import as_json_line, foreign
from .options import with_index_in_use

_TASKS, _OTHERS = 20, 8  # shown of a table
_FACTS = {"tasks": "task", "licenses": "license", "languages": "language", "flagged": "flag"}


@dataclass(frozen=True, kw_only=True)
class Info:
    """What an index holds.

    Attributes:
        folder: where it lies; None for the embedded catalogue.
        cards: how many.
        counts: by `tasks`, `licenses`, `languages`, `months` and `flagged`: cards by name, the commonest first; an empty name for those
            that do not tell; months as `2026-11`.
        newest: the day on which the card that was changed last was changed; None where no card tells.
        manifest: how it was made.
        bytes: on the disk; None for the embedded catalogue.
    """

    folder: Path | None
    cards: int
    counts: Mapping[str, Mapping[str, int]]
    newest: str | None
    manifest: Mapping[str, Any]
    bytes: int | None

    @classmethod
    def of(cls, index: ModelCardIndex, folder: Path | None) -> Info:
        """Of an open index."""
        counts = {name: index.count_by(fact) for name, fact in _FACTS.items()}
        days = index.count_by("modified")
        months: Counter[str] = Counter()
        for day, n in days.items():
            months[day[:7]] += n
        return cls(
            folder=folder,
            cards=len(index),
            counts={**counts, "months": dict(months.most_common())},
            newest=max(days, default="") or None,
            manifest=index.manifest,
            bytes=None if folder is None else bytes_of(folder),
        )

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        kept = ("source", "encoder", "dimension", "template", "created", "skipped")
        place = {
            "index": None if self.folder is None else str(self.folder.resolve()),
            "cards": self.cards,
            "bytes": self.bytes,
            "newest": self.newest,
        }
        return {**place, **self.counts, **{k: self.manifest[k] for k in kept}}


def run_use(folder: Path | None, *, embedded: bool) -> None:
    """`hugginggpt index use`."""
    if (folder is None) is not embedded:
        raise SettingsError("Name one index.", remedy="hugginggpt index use DIR, or hugginggpt index use --embedded.")
    console = Console(highlight=False, emoji=False)
    if folder is None:
        use_index(None)
        console.print("In use: the catalogue that ships", soft_wrap=True)
    else:
        index = ModelCardIndex.open(folder)
        load_encoder(index.manifest["encoder"])
        use_index(folder)
        console.print(f"In use: {foreign(str(folder), 1000)} ({counted(len(index), 'card')})", soft_wrap=True)
    if (named := Settings.from_environment().index) is not None:
        console.print(f"[yellow]HUGGINGGPT_INDEX={foreign(str(named), 1000)} goes before it.[/]", soft_wrap=True)


def run_info(folder: Path | None, plot: Path | None, *, as_json: bool) -> None:
    """`hugginggpt index info`."""
    from .index_plot import check_name, draw

    if plot is not None:
        check_name(plot)
    chosen = folder or with_index_in_use(Settings.from_environment()).index
    found = Info.of(ModelCardIndex.embedded() if chosen is None else open_index(chosen), chosen)
    if plot is not None:
        draw(found, plot)
    if as_json:
        sys.stdout.write(as_json_line(found.as_json()))
        return
    console = Console(highlight=False, emoji=False)
    _show(console, found)
    if plot is not None:
        console.print(f"Drawn: {foreign(str(plot), 1000)}", soft_wrap=True)


def counted(n: int, what: str) -> str:
    """`1 card`, `2,000 cards`."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def bytes_of(folder: Path) -> int:
    """What an index takes on the disk; an unfinished build counts as well."""
    sizes = []
    for path in folder.rglob("*"):
        try:
            sizes.append(path.stat().st_size)
        except OSError:  # a build that is at work has moved it
            continue
    return sum(sizes)


def age_text(created: str) -> str:
    """`2026-11-21, 3 days ago`; empty where there is no date, as for the embedded catalogue."""
    try:
        made = datetime.datetime.fromisoformat(created)
    except ValueError:
        return ""
    days = (datetime.datetime.now(datetime.UTC).date() - made.date()).days
    ago = {0: "today", 1: "yesterday"}.get(days, f"{days} days ago")
    return f"{made.date()}, {ago}"


def _show(console: Console, found: Info) -> None:
    manifest = found.manifest
    console.print(f"[bold]{counted(found.cards, 'card')} for {counted(len(found.counts['tasks']), 'task')}[/]", soft_wrap=True)
    rows = {
        "where": "the catalogue that ships" if found.folder is None else foreign(str(found.folder), 1000),
        "source": foreign(manifest["source"], 300),
        "encoder": foreign(manifest["encoder"], 300),
        "made": "" if found.folder is None else age_text(manifest["created"]),
        "newest card": found.newest and foreign(found.newest),
        "on disk": "" if found.bytes is None else size_text(found.bytes),
        "noted": "; ".join(f"{n:,} × {foreign(k)}" for k, n in manifest["skipped"].items()),
        "flagged": "; ".join(f"{n:,} × {foreign(k)}" for k, n in found.counts["flagged"].items()),
    }
    for name, said in rows.items():
        if said:
            console.print(f"  [dim]{name:<12}[/]{said}", soft_wrap=True)
    for title, name, most in (("tasks", "tasks", _TASKS), ("licences", "licenses", _OTHERS), ("languages", "languages", _OTHERS)):
        _table(console, title, found.counts[name], most)
    _table(console, "last changed", by_age(found.counts["months"]), _OTHERS)


def by_age(months: Mapping[str, int]) -> dict[str, int]:
    """By year, the latest first; nothing where no card tells."""
    years: dict[str, int] = {}
    for month, n in sorted(months.items(), reverse=True):
        years[month[:4]] = years.get(month[:4], 0) + n
    return {} if set(years) == {""} else years


def _table(console: Console, title: str, counts: Mapping[str, int], most: int) -> None:
    if not counts:
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", show_edge=False)
    table.add_column(title, overflow="fold", min_width=30)
    table.add_column("cards", justify="right")
    for name, n in list(counts.items())[:most]:
        table.add_row(foreign(name, 60) or "[dim]not told[/]", f"{n:,}")
    if len(counts) > most:
        rest = "" if title == "languages" else f"{sum(list(counts.values())[most:]):,}"  # a card may have many languages
        table.add_row(f"[dim]{len(counts) - most:,} others[/]", f"[dim]{rest}[/]")
    console.print()
    console.print(table)
