"""Whether a container that may hold moving pictures does: mp4 and QuickTime, WebM and Matroska, Ogg. By its bytes, without a library.

A file that is cut off, damaged or odd raises nothing and takes no longer: only so many parts of it are looked at.

https://developer.apple.com/documentation/quicktime-file-format, https://www.rfc-editor.org/rfc/rfc8794 (EBML),
https://www.rfc-editor.org/rfc/rfc9559 (Matroska), https://www.rfc-editor.org/rfc/rfc3533 (Ogg)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

Name = TypeVar("Name", bytes, int)

_MOST_PARTS = 100_000  # of one file; headers come long before
_MOST_STREAMS = 256
_SEGMENT, _TRACKS, _TRACK, _TRACK_TYPE = 0x18538067, 0x1654AE6B, 0xAE, 0x83
_OGG_HEADER = 27  # bytes of a page before its table of segments
_OGG_PICTURES = (b"\x80theora", b"\x01video\x00", b"BBCD\x00", b"OVP80", b"YUV4MPEG")


def mp4_has_pictures(data: bytes) -> bool | None:
    """Whether an mp4 or QuickTime file has a video track; None where its bytes do not tell of any track for pictures or sound."""
    places, left = [(0, len(data))], iter(range(_MOST_PARTS))
    for name in (b"moov", b"trak", b"mdia", b"hdlr"):
        places = [(a, b) for place in places for n, a, b in _boxes(data, *place, left) if n == name]
    handlers = {data[a + 8 : min(a + 12, b)] for a, b in places}  # behind version and flags, and a reserved number
    return _told(handlers, pictures=b"vide", sound=b"soun")


def ebml_has_pictures(data: bytes) -> bool | None:
    """Whether a WebM or Matroska file has a video track; None where its bytes do not tell of any track for pictures or sound."""
    places, left = [(0, len(data))], iter(range(_MOST_PARTS))
    for ident in (_SEGMENT, _TRACKS, _TRACK, _TRACK_TYPE):
        places = [(a, b) for place in places for i, a, b in _elements(data, *place, left) if i == ident]
    types = {int.from_bytes(data[a : min(a + 8, b)], "big") for a, b in places}
    return _told(types, pictures=1, sound=2)


def ogg_has_pictures(data: bytes) -> bool:
    """Whether an Ogg file has a stream of video: each stream says what it is in a page of its own, before all other pages."""
    at = 0
    for _ in range(_MOST_STREAMS):
        if data[at : at + 4] != b"OggS" or len(data) < at + _OGG_HEADER or not data[at + 5] & 2:  # 2: the first page of its stream
            return False
        segments = data[at + _OGG_HEADER - 1]
        body = at + _OGG_HEADER + segments
        if data.startswith(_OGG_PICTURES, body):
            return True
        at = body + sum(data[at + _OGG_HEADER : body])
    return False


def _told(found: set[Name], *, pictures: Name, sound: Name) -> bool | None:
    return True if pictures in found else False if sound in found else None


def _boxes(data: bytes, start: int, end: int, left: Iterator[int]) -> Iterator[tuple[bytes, int, int]]:
    """Name, and begin and end of the content, of each box of an mp4 file between two places, as long as some are left to look at."""
    for _ in left:
        if end - start < 8:
            return
        size, head = int.from_bytes(data[start : start + 4], "big"), 8
        if size == 1:  # the size stands behind the name
            size, head = int.from_bytes(data[start + 8 : start + 16], "big"), 16
        elif size == 0:  # to the end
            size = end - start
        if size < head:
            return
        yield data[start + 4 : start + 8], start + head, min(start + size, end)
        start += size


def _elements(data: bytes, start: int, end: int, left: Iterator[int]) -> Iterator[tuple[int, int, int]]:
    """Id, and begin and end of the content, of each EBML element between two places, as long as some are left to look at."""
    for _ in left:
        ident, at, _ = _number(data, start, end, longest=4, marked=True)
        size, at, unknown = _number(data, at, end, longest=8, marked=False)
        if ident is None or size is None:
            return
        stop = end if unknown else min(at + size, end)  # unknown where a file is written as a stream: it goes on to the end
        yield ident, at, stop
        start = stop


def _number(data: bytes, at: int, end: int, *, longest: int, marked: bool) -> tuple[int | None, int, bool]:
    """A number of variable length: its value, where it ends, and whether all its bits are set, which stands for an unknown size.

    None for what is none. `marked`: the bit that tells the length is a part of the value, as in ids.
    """
    first = data[at] if at < end else 0
    length = 9 - first.bit_length()  # as many bytes as there are zeros before the first bit that is set, and one
    if first == 0 or length > longest or at + length > end:
        return None, end, False
    value = int.from_bytes(data[at : at + length], "big")
    most = (1 << 7 * length) - 1
    return (value if marked else value & most), at + length, value & most == most
