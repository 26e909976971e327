"""How pipelines of diffusers are called: with a seed that is told, as many steps as make sense, and nothing left out in silence."""

from __future__ import annotations

import inspect
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .....index.errors import ExpertError
from ....errors import ModelRefusedError
from ..loaded import LoadedModel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CPU_STEPS = 20
_FEW_STEPS = 4
_DISTILLED = ("turbo", "lightning", "schnell")
"""In the names of models that were trained to need few steps and no guidance."""
_QUICK_SCHEDULERS = ("LCMScheduler", "TCDScheduler")


@dataclass(frozen=True, kw_only=True)
class Made:
    """What a pipeline made.

    Attributes:
        pixels: frames x height x width x 3 (RGB), 0..255; one frame where it is a picture.
        notes: the seed, and what was left out or done otherwise than usual.
    """

    pixels: NDArray[np.uint8]
    notes: tuple[str, ...]


def sibling(model: LoadedModel, auto: str) -> Any:
    """The pipeline of the same family that does another task, over the same weights; None where diffusers has none.

    Args:
        auto: a class of diffusers, e.g. `AutoPipelineForImage2Image`.
    """
    return model.once(auto, lambda: _sibling(model.model, auto))


def _sibling(pipe: Any, auto: str) -> Any:
    import diffusers

    try:
        made = getattr(diffusers, auto).from_pipe(pipe)
    except ValueError:  # so says diffusers that the family has no such pipeline
        return None
    made.set_progress_bar_config(disable=True)
    return made


def parameters(pipe: Any) -> Mapping[str, inspect.Parameter]:
    """What the pipeline's call takes."""
    return inspect.signature(pipe.__call__).parameters


def refuse(model: LoadedModel, task: str) -> ModelRefusedError:
    """What is said of a pipeline that does not do the task."""
    return ModelRefusedError(
        f"{model.id!r} does something else: it is a {type(model.model).__name__}, which does not do {task}.",
        remedy="Choose a model that was trained for the task.",
    )


def call(model: LoadedModel, pipe: Any, options: Mapping[str, Any], *, steps_on_cpu: int | None = None) -> Made:
    """Run a pipeline once.

    Args:
        options: arguments of the pipeline. `prompt` and `negative_prompt` are looked at: what the model cannot read is told.
        steps_on_cpu: at most so many steps where no GPU computes; default 20.

    Raises:
        ExpertError: the model's safety checker has blacked the picture out, or the pixels are no numbers.
    """
    import torch

    takes = parameters(pipe)
    settings, notes = _settings(model, pipe, steps_on_cpu or CPU_STEPS)
    given = dict(options)
    if "negative_prompt" in given and ("negative_prompt" not in takes or settings.get("guidance_scale") == 0):
        del given["negative_prompt"]
        notes.append("the model knows no negative prompt: what to keep out was not told to it")
    notes += [note for name in ("prompt", "negative_prompt") if name in given and (note := _cut(pipe, str(given[name])))]
    seed = secrets.randbelow(2**32)
    if "generator" in takes:
        given["generator"] = torch.Generator("cpu").manual_seed(seed)  # the same numbers whatever the device is
        notes.append(f"seed: {seed}")
    if "output_type" in takes:
        given["output_type"] = "np"
    with _quiet():
        output = pipe(**settings, **given)
    if any(_flat(getattr(output, "nsfw_content_detected", None))):
        raise ExpertError(
            f"The safety checker of {model.id!r} has taken the picture for an unsafe one and blacked it out.",
            remedy="Ask for something else, or try again.",
            retryable=True,
        )
    return Made(pixels=_pixels(model, output), notes=tuple(notes))


@contextmanager
def _quiet() -> Iterator[None]:
    """Without diffusers' own warnings: it prints all of a prompt that is cut off, which a note tells in short."""
    from diffusers.utils import logging

    level = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)


def _settings(model: LoadedModel, pipe: Any, steps_on_cpu: int) -> tuple[dict[str, Any], list[str]]:
    """Steps and guidance: the pipeline's own, but fewer steps for models that need few, and where a processor computes."""
    takes = parameters(pipe)
    usual = takes["num_inference_steps"].default if "num_inference_steps" in takes else None
    if not isinstance(usual, int):
        return {}, []
    if any(word in model.id.lower() for word in _DISTILLED):
        guidance = {"guidance_scale": 0.0} if "guidance_scale" in takes else {}
        return {"num_inference_steps": min(usual, _FEW_STEPS), **guidance}, []
    if type(getattr(pipe, "scheduler", None)).__name__ in _QUICK_SCHEDULERS:
        return {"num_inference_steps": min(usual, _FEW_STEPS)}, []
    if model.device == "cpu" and usual > steps_on_cpu:
        return {"num_inference_steps": steps_on_cpu}, [f"made in {steps_on_cpu} steps and not {usual}, since no GPU computes here"]
    return {"num_inference_steps": usual}, []


def _cut(pipe: Any, text: str) -> str:
    """A note on what the encoder with the most room does not read of a text; empty where it reads all."""
    rooms = [(_room(pipe, t), t) for n, t in pipe.components.items() if n.startswith("tokenizer") and hasattr(t, "model_max_length")]
    if not rooms:
        return ""
    room, tokenizer = max(rooms, key=lambda r: r[0])
    ids = tokenizer(text, truncation=False).input_ids
    if len(ids) <= room:
        return ""
    rest = tokenizer.decode(ids[room - 1 :], skip_special_tokens=True)
    told = rest if len(rest) <= 200 else rest[:200] + "…"
    return f"the model reads {room} tokens of a prompt; {len(ids) - room:,} were left out: {told!r}"


def _room(pipe: Any, tokenizer: Any) -> int:
    """Tokens that are read of a text. Tokenizers of T5 and language models have no end of their own: the pipeline sets one."""
    own = int(tokenizer.model_max_length)
    longest = parameters(pipe).get("max_sequence_length")
    if longest is None or not isinstance(longest.default, int) or "CLIP" in type(tokenizer).__name__:
        return own
    return min(own, longest.default)


def _pixels(model: LoadedModel, output: Any) -> NDArray[np.uint8]:
    import numpy as np

    made = output.frames if hasattr(output, "frames") else output.images
    first = made[0]
    pixels = np.stack([np.asarray(f) for f in first]) if hasattr(output, "frames") else np.asarray(first)[None]
    if pixels.dtype != np.uint8:
        pixels = pixels.astype(np.float32)
        if not np.isfinite(pixels).all():
            raise ExpertError(
                f"{model.id!r} made a picture of values that are no numbers; its weights do not suit {model.dtype}.",
                remedy="Try another model.",
            )
        pixels = (pixels.clip(0, 1) * 255).round().astype(np.uint8)
    if pixels.ndim == 3:  # grey
        pixels = pixels[..., None]
    return pixels.repeat(3, -1) if pixels.shape[-1] == 1 else pixels[..., :3]


def _flat(found: Any) -> list[bool]:
    """Whether something unsafe was found, by picture; by picture and frame where it is a video."""
    if not isinstance(found, list):
        return []
    return [bool(f) for one in found for f in (one if isinstance(one, list) else [one])]
