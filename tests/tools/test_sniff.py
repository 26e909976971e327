from __future__ import annotations

import io
import time
from pathlib import Path
from random import Random
from typing import Any, cast

import av
import numpy as np
import pytest
import soundfile
from PIL import Image

from langchain_hugginggpt.tools import ArtifactStore, Kind
from langchain_hugginggpt.tools.audio import read_blocks
from langchain_hugginggpt.tools.errors import MediaError
from langchain_hugginggpt.tools.media import wav_bytes
from langchain_hugginggpt.tools.sniff import claimed_type, extension_of, is_text, kind_of, media_type_of


def picture(form: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (3, 2), "red").save(out, form)
    return out.getvalue()


PICTURES = {"PNG": "png", "JPEG": "jpeg", "GIF": "gif", "BMP": "bmp", "TIFF": "tiff", "WEBP": "webp"}


@pytest.mark.parametrize("form", PICTURES)
def test_real_pictures(form: str) -> None:
    assert media_type_of(picture(form)) == f"image/{PICTURES[form]}"


HEADS = [
    (wav_bytes(b"\0\0", rate=8000), "audio/wav"),
    (b"GIF87a\x01\x00", "image/gif"),
    (b"MM\x00*rest", "image/tiff"),
    (b"fLaC\x00\x00", "audio/flac"),
    (b"ID3\x04\x00\x00", "audio/mpeg"),
    (b"\xff\xfb\x90\x00", "audio/mpeg"),
    (b"\xff\xf3\x90\x00", "audio/mpeg"),
    (b"OggS\x00", "audio/ogg"),
    (b"\x1aE\xdf\xa3\x9f", "video/webm"),
    (b"\x00\x00\x00\x18ftypM4A ", "audio/mp4"),
    (b"\x00\x00\x00\x18ftypisom", "video/mp4"),
    (b"\x00\x00\x00\x14ftypqt  ", "video/mp4"),
    (b"RIFF\x10\x00\x00\x00AVI LIST", "video/x-msvideo"),
    (b"RIFF\x10\x00\x00\x00ABCD", "application/octet-stream"),
    (b"%PDF-1.7\n%\xe2", "application/pdf"),
    (b"glTF\x02\x00\x00\x00", "model/gltf-binary"),
    (b"PK\x03\x04\x14\x00", "application/zip"),
    (b"\x00\x01\x02\x03", "application/octet-stream"),
    (b"\xff\xfe\x00\x01", "application/octet-stream"),
    (b"plain words", "text/plain"),
    ("\ufeffmit BOM und Umlauten: äöü".encode(), "text/plain"),
    ("日本語".encode(), "text/plain"),
    ("Latin-1: für".encode("latin-1"), "application/octet-stream"),
    (b"bell \x07", "application/octet-stream"),
    (b"\x1b[1mcolours\x1b[0m\tof a terminal\r\n\f", "text/plain"),
]


@pytest.mark.parametrize(("data", "expected"), HEADS, ids=lambda v: repr(v)[:24])
def test_heads(data: bytes, expected: str) -> None:
    assert media_type_of(data) == expected


@pytest.mark.parametrize("text", ["BMW is a car maker", "BM", "ID3 tags hold titles", "GIF8 is how GIFs begin", "II* and MM*"])
def test_a_text_that_begins_like_a_file_is_a_text(text: str) -> None:
    assert media_type_of(text.encode()) == "text/plain"


def test_a_declared_type_tells_texts_apart_and_nothing_else() -> None:
    assert media_type_of(b"a,b\n1,2", hint="text/csv") == "text/csv"
    assert media_type_of(b"{}", hint="application/json") == "application/json"
    assert media_type_of(b"words", hint="image/png") == "text/plain"
    assert media_type_of(picture("PNG"), hint="text/plain") == "image/png"
    assert media_type_of(b"\x00\x01", hint="image/png") == "application/octet-stream"
    assert media_type_of(b"\x00\x01", hint="text/plain") == "application/octet-stream"
    assert media_type_of(b"\x00\x01", hint="nonsense") == "application/octet-stream"


def test_a_declared_type_is_believed_for_formats_that_are_not_known_here() -> None:
    assert media_type_of(b"\x00\x00\x01", hint="image/x-portable-anymap") == "image/x-portable-anymap"


@pytest.mark.parametrize("before", range(5))
def test_a_letter_that_is_cut_at_64_kib_does_not_spoil_a_text(before: int) -> None:
    data = b"x" * (2**16 - before) + "🙂é".encode() * 10
    assert is_text(data)
    assert not is_text(b"x" * 60_000 + b"\xf0\x9f" + data)


