"""Files as anybody would open and write them."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from PIL import Image

from langchain_hugginggpt.tools.artifacts import Artifact
from langchain_hugginggpt.tools.runners.local.loaded import LoadedModel

Inputs = Mapping[str, Any]
ByHand = Callable[[LoadedModel, Inputs, Mapping[str, Any]], Any]


def picture(artifact: Artifact) -> Image.Image:
    return Image.open(artifact.path).convert("RGB")


def png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def sound(artifact: Artifact) -> Any:
    """Samples; all recordings of the cases have the rate that models want."""
    import soundfile

    return soundfile.read(artifact.path, dtype="float32")[0]


def wav(samples: Any, rate: int) -> bytes:
    import soundfile

    out = io.BytesIO()
    soundfile.write(out, samples, rate, format="WAV")
    return out.getvalue()


def frames(artifact: Artifact, count: int) -> list[Image.Image]:
    import av

    with av.open(str(artifact.path)) as container:
        found = list(container.decode(video=0))
    return [found[round(n)].to_image() for n in np.linspace(0, len(found) - 1, count)]


def split(text: str) -> list[str]:
    return re.split(r"(?<=[.!?])\s+", text)
