"""Printed text in pictures, by RapidOCR (PP-OCR models in ONNX; they come with the package): https://github.com/RapidAI/RapidOCR

What is added here: reading order on pages that lie askew, pages that lie on their side or upside down, and a limit on size.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ...media import load_image
from ..runner import RunnerOutput
from .inputs import artifact_of
from .reading_order import Piece, lines_in_order

if TYPE_CHECKING:
    from PIL import Image

    from .engines import Engines

MAX_SIDE = 2500
NOTHING_PRINTED = "no printed text was found in the picture"
_LEGIBLE = 0.5
_UPRIGHT = 0.9
"""Mean score of pages the right way up: 0.99 and more; of the same pages upside down: 0.76 to 0.83 (tests/tools/runners)."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """What was read.

    Attributes:
        lines: top to bottom; empty when there is no printed text.
        score: mean confidence over the characters, 0..1; 0 for an empty page.
    """

    lines: tuple[str, ...]
    score: float


class PageReader:
    """RapidOCR, loaded on first use. One page at a time, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def read(self, picture: Image.Image) -> Page:
        """Read an RGB picture. It is scaled down to 2500 pixels on its longer side; a page on its side or upside down is turned."""
        legible, _ = self.pieces(picture)
        return Page(lines=tuple(lines_in_order(legible)), score=_mean_score(legible))

    def pieces(self, picture: Image.Image) -> tuple[list[Piece], tuple[int, int]]:
        """What is legible and where it stands, in no order; and width and height of the page that this refers to, once it was turned."""
        picture = _within_shape(_within_size(picture))
        pieces = self._pieces(picture)
        best, best_score, size = ([], 0.0, picture.size) if _on_its_side(pieces) else (pieces, _mean_score(pieces), picture.size)
        for degrees in _turns(pieces):
            page = picture.rotate(degrees, expand=True)
            turned = self._pieces(page)
            score = _mean_score(turned)
            if score > best_score:
                best, best_score, size = turned, score, page.size
            if score >= _UPRIGHT:
                break
        return [p for p in best if p.score >= _LEGIBLE], size

    def _pieces(self, picture: Image.Image) -> list[Piece]:
        import numpy as np

        blue_green_red = np.ascontiguousarray(np.asarray(picture)[:, :, ::-1])
        with self._lock:
            found = self._engine(blue_green_red)
        if found.boxes is None or not found.txts:
            return []
        return [
            Piece(text=text.strip(), score=float(score), corners=np.asarray(box, np.float64))
            for box, text, score in zip(found.boxes, found.txts, found.scores, strict=True)
            if text.strip()
        ]

    @cached_property
    def _engine(self) -> Any:
        from rapidocr import RapidOCR

        return RapidOCR(
            params={
                "Global.log_level": "critical",
                "Global.max_side_len": MAX_SIDE,
                "Global.text_score": 0.0,
                # Its classifier turns single lines, which hides that the page is upside down.
                "Global.use_cls": False,
                # A number of its own, since onnxruntime's default ties each thread to a core: twice as slow on a busy machine.
                "EngineConfig.onnxruntime.intra_op_num_threads": min(4, os.cpu_count() or 1),
            }
        )


class ReadPicture:
    """image-to-text: the words printed in a picture, line by line."""

    def __init__(self, engines: Engines) -> None:
        self._pages = engines.pages

    def __call__(self, inputs: Mapping[str, Any]) -> RunnerOutput:
        page = self._pages.read(load_image(artifact_of(inputs, "image")))
        return RunnerOutput(values={"text": "\n".join(page.lines)}, notes=() if page.lines else (NOTHING_PRINTED,))


def _within_size(picture: Image.Image) -> Image.Image:
    longer = max(picture.size)
    if longer <= MAX_SIDE:
        return picture
    from PIL import Image

    width, height = (max(1, round(side * MAX_SIDE / longer)) for side in picture.size)
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def _within_shape(picture: Image.Image) -> Image.Image:
    """White is added to very narrow pictures: the detector scales the shorter side up, to any length of the longer one."""
    from PIL import Image

    width, height = picture.size
    least = max(32, max(width, height) // 8)
    if min(width, height) >= least:
        return picture
    padded = Image.new("RGB", (max(width, least), max(height, least)), "white")
    padded.paste(picture, ((padded.width - width) // 2, (padded.height - height) // 2))
    return padded


def _turns(pieces: list[Piece]) -> tuple[int, ...]:
    """By how many degrees, counter-clockwise, to turn the picture for another try, the likelier first."""
    upright = _mean_score(pieces) >= _UPRIGHT
    if _on_its_side(pieces):  # tall pieces are turned a quarter by the engine: legible then, if that was the right way
        return (90, 270) if upright else (270, 90)
    return () if upright or not pieces else (180,)


def _on_its_side(pieces: list[Piece]) -> bool:
    """Whether most of the text runs from top to bottom."""
    return sum(len(p.text) for p in pieces if _is_tall(p)) > sum(len(p.text) for p in pieces) / 2


def _mean_score(pieces: list[Piece]) -> float:
    """Over characters, since long pieces tell more."""
    characters = sum(len(p.text) for p in pieces)
    return sum(p.score * len(p.text) for p in pieces) / characters if characters else 0.0


def _is_tall(piece: Piece) -> bool:
    import numpy as np

    width = np.hypot(*(piece.corners[1] - piece.corners[0]))
    return bool(np.hypot(*(piece.corners[3] - piece.corners[0])) > 1.5 * width)
