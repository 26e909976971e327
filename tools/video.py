"""Videos: frames of one, evenly spread over it, and mp4 files of pictures. With PyAV, of the extra `local`."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from .artifacts import Artifact
from .errors import MediaError, MissingExtraError
from .media import MAX_SECONDS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

MAX_FRAME_PIXELS = 36_000_000  # 8K
MAX_FRAMES = 1_000  # that are held at once
LONGEST_SIDE = 1_280
_SEEK_SECONDS = 12.0  # a step from which on jumping to a key frame is cheaper than decoding on: most files have one each ten seconds
_TICKS = 1_000_000  # PyAV seeks in microseconds
_HIGHEST_FPS = 240.0


@dataclass(frozen=True, kw_only=True)
class VideoFrames:
    """Frames of a video.

    Attributes:
        frames: RGB pictures, upright, in order of time; never empty.
        seconds: when each is shown.
        duration: of the video in seconds; more than 0.
        fps: frames a second on the average; 0 where the file does not say.
    """

    frames: tuple[Image.Image, ...]
    seconds: tuple[float, ...]
    duration: float
    fps: float


def mp4_bytes(frames: Sequence[Image.Image | NDArray[Any]], *, fps: float) -> bytes:
    """An mp4 file of pictures: H.264 (MPEG-4 part 2 where PyAV has no H.264), yuv420p, which browsers and phones play.

    Args:
        frames: all of one size; pictures of Pillow, or arrays (height, width, 3) of bytes or of floating-point numbers in 0..1. An odd width
            or height gets one more column or row, a copy of the last, since the codec wants even ones.
        fps: frames a second, more than 0 and up to 240.

    Raises:
        ValueError: no frames, frames of different sizes or forms, or such an fps.
        MissingExtraError: PyAV is not installed.
    """
    av = _av()
    if not frames:
        raise ValueError("a video needs at least one frame")
    if not 0 < fps <= _HIGHEST_FPS:
        raise ValueError(f"fps must be more than 0 and at most {_HIGHEST_FPS:g}, not {fps!r}")
    rate = Fraction(fps).limit_denominator(1001) or Fraction(1, 1001)
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = None
        size: tuple[int, ...] = ()
        for number, given in enumerate(frames):
            pixels = _even(given)
            if stream is None:
                size = pixels.shape
                stream = container.add_stream(_codec(av), rate=rate)
                stream.height, stream.width, stream.pix_fmt = size[0], size[1], "yuv420p"
                stream.options = {"crf": "18"} if stream.codec.name == "libx264" else {"qscale": "3"}
            if pixels.shape != size:
                raise ValueError(f"frame {number} is {pixels.shape[1]} x {pixels.shape[0]} pixels; those before are {size[1]} x {size[0]}")
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        assert stream is not None
        container.mux(stream.encode(None))
    return out.getvalue()


def _codec(av: Any) -> str:
    return next((n for n in ("libx264", "libopenh264") if n in av.codecs_available), "mpeg4")


def _even(frame: Image.Image | NDArray[Any]) -> NDArray[np.uint8]:
    """A picture as bytes (height, width, 3), height and width even."""
    import numpy as np

    array = np.asarray(frame if isinstance(frame, np.ndarray) else frame.convert("RGB"))
    if array.ndim != 3 or array.shape[2] != 3 or 0 in array.shape:
        raise ValueError(f"a frame must have the shape (height, width, 3), not {array.shape}")
    if array.dtype != np.uint8:
        if not np.issubdtype(array.dtype, np.floating):
            raise ValueError(f"a frame must hold bytes or floating-point numbers, not {array.dtype}")
        array = (np.nan_to_num(array.astype(np.float32)).clip(0, 1) * 255).round().astype(np.uint8)
    height, width = array.shape[:2]
    return np.ascontiguousarray(np.pad(array, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge"))


def _av() -> Any:
    try:
        import av
    except ImportError as e:
        raise MissingExtraError("av", "local") from e
    return av
