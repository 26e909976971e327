"""Figures as they stand in the report: cards, and tables of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from ..metrics.table import Unit, metric
from ..summary import Figure, Group, Summary
from .blocks import baseline_of, block_of, dropped, ordered, told
from .text import one_line

_ROWS = 60  # rows of a table of groups
_COLUMNS = 10  # figures in a row of such a table: more would not fit a page
_TASKS = 300  # rows of the table of tasks
_MODELS = 40


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One figure.

    Attributes:
        shown: the value with its unit's digits, `–` for none.
        interval: `79.8–83.1`, or empty.
        band: low end, value and high end of the interval in percent of the scale from 0 to 1; None when there is no such scale.
        best: no other row of the column is better.
    """

    shown: str
    interval: str = ""
    band: tuple[float, float, float] | None = None
    best: bool = False


@dataclass(frozen=True, kw_only=True)
class Card:
    """One overall figure with what it means.

    Attributes:
        title: name of the metric.
        unit: `%` or empty.
        cell: the figure.
        meaning: one sentence; empty where a card before it has the same metric.
        lower_is_better: False for most.
        n: cases that count for it, where these are not all; else None.
    """

    title: str
    unit: str
    cell: Cell
    meaning: str
    lower_is_better: bool
    n: int | None


@dataclass(frozen=True, kw_only=True)
class Block:
    """Cards that belong together."""

    title: str
    meaning: str
    cards: tuple[Card, ...]


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of a table: what it is of, how many cases (None where that says nothing), and its figures."""

    label: str
    n: int | None
    cells: tuple[Cell, ...]
    own: bool = False


@dataclass(frozen=True, kw_only=True)
class Table:
    """Figures by rows.

    Attributes:
        title: what the rows are.
        heads: blocks with the number of their columns.
        columns: name of each metric, with an arrow where less is better.
        rows: with a cell for each column.
        left_out: how many rows more there are.
    """

    title: str
    heads: tuple[tuple[str, int], ...]
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    left_out: int = 0


@dataclass(frozen=True, kw_only=True)
class TaskRow:
    """One task: cases that want it, cases that got it, and precision, recall and F1, each as told and to sort by."""

    name: str
    support: int
    planned: int
    figures: tuple[tuple[str, float], ...]


@dataclass(frozen=True, kw_only=True)
class UsageTable:
    """What chat models took: a row (the model, then a number for each column) for each."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


def blocks(summary: Summary) -> tuple[Block, ...]:
    """The overall figures of what was evaluated itself, a block each."""
    explained: set[str] = set()
    return tuple(
        Block(
            title=told(name)[0],
            meaning=f"{told(name)[1]} {dropped(summary, name)}".strip(),
            cards=tuple(_cards(keys, summary.overall, explained)),
        )
        for name, keys in groupby(ordered(summary.overall.figures), block_of)
    )


def comparison(summary: Summary) -> Table | None:
    """What was evaluated against its baselines, the best of each column marked; None without baselines."""
    figures = summary.overall.figures
    names = list(dict.fromkeys(baseline_of(k) for k in figures))
    keys = ordered(figures)
    if len(names) < 2 or not keys:
        return None
    by_row = {n: [figures.get(f"{n}/{k}" if n else k) for k in keys] for n in sorted(names, key=bool)}
    best = [_best(k, [row[i] for row in by_row.values()]) for i, k in enumerate(keys)]
    rows = tuple(
        Row(
            label=one_line(name, 60) or "this index",
            n=None,
            own=not name,
            cells=tuple(
                _cell(k, f, best=f is not None and f.value is not None and f.value == b) for k, f, b in zip(keys, row, best, strict=True)
            ),
        )
        for name, row in by_row.items()
    )
    return Table(title="Baselines", heads=_heads(keys), columns=_columns(keys), rows=rows)


def group_tables(summary: Summary) -> tuple[tuple[Table, ...], ...]:
    """For each thing that the figures are broken down by, one table, or some where there are many blocks.

    A breakdown into one value only would say nothing new, and is left out.
    """
    parts = list(_fitting(ordered(summary.overall.figures)))
    return tuple(
        tuple(_group_table(name, groups, keys) for keys in parts) for name, groups in summary.groups.items() if len(groups) > 1 and parts
    )


