"""Recordings as a stream of samples: every format, no seams, bounded memory, and what is wrong with them."""

from __future__ import annotations

import io
import struct
import tracemalloc
import wave
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile

from langchain_hugginggpt.tools.artifacts import Artifact, ArtifactStore
from langchain_hugginggpt.tools.audio import float_wav_bytes, read_blocks, read_windows
from langchain_hugginggpt.tools.errors import MediaError
from tests.local_models.samples import Samples


@pytest.fixture
def samples(tmp_path: Path) -> Samples:
    return Samples(ArtifactStore(tmp_path))


def whole(artifact: Artifact, rate: int = 16_000) -> np.ndarray:
    return np.concatenate(list(read_blocks(artifact, rate=rate)))


def pitch(samples: np.ndarray, rate: int = 16_000) -> float:
    return float(np.abs(np.fft.rfft(samples)).argmax() * rate / len(samples))


def by_av(codec: str, container_format: str, *, rate: int = 48_000, seconds: float = 3.0) -> bytes:
    """A tone of 440 Hz in a format that soundfile does not write."""
    out = io.BytesIO()
    tone = (0.5 * np.sin(2 * np.pi * 440 * np.arange(int(rate * seconds)) / rate)).astype(np.float32)
    with av.open(out, "w", format=container_format) as container:
        stream: Any = container.add_stream(codec, rate=rate)
        frame = av.AudioFrame.from_ndarray(np.stack([tone, tone]), format="fltp", layout="stereo")
        frame.sample_rate = rate
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()


def wav_header(count: int, *, rate: int = 8_000, bits: int = 8, channels: int = 1) -> bytes:
    block = channels * bits // 8
    return (
        b"RIFF" + struct.pack("<I", 36 + count) + b"WAVEfmt "
        + struct.pack("<IHHIIHH", 16, 1, channels, rate, rate * block, block, bits) + b"data" + struct.pack("<I", count)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "subtype", "rate"),
    [("a.wav", None, 22_050), ("a.wav", "FLOAT", 44_100), ("a.wav", "ULAW", 8_000),
     ("a.wav", "IMA_ADPCM", 22_050), ("a.wav", "PCM_U8", 4_000),
     ("a.flac", None, 96_000), ("a.ogg", None, 44_100), ("a.ogg", "OPUS", 48_000), ("a.mp3", None, 44_100)],
)  # fmt: skip
def test_formats_that_soundfile_reads(samples: Samples, name: str, subtype: str | None, rate: int) -> None:
    sound = whole(samples.recording(name, rate=rate, subtype=subtype))
    assert sound.dtype == np.float32
    assert len(sound) / 16_000 == pytest.approx(3, abs=0.1)
    assert pitch(sound) == pytest.approx(440, abs=1)
    assert np.abs(sound).max() == pytest.approx(0.5, abs=0.08)


@pytest.mark.parametrize(("codec", "container_format"), [("aac", "ipod"), ("aac", "adts"), ("libopus", "webm"), ("aac", "matroska")])
def test_formats_that_pyav_reads(samples: Samples, codec: str, container_format: str) -> None:
    sound = whole(samples.store.put(by_av(codec, container_format), media_type="audio/aac"))
    assert len(sound) / 16_000 == pytest.approx(3, abs=0.1)
    assert pitch(sound) == pytest.approx(440, abs=1)
    assert np.abs(sound).max() == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("given", [8_000, 11_025, 44_100, 44_099, 96_000])
def test_resampling_has_no_seams_and_keeps_the_time(samples: Samples, given: int) -> None:
    """Against the tone itself at the other rate, over the borders of the blocks."""
    sound = whole(samples.recording("a.wav", seconds=4, rate=given, channels=1, subtype="FLOAT"))
    at = np.arange(len(sound)) / 16_000
    wanted = 0.5 * np.sin(2 * np.pi * 440 * at)
    assert len(sound) == 4 * 16_000
    assert np.abs(sound - wanted)[300:-300].max() < 1e-3


def test_what_the_lower_rate_cannot_hold_is_taken_out(samples: Samples) -> None:
    at = np.arange(48_000) / 48_000
    high = samples.store.put(float_wav_bytes(0.5 * np.sin(2 * np.pi * 12_000 * at), rate=48_000))
    assert np.abs(whole(high)[300:-300]).max() < 0.005


def test_channels_are_averaged(samples: Samples) -> None:
    both = np.stack([np.full(1600, 0.5), np.full(1600, -0.1)], axis=1)
    assert whole(samples.store.put(float_wav_bytes(both, rate=16_000))) == pytest.approx(0.2, abs=1e-3)


