"""Pictures as models get them, and as they come back."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ....artifacts import Artifact
from ....errors import InputError
from ....media import load_image
from ...runner import NewMedia

if TYPE_CHECKING:
    from PIL import Image

_LEAST = 16
_LONGEST = 4000
_NARROW = 20
"""From this ratio of sides on a picture is stretched: models scale the shorter side up, to any length of the longer one."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A picture as a model gets it.

    What a model finds is in shares of the picture's sides, or is scaled to `size`: so it is right for the original picture too.

    Attributes:
        picture: RGB; the original, or the original stretched if it is very small or narrow.
        width, height: of the original, upright, in pixels.
        notes: what was done to it.
    """

    picture: Image.Image
    width: int
    height: int
    notes: tuple[str, ...]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the original, as image processors of transformers take them."""
        return self.height, self.width


def picture_of(inputs: Mapping[str, Any], port: str = "image", *, longest: int | None = None) -> Seen:
    """The picture at a port.

    Args:
        inputs: see `Runner`.
        port: name of the port.
        longest: pixels that its longer side may have; it is scaled down to them.

    Raises:
        InputError: there is no file at the port.
        MediaError: it is no picture, or too large a one.
    """
    artifact = inputs.get(port)
    if not isinstance(artifact, Artifact):
        raise InputError(f"{port!r} must be a picture, not {artifact!r:.80}.", remedy="Give a PNG or JPEG file.")
    return see(load_image(artifact), longest=longest)


def see(picture: Image.Image, *, longest: int | None = None) -> Seen:
    """An RGB picture of any shape in a shape that models take; see `picture_of`."""
    from PIL import Image

    width, height = picture.size
    notes: tuple[str, ...] = ()
    wanted = _shape(width, height)
    if wanted != (width, height):
        notes = (f"the picture is {width:,} x {height:,} pixels; the model saw it stretched to {wanted[0]:,} x {wanted[1]:,}",)
    if longest is not None and max(wanted) > longest:
        scale = longest / max(wanted)
        wanted = (max(_LEAST, round(wanted[0] * scale)), max(_LEAST, round(wanted[1] * scale)))
    if wanted != (width, height):
        picture = picture.resize(wanted, Image.Resampling.BILINEAR)
    return Seen(picture=picture, width=width, height=height, notes=notes)


def _shape(width: int, height: int) -> tuple[int, int]:
    """Width and height with sides of at least 16 pixels, one at most 20 times as long as the other."""
    longer, shorter = max(width, height), min(width, height)
    if longer > _NARROW * shorter:
        longer = max(_LEAST, min(longer, _LONGEST))
        shorter = max(shorter, math.ceil(longer / _NARROW))
    longer, shorter = max(longer, _LEAST), max(shorter, _LEAST)
    return (longer, shorter) if width >= height else (shorter, longer)


def png(picture: Image.Image, name: str) -> NewMedia:
    """A picture as a PNG file called `name`."""
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=1 if picture.mode == "L" else 6)
    return NewMedia(data=out.getvalue(), media_type="image/png", name=name)


def mask_png(mask: Any, size: tuple[int, int], name: str) -> NewMedia:
    """A mask as a PNG file: 255 inside, 0 outside.

    Args:
        mask: (h, w) array of bool, of any size.
        size: height and width that the file gets.
        name: of the file.
    """
    import numpy as np
    from PIL import Image

    picture = Image.fromarray(np.where(np.asarray(mask), 255, 0).astype(np.uint8))
    if picture.size != (size[1], size[0]):
        picture = picture.resize((size[1], size[0]), Image.Resampling.NEAREST)
    return png(picture, name)


def box_within(corners: Any, width: int, height: int) -> dict[str, int] | None:
    """A box in whole pixels of a picture, clamped to it; None where nothing of it is left, or a corner is no number.

    Args:
        corners: left, top, right, bottom in pixels.
        width, height: of the picture.
    """
    left, top, right, bottom = (float(c) for c in corners)
    if not all(math.isfinite(c) for c in (left, top, right, bottom)):
        return None
    box = {
        "xmin": min(max(round(left), 0), width),
        "ymin": min(max(round(top), 0), height),
        "xmax": min(max(round(right), 0), width),
        "ymax": min(max(round(bottom), 0), height),
    }
    return box if box["xmin"] < box["xmax"] and box["ymin"] < box["ymax"] else None
