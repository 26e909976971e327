"""How far away each point of a picture is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....errors import ModelRefusedError
from ...runner import RunnerOutput
from ..loaded import LoadedModel
from .pictures import picture_of, png

_LONGEST = 2048
_METRIC = ("zoedepth", "depth_pro", "glpn")
_METRIC_DATA = ("-nyu", "-kitti")


def depth_estimation(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """A grey picture as large as the one that was given: near is light, far is dark.

    Raises:
        ModelRefusedError: the model gives numbers that are none (NaN).
    """
    import numpy as np
    from PIL import Image

    seen = picture_of(inputs, longest=_LONGEST)
    batch = model.image_processor(images=[seen.picture], return_tensors="pt")
    outputs = model.model(**model.on_device(batch))
    outputs.predicted_depth = outputs.predicted_depth.float()
    size = (seen.picture.height, seen.picture.width)
    depth = model.image_processor.post_process_depth_estimation(outputs, [size])[0]["predicted_depth"].cpu().numpy()
    if not np.isfinite(depth).all():
        raise ModelRefusedError(f"{model.id!r} gave depths that are no numbers.", remedy="Choose another model.")
    metric = gives_metres(model.id, model.config)
    nearness = -depth if metric else depth  # relative models give the inverse of the depth: near is much
    spread = float(nearness.max() - nearness.min())
    shares = (nearness - nearness.min()) / spread if spread else np.full_like(nearness, 0.5)
    grey = Image.fromarray((shares * 255).round().astype(np.uint8))
    if grey.size != (seen.width, seen.height):
        grey = grey.resize((seen.width, seen.height), Image.Resampling.BILINEAR)
    note = (
        f"near is light, far is dark: from {float(depth.min()):.1f} to {float(depth.max()):.1f} metres as the model sees it"
        if metric
        else "near is light, far is dark; depths are relative to each other, not in metres"
    )
    return RunnerOutput(values={"depth": png(grey, "depth.png")}, notes=(*seen.notes, note))


def gives_metres(name: str, config: Any) -> bool:
    """Whether a model gives metres; the others give the inverse of the depth, up to scale and shift.

    Args:
        name: Hub id; DPT models that were trained on metres say so in no other place.
        config: of the model.
    """
    if config.model_type in _METRIC or getattr(config, "depth_estimation_type", "relative") == "metric":
        return True
    return config.model_type == "dpt" and any(name.lower().endswith(data) for data in _METRIC_DATA)
