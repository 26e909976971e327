from __future__ import annotations

import io

import pytest
from PIL import Image

from langchain_hugginggpt.tools import Kind
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
