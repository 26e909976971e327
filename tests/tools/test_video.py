"""Frames of videos and videos of frames."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from langchain_hugginggpt.tools.artifacts import ArtifactStore
from langchain_hugginggpt.tools.errors import MediaError
from langchain_hugginggpt.tools.video import VideoFrames, mp4_bytes, read_frames
from tests.local_models.samples import Samples


@pytest.fixture
def samples(tmp_path: Path) -> Samples:
    return Samples(ArtifactStore(tmp_path))


def lefts(video: VideoFrames) -> list[int]:
    """Where the square of the sample video begins in each frame, which tells the time."""
    return [int((np.asarray(f)[24, :, 0] > 128).argmax()) for f in video.frames]


@pytest.mark.parametrize("count", [2, 3, 5, 29, 30])
def test_frames_are_evenly_spread_from_the_first_to_the_last(samples: Samples, count: int) -> None:
    video = read_frames(samples.video, count)
    assert video.duration == pytest.approx(3)
    assert video.fps == pytest.approx(10)
    assert video.seconds == pytest.approx(np.linspace(0, 2.9, count), abs=0.051)
    assert lefts(video) == pytest.approx(np.array(video.seconds) * 56 / 2.9, abs=1.5)
    assert {f.size for f in video.frames} == {(64, 48)}
    assert {f.mode for f in video.frames} == {"RGB"}


def test_a_single_frame_is_from_the_middle(samples: Samples) -> None:
    assert read_frames(samples.video, 1).seconds == pytest.approx([1.45], abs=0.06)


def test_a_video_of_one_frame_repeats_it(samples: Samples) -> None:
    video = read_frames(samples.moving_square(1), 16)
    assert len(video.frames) == 16
    assert video.seconds == (0,) * 16
    assert video.duration > 0


def test_a_long_video_is_not_decoded_as_a_whole(samples: Samples) -> None:
    """Ten minutes at five frames a second."""
    decoded: list[int] = []
    video = read_frames(samples.moving_square(3000, fps=5), 8, between=lambda: decoded.append(1))
    assert video.seconds == pytest.approx(np.linspace(0, 599.8, 8), abs=0.2)
    assert lefts(video) == pytest.approx([8 * i for i in range(8)], abs=1)
    assert len(decoded) < 1500


def test_reading_ends_when_it_is_told_to(samples: Samples) -> None:
    def enough() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        read_frames(samples.video, 4, between=enough)


def streamed(frames: int) -> bytes:
    """A webm file that does not say how long it is."""

    class Pipe:
        def __init__(self) -> None:
            self.data = io.BytesIO()

        def write(self, data: bytes) -> int:
            return self.data.write(data)

    pipe = Pipe()
    with av.open(pipe, "w", format="webm") as container:
        stream: Any = container.add_stream("libvpx", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(frames):
            picture = np.zeros((48, 64, 3), np.uint8)
            left = round(56 * number / max(1, frames - 1))
            picture[20:28, left : left + 8] = 255
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return pipe.data.getvalue()


@pytest.mark.parametrize("frames", [1, 5, 200])
def test_a_video_of_unknown_length(samples: Samples, frames: int) -> None:
    video = read_frames(samples.store.put(streamed(frames)), 4)
    last = (frames - 1) / 10
    assert video.seconds == pytest.approx(np.linspace(0, last, 4), abs=0.05 + last / 20)
    assert video.duration == pytest.approx(frames / 10, abs=0.1 + last / 20)


def test_large_frames_are_scaled_down_and_turned_upright(samples: Samples) -> None:
    wide = read_frames(samples.store.put(mp4_bytes([Image.new("RGB", (2560, 320), "red")], fps=1)), 1)
    assert wide.frames[0].size == (1280, 160)
    assert np.asarray(wide.frames[0])[80, 640] == pytest.approx([255, 0, 0], abs=12)


def test_the_display_rotation_is_heeded(samples: Samples) -> None:
    """The matrix in the track header, as phones write it: a quarter turn clockwise."""
    picture = Image.new("RGB", (64, 32), "black")
    picture.paste("white", (0, 0, 32, 32))
    data = bytearray(mp4_bytes([picture], fps=1))
    at = data.index(b"tkhd") + 44  # the matrix follows 40 bytes of version, times, id, layer and volume
    quarter = [0, 1, 0, -1, 0, 0, 32, 0, 1]
    scale = [16, 16, 30, 16, 16, 30, 16, 16, 30]
    data[at : at + 36] = b"".join((v << s).to_bytes(4, "big", signed=True) for v, s in zip(quarter, scale, strict=True))
    (frame,) = read_frames(samples.store.put(bytes(data)), 1).frames
    assert frame.size == (32, 64)
    pixels = np.asarray(frame)[:, :, 0]
    assert pixels[:30].mean() > 200
    assert pixels[34:].mean() < 50


def test_a_file_without_moving_pictures(samples: Samples) -> None:
    with pytest.raises(MediaError, match="holds no moving pictures"):
        read_frames(samples.sound, 4)


@pytest.mark.parametrize("data", [b"\x00\x00\x00 ftypisom" + b"x" * 100, b"\x1aE\xdf\xa3" + b"y" * 99])
def test_a_damaged_file(samples: Samples, data: bytes) -> None:
    with pytest.raises(MediaError, match="cannot be read as a video"):
        read_frames(samples.store.put(data), 4)


def test_a_file_that_is_cut_off(samples: Samples) -> None:
    data = samples.moving_square(100).path.read_bytes()
    with pytest.raises(MediaError, match=r"cut off|cannot be read"):
        read_frames(samples.store.put(data[: len(data) // 2]), 4)


@pytest.mark.parametrize("count", [0, -1, 1001])
def test_a_count_that_is_no_count(samples: Samples, count: int) -> None:
    with pytest.raises(ValueError, match="count must be 1 to 1000"):
        read_frames(samples.video, count)


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (33, 17), (64, 48), (1, 4000)])
@pytest.mark.parametrize("frames", [1, 7])
def test_mp4_of_any_size(size: tuple[int, int], frames: int) -> None:
    pictures = [Image.new("RGB", size, (200, 30, 30))] * frames
    with av.open(io.BytesIO(mp4_bytes(pictures, fps=7.5)), "r") as container:
        stream = container.streams.video[0]
        found = list(container.decode(stream))
        assert len(found) == frames
        assert (found[0].width, found[0].height) == (size[0] + size[0] % 2, size[1] + size[1] % 2)
        assert float(stream.average_rate or 0) == pytest.approx(7.5)
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert found[0].to_ndarray(format="rgb24").mean((0, 1)) == pytest.approx([200, 30, 30], abs=12)


def test_mp4_of_numbers_between_0_and_1() -> None:
    frames = np.linspace(0, 1, 5)[:, None, None, None] * np.ones((5, 16, 16, 3))
    with av.open(io.BytesIO(mp4_bytes(list(frames), fps=24)), "r") as container:
        grey = [f.to_ndarray(format="rgb24").mean() for f in container.decode(video=0)]
    assert grey == pytest.approx([0, 64, 128, 191, 255], abs=8)


@pytest.mark.parametrize(
    ("frames", "fps", "message"),
    [
        ([], 8, "at least one frame"),
        ([np.zeros((4, 4, 3), np.uint8)], 0, "fps"),
        ([np.zeros((4, 4, 3), np.uint8)], float("nan"), "fps"),
        ([np.zeros((4, 4, 3), np.uint8)], 1000, "fps"),
        ([np.zeros((4, 4), np.uint8)], 8, "shape"),
        ([np.zeros((4, 4, 3), np.int64)], 8, "bytes or floating-point"),
        ([np.zeros((4, 4, 3), np.uint8), np.zeros((8, 4, 3), np.uint8)], 8, "frame 1 is 4 x 8 pixels; those before are 4 x 4"),
    ],
)
def test_what_makes_no_video(frames: list[Any], fps: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        mp4_bytes(frames, fps=fps)
