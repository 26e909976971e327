"""Reading printed pages."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from langchain_hugginggpt.tools.artifacts import ArtifactStore
from langchain_hugginggpt.tools.runners.embedded import EmbeddedRunner
from langchain_hugginggpt.tools.runners.embedded.ocr import NOTHING_PRINTED
from tests.tools.runners.pages import NOTICE, RECEIPT, as_read, do, printed, stored, turned


@pytest.mark.parametrize("degrees", [0, 3, -3, 7, -7, 90, 180, 270])
@pytest.mark.parametrize("lines", [RECEIPT, NOTICE], ids=["receipt", "notice"])
def test_lines_come_in_order_however_the_page_lies(
    embedded: EmbeddedRunner, store: ArtifactStore, lines: tuple[str | tuple[str, str], ...], degrees: float
) -> None:
    out = do(embedded, "image-to-text", image=stored(store, turned(printed(lines), degrees)))
    assert out.values["text"].split("\n") == as_read(lines)
    assert out.notes == ()


def _noise(cells: tuple[int, int]) -> Image.Image:
    """A picture of coloured blots, as many as `cells`, smoothly blended."""
    random = np.random.default_rng(0)
    blots = random.integers(0, 255, (*cells, 3), dtype=np.uint8)
    return Image.fromarray(blots).resize((800, 600), Image.Resampling.BICUBIC)


@pytest.mark.parametrize(
    "picture", [Image.new("RGB", (600, 800), "white"), _noise((12, 16)), _noise((600, 800))], ids=["empty", "photo", "noise"]
)
def test_a_picture_without_text_gives_an_empty_text_and_a_note(
    embedded: EmbeddedRunner, store: ArtifactStore, picture: Image.Image
) -> None:
    out = do(embedded, "image-to-text", image=stored(store, picture))
    assert out.values == {"text": ""}
    assert out.notes == (NOTHING_PRINTED,)


def test_very_narrow_and_tiny_pictures_are_read_without_harm(embedded: EmbeddedRunner, store: ArtifactStore) -> None:
    for size in ((3000, 2), (2, 3000), (1, 1)):
        assert do(embedded, "image-to-text", image=stored(store, Image.new("RGB", size, "white"))).values == {"text": ""}


def test_a_very_large_picture_is_scaled_down(embedded: EmbeddedRunner, store: ArtifactStore) -> None:
    page = printed(NOTICE).resize((7600, 3200))
    assert do(embedded, "image-to-text", image=stored(store, page)).values["text"].split("\n") == as_read(NOTICE)


@pytest.mark.parametrize("degrees", [0, 5])
def test_columns_of_running_text_are_read_one_after_the_other(embedded: EmbeddedRunner, store: ArtifactStore, degrees: float) -> None:
    left = [
        "The city of Marlow opened its",
        "new tram line on Monday after",
        "six years of construction. The",
        "line runs 14 kilometres from",
    ]
    right = [
        "Octopuses are among the most",
        "intelligent invertebrates. They",
        "have eight arms and each holds",
        "its own cluster of neurons.",
    ]
    page = Image.new("RGB", (1000, 340), "white")
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(26)
    draw.text((180, 30), "THE MARLOW WEEKLY NEWS AND SCIENCE", "black", font=ImageFont.load_default(32))
    for n in range(4):
        draw.text((40, 110 + 45 * n), left[n], "black", font=font)
        draw.text((540, 110 + 45 * n), right[n], "black", font=font)
    out = do(embedded, "image-to-text", image=stored(store, turned(page, degrees)))
    assert out.values["text"].split("\n") == ["THE MARLOW WEEKLY NEWS AND SCIENCE", *left, *right]
