"""`index info --plot`: what the picture shows."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
from PIL import Image

from langchain_hugginggpt.app.index_info import Info
from langchain_hugginggpt.app.index_plot import check_name, draw
from langchain_hugginggpt.index import ModelCard, ModelCardIndex
from langchain_hugginggpt.index.errors import CallerError
from tests.fakes import WordEncoder


def info(*cards: ModelCard) -> Info:
    return Info.of(ModelCardIndex.from_cards(cards, encoder=WordEncoder("a")), None)


def texts(found: Info, tmp_path: Path) -> list[str]:
    """The words of the picture; those of an axis in its order."""
    draw(found, tmp_path / "x.svg")
    return [html.unescape(t) for t in re.findall(r"<text[^>]*>([^<]*)</text>", (tmp_path / "x.svg").read_text("utf-8"))]


def test_tasks_stand_in_the_order_of_their_size_with_number_and_part(tmp_path: Path) -> None:
    sizes = {"few": 1, "many": 5, "some": 2}
    found = texts(info(*(ModelCard(id=f"a/{t}{i}", task=t) for t, n in sizes.items() for i in range(n))), tmp_path)
    assert "8 model cards, 3 tasks" in found
    assert [t for t in found if t in sizes] == ["many", "some", "few"]
    assert {"5  (62%)", "2  (25%)", "1  (12%)", "not told", "8  (100%)"} <= set(found)
    assert "Languages" not in found  # no card tells any


def test_what_is_too_much_is_put_together(tmp_path: Path) -> None:
    cards = [ModelCard(id=f"a/{i}", task=f"task-{i}", license=f"l{i}", languages=(f"x{i}", "en")) for i in range(75)]
    found = texts(info(*cards), tmp_path)
    assert len([t for t in found if t.startswith("task-")]) == 60
    assert {"15 others", "65 others", "Languages (the commonest of 76)"} <= set(found)


def test_months_without_gaps_and_dates_that_cannot_be(tmp_path: Path) -> None:
    days = ("2024-11-30", "2026-02-01", "2026-02-09", "9999-99-99", "1970-01-01", None)
    found = texts(info(*(ModelCard(id=f"a/{i}", task="t", last_modified=day) for i, day in enumerate(days))), tmp_path)
    assert "Last changed, by month (83% of the cards tell)" in found
    assert {"2025", "2026"} <= set(found)
    assert not {"9999", "1970"} & set(found)


def test_names_of_others_are_words_only(tmp_path: Path) -> None:
    """Neither mathematics, which may be wrong and end the drawing, nor letters that the font lacks, nor the whole width."""
    cards = [ModelCard(id=f"a/{i}", task="t", license=name) for i, name in enumerate((r"$\frac{$", "日本語", "long " * 50, "a\nb", "<b>&"))]
    found = texts(info(*cards), tmp_path)
    assert {r"$\frac{$", "???", "a b", "<b>&"} <= set(found)
    assert max(len(t) for t in found) < 80
    draw(info(*cards), tmp_path / "x.png")


def test_a_picture_of_few_tasks_is_no_taller_than_it_needs(tmp_path: Path) -> None:
    heights = []
    for tasks in (1, 3, 50):
        draw(info(*(ModelCard(id=f"a/{i}", task=f"task-{i}") for i in range(tasks))), tmp_path / f"{tasks}.png")
        with Image.open(tmp_path / f"{tasks}.png") as picture:
            heights.append(picture.height)
            assert picture.width == 1820
    assert heights == sorted(heights)
    assert heights[0] < 400
    assert heights[2] > 1400


def test_the_catalogue_that_ships_can_be_drawn(tmp_path: Path) -> None:
    found = texts(Info.of(ModelCardIndex.embedded(), None), tmp_path)
    assert any(t.startswith("The catalogue that ships") for t in found)
    assert {"text-generation", "tabular-to-text", "apache-2.0", "en"} <= set(found)


def test_files_that_no_picture_goes_to(tmp_path: Path) -> None:
    with pytest.raises(CallerError, match=r"Name a file that ends in \.png"):
        check_name(tmp_path / "x.txt")
    with pytest.raises(CallerError, match="no folder"):
        check_name(tmp_path / "none" / "x.png")
