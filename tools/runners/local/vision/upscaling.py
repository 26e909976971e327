"""Larger pictures by super-resolution (Swin2SR), tile by tile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ....errors import ModelRefusedError
from ....media import MAX_PIXELS, load_image
from ...runner import RunnerOutput
from ...workers import check_abandoned
from ..loaded import LoadedModel
from .pictures import png

if TYPE_CHECKING:
    from PIL import Image

_TILE, _MARGIN = 192, 16
"""Pixels of a tile, and what is added around it and cut off afterwards, so that no seam shows."""


def upscale(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """The picture, as many times as large as the model makes it.

    Raises:
        ModelRefusedError: the result would have more than 64 million pixels.
    """
    from PIL import Image

    picture = load_image(inputs["image"])
    factor = int(model.config.upscale)
    width, height = picture.width * factor, picture.height * factor
    if width * height > MAX_PIXELS:
        raise ModelRefusedError(
            f"'image' has {picture.width:,} x {picture.height:,} pixels, and {model.id!r} makes it {factor} times as wide and high; "
            f"at most {MAX_PIXELS // 10**6} million pixels are made.",
            remedy="Scale the picture down, or choose a model with a smaller factor.",
        )
    large = Image.new("RGB", (width, height))
    for left, top in _tiles(picture.width, picture.height):
        check_abandoned()
        _put_tile(model, picture, large, left, top, factor)
    unused = ("this model only makes pictures larger and sharper: the prompt was not used",) if inputs.get("prompt") else ()
    return RunnerOutput(
        values={"image": png(large, "upscaled.png")},
        notes=(f"made {factor} times as wide and high: {width:,} x {height:,} pixels", *unused),
    )


def _tiles(width: int, height: int) -> Iterator[tuple[int, int]]:
    """Upper left corners."""
    for top in range(0, height, _TILE):
        for left in range(0, width, _TILE):
            yield left, top


def _put_tile(model: LoadedModel, picture: Image.Image, large: Image.Image, left: int, top: int, factor: int) -> None:
    import numpy as np
    from PIL import Image

    outer_left, outer_top = max(0, left - _MARGIN), max(0, top - _MARGIN)
    right, bottom = min(picture.width, left + _TILE), min(picture.height, top + _TILE)
    piece = picture.crop((outer_left, outer_top, min(picture.width, right + _MARGIN), min(picture.height, bottom + _MARGIN)))
    made = model.model(**model.on_device(model.image_processor([piece], return_tensors="pt"))).reconstruction[0].float()
    pixels = (made.nan_to_num(0).clamp(0, 1).permute(1, 2, 0).cpu().numpy() * 255).round().astype(np.uint8)
    x, y = (left - outer_left) * factor, (top - outer_top) * factor
    inner = pixels[y : y + (bottom - top) * factor, x : x + (right - left) * factor]  # also cuts off what the processor padded
    large.paste(Image.fromarray(inner), (left * factor, top * factor))
