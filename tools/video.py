"""Videos: frames of one, evenly spread over it, and mp4 files of pictures. With PyAV, of the extra `local`."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from .artifacts import Artifact
from .containers import import_av, opened
from .errors import MediaError
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


def read_frames(artifact: Artifact, count: int, *, between: Callable[[], object] = lambda: None) -> VideoFrames:
    """Frames evenly spread from the first to the last. A frame may come more than once where the video has fewer.

    Not everything is decoded where jumping is cheaper. Frames come at most 1,280 pixels wide or high.

    Args:
        artifact: a video.
        count: how many frames, 1 to 1,000; a single one is from the middle.
        between: called after each frame that is decoded; what it raises ends the reading.

    Raises:
        MediaError: no video, a damaged one, one longer than four hours or of more than 36 million pixels a frame.
        MissingExtraError: PyAV is not installed.
        ValueError: such a count.
    """
    if not 1 <= count <= MAX_FRAMES:
        raise ValueError(f"count must be 1 to {MAX_FRAMES}, not {count}")
    with opened(artifact, kind="video") as container:
        if not container.streams.video:
            raise MediaError(f"{artifact.name!r} holds no moving pictures, or is cut off.", remedy="Give a whole video file.")
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        _check(artifact, stream.width * stream.height, _duration(container, stream) or 0)
        reader = _Reader(artifact=artifact, container=container, stream=stream, between=between)
        found = reader.known(count) if reader.last is not None else reader.thinned(count)
    if not found:
        raise MediaError(f"The video {artifact.name!r} holds not a single frame.", remedy="Give a video that has content.")
    fps = float(stream.average_rate or 0)
    times = [t for t, _ in found]
    duration = reader.duration or times[-1] + (1 / fps if fps else 0.0) or 1.0
    return VideoFrames(frames=tuple(p for _, p in found), seconds=tuple(times), duration=duration, fps=fps)


def read_frame(artifact: Artifact, seconds: float) -> Image.Image:
    """The frame that is shown at a time: an RGB picture, upright, at most 1,280 pixels wide or high.

    Raises:
        MediaError: as in `read_frames`; the video ends before.
        MissingExtraError: PyAV is not installed.
    """
    with opened(artifact, kind="video") as container:
        if not container.streams.video:
            raise MediaError(f"{artifact.name!r} holds no moving pictures, or is cut off.", remedy="Give a whole video file.")
        stream = container.streams.video[0]
        duration = _duration(container, stream)
        _check(artifact, stream.width * stream.height, duration or 0)
        if duration is not None and seconds > duration:
            told = f"The video {artifact.name!r} lasts {duration:.1f} s; there is no frame at {seconds:g} s."
            raise MediaError(told, remedy="Name an earlier time.")
        reader = _Reader(artifact=artifact, container=container, stream=stream, between=lambda: None)
        if duration is not None and seconds >= _SEEK_SECONDS:
            container.seek(int((seconds + reader.begin) * _TICKS))
        found = reader.at([seconds])
    if not found:
        raise MediaError(f"The video {artifact.name!r} holds not a single frame.", remedy="Give a video that has content.")
    return found[0][1]


def _check(artifact: Artifact, pixels: int, seconds: float) -> None:
    if pixels > MAX_FRAME_PIXELS:
        raise MediaError(
            f"A frame of the video {artifact.name!r} has {pixels:,} pixels; at most {MAX_FRAME_PIXELS:,} are read.", remedy="Scale it down."
        )
    if seconds > MAX_SECONDS:
        raise MediaError(f"The video {artifact.name!r} is longer than {MAX_SECONDS // 3600} hours.", remedy="Cut it.")


def _duration(container: Any, stream: Any) -> float | None:
    """In seconds; None where the file does not say."""
    if stream.duration:
        return float(stream.duration * stream.time_base)
    return container.duration / _TICKS if container.duration else None


_Found = list[tuple[float, "Image.Image"]]


@dataclass(kw_only=True)
class _Reader:
    """Takes frames out of an open video. Times are seconds from its beginning."""

    artifact: Artifact
    container: Any
    stream: Any
    between: Callable[[], object]

    def __post_init__(self) -> None:
        self.duration = _duration(self.container, self.stream)
        self.begin = float((self.stream.start_time or 0) * self.stream.time_base)
        self.step = 1 / float(self.stream.average_rate) if self.stream.average_rate else 0.04

    @property
    def last(self) -> float | None:
        """When the last frame is shown, as far as the file says."""
        return None if self.duration is None else max(0.0, self.duration - self.step)

    def decoded(self) -> Iterator[tuple[float, Any]]:
        """Frames from where the file stands, with their times."""
        time = -self.step
        for frame in self.container.decode(self.stream):
            time = frame.time - self.begin if frame.time is not None else time + self.step
            _check(self.artifact, frame.width * frame.height, time)
            self.between()
            yield time, frame

    def known(self, count: int) -> _Found:
        """Frames at times that are known beforehand."""
        assert self.last is not None
        gap = self.last / max(1, count - 1)
        wanted = [gap * i for i in range(count)] if count > 1 else [self.last / 2]
        if gap < _SEEK_SECONDS:
            return self.at(wanted)
        found: _Found = []
        for time in wanted:
            self.container.seek(int((time + self.begin) * _TICKS))
            found += self.at([time]) or found[-1:]  # beyond the end, where a file is shorter than it says
        return found

    def at(self, wanted: Sequence[float]) -> _Found:
        """The first frames that are shown at these times, decoding from where the file stands; the last one when it ends before."""
        found: _Found = []
        ahead = [t - self.step / 2 for t in wanted]
        latest: tuple[float, Any] | None = None
        picture: Image.Image | None = None
        for time, frame in self.decoded():
            latest, picture = (time, frame), None
            while len(found) < len(ahead) and time >= ahead[len(found)]:
                picture = picture or _picture(frame)
                found.append((time, picture))
            if len(found) == len(ahead):
                return found
        if latest is not None:
            found += [(latest[0], picture or _picture(latest[1]))] * (len(ahead) - len(found))
        return found

    def thinned(self, count: int) -> _Found:
        """Frames of a video of unknown length: every second one is dropped whenever there are too many."""
        most = 2 * max(count, 16)
        every, kept = 1, []
        for number, (time, frame) in enumerate(self.decoded()):
            if number % every == 0:
                kept.append((time, _picture(frame)))
                if len(kept) > most:
                    every, kept = every * 2, kept[::2]
        if not kept:
            return []
        if count == 1:
            return [kept[(len(kept) - 1) // 2]]
        return [kept[round(i * (len(kept) - 1) / (count - 1))] for i in range(count)]


def _picture(frame: Any) -> Image.Image:
    """An RGB picture, upright, not larger than is read."""
    shrink = min(1.0, LONGEST_SIDE / max(frame.width, frame.height))
    size = {"width": max(1, round(frame.width * shrink)), "height": max(1, round(frame.height * shrink))} if shrink < 1 else {}
    picture: Image.Image = frame.reformat(format="rgb24", interpolation="AREA", **size).to_image()
    return picture.rotate(frame.rotation, expand=True) if frame.rotation else picture


def mp4_bytes(frames: Sequence[Image.Image | NDArray[Any]], *, fps: float) -> bytes:
    """An mp4 file of pictures: H.264 (MPEG-4 part 2 where PyAV has no H.264), yuv420p, which browsers and phones play.

    Args:
        frames: all of one size; pictures of Pillow, or arrays (height, width, 3) of bytes or of floating-point numbers in 0..1. An odd
            width or height gets one more column or row, a copy of the last, since the codec wants even ones.
        fps: frames a second, more than 0 and up to 240.

    Raises:
        ValueError: no frames, frames of different sizes or forms, or such an fps.
        MissingExtraError: PyAV is not installed.
    """
    av = import_av()
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
