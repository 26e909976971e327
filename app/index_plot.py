"""One picture of an index: tasks by size, licences, languages, and when its cards last changed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..evaluation.report.svg import own_settings
from ..index.errors import CallerError
from .index_info import Info, counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator


_SUFFIXES = (".png", ".svg", ".pdf")
_TASKS, _OTHERS, _LETTERS = 60, 10, 32
_WIDTH, _HEAD, _FOOT, _ROW, _GAP, _MONTHS = 13.0, 0.85, 0.45, 0.21, 0.6, 1.7  # inches
_COLUMNS = ((2.75, 4.0), (9.2, 3.2))  # where each begins, and how wide it is
_INK, _MUTED, _LINE, _GREY = "#1f2933", "#6b7785", "#e4e8ed", "#c3ccd5"
_BLUE, _OCHRE, _GREEN = "#2f6f9f", "#c9772b", "#4f8a5b"
_MONTH = re.compile(r"(20[1-9]\d)-(0[1-9]|1[0-2])")


def check_name(path: Path) -> None:
    """Raises CallerError for a file that no picture can be written to."""
    if path.suffix.lower() not in _SUFFIXES:
        raise CallerError(f"A picture cannot be written to {str(path)!r}.", remedy=f"Name a file that ends in {', '.join(_SUFFIXES)}.")
    if not path.absolute().parent.is_dir():
        raise CallerError(f"There is no folder {str(path.absolute().parent)!r} for the picture.", remedy="Check the path.")


def draw(info: Info, path: Path) -> None:
    """Write the picture.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    with own_settings():
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        months = _months(info.counts["months"])
        left, right = [("Tasks", _bars_of(info.counts["tasks"], _TASKS), _BLUE)], _right(info)
        deep = [sum(_GAP + _ROW * len(bars) for _, bars, _ in column) for column in (left, right)]
        under = deep.index(min(deep))  # the months go under the shorter column
        if months:
            deep[under] += _GAP + _MONTHS
        height = _HEAD + max(deep) + _FOOT
        figure = Figure(figsize=(_WIDTH, height), dpi=140, facecolor="white")
        FigureCanvasAgg(figure)
        _write_title(figure, info, height)
        for place, (column, (x, width)) in enumerate(zip((left, right), _COLUMNS, strict=True)):
            y = height - _HEAD
            for title, bars, colour in column:
                y -= _GAP + _ROW * len(bars)
                _draw_bars(_axes(figure, x, y, width, _ROW * len(bars)), title, bars, info.cards, colour)
            if months and place == under:
                told = sum(n for month, n in info.counts["months"].items() if month)
                _draw_months(_axes(figure, x, y - _GAP - _MONTHS, width, _MONTHS), months, told, info.cards)
        figure.savefig(path)


def _right(info: Info) -> list[tuple[str, list[tuple[str, int, bool]], str]]:
    languages = info.counts["languages"]  # a card may have many: those of the others do not add up to cards
    title = "Languages" + (f" (the commonest of {len(languages)})" if len(languages) > _OTHERS else "")
    panels = [
        ("Licences", _bars_of(info.counts["licenses"], _OTHERS), _OCHRE),
        (title, _bars_of(dict(list(languages.items())[:_OTHERS]), _OTHERS), _OCHRE),
    ]
    return [panel for panel in panels if panel[1]]


def _axes(figure: Figure, x: float, y: float, width: float, height: float) -> Axes:
    """Axes at a place in inches from the lower left."""
    whole = figure.get_size_inches()
    return figure.add_axes((x / whole[0], y / whole[1], width / whole[0], height / whole[1]))


def _write_title(figure: Figure, info: Info, height: float) -> None:
    where = "The catalogue that ships" if info.folder is None else f"Index of {_label(info.manifest['source'], 90)}"
    figure.text(
        0.02,
        1 - 0.33 / height,
        f"{counted(info.cards, 'model card')}, {counted(len(info.counts['tasks']), 'task')}",
        fontsize=17,
        color=_INK,
        va="center",
    )
    made = "" if info.folder is None else f"  ·  made {info.manifest['created'][:10]}"
    said = f"{where}  ·  encoder {_label(info.manifest['encoder'], 50)}{made}"
    figure.text(0.02, 1 - 0.66 / height, said, fontsize=9.5, color=_MUTED, va="center")


