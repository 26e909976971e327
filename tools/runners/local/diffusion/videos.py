"""Videos from words, from a picture and from other videos."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from ....errors import InputError
from ....media import load_image
from ....video import mp4_bytes, read_frames
from ...runner import NewMedia, RunnerOutput
from ...workers import check_abandoned
from ..loaded import LoadedModel
from .calling import Made, call, parameters, refuse
from .fitting import fitting_size, scaled

_CPU_FRAMES = 16
_FPS = (("Wan*", 16.0), ("SkyReels*", 24.0), ("Hunyuan*", 24.0), ("Mochi*", 30.0), ("Allegro*", 15.0))
"""Frames a second that a family was trained on, where its pipeline takes no such argument; others: 8."""
_MOST_FRAMES = 33
"""Of a given video that are read: what models were trained on, and memory, allow no more."""


def text_to_video(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """A new video, in the size that the model was trained for.

    Raises:
        ModelRefusedError: the pipeline makes no videos of words alone.
    """
    takes = parameters(model.model)
    needed = {n for n, p in takes.items() if p.default is p.empty and p.kind is not p.VAR_KEYWORD}
    if "prompt" not in takes or not needed <= {"prompt"} or not _makes_videos(model):
        raise refuse(model, "text-to-video")
    length, notes = _length(model)
    return _video(model, call(model, model.model, {"prompt": inputs["prompt"], **length}), *notes)


def image_to_video(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """A video that begins with a picture, or shows what it shows.

    Raises:
        InputError: there is no prompt, and the model needs one.
        MediaError: the picture cannot be read.
        ModelRefusedError: the pipeline makes no videos of pictures, or the picture is too narrow for it.
    """
    takes = parameters(model.model)
    if "image" not in takes or not _makes_videos(model):
        raise refuse(model, "image-to-video")
    prompt, notes = _prompt(model, inputs)
    picture = load_image(inputs["image"])
    size = fitting_size(model, model.model, picture.size)
    given, told = scaled(picture, size)
    length, shorter = _length(model)
    made = call(model, model.model, {"image": given, **prompt, **_sized(model, size), **length})
    return _video(model, made, *notes, *told, *shorter)


def video_to_video(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """A changed video.

    Raises:
        InputError: there is no prompt, and the model needs one.
        MediaError: the video cannot be read.
        ModelRefusedError: the pipeline takes no videos, or the video is too narrow for it.
    """
    if "video" not in parameters(model.model):
        raise refuse(model, "video-to-video")
    prompt, notes = _prompt(model, inputs)
    most = _CPU_FRAMES if model.device == "cpu" else _MOST_FRAMES
    whole = read_frames(inputs["video"], most, between=check_abandoned)
    count = min(most, max(1, round(whole.duration * (whole.fps or _rate(model)))))
    read = whole if count == most else read_frames(inputs["video"], count, between=check_abandoned)
    size = fitting_size(model, model.model, read.frames[0].size)
    frames = [scaled(f, size)[0] for f in read.frames]
    made = call(model, model.model, {"video": frames, **prompt, **_sized(model, size)})
    told = f"{count} frames, evenly spread over {read.duration:.3g} seconds, were read and changed, at {size[0]} x {size[1]} pixels"
    return _video(model, made, *notes, told, fps=max(0.1, min(60.0, count / read.duration)))


def _makes_videos(model: LoadedModel) -> bool:
    return "num_frames" in parameters(model.model) or "video_length" in parameters(model.model)


def _prompt(model: LoadedModel, inputs: Mapping[str, Any]) -> tuple[dict[str, str], tuple[str, ...]]:
    if "prompt" not in parameters(model.model):
        return {}, ("the prompt was not used: this model takes none",) if "prompt" in inputs else ()
    if "prompt" not in inputs:
        raise InputError(f"{model.id!r} must be told what shall happen, and 'prompt' is missing.", remedy="Say what shall be seen.")
    return {"prompt": str(inputs["prompt"])}, ()


def _sized(model: LoadedModel, size: tuple[int, int]) -> dict[str, int]:
    return {n: v for n, v in zip(("width", "height"), size, strict=True) if n in parameters(model.model)}


def _length(model: LoadedModel) -> tuple[dict[str, int], tuple[str, ...]]:
    """Fewer frames where no GPU computes. Families whose usual number is odd (8 k + 1) get an odd one."""
    taken = parameters(model.model).get("num_frames")
    usual = taken.default if taken is not None else None
    if model.device != "cpu" or not isinstance(usual, int) or usual <= _CPU_FRAMES + 1:
        return {}, ()
    count = _CPU_FRAMES + usual % 2
    return {"num_frames": count}, (f"made of {count} frames and not {usual}, since no GPU computes here",)


def _rate(model: LoadedModel) -> float:
    """Frames a second."""
    takes = parameters(model.model)
    for name in ("frame_rate", "fps"):
        if name in takes and isinstance(takes[name].default, int | float):
            return float(takes[name].default)
    kind = type(model.model).__name__
    return next((fps for pattern, fps in _FPS if fnmatchcase(kind, pattern)), 8.0)


def _video(model: LoadedModel, made: Made, *notes: str, fps: float | None = None) -> RunnerOutput:
    data = mp4_bytes(list(made.pixels), fps=fps or _rate(model))
    media = NewMedia(data=data, media_type="video/mp4", name="video.mp4")
    return RunnerOutput(values={"video": media}, notes=(*notes, *made.notes))
