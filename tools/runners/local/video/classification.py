"""Classes of videos."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....video import read_frames
from ...runner import RunnerOutput
from ...workers import check_abandoned
from ..loaded import LoadedModel

_FRAMES = 16  # where a model does not say how many it wants


def video_classification(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """What a video shows, by as many frames as the model wants, evenly spread from the first to the last."""
    count = int(getattr(model.config, "num_frames", None) or _FRAMES)
    video = read_frames(inputs["video"], count, between=check_abandoned)
    batch = model.on_device(model.image_processor(list(video.frames), return_tensors="pt"))
    logits = model.model(**batch).logits[0].float()
    names = model.config.id2label
    labels = [{"label": str(names[i]), "score": float(p)} for i, p in enumerate(logits.softmax(-1).tolist())]
    return RunnerOutput(
        values={"labels": sorted(labels, key=lambda x: -float(x["score"]))},
        notes=(f"judged by {count} frames, evenly spread over {video.duration:.1f} seconds",),
    )
