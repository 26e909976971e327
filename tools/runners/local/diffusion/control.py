"""ControlNet: the map of edges, depth or poses along which a picture is made."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .....index.errors import ExpertError
from ....media import load_image
from ...runner import NewMedia
from ..loaded import LoadedModel
from ..model_files import ModelFiles, read_json
from ..row import Ask
from .skeleton import skeleton

if TYPE_CHECKING:
    from PIL import Image

MAP = "control map"
"""Under this name `prepare` puts a `ControlMap` among the inputs; no port has such a name."""
_WORDS: Mapping[str, frozenset[str]] = {
    "edges": frozenset({"canny"}),
    "depth": frozenset({"depth", "midas", "zoe", "zoedepth"}),
    "pose": frozenset({"pose", "openpose", "dwpose", "bodypose"}),
}
_GET = {
    "depth": ("depth-estimation", "depth-anything/Depth-Anything-V2-Small-hf"),
    "pose": ("keypoint-detection", "usyd-community/vitpose-base-simple"),
}
"""What makes the map: the task, and a small model to propose where none is here."""


@dataclass(frozen=True, kw_only=True)
class ControlMap:
    """The picture that a ControlNet is given, of any size, and notes on where it is from."""

    picture: Image.Image
    notes: tuple[str, ...]


def is_controlled(pipe: Any) -> bool:
    """Whether a pipeline has a ControlNet among its parts."""
    return pipe.components.get("controlnet") is not None


def condition_of(files: ModelFiles) -> str | None:
    """What a ControlNet was trained on: `edges`, `depth` or `pose`; None for anything else, and where nothing tells.

    It is told by names only, as on the Hub (`sd-controlnet-canny`): the model's id, its folder, where it was loaded from before it was
    saved; then by the tags of its card.
    """
    inner = files.folder / "controlnet" / "config.json"  # of a whole pipeline
    config = read_json(inner, files.id) if inner.is_file() else files.config
    tags = files.facts.get("tags")
    names = (files.id, files.folder.name, str(config.get("_name_or_path", "")), " ".join(map(str, tags)) if isinstance(tags, list) else "")
    return next((found for name in names if (found := _condition(re.findall(r"[a-z]+", name.lower()))) is not None), None)


def _condition(words: Iterable[str]) -> str | None:
    given = set(words)
    return next((condition for condition, known in _WORDS.items() if known & given), None)


def prepare(ask: Ask, files: ModelFiles, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """The inputs, with the map of a ControlNet for depth or poses among them, made by another model on this machine.

    Raises:
        MediaError: the picture cannot be read.
        ExpertError: there are models that would make the map, and all of them failed.
    """
    if not any("ControlNet" in name for name in files.architectures) or not {"image", "prompt"} <= inputs.keys():
        return inputs
    condition = condition_of(files)
    if condition == "depth":
        made = _depth_map(ask, inputs)
    elif condition == "pose":
        made = _pose_map(ask, inputs)
    else:
        return inputs
    return {**inputs, MAP: made}


def _depth_map(ask: Ask, inputs: Mapping[str, Any]) -> ControlMap:
    from PIL import Image

    for model, output in ask(_GET["depth"][0], {"image": inputs["image"]}):
        depth = output.values["depth"]
        if not isinstance(depth, NewMedia):
            raise ExpertError(f"{model!r} gave no picture of depths.")
        with Image.open(io.BytesIO(depth.data)) as opened:
            return ControlMap(picture=opened.convert("RGB"), notes=(f"the new picture follows the depths of the given one, by {model}",))
    return _as_it_is("depth", inputs)


def _pose_map(ask: Ask, inputs: Mapping[str, Any]) -> ControlMap:
    picture = load_image(inputs["image"])
    asked = []
    for model, output in ask(_GET["pose"][0], {"image": inputs["image"]}):
        asked.append(model)
        drawn = skeleton(output.values["keypoints"], picture.size)
        if drawn is not None:
            told = f"the new picture follows the pose of the body in the given one, by {model}"
            return ControlMap(picture=drawn, notes=(told, *output.notes))
    if asked:
        told = f"no joints of a body were found ({', '.join(asked)}), so the given picture was taken as the drawing of the pose itself"
        return ControlMap(picture=picture, notes=(told,))
    return _as_it_is("pose", inputs)


def _as_it_is(condition: str, inputs: Mapping[str, Any]) -> ControlMap:
    task, proposed = _GET[condition]
    told = (
        f"the given picture was taken as the map of {condition} itself, since no model that makes one ({task}) is on this machine; "
        f"to have it made, fetch one (hf download {proposed})"
    )
    return ControlMap(picture=load_image(inputs["image"]), notes=(told,))


def control_map(model: LoadedModel, picture: Image.Image) -> ControlMap:
    """What a ControlNet is given for which `prepare` has made no map: the edges of a picture where it was trained on edges; else the
    picture, taken as the map itself."""
    if condition_of(model.files) == "edges":
        return ControlMap(picture=edges_of(picture), notes=("the new picture follows the edges of the given one",))
    told = "the given picture was taken as the map itself (of lines, areas or the like, whatever the model was trained on)"
    return ControlMap(picture=picture, notes=(told,))


def edges_of(picture: Image.Image) -> Image.Image:
    """White edges on black (Canny)."""
    import numpy as np
    from PIL import Image
    from skimage import feature

    grey = np.asarray(picture.convert("L"), np.float64) / 255
    canny: Any = feature.canny
    found = canny(grey, sigma=1.0, low_threshold=0.1, high_threshold=0.2)
    return Image.fromarray((found * 255).astype(np.uint8)).convert("RGB")