def test_a_text_that_ends_inside_a_letter_is_none() -> None:
    assert not is_text("é".encode()[:1])
    assert not is_text(b"x" * (2**16 - 1) + b"\xc3")


def test_binary_beyond_64_kib_is_not_looked_at() -> None:
    assert is_text(b"x" * 2**16 + b"\x00")


@pytest.mark.parametrize(
    ("media_type", "kind", "extension"),
    [
        ("image/png", Kind.IMAGE, ".png"),
        ("image/jpeg", Kind.IMAGE, ".jpg"),
        ("audio/wav", Kind.AUDIO, ".wav"),
        ("video/mp4", Kind.VIDEO, ".mp4"),
        ("model/gltf-binary", Kind.OBJECT3D, ".glb"),
        ("text/plain", Kind.TEXT, ".txt"),
        ("text/markdown", Kind.TEXT, ".md"),
        ("text/csv", Kind.TABLE, ".csv"),
        ("text/tab-separated-values", Kind.TABLE, ".bin"),
        ("application/json", Kind.JSON, ".json"),
        ("application/pdf", Kind.JSON, ".pdf"),
        ("application/octet-stream", Kind.JSON, ".bin"),
    ],
)
def test_kinds_and_extensions(media_type: str, kind: Kind, extension: str) -> None:
    assert (kind_of(media_type), extension_of(media_type)) == (kind, extension)


@pytest.mark.parametrize(
    ("name", "claim"),
    [
        ("a.PNG", "image/png"),
        ("a.b.jpeg", "image/jpeg"),
        ("a.tsv", "text/tab-separated-values"),
        ("png", None),
        ("a.xyz", None),
        ("", None),
    ],
)
def test_what_a_name_claims(name: str, claim: str | None) -> None:
    assert claimed_type(name) == claim


# Containers that hold sound, pictures or both


