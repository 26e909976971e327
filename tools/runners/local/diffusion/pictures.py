"""Pictures from words, from nothing and from other pictures."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ....errors import InputError, ModelRefusedError
from ....media import load_image
from ...runner import RunnerOutput
from ..loaded import LoadedModel
from .calling import Made, call, parameters, refuse, sibling
from .control import MAP, control_map, is_controlled
from .fitting import fitting_size, png, scaled, transparent_parts

if TYPE_CHECKING:
    from PIL import Image

    from .control import ControlMap

_DDIM_STEPS = 50
_MOST_UPSCALED = 512 * 512
_INPAINTING = "AutoPipelineForInpainting"
_IMAGE_TO_IMAGE = "AutoPipelineForImage2Image"


def text_to_image(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """A new picture, in the size that the model was trained for.

    Raises:
        ModelRefusedError: the pipeline needs a picture to begin with.
    """
    pipe = sibling(model, "AutoPipelineForText2Image") or _text_only(model.model)
    if pipe is None or is_controlled(pipe) or _paints_in(pipe):
        raise refuse(model, "text-to-image")
    return _picture(call(model, pipe, {n: inputs[n] for n in ("prompt", "negative_prompt") if n in inputs}))


def _text_only(pipe: Any) -> Any:
    """The pipeline itself if words are all that it takes: families that diffusers' own table of tasks does not list."""
    takes = parameters(pipe)
    needed = {n for n, p in takes.items() if p.default is p.empty and p.kind is not p.VAR_KEYWORD}
    return pipe if "prompt" in takes and "image" not in takes and needed <= {"prompt"} else None


def _paints_in(pipe: Any) -> bool:
    """Whether the weights are those of an inpainting model, which takes a picture and a mask beside its own noise."""
    unet, vae = getattr(pipe, "unet", None), getattr(pipe, "vae", None)
    return unet is not None and vae is not None and int(unet.config.in_channels) == 2 * int(vae.config.latent_channels) + 1


def unconditional_image_generation(model: LoadedModel, _inputs: Mapping[str, Any]) -> RunnerOutput:
    """A random picture of the kind that the model was trained on.

    Raises:
        ModelRefusedError: the pipeline needs something to begin with.
    """
    pipe = model.model
    if any(p.default is p.empty and p.kind is not p.VAR_KEYWORD for p in parameters(pipe).values()) or "prompt" in parameters(pipe):
        raise refuse(model, "unconditional-image-generation")
    if type(pipe).__name__ == "DDPMPipeline" and model.device == "cpu":
        pipe = model.once("ddim", lambda: _ddim(pipe))
    return _picture(call(model, pipe, {}, steps_on_cpu=_DDIM_STEPS))


def _ddim(pipe: Any) -> Any:
    """The same weights sampled by DDIM, which comes to a picture in 50 steps where DDPM needs 1,000."""
    diffusers: Any = import_module("diffusers")
    made = diffusers.DDIMPipeline(unet=pipe.unet, scheduler=diffusers.DDIMScheduler.from_config(pipe.scheduler.config))
    made.set_progress_bar_config(disable=True)
    return made


