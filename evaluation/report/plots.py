"""The report's charts. Each is drawn from a Summary alone, and is left out when there is nothing to draw."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..metrics.counts import Counts
from ..metrics.table import Unit, metric
from ..summary import NOTHING, Figure, Group, Latency, Summary
from .blocks import block_of, primary, told
from .svg import ACCENT, INK, LINE, MISS, MUTED, PANEL, Drawing, own_settings
from .text import duration, one_line

TASKS = 25  # tasks in a chart: the commonest ones
_NUMBERED, _NUMBERS = 3, 15  # groups that are numbers, and values on the axis of each
_WIDTH = 430
_SMALL, _TINY = 9.5, 8.5


@dataclass(frozen=True, kw_only=True)
class Chart:
    """One chart.

    Attributes:
        title: what it shows.
        note: how to read it.
        svg: an `<svg>` element; nothing in it is unescaped text of others.
        shape: `half` a page wide, `tall` (half as wide, and long), or `wide`.
    """

    title: str
    note: str
    svg: str
    shape: str = "half"


def charts(summary: Summary) -> tuple[Chart, ...]:
    """Every chart that there is data for: F1 by task, figures by a number, latency, confusion.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    with own_settings():
        return tuple(_charts(summary))


def _charts(summary: Summary) -> Iterator[Chart]:
    if len(summary.tasks) > 1:
        yield f1_by_task(summary.tasks)
    keys = _by_number(summary)
    numbered = [(name, numbers) for name, groups in summary.groups.items() if len(numbers := _numbers(groups)) > 1]
    for place, (name, numbers) in enumerate(numbered[:_NUMBERED] if keys else ()):
        yield by_number(name, numbers, keys, place)
    if summary.latency is not None:
        yield latency(summary.latency)
    if any(a != b for a, b in summary.confusion):
        yield confusion(summary.tasks, summary.confusion)


def _numbers(groups: Mapping[str, Group]) -> Mapping[str, Group]:
    """Those whose value is a number, in its order."""
    return {v: groups[v] for v in sorted((v for v in groups if v.isdecimal()), key=lambda v: (len(v), v))}


def _by_number(summary: Summary) -> list[str]:
    """The primary figure, and for plans the links as well, which suffer first when plans grow."""
    first = primary(summary)
    if first is None or metric(first).unit is not Unit.PERCENT:
        return []
    links = first.replace("n_f1", "e_f1")
    return [first, links] if links != first and links in summary.overall.figures else [first]


def f1_by_task(tasks: Mapping[str, Counts]) -> Chart:
    """Bars of F1 in percent for the commonest tasks, best first, each with how many cases want it."""
    common = list(tasks.items())[:TASKS]
    rows = sorted(((_ratio(c.f1), name, c) for name, c in common), key=lambda r: (-r[0], r[1]))
    drawing = Drawing(_WIDTH, 56 + 18 * len(rows), (166, 76, 10, 40))
    axes = drawing.axes
    places = range(len(rows))
    axes.barh(places, [100 * f1 for f1, *_ in rows], height=0.62, color=ACCENT, linewidth=0)
    axes.set_yticks(places, [drawing.label(name, 28) for _, name, _ in rows], color=INK)
    for place, (f1, _, counts) in zip(places, rows, strict=True):
        axes.text(103, place, f"{100 * f1:.0f}", va="center", ha="left", color=INK, fontsize=10)
        axes.text(136, place, str(counts.tp + counts.fn), va="center", ha="right", color=MUTED, fontsize=10, clip_on=False)
    axes.text(103, -0.95, "F1", va="center", ha="left", color=MUTED, fontsize=_SMALL)
    axes.text(136, -0.95, "cases", va="center", ha="right", color=MUTED, fontsize=_SMALL)
    axes.set_xlim(0, 100)
    axes.set_ylim(len(rows) - 0.4, -1.4)
    _percent_axis(drawing, "x")
    axes.set_xlabel("F1 (%)", color=MUTED, fontsize=_SMALL, labelpad=6)
    listed = ", ".join(f"{one_line(name, 60)} {100 * f1:.0f}" for f1, name, _ in rows)
    title = "F1 by task"
    note = f"The {len(rows)} commonest of {len(tasks)} tasks, best first." if len(tasks) > len(rows) else "Best first."
    return Chart(title=title, note=note, svg=drawing.svg("task", f"{title}, in percent: {listed}."), shape="tall")


