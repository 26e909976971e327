"""ControlNet: the map of edges, depth or poses along which a picture is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..loaded import LoadedModel

if TYPE_CHECKING:
    from PIL import Image


def is_controlled(pipe: Any) -> bool:
    """Whether a pipeline has a ControlNet among its parts."""
    return pipe.components.get("controlnet") is not None


def control_picture(model: LoadedModel, picture: Image.Image) -> tuple[Image.Image, tuple[str, ...]]:
    """What the ControlNet is given: the edges of a picture where it was trained on edges; else the picture, taken as the map itself.

    What it was trained on is told by its name only, as on the Hub (`sd-controlnet-canny`).
    """
    control = model.model.controlnet
    own = str(getattr(getattr(control, "config", None), "_name_or_path", ""))
    if "canny" in f"{model.id} {own}".lower():
        return edges_of(picture), ("the new picture follows the edges of the given one",)
    return picture, ("the given picture was taken as the map itself (of depth, pose or the like) that the new one follows",)


def edges_of(picture: Image.Image) -> Image.Image:
    """White edges on black (Canny)."""
    import numpy as np
    from PIL import Image
    from skimage import feature

    grey = np.asarray(picture.convert("L"), np.float64) / 255
    canny: Any = feature.canny
    found = canny(grey, sigma=1.0, low_threshold=0.1, high_threshold=0.2)
    return Image.fromarray((found * 255).astype(np.uint8)).convert("RGB")
