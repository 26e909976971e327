"""Tasks that make pictures and videos."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from benchmarks.by_hand.opening import Inputs, frames, picture, png
from benchmarks.by_hand.vision import seen
from langchain_hugginggpt.tools.runners.local.diffusion.calling import CPU_STEPS
from langchain_hugginggpt.tools.runners.local.diffusion.fitting import fitting_size
from langchain_hugginggpt.tools.runners.local.loaded import LoadedModel
from langchain_hugginggpt.tools.video import mp4_bytes


def _steps(m: LoadedModel) -> dict[str, int]:
    """As few as our side takes where no GPU computes."""
    return {"num_inference_steps": CPU_STEPS} if m.device == "cpu" else {}


def made_picture(m: LoadedModel, i: Inputs, _s: Inputs) -> bytes:
    return png(m.model(**i, **_steps(m)).images[0])


def random_picture(m: LoadedModel, _i: Inputs, _s: Inputs) -> bytes:
    import diffusers

    make: Any = diffusers.DDIMPipeline
    scheduler: Any = diffusers.DDIMScheduler
    pipe = m.once("by hand", lambda: make(unet=m.model.unet, scheduler=scheduler.from_config(m.model.scheduler.config)))
    pipe.set_progress_bar_config(disable=True)
    return png(pipe(num_inference_steps=50).images[0])


def _fitting(m: LoadedModel, image: Image.Image) -> Image.Image:
    return image.resize(fitting_size(m, m.model, image.size))


def changed_picture(m: LoadedModel, i: Inputs, _s: Inputs) -> bytes:
    import diffusers

    make: Any = diffusers.AutoPipelineForImage2Image
    pipe = m.once("by hand", lambda: make.from_pipe(m.model))
    pipe.set_progress_bar_config(disable=True)
    return png(pipe(prompt=i["prompt"], image=_fitting(m, picture(i["image"])), **_steps(m)).images[0])


def enlarged_picture(m: LoadedModel, i: Inputs, _s: Inputs) -> bytes:
    made = m.model(**seen(m, i["image"])).reconstruction[0].clamp(0, 1).permute(1, 2, 0).cpu().numpy()
    return png(Image.fromarray((made * 255).round().astype(np.uint8)))


def made_video(m: LoadedModel, i: Inputs, _s: Inputs) -> bytes:
    """Of words, a picture or both. The file is made by our own encoder here as well."""
    given: dict[str, Any] = {n: i[n] for n in ("prompt",) if n in i}
    if "image" in i:
        image = _fitting(m, picture(i["image"]))
        given |= {"image": image, "width": image.width, "height": image.height}
    return mp4_bytes(m.model(**given, **_steps(m)).frames[0], fps=8)


def changed_video(m: LoadedModel, i: Inputs, _s: Inputs) -> bytes:
    given = [_fitting(m, f) for f in frames(i["video"], 5)]
    size = {"width": given[0].width, "height": given[0].height}
    return mp4_bytes(m.model(video=given, prompt=i["prompt"], **size, **_steps(m)).frames[0], fps=10)
