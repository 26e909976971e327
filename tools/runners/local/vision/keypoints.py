"""Key points: joints of bodies (ViTPose), corners and other marks (SuperPoint)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...runner import RunnerOutput
from ..loaded import LoadedModel
from .pictures import Seen, picture_of

_LONGEST = 2048
_MOST_POINTS = 2_000


def keypoint_detection(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """Points in pixels: those of one body in the order of its joints, others best first."""
    seen = picture_of(inputs, longest=_LONGEST)
    return _marks(model, seen) if "SuperPoint" in type(model.model).__name__ else _joints(model, seen)


def _joints(model: LoadedModel, seen: Seen) -> RunnerOutput:
    """The joints of one body that fills the picture: these models are told where the body is, and nobody tells them here."""
    import torch

    boxes = [[[0.0, 0.0, float(seen.picture.width), float(seen.picture.height)]]]
    batch = model.on_device(model.image_processor([seen.picture], boxes=boxes, return_tensors="pt"))
    if int(getattr(model.config.backbone_config, "num_experts", 1)) > 1:
        batch["dataset_index"] = torch.zeros(1, dtype=torch.long, device=model.device)  # people (COCO)
    outputs = model.model(**batch)
    outputs.heatmaps = outputs.heatmaps.float()
    found = model.image_processor.post_process_pose_estimation(outputs, boxes=boxes)[0][0]
    names = model.config.id2label
    points = [
        _point(names.get(label, str(label)), at, score, seen)
        for label, at, score in zip(found["labels"].tolist(), found["keypoints"].tolist(), found["scores"].tolist(), strict=True)
    ]
    note = "the whole picture was taken as one body: with several, cut each out first (object-detection)"
    return RunnerOutput(values={"keypoints": [p for p in points if p is not None]}, notes=(*seen.notes, note))


def _marks(model: LoadedModel, seen: Seen) -> RunnerOutput:
    batch = model.on_device(model.image_processor([seen.picture], return_tensors="pt"))
    outputs = model.model(**batch)
    mask = outputs.mask[0].bool()
    places, scores = outputs.keypoints[0][mask].float(), outputs.scores[0][mask].float()
    sound = scores.isfinite() & places.isfinite().all(-1)
    places, scores = places[sound], scores[sound]
    best = scores.argsort(descending=True, stable=True)[:_MOST_POINTS]
    size = (seen.picture.width, seen.picture.height)
    rows = zip(places[best].tolist(), scores[best].tolist(), strict=True)
    kept = [p for (x, y), score in rows if (p := _point("mark", [x * size[0], y * size[1]], score, seen)) is not None]
    cut = (f"{len(scores):,} points were found; the best {_MOST_POINTS:,} are given",) if len(scores) > _MOST_POINTS else ()
    nothing = () if kept else ("no point was found that the model is sure of",)
    return RunnerOutput(values={"keypoints": kept}, notes=(*seen.notes, *cut, *nothing))


def _point(label: str, at: list[float], score: float, seen: Seen) -> dict[str, Any] | None:
    """A point of the picture as the model saw it, in pixels of the original and clamped to it; None where a number is missing."""
    x = at[0] * seen.width / seen.picture.width
    y = at[1] * seen.height / seen.picture.height
    if not (x == x and y == y and score == score):
        return None
    return {
        "label": str(label),
        "x": min(max(float(x), 0.0), float(seen.width)),
        "y": min(max(float(y), 0.0), float(seen.height)),
        "score": min(max(float(score), 0.0), 1.0),
        "figure": 0,
    }