def image_to_image(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """A changed picture: by a prompt, within the transparent parts of the picture, along its edges, depths or pose, or only enlarged.

    Raises:
        InputError: there is no prompt, and the model needs one.
        MediaError: the picture cannot be read.
        ModelRefusedError: the model does something else, or the picture is too narrow or too large for it.
    """
    if not hasattr(model.model, "components"):  # no pipeline of diffusers
        from ..vision.upscaling import upscale

        return upscale(model, inputs)
    picture = load_image(inputs["image"])
    if "Upscale" in type(model.model).__name__ or "SuperResolution" in type(model.model).__name__:
        return _upscaled(model, picture, inputs.get("prompt", ""))
    if is_controlled(model.model):
        return _controlled(model, picture, _prompt(model, inputs), inputs.get(MAP))
    holes = transparent_parts(inputs["image"])
    if holes is not None and (pipe := sibling(model, _INPAINTING)) is not None:
        return _painted_in(model, pipe, picture, holes, _prompt(model, inputs))
    if _paints_in(model.model):
        raise ModelRefusedError(
            f"{model.id!r} paints the transparent parts of a picture, and 'image' has none.",
            remedy="Erase what is to be painted, or choose another model.",
        )
    pipe = sibling(model, _IMAGE_TO_IMAGE) or _editing(model.model)
    if pipe is None:
        raise refuse(model, "image-to-image")
    made = _edited(model, pipe, picture, _prompt(model, inputs))
    extra = () if holes is None else ("transparent parts of the picture were taken as white: this model cannot paint them alone",)
    return _picture(made, *extra)


def _prompt(model: LoadedModel, inputs: Mapping[str, Any]) -> str:
    if "prompt" not in inputs:
        raise InputError(f"{model.id!r} changes a picture as it is told to, and 'prompt' is missing.", remedy="Say what to change.")
    return str(inputs["prompt"])


def _editing(pipe: Any) -> Any:
    """The pipeline itself if it takes a picture and words, such as InstructPix2Pix."""
    takes = parameters(pipe)
    needed = {n for n, p in takes.items() if p.default is p.empty and p.kind is not p.VAR_KEYWORD}
    is_video = "num_frames" in takes or "video" in takes
    return pipe if {"prompt", "image"} <= set(takes) and needed <= {"prompt", "image"} and not is_video else None


def _edited(model: LoadedModel, pipe: Any, picture: Image.Image, prompt: str) -> Made:
    size = fitting_size(model, pipe, picture.size)
    given, notes = scaled(picture, size)
    made = call(model, pipe, {"prompt": prompt, "image": given, **_sized(pipe, size)})
    return Made(pixels=made.pixels, notes=(*notes, *made.notes))


def _sized(pipe: Any, size: tuple[int, int]) -> dict[str, int]:
    return {n: v for n, v in zip(("width", "height"), size, strict=True) if n in parameters(pipe)}


def _painted_in(model: LoadedModel, pipe: Any, picture: Image.Image, holes: Image.Image, prompt: str) -> RunnerOutput:
    """The picture with its transparent parts painted; the rest is put back as it was, since the model's copy of it is not exact."""
    import numpy as np
    from PIL import Image

    size = fitting_size(model, pipe, picture.size)
    given, notes = scaled(picture, size)
    mask = holes.resize(size, Image.Resampling.NEAREST)
    made = call(model, pipe, {"prompt": prompt, "image": given, "mask_image": mask, **_sized(pipe, size)})
    painted = Image.fromarray(made.pixels[0]).resize(picture.size, Image.Resampling.LANCZOS)
    whole = Image.composite(painted, picture, holes)
    told = "only the transparent parts of the picture were painted"
    return RunnerOutput(values={"image": png(np.asarray(whole), "picture.png")}, notes=(told, *notes, *made.notes))


def _controlled(model: LoadedModel, picture: Image.Image, prompt: str, prepared: ControlMap | None) -> RunnerOutput:
    size = fitting_size(model, model.model, picture.size)
    given, notes = scaled(picture, size)
    control = prepared or control_map(model, given)
    steering, _ = scaled(control.picture, size)
    made = call(model, model.model, {"prompt": prompt, "image": steering, **_sized(model.model, size)})
    base = (f"made with the base model {model.files.base.id}",) if model.files.base is not None else ()
    return _picture(made, *control.notes, *notes, *base)


def _upscaled(model: LoadedModel, picture: Image.Image, prompt: str) -> RunnerOutput:
    pipe = model.model
    if picture.width * picture.height > _MOST_UPSCALED:
        raise ModelRefusedError(
            f"'image' has {picture.width:,} x {picture.height:,} pixels; {model.id!r} enlarges at most {_MOST_UPSCALED:,} pixels.",
            remedy="Cut or scale the picture down, or choose another model.",
        )
    grid = 8  # what is no multiple of it cannot go through the model's layers
    size = (-(-picture.width // grid) * grid, -(-picture.height // grid) * grid)
    padded = _padded(picture, size)
    made = call(model, pipe, {"image": padded, **({"prompt": prompt} if "prompt" in parameters(pipe) else {})})
    factor = made.pixels.shape[2] // padded.width
    kept = made.pixels[:, : picture.height * factor, : picture.width * factor]
    return _picture(Made(pixels=kept, notes=made.notes))


def _padded(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The picture with its last row and column repeated at the right and below."""
    import numpy as np
    from PIL import Image

    given = np.asarray(picture)
    return Image.fromarray(np.pad(given, ((0, size[1] - picture.height), (0, size[0] - picture.width), (0, 0)), mode="edge"))


def _picture(made: Made, *notes: str) -> RunnerOutput:
    return RunnerOutput(values={"image": png(made.pixels[0], "picture.png")}, notes=(*notes, *made.notes))
