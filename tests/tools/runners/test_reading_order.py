"""Reading order of boxes, without OCR."""

from __future__ import annotations

from math import cos, degrees, radians, sin

import numpy as np
import pytest

from langchain_hugginggpt.tools.runners.embedded.reading_order import Piece, lines_in_order, tilt


def _piece(text: str, left: float, top: float, *, turn: float = 0.0) -> Piece:
    """A box of 12 x 20 pixels a character, turned clockwise about the origin by `turn` degrees."""
    width, height = 12 * len(text), 20
    corners = np.array([[left, top], [left + width, top], [left + width, top + height], [left, top + height]], float)
    c, s = cos(radians(turn)), sin(radians(turn))
    return Piece(text=text, score=1.0, corners=corners @ np.array([[c, s], [-s, c]]))


def test_nothing_gives_no_lines() -> None:
    assert lines_in_order([]) == []


@pytest.mark.parametrize("turn", [0, 4, -9, 12, -15])
def test_a_price_stays_on_its_line(turn: float) -> None:
    rows = [("Bread", "2.40"), ("Milk two bottles", "2.20"), ("Subtotal", "20.00"), ("TOTAL", "23.40"), ("Change", "6.60")]
    pieces = [_piece(t, x, 40 * n, turn=turn) for n, row in enumerate(rows) for t, x in zip(row, (0, 640), strict=True)]
    assert lines_in_order(pieces[::-1]) == [" ".join(row) for row in rows]
    assert degrees(tilt(pieces)) == pytest.approx(turn, abs=1e-6)


def test_a_column_of_long_prices_is_no_column_of_text() -> None:
    rows = [(f"a rather long item name {n}", f"{n}00 000 000 000 000 000.00 EUR") for n in range(1, 7)]
    pieces = [_piece(t, x, 40 * n) for n, row in enumerate(rows) for t, x in zip(row, (0, 640), strict=True)]
    assert lines_in_order(pieces) == [" ".join(row) for row in rows]