def _bars_of(counts: Mapping[str, int], most: int) -> list[tuple[str, int, bool]]:
    """Label, cards, and whether it is a value of its own: the commonest first, then all others together, then those that do not tell."""
    told = [(name, n) for name, n in counts.items() if name]
    bars = [(_label(name, _LETTERS), n, True) for name, n in told[:most]]
    rest = told[most:]
    if rest:
        bars.append((f"{len(rest):,} others", sum(n for _, n in rest), False))
    if counts.get(""):
        bars.append(("not told", counts[""], False))
    return bars


def _label(text: str, most: int) -> str:
    """Text of others, short, in letters that matplotlib's font has; `$` would begin mathematics."""
    line = " ".join(text.encode("ascii", "replace").decode().split())
    return (line if len(line) <= most else line[: most - 1] + "…").replace("$", r"\$")


def _draw_bars(axes: Axes, title: str, bars: Sequence[tuple[str, int, bool]], cards: int, colour: str) -> None:
    """Lying bars, the first at the top, each with its number and its part of all cards."""
    places = list(range(len(bars)))
    colours = [colour if own else _GREY for _, _, own in bars]
    axes.barh(places, [n for _, n, _ in bars], color=colours, height=0.72)
    longest = max(n for _, n, _ in bars)
    for place, (_, n, _) in zip(places, bars, strict=True):
        axes.text(n + longest * 0.012, place, f"{n:,}  ({_percent(n / cards)})", va="center", fontsize=8, color=_MUTED)
    axes.set_yticks(places, [label for label, _, _ in bars])
    axes.set_ylim(len(bars) - 0.5, -0.5)
    axes.set_xlim(0, longest * 1.32)
    axes.set_xticks([])
    _plain(axes, title)


def _percent(part: float) -> str:
    return f"{part:.0%}" if part >= 0.01 else f"{part:.1%}" if part >= 0.001 else "<0.1%"


def _months(counts: Mapping[str, int]) -> list[tuple[int, int]]:
    """Months since the year 0 with their cards, without gaps, the earliest first; dates that cannot be are left out."""
    found = {int(m[1]) * 12 + int(m[2]) - 1: n for month, n in counts.items() if (m := _MONTH.fullmatch(month))}
    return [(month, found.get(month, 0)) for month in range(min(found), max(found) + 1)] if found else []


def _draw_months(axes: Axes, months: Sequence[tuple[int, int]], told: int, cards: int) -> None:
    axes.bar([m for m, _ in months], [n for _, n in months], color=_GREEN, width=0.85, align="edge")
    first, last = months[0][0], months[-1][0]
    step = max(1, -(-(last - first + 1) // 84)) * 12  # at most seven years are named
    ticks = [m for m in range(first // 12 * 12, last + 13, 12) if m % step == 0] if last - first >= 12 else [m for m, _ in months]
    axes.set_xticks(ticks, [f"{m // 12}" if last - first >= 12 else f"{m // 12}-{m % 12 + 1:02}" for m in ticks])
    axes.set_xlim(first - 0.5, last + 1.5)
    axes.yaxis.set_major_locator(_whole())
    axes.grid(axis="y", color=_LINE, linewidth=0.8)
    _plain(axes, f"Last changed, by month{'' if told == cards else f' ({_percent(told / cards)} of the cards tell)'}")
    axes.tick_params(axis="both", labelsize=8, labelcolor=_MUTED)


def _whole() -> MaxNLocator:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(nbins=4, integer=True)


def _plain(axes: Axes, title: str) -> None:
    axes.set_title(title, loc="left", fontsize=11.5, color=_INK, pad=8)
    axes.spines[:].set_visible(False)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=8.5, labelcolor=_INK)
