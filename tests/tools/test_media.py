"""Pictures, sound and text from files: good ones, odd ones and damaged ones."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from langchain_hugginggpt.tools import Artifact, ArtifactStore
from langchain_hugginggpt.tools.errors import MediaError
from langchain_hugginggpt.tools.media import load_image, load_text, load_wav, wav_bytes


@pytest.fixture
def take(tmp_path: Path) -> Callable[[bytes], Artifact]:
    return ArtifactStore(tmp_path).put


def saved(picture: Image.Image, form: str = "PNG", **kwargs: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, form, **kwargs)
    return out.getvalue()


def named(path: Path, data: bytes) -> Artifact:
    """An artifact that says it is a picture or a sound, whatever it holds."""
    path.write_bytes(data)
    return Artifact(id="artifact-0000000000000000", path=path, media_type="image/png", name=path.name, size=len(data))


def claims(width: int, height: int) -> bytes:
    """The beginning of a PNG file of that size."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head)) + b"\x00\x00\x00\x00IDAT"


# --- pictures


def test_a_picture_is_turned_upright(take: Callable[[bytes], Artifact]) -> None:
    picture = Image.new("RGB", (4, 2), "white")
    picture.putpixel((0, 0), (255, 0, 0))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    upright = load_image(take(saved(picture, "PNG", exif=exif)))
    assert upright.size == (2, 4)
    assert upright.getpixel((1, 0)) == (255, 0, 0)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_what_is_transparent_becomes_white(take: Callable[[bytes], Artifact], mode: str) -> None:
    picture = Image.new("RGBA", (2, 1), (0, 0, 0, 0))
    picture.putpixel((1, 0), (0, 0, 0, 255))
    loaded = load_image(take(saved(picture.convert(mode))))
    assert loaded.mode == "RGB"
    assert [loaded.getpixel((x, 0)) for x in (0, 1)] == [(255, 255, 255), (0, 0, 0)]


def test_a_transparent_colour_of_a_palette_becomes_white(take: Callable[[bytes], Artifact]) -> None:
    picture = Image.new("P", (2, 1))
    picture.putpalette([10, 20, 30, 200, 100, 50])
    picture.putpixel((1, 0), 1)
    loaded = load_image(take(saved(picture, transparency=0)))
    assert [loaded.getpixel((x, 0)) for x in (0, 1)] == [(255, 255, 255), (200, 100, 50)]


@pytest.mark.parametrize(("mode", "value", "expected"), [("1", 1, 255), ("L", 77, 77), ("I;16", 30_000, 117)])
def test_grey_pictures_keep_their_greys(take: Callable[[bytes], Artifact], mode: str, value: int, expected: int) -> None:
    assert load_image(take(saved(Image.new(mode, (2, 2), value)))).getpixel((1, 1)) == (expected,) * 3


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
def test_formats(take: Callable[[bytes], Artifact], form: str) -> None:
    loaded = load_image(take(saved(Image.new("RGB", (9, 5), (255, 0, 0)), form)))
    assert (loaded.mode, loaded.size) == ("RGB", (9, 5))


@pytest.mark.parametrize(("width", "height"), [(20_000, 20_000), (9_500, 9_500), (8_001, 8_000), (64_000_001, 1)])
def test_a_picture_that_is_too_large_is_refused_unread(take: Callable[[bytes], Artifact], width: int, height: int) -> None:
    with pytest.raises(MediaError, match=r"is too large; at most 64 million pixels are read\. Scale it down\."):
        load_image(take(claims(width, height)))


