"""Files that tasks are run on, made and not downloaded."""

from __future__ import annotations

import io
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from PIL import Image, ImageDraw

from langchain_hugginggpt.tools.artifacts import Artifact, ArtifactStore
from langchain_hugginggpt.tools.media import wav_bytes
from langchain_hugginggpt.tools.video import mp4_bytes

INPUTS = Path(__file__).parents[2] / "examples" / "inputs"


class Samples:
    """Pictures, sounds, videos and tables, each stored once.

    Args:
        store: where they go.
    """

    def __init__(self, store: ArtifactStore) -> None:
        self.store = store

    def example(self, name: str) -> Artifact:
        """A file of examples/inputs."""
        return self.store.add_file(INPUTS / name)

    @cached_property
    def picture(self) -> Artifact:
        """96 x 64 pixels: a red square and a blue disc on grey."""
        image = Image.new("RGB", (96, 64), (200, 200, 200))
        draw = ImageDraw.Draw(image)
        draw.rectangle((8, 8, 40, 40), fill=(220, 30, 30))
        draw.ellipse((56, 16, 88, 48), fill=(30, 30, 220))
        return self.of_image(image, "shapes.png")

    def of_image(self, image: Image.Image, name: str = "picture.png", **options: Any) -> Artifact:
        """A picture as a file; the format by the name's suffix."""
        out = io.BytesIO()
        image.save(out, Path(name).suffix[1:].upper().replace("JPG", "JPEG"), **options)
        return self.store.put(out.getvalue(), name=name)

    @cached_property
    def sound(self) -> Artifact:
        """Two seconds of a tone that rises, at 16 kHz."""
        return self.tone(2.0)

    def tone(self, seconds: float, *, rate: int = 16_000) -> Artifact:
        """A rising tone as wav."""
        at = np.arange(int(seconds * rate)) / rate
        wave = np.sin(2 * np.pi * (220 + 60 * at) * at) * 0.4
        return self.store.put(wav_bytes((wave * 32767).astype("<i2").tobytes(), rate=rate), name=f"tone-{seconds:g}s.wav")

    def recording(self, name: str, *, seconds: float = 3.0, rate: int = 22_050, channels: int = 2, subtype: str | None = None) -> Artifact:
        """A tone of 440 Hz; the format by the name's suffix: wav, flac, ogg, mp3."""
        at = np.arange(int(seconds * rate)) / rate
        wave = 0.5 * np.sin(2 * np.pi * 440 * at)
        out = io.BytesIO()
        soundfile.write(out, np.stack([wave] * channels, axis=1), rate, format=Path(name).suffix[1:].upper(), subtype=subtype)
        return self.store.put(out.getvalue(), name=name)

    @cached_property
    def video(self) -> Artifact:
        """Three seconds, 64 x 48 pixels, 10 frames a second: a white square that moves from left to right over black."""
        return self.moving_square(30)

    def moving_square(self, frames: int, *, fps: float = 10.0) -> Artifact:
        """A square of 8 pixels whose left side is at 0 in the first frame and at 56 in the last; 64 x 48 pixels."""
        pictures = [np.zeros((48, 64, 3), np.uint8) for _ in range(frames)]
        for number, picture in enumerate(pictures):
            left = round(56 * number / max(1, frames - 1))
            picture[20:28, left : left + 8] = 255
        return self.store.put(mp4_bytes(pictures, fps=fps), name="square.mp4")