def test_three_hours_take_little_memory(tmp_path: Path) -> None:
    """86 MB of wav, 346 MB as floating-point numbers at once; read at the same rate. The file is sparse."""
    path = tmp_path / "long.wav"
    count = 3 * 3600 * 8_000
    with path.open("wb") as f:
        f.write(wav_header(count))
        f.truncate(44 + count)
    artifact = Artifact(id="artifact-0", path=path, media_type="audio/wav", name="long.wav", size=44 + count)
    tracemalloc.start()
    try:
        assert sum(len(w) for w in read_windows(artifact, rate=8_000, seconds=30)) == count
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_more_than_four_hours_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    count = (4 * 3600 + 2) * 1_000
    path.write_bytes(wav_header(count, rate=1_000) + bytes(count))
    artifact = Artifact(id="artifact-0", path=path, media_type="audio/wav", name="long.wav", size=44 + count)
    with pytest.raises(MediaError, match=r"'long.wav' is longer than 4 hours"):
        list(read_blocks(artifact, rate=1_000))


@pytest.mark.parametrize("seconds", [0.25, 1.0, 7.0, 100.0])
def test_windows_are_all_of_it(samples: Samples, seconds: float) -> None:
    tone = samples.tone(8.1)
    windows = list(read_windows(tone, rate=16_000, seconds=seconds))
    assert np.array_equal(np.concatenate(windows), whole(tone))
    assert all(len(w) == seconds * 16_000 for w in windows[:-1])
    assert 0 < len(windows[-1]) <= seconds * 16_000


def test_one_sample_is_a_recording(samples: Samples) -> None:
    one = samples.store.put(float_wav_bytes(np.array([0.5]), rate=16_000))
    assert whole(one) == pytest.approx([0.5], abs=1e-3)
    assert len(whole(one, 48_000)) == 3
    assert len(whole(one, 1_000)) == 1


def test_a_streamed_wav_that_claims_four_gigabytes(samples: Samples) -> None:
    data = bytearray(float_wav_bytes(np.full(1600, 0.5), rate=16_000))
    data[4:8] = data[40:44] = b"\xff\xff\xff\xff"
    assert len(whole(samples.store.put(bytes(data)))) == 1600


def test_a_wav_that_is_cut_off_gives_what_there_is(samples: Samples) -> None:
    data = float_wav_bytes(np.full(1600, 0.5), rate=16_000)
    assert 790 <= len(whole(samples.store.put(data[: 44 + 1601]))) <= 801


@pytest.mark.parametrize(
    ("data", "media_type", "message"),
    [
        (wav_header(0), None, "holds no sound"),
        (b"RIFF\x10\x00\x00\x00WAVEjunk", None, "cannot be read as a recording"),
        (b"fLaC" + bytes(50), None, "cannot be read as a recording"),
        (b"ID3\x03" + bytes(500), None, "cannot be read as a recording|holds no sound"),
        (b"\x00\x01\x02\x03" * 50, "audio/x-unknown", "cannot be read as a recording"),
        (wav_header(1600, rate=200) + bytes(1600), None, "sampled at 200 Hz; 1,000 to 768,000 Hz"),
    ],
)
def test_what_is_no_recording(samples: Samples, data: bytes, media_type: str | None, message: str) -> None:
    with pytest.raises(MediaError, match=message):
        whole(samples.store.put(data, name="", media_type=media_type))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_samples_that_are_no_numbers(samples: Samples, bad: float) -> None:
    sound = np.zeros(32_000, np.float32)
    sound[24_000] = bad
    out = io.BytesIO()
    soundfile.write(out, sound, 16_000, format="WAV", subtype="FLOAT")
    with pytest.raises(MediaError, match=r"no numbers, after 1\.50 s"):
        whole(samples.store.put(out.getvalue()))


def test_playlists_are_not_followed(samples: Samples, tmp_path: Path) -> None:
    other = samples.tone(1.0)
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{other.path}\n#EXT-X-ENDLIST\n".encode()
    path = tmp_path / "list.m3u8"
    path.write_bytes(playlist)
    artifact = Artifact(id="artifact-0", path=path, media_type="audio/mpegurl", name="list.m3u8", size=len(playlist))
    with pytest.raises(MediaError, match="cannot be read as a recording"):
        whole(artifact)


def test_a_video_without_sound(samples: Samples) -> None:
    with pytest.raises(MediaError, match="holds no sound"):
        whole(samples.video)


def test_a_file_that_is_gone(samples: Samples) -> None:
    tone = samples.tone(1.0)
    tone.path.unlink()
    with pytest.raises(MediaError, match="cannot be read: No such file"):
        whole(tone)


def test_wav_of_two_channels() -> None:
    data = float_wav_bytes(np.array([[0.5, -0.5], [1.0, 0.0]]), rate=8_000)
    with wave.open(io.BytesIO(data)) as f:
        assert (f.getnchannels(), f.getframerate(), f.getsampwidth()) == (2, 8_000, 2)
        assert np.frombuffer(f.readframes(9), "<i2").tolist() == [16384, -16384, 32767, 0]


def test_wav_of_too_loud_samples_is_scaled_as_a_whole() -> None:
    data = float_wav_bytes(np.array([2.0, -1.0, np.nan, np.inf]), rate=8_000)
    with wave.open(io.BytesIO(data)) as f:
        assert np.frombuffer(f.readframes(9), "<i2").tolist() == [32767, -16384, 0, 0]


def test_wav_of_another_shape() -> None:
    with pytest.raises(ValueError, match="shape"):
        float_wav_bytes(np.zeros((2, 3, 4)), rate=8_000)