def _fitting(keys: Iterable[str]) -> Iterator[list[str]]:
    """Blocks one after the other, as many at a time as fit a page."""
    part: list[str] = []
    for _, of in groupby(keys, block_of):
        block = list(of)
        if part and len(part) + len(block) > _COLUMNS:
            yield part
            part = []
        part += block
    if part:
        yield part


def task_rows(summary: Summary) -> tuple[TaskRow, ...]:
    """The commonest tasks, at most 300, the commonest first."""
    return tuple(
        TaskRow(
            name=one_line(name, 80) or "(no name)",
            support=c.tp + c.fn,
            planned=c.tp + c.fp,
            figures=tuple((f"{100 * a / b:.1f}", a / b) if b else ("–", -1.0) for a, b in (c.precision, c.recall, c.f1)),
        )
        for name, c in list(summary.tasks.items())[:_TASKS]
    )


def usage_table(used: Mapping[str, Mapping[str, Any]]) -> UsageTable | None:
    """Tokens by chat model, at most 40, and what they cost where a price is known; None when no model told its tokens.

    Args:
        used: see `agent_runs.costs`.
    """
    shown = dict(list(used.items())[:_MODELS])
    priced = any(numbers.get("cost") is not None for numbers in shown.values())
    kinds = [k for k in dict.fromkeys(k for numbers in shown.values() for k in numbers) if priced or k != "cost"]
    rows = tuple((one_line(model, 80), tuple(_number(numbers.get(k)) for k in kinds)) for model, numbers in shown.items())
    return UsageTable(columns=tuple(one_line(k, 40).replace("_", " ") for k in kinds), rows=rows) if rows else None


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.4f}" if isinstance(value, float) else f"{value:,}"


def _group_table(name: str, groups: Mapping[str, Group], keys: Sequence[str]) -> Table:
    rows = tuple(
        Row(label=one_line(value, 60) or "(none)", n=group.n, cells=tuple(_cell(k, group.figures.get(k)) for k in keys))
        for value, group in list(groups.items())[:_ROWS]
    )
    return Table(title=one_line(name, 60), heads=_heads(keys), columns=_columns(keys), rows=rows, left_out=len(groups) - len(rows))


def _cards(keys: Iterable[str], overall: Group, explained: set[str]) -> Iterator[Card]:
    for key in keys:
        m, figure = metric(key), overall.figures[key]
        yield Card(
            title=m.title,
            unit="%" if m.unit is Unit.PERCENT and figure.value is not None else "",
            cell=_cell(key, figure),
            meaning="" if m.title in explained else m.meaning,
            lower_is_better=not m.higher_is_better,
            n=figure.n if figure.n != overall.n else None,
        )
        explained.add(m.title)


def _cell(key: str, figure: Figure | None, *, best: bool = False) -> Cell:
    m = metric(key)
    if figure is None or figure.value is None:
        return Cell(shown=m.shown(None))
    interval, band = "", None
    if figure.interval is not None:
        low, high = figure.interval
        interval = f"{m.shown(low)}–{m.shown(high)}"
        if m.unit is not Unit.RATIO:
            band = (round(100 * low, 2), round(100 * figure.value, 2), round(100 * high, 2))
    return Cell(shown=m.shown(figure.value), interval=interval, band=band, best=best)


def _best(key: str, column: Sequence[Figure | None]) -> float | None:
    values = [f.value for f in column if f is not None and f.value is not None]
    if len(values) < 2:
        return None
    return max(values) if metric(key).higher_is_better else min(values)


def _heads(keys: Sequence[str]) -> tuple[tuple[str, int], ...]:
    return tuple((told(name)[0], len(list(of))) for name, of in groupby(keys, block_of))


def _columns(keys: Sequence[str]) -> tuple[str, ...]:
    return tuple(metric(k).title + ("" if metric(k).higher_is_better else " ↓") for k in keys)
