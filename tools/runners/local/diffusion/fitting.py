"""Given pictures in the sizes that a pipeline works in."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Any

from ....artifacts import Artifact
from ....errors import ModelRefusedError
from ...runner import NewMedia
from ..loaded import LoadedModel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

NARROWEST = 8
"""Longer side of a picture by its shorter one, at most: no diffusion model was trained on narrower ones."""
_LARGE, _GRID = 256, 64


def fitting_size(model: LoadedModel, pipe: Any, size: tuple[int, int]) -> tuple[int, int]:
    """Width and height of about the area that the model was trained on, in the proportions of a picture; models that know one size only
    (CogVideoX) get this.

    Raises:
        ModelRefusedError: the picture is narrower than 1 : 8.
    """
    width, height = size
    if max(width, height) > NARROWEST * min(width, height):
        raise ModelRefusedError(
            f"'image' has {width:,} x {height:,} pixels; {model.id!r} takes pictures whose longer side is at most {NARROWEST} times the "
            "shorter one.",
            remedy="Cut the picture.",
        )
    scale, side = _factor(pipe), _side(pipe)
    config = getattr(_core(pipe), "config", None)
    only = getattr(config, "sample_width", None), getattr(config, "sample_height", None)
    if isinstance(only[0], int) and isinstance(only[1], int):
        return only[0] * scale, only[1] * scale
    grid = _GRID if side >= _LARGE else max(8, 4 * scale)
    wide = side * math.sqrt(width / height)
    high = side * math.sqrt(height / width)
    return max(grid, round(wide / grid) * grid), max(grid, round(high / grid) * grid)


def _core(pipe: Any) -> Any:
    """The part that takes the noise away."""
    return getattr(pipe, "unet", None) or getattr(pipe, "transformer", None)


def _factor(pipe: Any) -> int:
    """Pixels by side that one point of the model's inner picture stands for."""
    return int(getattr(pipe, "vae_scale_factor", 0) or getattr(pipe, "vae_scale_factor_spatial", 0) or 8)


def _side(pipe: Any) -> int:
    """Side in pixels of the pictures that the model was trained on."""
    own = getattr(pipe, "default_sample_size", None) or getattr(getattr(_core(pipe), "config", None), "sample_size", None)
    if isinstance(own, list | tuple):
        own = min(own)
    return int(own) * _factor(pipe) if isinstance(own, int) else 512


def scaled(picture: Image.Image, size: tuple[int, int]) -> tuple[Image.Image, tuple[str, ...]]:
    """The picture in another size, with a note if it had another one."""
    if picture.size == size:
        return picture, ()
    from PIL import Image

    note = f"the picture of {picture.width} x {picture.height} pixels was scaled to {size[0]} x {size[1]} for the model"
    return picture.resize(size, Image.Resampling.LANCZOS), (note,)


def transparent_parts(artifact: Artifact) -> Image.Image | None:
    """Where an upright picture is transparent: white there, black elsewhere; None where it is nowhere so.

    The picture must have been read before (`load_image`), which checks it.
    """
    from PIL import Image, ImageOps

    with Image.open(io.BytesIO(artifact.read_bytes())) as opened:
        if not ("A" in opened.getbands() or "transparency" in opened.info):
            return None
        alpha = ImageOps.exif_transpose(opened).convert("RGBA").getchannel("A")
    parts = alpha.point(lambda opaque: 255 if opaque < 128 else 0)
    return parts if parts.getbbox() else None


def png(pixels: NDArray[np.uint8], name: str) -> NewMedia:
    """A picture of height x width x 3 as a file."""
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return NewMedia(data=out.getvalue(), media_type="image/png", name=name)