def test_a_picture_at_the_limit_is_read_until_its_data_ends(take: Callable[[bytes], Artifact], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("langchain_hugginggpt.tools.media.MAX_PIXELS", 100)
    assert load_image(take(saved(Image.new("L", (10, 10))))).size == (10, 10)
    with pytest.raises(MediaError, match="too large"):
        load_image(take(saved(Image.new("L", (101, 1)))))


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    for data in (b"just words", b"", b"\x00" * 100, b"\x89PNG\r\n\x1a\n", b"GIF89a"):
        with pytest.raises(MediaError, match=r"'a\.png' (is no picture|cannot be read as a picture).* Give a PNG or JPEG file\."):
            load_image(named(tmp_path / "a.png", data))


@pytest.mark.filterwarnings("ignore")  # Pillow warns of damage that it reads over
@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
def test_damage_never_shows_as_anything_but_a_media_error(tmp_path: Path, form: str) -> None:
    rng = np.random.default_rng(0)
    whole = saved(Image.fromarray(rng.integers(0, 255, (40, 30, 3), np.uint8)), form)
    refused = 0
    for i in range(60):
        data = bytearray(whole[: int(len(whole) * (i + 1) / 61)] if i % 2 else whole)
        for _ in range(i % 4 if i % 2 else 8):
            data[int(rng.integers(len(data)))] = int(rng.integers(256))
        try:
            assert load_image(named(tmp_path / "a", bytes(data))).mode == "RGB"
        except MediaError:
            refused += 1
    assert refused > 10


# --- sound


def wav(samples: bytes, *, width: int, channels: int = 1, rate: int = 16_000, claimed: int | None = None, form: int = 1) -> bytes:
    head = struct.pack("<IHHIIHH", 16, form, channels, rate, rate * channels * width, channels * width, 8 * width)
    size = len(samples) if claimed is None else claimed
    return b"RIFF" + struct.pack("<I", 36 + len(samples)) + b"WAVEfmt " + head + b"data" + struct.pack("<I", size) + samples


def encoded(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]], width: int) -> bytes:
    if width == 1:
        return np.round(values * 127 + 128).astype(np.uint8).tobytes()
    whole = np.round(values * (2 ** (8 * width - 1) - 1)).astype("<i4")
    return b"".join(int(v).to_bytes(width, "little", signed=True) for v in whole.ravel())


VALUES = np.array([0.0, 0.5, -0.5, 0.99, -0.99, 0.001, 0.0])


@pytest.mark.parametrize(("width", "precision"), [(1, 0.01), (2, 1e-4), (3, 1e-6), (4, 1e-7)])
def test_every_width(take: Callable[[bytes], Artifact], width: int, precision: float) -> None:
    loaded = load_wav(take(wav(encoded(VALUES, width), width=width)))
    assert loaded.dtype == np.float32
    np.testing.assert_allclose(loaded, VALUES, atol=precision)


def test_channels_are_averaged(take: Callable[[bytes], Artifact]) -> None:
    both = np.stack([VALUES, np.zeros_like(VALUES)], 1)
    np.testing.assert_allclose(load_wav(take(wav(encoded(both, 2), width=2, channels=2))), VALUES / 2, atol=1e-4)


def peak(samples: np.ndarray[tuple[int, ...], np.dtype[np.float32]], rate: int) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * rate / len(samples))


@pytest.mark.parametrize("given", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("wanted", [16_000, 8_000])
def test_another_rate_keeps_a_tone_and_its_length(take: Callable[[bytes], Artifact], given: int, wanted: int) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(given) / given)
    loaded = load_wav(take(wav(encoded(tone, 2), width=2, rate=given)), rate=wanted)
    assert len(loaded) == wanted
    assert peak(loaded, wanted) == pytest.approx(440, abs=1.5)
    middle = loaded[wanted // 4 : -wanted // 4]
    assert float(np.sqrt((middle**2).mean())) == pytest.approx(0.5 / np.sqrt(2), rel=0.03)


def test_a_tone_that_the_lower_rate_cannot_hold_does_not_come_back_as_another(take: Callable[[bytes], Artifact]) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 12_000 * np.arange(48_000) / 48_000)
    assert float(np.abs(load_wav(take(wav(encoded(tone, 2), width=2, rate=48_000)))[1000:-1000]).max()) < 0.01


