"""The loader of super-resolution models, for the row of image-to-image in the diffusion folder."""

from __future__ import annotations

from ..loading.of_transformers import Transformers

SWIN2SR = Transformers(
    autos=("AutoModelForImageToImage",),
    parts=("image_processor",),
    architectures=("Swin2SRForImageSuperResolution",),
)
