"""What a file is, by its bytes. A name or a declared type is believed only where bytes do not tell."""

from __future__ import annotations

import re

from .task import Kind
from .tracks import ebml_has_pictures, mp4_has_pictures, ogg_has_pictures
from .zips import OFFICE, zip_type

DOCX, XLSX, PPTX = OFFICE.values()
PDF = "application/pdf"
HTML = "text/html"
OLE = "application/x-ole-storage"
"""Word, Excel and PowerPoint before 2007, and today's when they are protected by a password."""

_HEADS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"fLaC", "audio/flac"),
    (b"ID3\x02", "audio/mpeg"),
    (b"ID3\x03", "audio/mpeg"),
    (b"ID3\x04", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"%PDF-", PDF),
    (b"glTF", "model/gltf-binary"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLE),
)
_PICTURE_BRANDS = {b"avif": "image/avif", b"avis": "image/avif"} | dict.fromkeys(
    (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), "image/heic"
)
_BEFORE_HTML = r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.{0,2000}?-->\s*)?"
_HTML_HEAD = re.compile(rf"{_BEFORE_HTML}<(?:!doctype\s+html|html|head|body)[\s>]", re.I | re.S)
_AUDIO_BRANDS = (b"M4A", b"M4B")  # songs and audio books: pictures in them are covers
_EXTENSIONS = {
    "image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "image/bmp": ".bmp", "image/tiff": ".tiff", "image/webp": ".webp",
    "audio/wav": ".wav", "audio/flac": ".flac", "audio/mpeg": ".mp3", "audio/ogg": ".ogg", "audio/mp4": ".m4a", "audio/webm": ".weba",
    "audio/aiff": ".aiff", "video/mp4": ".mp4", "video/webm": ".webm", "video/ogg": ".ogv", "video/x-msvideo": ".avi",
    "image/heic": ".heic", "image/avif": ".avif", DOCX: ".docx", XLSX: ".xlsx", PPTX: ".pptx", HTML: ".html",
    PDF: ".pdf", "application/zip": ".zip",
    "model/gltf-binary": ".glb", "text/plain": ".txt", "text/csv": ".csv", "application/json": ".json", "text/markdown": ".md",
}  # fmt: skip
_CLAIMS = {ending: media_type for media_type, ending in _EXTENSIONS.items()} | {
    ".jpeg": "image/jpeg",
    ".tif": "image/tiff",
    ".tsv": "text/tab-separated-values",
    ".mov": "video/mp4",
    ".m4v": "video/mp4",
    ".m4b": "audio/mp4",
    ".oga": "audio/ogg",
    ".opus": "audio/ogg",
    ".aif": "audio/aiff",
    ".aifc": "audio/aiff",
    ".htm": HTML,
    ".xhtml": HTML,
    ".heif": "image/heic",
}


def media_type_of(data: bytes, *, hint: str | None = None) -> str:
    """MIME type of a file's content; `application/octet-stream` when it is neither a known format nor text.

    Args:
        data: the whole content, or at least its first 64 KiB; of a part alone it may remain unknown whether an mp4 or webm file holds
            pictures, and it counts as a video then.
        hint: a declared type; used only to tell kinds of text apart, and for formats that are not known here.
    """
    for head, media_type in _HEADS:
        if data.startswith(head):
            return media_type
    if data[:4] == b"RIFF":
        return {b"WAVE": "audio/wav", b"WEBP": "image/webp", b"AVI ": "video/x-msvideo"}.get(data[8:12], "application/octet-stream")
    if data[:4] == b"FORM" and data[8:12] in (b"AIFF", b"AIFC"):
        return "audio/aiff"
    if data[:2] == b"BM" and data[6:10] == bytes(4):  # two letters alone would make a bitmap of a text about BMW
        return "image/bmp"
    if (container := _container_of(data)) is not None:
        return container
    if data.startswith(b"PK\x03\x04"):
        return zip_type(data)
    if is_html(data) and (hint is None or hint == HTML or not _is_kind_of_text(hint) or not is_text(data)):
        return HTML
    if is_text(data):
        return hint if hint is not None and _is_kind_of_text(hint) else "text/plain"
    return hint if hint is not None and "/" in hint and _is_unknown(hint) else "application/octet-stream"