def test_one_sample_is_enough(take: Callable[[bytes], Artifact]) -> None:
    assert load_wav(take(wav(b"\x00\x40", width=2, rate=44_100))).shape == (1,)


def test_a_cut_recording_is_read_as_far_as_it_goes(take: Callable[[bytes], Artifact]) -> None:
    whole = wav(encoded(VALUES, 2), width=2)
    np.testing.assert_allclose(load_wav(take(whole[:-5])), VALUES[:-3], atol=1e-4)


def test_a_streamed_recording_that_claims_four_gigabytes_is_read(take: Callable[[bytes], Artifact]) -> None:
    np.testing.assert_allclose(load_wav(take(wav(encoded(VALUES, 2), width=2, claimed=0xFFFFFFFF))), VALUES, atol=1e-4)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (wav(b"", width=2), r"holds no sound \(0 samples\)"),
        (wav(b"\x01", width=2), r"holds no sound \(0 samples\)"),
        (b"RIFF\x04\x00\x00\x00WAVE", "cannot be read as wav.*uncompressed"),
        (wav(b"\0" * 20, width=2)[:30], "cannot be read as wav"),
        (wav(b"\0" * 20, width=2, form=85), "cannot be read as wav: unknown format: 85.*uncompressed"),
        (wav(b"\0" * 20, width=2, channels=0), "cannot be read as wav"),
        (wav(b"\0" * 20, width=0), "cannot be read as wav"),
        (wav(b"\0" * 20, width=5), "has 40 bits at 16,000 Hz; 8 to 32 bits.*Convert it"),
        (wav(b"\0" * 20, width=2, rate=0), "at 0 Hz; 8 to 32 bits at 1,000 to 768,000 Hz"),
        (wav(b"\0" * 20, width=2, rate=10**9), "at 1,000,000,000 Hz"),
        (b"ID3\x04\x00\x00" + bytes(20), "cannot be read as wav: file does not start with RIFF"),
        (b"words", "cannot be read as wav: it ends too early"),
    ],
)
def test_what_is_no_recording_is_refused(take: Callable[[bytes], Artifact], data: bytes, said: str) -> None:
    with pytest.raises(MediaError, match=said):
        load_wav(take(data))


def test_a_recording_that_is_too_long_is_refused(take: Callable[[bytes], Artifact], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("langchain_hugginggpt.tools.media.MAX_SECONDS", 3600)
    monkeypatch.setattr("langchain_hugginggpt.tools.media.LOWEST_RATE", 1)
    assert len(load_wav(take(wav(b"\0" * 3600, width=1, rate=1)), rate=1)) == 3600
    with pytest.raises(MediaError, match=r"is longer than 1 hours\. Cut it\."):
        load_wav(take(wav(b"\0" * 3601, width=1, rate=1)))


def test_bytes_of_a_recording_are_read_again(take: Callable[[bytes], Artifact]) -> None:
    np.testing.assert_allclose(load_wav(take(wav_bytes(encoded(VALUES, 2), rate=16_000))), VALUES, atol=1e-4)


# --- text


def test_text(take: Callable[[bytes], Artifact]) -> None:
    assert load_text(take("\ufeffäöü 🙂\n".encode())) == "äöü 🙂\n"


def test_json_is_text(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"a": 1}')
    assert load_text(ArtifactStore().add_file(tmp_path / "a.json")) == '{"a": 1}'


def test_what_is_no_text_is_refused(take: Callable[[bytes], Artifact], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MediaError, match=r"is not a text file \(application/zip\)\. Give a plain text file in UTF-8\."):
        load_text(take(b"PK\x03\x04"))
    with pytest.raises(MediaError, match=r"holds only white space\. Give a file"):
        load_text(take(b" \n\t "))
    monkeypatch.setattr("langchain_hugginggpt.tools.media.MAX_CHARACTERS", 10)
    assert load_text(take("ä".encode() * 10)) == "ä" * 10
    with pytest.raises(MediaError, match="has 11 characters; at most 10 are read"):
        load_text(take(b"x" * 11))
