"""Regions of pictures, and the mask of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...runner import RunnerOutput
from ..loaded import LoadedModel
from .pictures import mask_png, picture_of

_LONGEST = 1024
"""Models give a layer of this size for each of their classes, up to 150 and more; masks are scaled to the picture one by one."""


def image_segmentation(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """The regions of a picture with a mask for each, the largest first.

    Panoptic models also tell one object of a class from the next. Models of classes only give no scores.
    """
    import numpy as np

    seen = picture_of(inputs, longest=_LONGEST)
    named = {"subtask": "semantic"} if "semantic" in model.id.lower() else {}  # trained for it, though the same classes as panoptic ones
    found = model.pipeline("image-segmentation")(seen.picture, **named)
    regions = []
    for f in found:
        mask = np.asarray(f["mask"]) > 0
        if area := int(mask.sum()):
            regions.append((area, mask, {"label": str(f["label"]), "score": None if f["score"] is None else float(f["score"])}))
    regions.sort(key=lambda r: -r[0])
    nothing = () if regions else ("no region was found that the model is sure of",)
    return RunnerOutput(
        values={
            "masks": [mask_png(mask, seen.size, f"mask-{n}-{_plain(r['label'])}.png") for n, (_, mask, r) in enumerate(regions, 1)],
            "regions": [r for _, _, r in regions],
        },
        notes=(*seen.notes, *nothing),
    )


def _plain(label: Any) -> str:
    """A label as part of the name of a file."""
    return "".join(c if c.isalnum() else "-" for c in str(label).lower())[:40].strip("-") or "region"
