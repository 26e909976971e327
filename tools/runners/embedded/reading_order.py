"""The order in which the pieces of text on a page are read: lines from top to bottom, also on a page that lies askew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_COLUMN_ROWS = 4
_COLUMN_CHARACTERS = 18
_COLUMN_FILLED = 0.6


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A stretch of text that was found as one.

    Attributes:
        text: what it says.
        score: how sure the recogniser is, 0..1.
        corners: (4, 2) pixels: top left, top right, bottom right, bottom left as the text runs.
    """

    text: str
    score: float
    corners: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class _Placed:
    """A piece on the page after the page was turned straight; pixels."""

    text: str
    left: float
    right: float
    middle: float
    height: float


def lines_in_order(pieces: Sequence[Piece]) -> list[str]:
    """The lines of a page, top to bottom, pieces of a line joined by a space.

    The page may be turned by some 15 degrees either way. Two columns of running text are read one after the other; a column of
    prices or of short values belongs to the lines beside it.
    """
    if not pieces:
        return []
    placed = sorted(_straightened(pieces), key=lambda p: p.middle)
    gutter = _gutter(placed)
    return list(_rows(placed) if gutter is None else _by_column(placed, gutter))


def tilt(pieces: Sequence[Piece]) -> float:
    """The angle of the lines in radians, clockwise positive: the median over the long edges of wide pieces, weighted by width."""
    import numpy as np

    corners = np.stack([p.corners for p in pieces])
    edge = corners[:, 1] - corners[:, 0]
    width = np.hypot(edge[:, 0], edge[:, 1])
    height = np.hypot(*(corners[:, 3] - corners[:, 0]).T)
    wide = width > 1.5 * height
    chosen = wide if wide.any() else np.ones(len(width), bool)
    angle, weight = np.arctan2(edge[:, 1], edge[:, 0])[chosen], width[chosen]
    order = np.argsort(angle)
    total = np.cumsum(weight[order])
    return float(angle[order][np.searchsorted(total, total[-1] / 2)])


def _straightened(pieces: Sequence[Piece]) -> Iterator[_Placed]:
    import numpy as np

    angle = tilt(pieces)
    cos, sin = np.cos(angle), np.sin(angle)
    for piece in pieces:
        x, y = (piece.corners @ np.array([[cos, -sin], [sin, cos]])).T
        height = (np.hypot(*(piece.corners[3] - piece.corners[0])) + np.hypot(*(piece.corners[2] - piece.corners[1]))) / 2
        yield _Placed(text=piece.text, left=float(x.min()), right=float(x.max()), middle=float(y.mean()), height=float(height))


def _rows(placed: Sequence[_Placed]) -> Iterator[str]:
    """Lines of pieces that are sorted by height on the page."""
    row: list[_Placed] = []
    for piece in placed:
        if row:
            middle = sum(p.middle for p in row) / len(row)
            height = min(piece.height, sum(p.height for p in row) / len(row))
            if abs(piece.middle - middle) >= height / 2:
                yield _row_text(row)
                row = []
        row.append(piece)
    if row:
        yield _row_text(row)


def _row_text(row: list[_Placed]) -> str:
    return " ".join(p.text for p in sorted(row, key=lambda p: p.left))


def _gutter(placed: Sequence[_Placed]) -> float | None:
    """The x of the empty strip between two columns of running text, or None. Headings may run across it."""
    from statistics import median

    if len(placed) < 2 * _COLUMN_ROWS:
        return None
    gap = 0.7 * median(p.height for p in placed)
    best, fewest = None, len(placed) // 5
    for edge in sorted({p.right for p in placed}, reverse=True):
        left = [p for p in placed if p.right <= edge]
        right = [p for p in placed if p.left >= edge + gap]
        across = len(placed) - len(left) - len(right)
        if across <= fewest and _is_column(left) and _is_column(right):
            best, fewest = edge + gap / 2, across - 1
    return best


def _is_column(pieces: Sequence[_Placed]) -> bool:
    """Whether these are lines of running text: long, mostly letters, and mostly as wide as the column."""
    from statistics import median

    if len(pieces) < _COLUMN_ROWS:
        return False
    letters = sum(c.isalpha() or c.isspace() for p in pieces for c in p.text)
    width = max(p.right for p in pieces) - min(p.left for p in pieces)
    return (
        median(len(p.text) for p in pieces) >= _COLUMN_CHARACTERS
        and letters >= 0.8 * sum(len(p.text) for p in pieces)
        and median(p.right - p.left for p in pieces) >= _COLUMN_FILLED * width
    )


def _by_column(placed: Sequence[_Placed], gutter: float) -> Iterator[str]:
    left: list[_Placed] = []
    right: list[_Placed] = []
    for piece in placed:
        if piece.right <= gutter:
            left.append(piece)
        elif piece.left >= gutter:
            right.append(piece)
        else:  # a heading across both columns: what stands above it comes first
            yield from [*_rows(left), *_rows(right), piece.text]
            left, right = [], []
    yield from [*_rows(left), *_rows(right)]
