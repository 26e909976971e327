"""What a zip archive says that it holds, read from its directory alone: nothing is unpacked."""

from __future__ import annotations

import struct

_END = b"PK\x05\x06"
_ENTRY = b"PK\x01\x02"
_LONGEST_COMMENT = 2**16
_MOST = 20_000

OFFICE = {
    "word/document.xml": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xl/workbook.xml": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ppt/presentation.xml": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}
"""Types of Office files by a member that each of them has."""


def zip_type(data: bytes) -> str:
    """MIME type of a zip archive: that of an Office file where its members are those of one, else `application/zip`."""
    names = frozenset(member_names(data))
    if "[Content_Types].xml" in names:
        for member, media_type in OFFICE.items():
            if member in names:
                return media_type
    return "application/zip"


def member_names(data: bytes) -> list[str]:
    """Names of the first 20,000 members; as far as they can be read, so none for a part of an archive."""
    end = data.rfind(_END, max(0, len(data) - _LONGEST_COMMENT - 22))
    if end < 0 or end + 22 > len(data):
        return []
    at = int(struct.unpack_from("<I", data, end + 16)[0])
    names: list[str] = []
    while len(names) < _MOST and data[at : at + 4] == _ENTRY and at + 46 <= len(data):
        name, extra, comment = struct.unpack_from("<HHH", data, at + 28)
        names.append(data[at + 46 : at + 46 + name].decode("utf-8", errors="replace"))
        at += 46 + name + extra + comment
    return names
