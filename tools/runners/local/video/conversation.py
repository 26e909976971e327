"""Questions and instructions about recordings, videos and pictures, to models that are talked to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....audio import read_windows
from ....errors import InputError, ModelRefusedError
from ....media import load_image
from ....video import VideoFrames, read_frames
from ...runner import RunnerOutput
from ...workers import check_abandoned
from ..loaded import LoadedModel
from ..vision.captions import room

_FRAMES = 8
_WINDOW_SECONDS = 30.0  # what audio encoders take at once
_MOST_WINDOWS = 10
_LONGEST_ANSWER = 512
_LONGEST_SIDE = 2048


def audio_text_to_text(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """What a model says to a question about a recording of up to five minutes; see `any_to_any`."""
    return any_to_any(model, {"prompt": inputs["question"], "audio": inputs["audio"]}, port="question")


def video_text_to_text(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """What a model says to a question about a video, by eight frames of it; see `any_to_any`."""
    return any_to_any(model, {"prompt": inputs["question"], "video": inputs["video"]}, port="question")


def any_to_any(model: LoadedModel, inputs: Mapping[str, Any], *, port: str = "prompt") -> RunnerOutput:
    """What a model says to an instruction, with a picture, a recording and a video or without.

    A video is shown as eight pictures, evenly spread, with their times in words; a recording is given in parts of 30 seconds.

    Args:
        model: one of texts and pictures, or texts and sound, or all of these.
        inputs: `prompt`, and any of `image`, `audio` and `video`.
        port: what the instruction is called in errors.

    Raises:
        InputError: the instruction is empty.
        ModelRefusedError: the model takes no such file, holds no conversation, or all that is more than it reads.
    """
    if getattr(model.processor, "chat_template", None) is None:
        raise ModelRefusedError(
            f"{model.id!r} has no chat template: it was not trained to follow instructions.", remedy="Choose a model that was."
        )
    prompt = _without_marks(str(inputs["prompt"]), model.processor).strip()
    if not prompt:
        raise InputError(f"{port!r} holds no text.", remedy="Ask something.")
    pictures: list[Any] = []
    notes: list[str] = []
    if "image" in inputs:
        _needs(model, "image", "image_processor")
        pictures.append(load_image(inputs["image"]))
        pictures[0].thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
    if "video" in inputs:
        _needs(model, "video", "image_processor")
        video = read_frames(inputs["video"], _FRAMES, between=check_abandoned)
        pictures += video.frames
        prompt = f"{_told(video, after_picture='image' in inputs)}\n{prompt}"
        notes.append(f"seen as {_FRAMES} frames, evenly spread over {video.duration:.1f} seconds, without its sound")
    sounds = _sounds(model, inputs["audio"]) if "audio" in inputs else []
    if len(sounds) > 1:
        notes.append(f"heard in {len(sounds)} parts of at most {_WINDOW_SECONDS:g} seconds")
    text, more = _answer(model, _batch(model, prompt, pictures, sounds), port=port)
    return RunnerOutput(values={"text": text}, notes=(*notes, *more))


def _without_marks(text: str, processor: Any) -> str:
    """A text without the signs that stand for a picture or a recording: there is none for them."""
    for name in ("image_token", "audio_token", "video_token"):
        mark = getattr(processor, name, None)
        if isinstance(mark, str) and mark:
            text = text.replace(mark, " ")
    return text


def _needs(model: LoadedModel, port: str, part: str) -> None:
    if getattr(model.processor, part, None) is None:
        raise ModelRefusedError(
            f"{model.id!r} takes no {port} ({port!r} was given): it has no {part.replace('_', ' ')}.",
            remedy=f"Choose a model that takes one, or leave the {port} out.",
        )


def _told(video: VideoFrames, *, after_picture: bool) -> str:
    times = ", ".join(f"{t:.1f}" for t in video.seconds)
    which = f"The last {len(video.frames)} pictures" if after_picture else "These pictures"
    return f"{which} are frames of a video, in order, taken after {times} seconds."


def _sounds(model: LoadedModel, recording: Any) -> list[Any]:
    """A recording in parts that the model takes."""
    _needs(model, "audio", "feature_extractor")
    parts: list[Any] = []
    for window in read_windows(recording, rate=model.processor.feature_extractor.sampling_rate, seconds=_WINDOW_SECONDS):
        check_abandoned()
        if len(parts) == _MOST_WINDOWS:
            raise ModelRefusedError(
                f"The recording {recording.name!r} ('audio') is longer than {_MOST_WINDOWS * _WINDOW_SECONDS:g} seconds, which is what "
                f"{model.id!r} is given at once.",
                remedy="Transcribe it, or cut it.",
            )
        parts.append(window)
    return parts


def _batch(model: LoadedModel, prompt: str, pictures: list[Any], sounds: list[Any]) -> Any:
    """The conversation as tensors."""
    processor = model.processor
    content = [*({"type": "image"} for _ in pictures), *({"type": "audio"} for _ in sounds), {"type": "text", "text": prompt}]
    text = processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True, tokenize=False)
    options: dict[str, Any] = {}
    if pictures:
        options["images"] = pictures
        if len(pictures) > 1 and hasattr(processor.image_processor, "do_image_splitting"):
            options["do_image_splitting"] = False  # each frame in seventeen parts would be more than the model reads
    if sounds:
        options |= {"audio": sounds, "sampling_rate": processor.feature_extractor.sampling_rate}
    return processor(text=text, return_tensors="pt", **options)


def _answer(model: LoadedModel, batch: Any, *, port: str) -> tuple[str, tuple[str, ...]]:
    """What the model says, and notes on it."""
    given, longest = batch["input_ids"].shape[1], room(model.config)
    limit = min(_LONGEST_ANSWER, longest - given)
    if limit < min(_LONGEST_ANSWER, longest // 8):
        raise ModelRefusedError(
            f"{port!r} and the files make {given:,} tokens together; {model.id!r} reads {longest:,}, the answer included.",
            remedy="Give less: a shorter text, or a shorter recording.",
        )
    made = model.model.generate(**model.on_device(batch), max_new_tokens=limit, max_length=None, do_sample=False)
    ids = made[0][given:]
    text = model.processor.tokenizer.decode(ids, skip_special_tokens=True).strip()
    ends = model.model.generation_config.eos_token_id
    if not text:
        return text, ("the model gave no answer",)
    ended = len(ids) < limit or int(ids[-1]) in (ends if isinstance(ends, list) else [ends])
    return text, () if ended else (f"the answer was stopped at {limit} tokens",)