def made(form: str, *, sound: str | None = None, pictures: str | None = None, options: dict[str, str] | None = None) -> bytes:
    """Half a second in a container, written by FFmpeg."""
    out = io.BytesIO()
    with av.open(out, "w", format=form, options=options or {}) as container:
        if pictures is not None:
            video = cast("av.VideoStream", container.add_stream(pictures, rate=10))
            video.width, video.height, video.pix_fmt = 32, 32, "yuvj420p" if pictures == "mjpeg" else "yuv420p"
        if sound is not None:
            audio = cast("av.AudioStream", container.add_stream(sound, rate=48_000))
            audio.layout = "stereo"
        if pictures is not None:
            for _ in range(5):
                container.mux(video.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")))
            container.mux(video.encode(None))
        if sound is not None:
            size = audio.codec_context.frame_size or 1024
            for number in range(24_000 // size):
                frame = av.AudioFrame.from_ndarray(np.zeros((2, size), np.float32), format="fltp", layout="stereo")
                frame.sample_rate, frame.pts = 48_000, number * size
                container.mux(audio.encode(frame))
            container.mux(audio.encode(None))
    return out.getvalue()


def soundfile_bytes(form: str, subtype: str) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, np.zeros(800), 8000, format=form, subtype=subtype)
    return out.getvalue()


FRAGMENTS = {"movflags": "frag_keyframe+empty_moov"}
CONTAINERS: list[tuple[str, dict[str, Any], str]] = [
    ("mp4", {"sound": "aac"}, "audio/mp4"),  # brand isom
    ("mp4", {"sound": "aac", "options": FRAGMENTS}, "audio/mp4"),
    ("mp4", {"sound": "aac", "options": {"brand": "mp42"}}, "audio/mp4"),
    ("ipod", {"sound": "aac"}, "audio/mp4"),
    ("mov", {"sound": "aac"}, "audio/mp4"),
    ("3gp", {"sound": "aac"}, "audio/mp4"),
    ("mp4", {"sound": "aac", "pictures": "mpeg4"}, "video/mp4"),
    ("mp4", {"sound": "aac", "pictures": "mpeg4", "options": FRAGMENTS}, "video/mp4"),
    ("mp4", {"pictures": "mpeg4"}, "video/mp4"),
    ("mov", {"pictures": "mjpeg"}, "video/mp4"),
    ("webm", {"sound": "libopus"}, "audio/webm"),
    ("webm", {"sound": "libopus", "options": {"live": "1"}}, "audio/webm"),  # sizes are unknown, as browsers record
    ("matroska", {"sound": "flac"}, "audio/webm"),
    ("webm", {"sound": "libopus", "pictures": "libvpx"}, "video/webm"),
    ("webm", {"pictures": "libvpx", "options": {"live": "1"}}, "video/webm"),
    ("matroska", {"sound": "aac", "pictures": "mpeg4"}, "video/webm"),
    ("ogg", {"sound": "libopus"}, "audio/ogg"),
    ("ogg", {"sound": "flac"}, "audio/ogg"),
    ("ogg", {"pictures": "libvpx"}, "video/ogg"),
    ("ogg", {"sound": "libopus", "pictures": "libvpx"}, "video/ogg"),
    ("aiff", {"sound": "pcm_s16be"}, "audio/aiff"),
]  # fmt: skip


@pytest.mark.parametrize(("form", "streams", "expected"), CONTAINERS, ids=str)
def test_what_a_container_holds(form: str, streams: dict[str, Any], expected: str) -> None:
    assert media_type_of(made(form, **streams)) == expected


@pytest.mark.parametrize(
    ("form", "subtype", "expected"),
    [("AIFF", "PCM_16", "audio/aiff"), ("AIFF", "FLOAT", "audio/aiff"), ("OGG", "VORBIS", "audio/ogg"), ("OGG", "OPUS", "audio/ogg")],
)
def test_what_soundfile_writes(form: str, subtype: str, expected: str) -> None:
    assert media_type_of(soundfile_bytes(form, subtype)) == expected


@pytest.mark.parametrize(
    ("name", "form", "codec"), [("a.mp4", "mp4", "aac"), ("a.webm", "webm", "libopus"), ("a.aif", "aiff", "pcm_s16be")]
)
def test_a_recording_is_taken_whatever_its_container_is_called(name: str, form: str, codec: str, tmp_path: Path) -> None:
    artifact = ArtifactStore(tmp_path).put(made(form, sound=codec), name=name)
    assert artifact.kind is Kind.AUDIO
    assert sum(len(b) for b in read_blocks(artifact, rate=16_000)) == pytest.approx(8_000, rel=0.1)


def test_a_name_that_claims_another_container_is_none(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"'a\.mp4' is named like video/mp4 but holds audio/webm"):
        ArtifactStore(tmp_path).put(made("webm", sound="libopus"), name="a.mp4")


def test_sizes_of_64_bits_are_read() -> None:
    """Boxes that are longer than 4 GiB have them; here a short one does."""
    data = made("mp4", sound="aac")
    end = int.from_bytes(data[:4], "big")
    longer = data[:end] + (1).to_bytes(4, "big") + b"free" + (24).to_bytes(8, "big") + bytes(8) + data[end:]
    assert media_type_of(longer) == "audio/mp4"


def test_what_is_cut_off_before_its_tracks_counts_as_a_video() -> None:
    """As it did before; nothing else is known."""
    assert media_type_of(made("mp4", sound="aac")[:64]) == "video/mp4"
    assert media_type_of(made("webm", sound="libopus")[:50]) == "video/webm"


@pytest.mark.parametrize(("form", "streams", "_"), [c for c in CONTAINERS if c[0] in ("mp4", "webm", "ogg")], ids=str)
def test_a_damaged_container_is_told_as_something(form: str, streams: dict[str, Any], _: str) -> None:
    """Cut off anywhere, or with any byte of its head changed: never an error, always one of two types."""
    data = made(form, **streams)
    kinds = {f"{kind}/{container}" for kind in ("audio", "video") for container in ("mp4", "webm", "ogg")}
    for end in range(16, len(data), max(1, len(data) // 100)):
        assert media_type_of(data[:end]) in kinds
    random = Random(0)
    for _n in range(200):
        odd = bytearray(data)
        for _m in range(4):
            odd[random.randrange(12, len(odd))] = random.choice((0, 1, 0x7F, 0x80, 0xFF, random.randrange(256)))
        assert media_type_of(bytes(odd)) in kinds


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x00\x00\x10ftypisom" + bytes(4) + b"\x00\x00\x00\x08moov" * 2_000_000,
        b"\x00\x00\x00\x10ftypisom" + bytes(4) + b"\x00\x00\x00\x00moov" + b"\x00\x00\x00\x08trak" * 2_000_000,
        b"\x1aE\xdf\xa3\x80\x18\x53\x80\x67\x01" + b"\xff" * 7 + b"\xec\x80" * 8_000_000,
        b"\x1aE\xdf\xa3\x80" + b"\x18\x53\x80\x67\x80" * 3_000_000,
        (b"OggS\x00\x02" + bytes(20) + b"\x00") * 500_000,
        b"\x1aE\xdf\xa3" + bytes(16_000_000),
    ],
    ids=["boxes", "tracks", "voids", "segments", "pages", "zeros"],
)
def test_a_file_made_to_keep_one_busy_does_not(data: bytes) -> None:
    began = time.perf_counter()
    media_type_of(data)
    assert time.perf_counter() - began < 1