def by_number(name: str, groups: Mapping[str, Group], keys: Sequence[str], place: int = 0) -> Chart:
    """Figures in percent, with their intervals, for each value of a group that is a number."""
    shown = list(groups.items())[:_NUMBERS]
    drawing = Drawing(_WIDTH, 246, (46, 14, 30, 60))
    axes = drawing.axes
    titles = [metric(k).title for k in keys]
    for series, key in enumerate(keys):
        shift = 0.0 if len(keys) == 1 else (series - 0.5) * 0.2
        points = [(place + shift, g.figures[key]) for place, (_, g) in enumerate(shown) if key in g.figures]
        _points(drawing, points, INK if series else ACCENT, hollow=bool(series))
        x = 0.04 + 0.18 * series
        face = PANEL if series else ACCENT
        axes.scatter([x - 0.025], [1.085], s=36, c=face, edgecolors=INK if series else ACCENT, transform=axes.transAxes, clip_on=False)
        axes.text(x, 1.085, titles[series], transform=axes.transAxes, va="center", color=INK, fontsize=10)
    axes.set_xticks(range(len(shown)), [drawing.label(value, 8) for value, _ in shown], color=INK)
    for place, (_, group) in enumerate(shown):
        axes.text(place, -0.195, f"n={group.n}", transform=axes.get_xaxis_transform(), ha="center", color=MUTED, fontsize=_TINY)
    axes.set_xlim(-0.6, len(shown) - 0.4)
    axes.set_ylim(0, 102)
    _percent_axis(drawing, "y")
    axes.set_xlabel(drawing.label(name), color=MUTED, fontsize=_SMALL, labelpad=20)
    axes.set_ylabel(f"{' and '.join(titles)} (%)", color=MUTED, fontsize=_SMALL)
    title = f"{' and '.join(titles)} by {one_line(name, 60)}"
    listed = "; ".join(
        f"{one_line(value, 8)}: " + ", ".join(metric(k).shown(g.figures[k].value) for k in keys if k in g.figures) for value, g in shown
    )
    note = f"{told(block_of(keys[0]))[0]} figures; bars are 95 % intervals." + (
        f" The first {_NUMBERS} of {len(groups)} values." if len(groups) > _NUMBERS else ""
    )
    return Chart(title=title, note=note, svg=drawing.svg(f"number{place}", f"{title}, in percent: {listed}."))


def _points(drawing: Drawing, points: list[tuple[float, Figure]], colour: str, *, hollow: bool) -> None:
    known = [(x, f.value, f.interval) for x, f in points if f.value is not None]
    for x, _, interval in known:
        if interval is not None:
            drawing.axes.plot([x, x], [100 * interval[0], 100 * interval[1]], color=colour, linewidth=1.6, solid_capstyle="butt", zorder=3)
    face = PANEL if hollow else colour
    drawing.axes.scatter([x for x, *_ in known], [100 * y for _, y, _ in known], s=40, c=face, edgecolors=colour, linewidths=1.6, zorder=4)