def _container_of(data: bytes) -> str | None:
    """The type of a file that may hold sound, pictures or both; None for other files."""
    if data[4:8] == b"ftyp":
        if (picture := _PICTURE_BRANDS.get(data[8:12])) is not None:
            others = data[16 : min(len(data), int.from_bytes(data[:4], "big"))]
            return "image/avif" if b"avif" in others else picture
        is_audio = data[8:11] in _AUDIO_BRANDS or mp4_has_pictures(data) is False
        return "audio/mp4" if is_audio else "video/mp4"
    if data.startswith(b"\x1aE\xdf\xa3"):
        return "audio/webm" if ebml_has_pictures(data) is False else "video/webm"
    if data.startswith(b"OggS"):
        return "video/ogg" if ogg_has_pictures(data) else "audio/ogg"
    return None


def _is_kind_of_text(media_type: str) -> bool:
    return media_type.startswith("text/") or media_type == "application/json"


def is_html(data: bytes) -> bool:
    """Whether a file begins as a web page does, in UTF-8, UTF-16 with a byte order mark, or an encoding of single bytes."""
    utf_16 = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    head = data[:4096].decode("utf-16" if utf_16 else "latin-1", errors="replace")
    return _HTML_HEAD.match(head.removeprefix("\xef\xbb\xbf")) is not None


def _is_unknown(media_type: str) -> bool:
    """Whether bytes of this type are not recognised here, so that a declaration is all there is."""
    return media_type not in _EXTENSIONS and not media_type.startswith("text/")


def claimed_type(name: str) -> str | None:
    """The MIME type that a file's name claims, or None when its ending is not one of those known here."""
    ending = name[name.rfind(".") :].lower() if "." in name else ""
    return _CLAIMS.get(ending)


def same_container(claimed: str, found: str) -> bool:
    """Whether two types are of files that look alike but for what they hold, such as `video/mp4` and `audio/mp4`."""
    if {claimed, found} in ({"application/zip", office} for office in OFFICE.values()):
        return claimed == "application/zip"  # a docx is a zip file; a zip file is no docx
    return {claimed, found} in ({f"audio/{form}", f"video/{form}"} for form in ("mp4", "webm", "ogg"))


def is_text(data: bytes) -> bool:
    """Whether the first 64 KiB are UTF-8 without control characters."""
    head = data[: 2**16]
    if b"\x00" in head:
        return False
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as e:
        if e.start < len(head) - 3 or len(data) <= len(head):
            return False
        text = head[: e.start].decode("utf-8")
    return not any(ord(c) < 32 and c not in "\t\n\r\f\x1b" for c in text)


def extension_of(media_type: str) -> str:
    """File extension with its dot; `.bin` for types that are not known."""
    return _EXTENSIONS.get(media_type, ".bin")


def kind_of(media_type: str) -> Kind:
    """The kind of port that a file of this type fits. Types that fit no port count as json, which only json ports take.

    So do PDFs: whether one is a text or a picture its type does not say (`Artifact.kind`).
    """
    if media_type in ("text/csv", "text/tab-separated-values", XLSX):
        return Kind.TABLE
    if media_type in (DOCX, PPTX):
        return Kind.TEXT
    for prefix, kind in (
        ("image/", Kind.IMAGE),
        ("audio/", Kind.AUDIO),
        ("video/", Kind.VIDEO),
        ("model/", Kind.OBJECT3D),
        ("text/", Kind.TEXT),
    ):
        if media_type.startswith(prefix):
            return kind
    return Kind.JSON
