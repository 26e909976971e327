"""The rows of this folder's tasks."""

from __future__ import annotations

from ..loading.of_controlnets import ControlNets
from ..loading.of_diffusers import Diffusers
from ..row import LocalRow
from ..vision.upscaling_loader import SWIN2SR

_UNCONDITIONAL = ("DDPM*", "DDIM*", "PNDM*", "LDMPipeline", "ScoreSde*", "KarrasVe*", "ConsistencyModel*")
_SOUND = ("*Audio*", "MusicLDM*", "AceStep*", "DanceDiffusion*", "SpectrogramDiffusion*")
_FROM_VIDEO = ("*VideoToVideo*",)
_FROM_IMAGE = ("*ImageToVideo*", "*Image2Video*", "*I2V*", "StableVideoDiffusion*", "PIA*", "ConsisID*")
_VIDEO = (
    *_FROM_VIDEO, *_FROM_IMAGE, "*Video*", "AnimateDiff*", "LTX*", "Wan*", "Mochi*", "Allegro*", "Latte*", "CogVideo*", "SkyReels*",
    "Cosmos*", "EasyAnimate*", "AnyFlow*", "Helios*", "*T2V*", "LucyEdit*",
)  # fmt: skip
_SOLID = ("ShapE*",)
_NO_PICTURE = (*_VIDEO, *_SOUND, *_SOLID, *_UNCONDITIONAL, "Marigold*", "*Prior*", "RFD*", "*Modular*", "LLaDA*", "DiffusionGemma*")
_ENLARGING = ("*Upscale*", "*SuperResolution*")

_PICTURES = Diffusers(classes=("*Pipeline",), other=_NO_PICTURE)
_PREPARED = "diffusion.control:prepare"

ROWS: tuple[LocalRow, ...] = (
    LocalRow(
        task="text-to-image",
        function="diffusion.pictures:text_to_image",
        loaders=(Diffusers(classes=("*Pipeline",), other=(*_NO_PICTURE, *_ENLARGING, "*InstructPix2Pix*")),),
        extra="diffusion",
        libraries=("diffusers",),
    ),
    LocalRow(
        task="unconditional-image-generation",
        function="diffusion.pictures:unconditional_image_generation",
        loaders=(Diffusers(classes=_UNCONDITIONAL, half=False),),
        extra="diffusion",
        libraries=("diffusers",),
    ),
    LocalRow(
        task="image-to-image",
        function="diffusion.pictures:image_to_image",
        loaders=(_PICTURES, ControlNets(), SWIN2SR),
        prepare=_PREPARED,
        extra="diffusion",
        libraries=("diffusers", "transformers"),
    ),
    LocalRow(
        task="image-text-to-image",
        function="diffusion.pictures:image_to_image",
        loaders=(_PICTURES, ControlNets()),
        prepare=_PREPARED,
        extra="diffusion",
        libraries=("diffusers",),
    ),
    LocalRow(
        task="text-to-video",
        function="diffusion.videos:text_to_video",
        loaders=(Diffusers(classes=_VIDEO, other=(*_FROM_VIDEO, *_FROM_IMAGE)),),
        extra="diffusion",
        packages=("av",),
        libraries=("diffusers",),
    ),
    LocalRow(
        task="image-to-video",
        function="diffusion.videos:image_to_video",
        loaders=(Diffusers(classes=_FROM_IMAGE),),
        extra="diffusion",
        packages=("av",),
        libraries=("diffusers",),
    ),
    LocalRow(
        task="image-text-to-video",
        function="diffusion.videos:image_to_video",
        loaders=(Diffusers(classes=_FROM_IMAGE, other=("StableVideoDiffusion*",)),),
        extra="diffusion",
        packages=("av",),
        libraries=("diffusers",),
    ),
    LocalRow(
        task="video-to-video",
        function="diffusion.videos:video_to_video",
        loaders=(Diffusers(classes=_FROM_VIDEO),),
        extra="diffusion",
        packages=("av",),
        libraries=("diffusers",),
    ),
)
