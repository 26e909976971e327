"""ControlNets as they lie on the Hub: one module in a folder, which steers a Stable Diffusion that lies elsewhere."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ....errors import ModelRefusedError
from ..devices import FLOAT_BYTES
from ..loaded import LoadedModel
from ..model_files import ModelFiles, read_json
from .of_diffusers import arguments, part_of, ready
from .of_transformers import refusal

if TYPE_CHECKING:
    from ..devices import Device

_STABLE = "stable-diffusion-v1-5/stable-diffusion-v1-5"
_ID = re.compile(r"[\w.-]{1,96}(/[\w.-]{1,96})?", re.ASCII)
_BY_WIDTH: Mapping[int, str] = {768: _STABLE, 2048: "stabilityai/stable-diffusion-xl-base-1.0"}
"""By `cross_attention_dim`: the base of a ControlNet that names none."""
_MOVED: Mapping[str, str] = {"runwayml/stable-diffusion-v1-5": _STABLE}
"""Models that are on the Hub under another name now."""
_PIPELINES: Mapping[str, str] = {
    "StableDiffusionPipeline": "StableDiffusionControlNetPipeline",
    "StableDiffusionXLPipeline": "StableDiffusionXLControlNetPipeline",
}
_SHAPE = ("cross_attention_dim", "block_out_channels", "in_channels")
"""What must be the same in a ControlNet and in the U-Net that it steers."""


@dataclass(frozen=True, kw_only=True)
class ControlNets:
    """Folders of one ControlNetModel of diffusers. The base is named by `base_model` in its card, else told by its width."""

    packages: tuple[str, ...] = ("torch", "diffusers", "transformers")
    name: str = "diffusers, ControlNet with its base"

    def fits(self, files: ModelFiles) -> bool:
        """Whether the folder is a ControlNet alone."""
        return files.layout == "diffusers" and files.architectures == ("ControlNetModel",)

    def base_of(self, files: ModelFiles) -> tuple[str, ...]:
        """Hub ids of the base; see `StandsOnBase`."""
        named = files.facts.get("base_model")
        first = named[0] if isinstance(named, list) and named else named
        if not isinstance(first, str) or not _ID.fullmatch(first):
            width = files.config.get("cross_attention_dim")
            first = _BY_WIDTH.get(width) if isinstance(width, int) else None
        if first is None:
            raise ModelRefusedError(
                f"{files.id!r} is a ControlNet that does not say which model it steers.",
                remedy="Name it in the front matter of its README.md (base_model: ORG/NAME), or choose another model.",
            )
        return (_MOVED[first], first) if first in _MOVED else (first,)

    def expected(self, files: ModelFiles, device: Device) -> int:
        """Bytes that the weights will take, with those of the base."""
        return files.bytes_in_memory(FLOAT_BYTES[device.half])

    def load(self, files: ModelFiles, device: Device) -> LoadedModel:
        """The pipeline of the base's kind that takes a ControlNet; see `Loader`."""
        import diffusers
        import torch

        base = files.base
        assert base is not None  # the runner looks for it
        pipeline_class = getattr(diffusers, _pipeline_for(files, base))
        _refuse_other_shape(files, base)
        dtype = getattr(torch, device.half)
        try:
            control = part_of(files, "controlnet", diffusers.ControlNetModel, files.folder, dtype)
            pipe = pipeline_class(**arguments(base, pipeline_class, dtype), controlnet=control)
        except ModelRefusedError:
            raise
        except Exception as e:  # each library and each class has errors of its own
            raise refusal(files, e) from e
        return ready(files, pipe, device, device.half, self.expected(files, device))


def _pipeline_for(files: ModelFiles, base: ModelFiles) -> str:
    """Name of the pipeline that has a base of this kind steered."""
    named = str(base.config.get("_class_name"))
    if named not in _PIPELINES or not (base.folder / "model_index.json").is_file():
        held = ", ".join(base.architectures) or f"a folder of {base.layout}"
        raise ModelRefusedError(
            f"{files.id!r} is to steer {base.id!r}, which holds {held}; a ControlNet is run with {' or '.join(_PIPELINES)}.",
            remedy="Name another base_model in its README.md, or choose another model.",
        )
    return _PIPELINES[named]


def _refuse_other_shape(files: ModelFiles, base: ModelFiles) -> None:
    """A ControlNet adds its own numbers to those of the base's U-Net, layer by layer: looked at before any weight is loaded."""
    steered = read_json(base.folder / "unet" / "config.json", base.id)
    for name in _SHAPE:
        own, of_base = files.config.get(name), steered.get(name)
        if own is not None and of_base is not None and own != of_base:
            raise ModelRefusedError(
                f"{files.id!r} does not fit {base.id!r}: its {name} is {_short(own)}, and that of the base's U-Net is {_short(of_base)}.",
                remedy="Name the base that it was trained on as base_model in its README.md, or choose another model.",
            )


def _short(value: Any) -> str:
    return f"{value!r:.60}"