def latency(found: Latency) -> Chart:
    """Histogram of seconds a case; the axis is the logarithm of seconds."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    drawing = Drawing(_WIDTH, 246, (46, 20, 36, 46))
    axes = drawing.axes
    edges = [math.log10(e) for e in found.edges]
    widths = [b - a for a, b in pairwise(edges)]
    axes.bar(edges[:-1], found.counts, width=[0.92 * w for w in widths], align="edge", color=ACCENT, alpha=0.75, linewidth=0)
    axes.set_xlim(edges[0], edges[-1])
    axes.set_ylim(0, max(found.counts) * 1.04)
    _mark(drawing, f"p50 {duration(found.p50)}", math.log10(max(found.p50, found.edges[0])), height=1.02, before=0.25)
    _mark(drawing, f"p95 {duration(found.p95)}", math.log10(max(found.p95, found.edges[0])), height=1.1, before=0.75)
    ticks = _log_ticks(edges[0], edges[-1])
    axes.set_xticks(ticks, [duration(10**t) for t in ticks], color=INK)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda n, _: f"{n:,.0f}"))
    axes.grid(axis="y", color=LINE, linewidth=1)
    axes.set_xlabel("seconds a case, logarithmic", color=MUTED, fontsize=_SMALL, labelpad=6)
    axes.set_ylabel("cases", color=MUTED, fontsize=_SMALL)
    title = "Latency"
    text = f"{title}: half of the cases took at most {duration(found.p50)}, 95 % at most {duration(found.p95)}."
    return Chart(title=title, note=f"{sum(found.counts):,} cases that were timed.", svg=drawing.svg("latency", text))


def _mark(drawing: Drawing, told: str, x: float, *, height: float, before: float) -> None:
    """A line across the chart and above it, and words beside its end: to the left of it where it is further right than `before`."""
    low, high = drawing.axes.get_xlim()
    across = drawing.axes.get_xaxis_transform()
    drawing.axes.plot([x, x], [0, height + 0.04], transform=across, color=INK, linewidth=1.2, linestyle=(0, (4, 3)), clip_on=False)
    left = (x - low) / (high - low) > before
    beside = x + (high - low) * (-0.012 if left else 0.012)
    drawing.axes.text(beside, height, told, transform=across, ha="right" if left else "left", color=INK, fontsize=10)


def _log_ticks(low: float, high: float) -> list[float]:
    """Logarithms of 1, 2 and 5 times powers of ten in between; of the powers alone where those are many."""
    decades = range(math.floor(low), math.ceil(high) + 1)
    fine = [d + math.log10(m) for d in decades for m in (1, 2, 5)]
    ticks = [t for t in fine if low <= t <= high]
    return ticks if len(ticks) <= 7 else [t for t in ticks if t == round(t)]


def confusion(tasks: Mapping[str, Counts], found: Mapping[tuple[str, str], float]) -> Chart:
    """Counts of cases: rows are what is labelled, columns what came; off the diagonal, what came instead."""
    names = [t for t in tasks if t != NOTHING][:TASKS]
    cells = {pair: n for pair, n in found.items() if n and all(p in names or p == NOTHING for p in pair)}
    rows = [*names, *([NOTHING] if any(a == NOTHING for a, _ in cells) else [])]
    columns = [*names, *([NOTHING] if any(b == NOTHING for _, b in cells) else [])]
    cell, left, right, top = 30, 190, 124, 142
    drawing = Drawing(left + cell * len(columns) + right, top + cell * len(rows) + 8, (left, right, top, 8))
    axes = drawing.axes
    axes.set_xlim(-0.5, len(columns) - 0.5)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    most = max((n for (a, b), n in cells.items() if a != b), default=1)
    for (labelled, came), n in sorted(cells.items()):
        y, x = rows.index(labelled), columns.index(came)
        if labelled == came:
            _cell(drawing, x, y, ACCENT, 0.18 + 0.4 * _ratio(tasks[labelled].recall))
        else:
            _cell(drawing, x, y, MISS, 0.08 + 0.62 * n / most)
        axes.text(x, y, _count(n), ha="center", va="center", color=INK, fontsize=_SMALL)
    axes.set_yticks(range(len(rows)), [drawing.label(r, 28) for r in rows], color=INK)
    axes.set_xticks([])
    for x, name in enumerate(columns):
        axes.text(x, -0.72, drawing.label(name, 28), rotation=45, rotation_mode="anchor", ha="left", va="center", color=INK, fontsize=10)
    for column in range(len(columns) + 1):
        axes.plot([column - 0.5, column - 0.5], [-0.5, len(rows) - 0.5], color=LINE, linewidth=1, clip_on=False)
    for row in range(len(rows) + 1):
        axes.plot([-0.5, len(columns) - 0.5], [row - 0.5, row - 0.5], color=LINE, linewidth=1, clip_on=False)
    for height, words in ((-1.4, "columns: what came"), (-0.85, "rows: what is labelled")):
        axes.text(-0.72, height, words, ha="right", va="center", color=MUTED, fontsize=_SMALL)
    worst = sorted(((n, a, b) for (a, b), n in cells.items() if a != b), reverse=True)[:10]
    listed = "; ".join(f"{one_line(a, 60)} as {one_line(b, 60)} {_count(n)}" for n, a, b in worst)
    note = "Cases. Diagonal: the labelled task came. Elsewhere: a labelled task was missed, and what came instead."
    if len(tasks) > len(names):
        note += f" The {len(names)} commonest of {len(tasks)} tasks."
    title = "Task confusion"
    return Chart(title=title, note=note, svg=drawing.svg("confusion", f"{title}; most often: {listed}."), shape="wide")


def _cell(drawing: Drawing, x: int, y: int, colour: str, alpha: float) -> None:
    drawing.axes.fill([x - 0.5, x + 0.5, x + 0.5, x - 0.5], [y - 0.5, y - 0.5, y + 0.5, y + 0.5], color=colour, alpha=alpha, linewidth=0)


def _percent_axis(drawing: Drawing, axis: str) -> None:
    ticks = range(0, 101, 20)
    if axis == "x":
        drawing.axes.set_xticks(ticks, [str(t) for t in ticks])
        drawing.axes.grid(axis="x", color=LINE, linewidth=1)
    else:
        drawing.axes.set_yticks(ticks, [str(t) for t in ticks])
        drawing.axes.grid(axis="y", color=LINE, linewidth=1)


def _ratio(score: tuple[float, float]) -> float:
    return score[0] / score[1] if score[1] else 0.0


def _count(n: float) -> str:
    """At most four characters: they stand in a small cell."""
    return f"{n:.0f}" if n < 9_999.5 else f"{n / 1000:.0f}k" if n < 999_500 else f"{n / 1e6:.0f}M"
