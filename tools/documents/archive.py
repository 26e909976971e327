"""Office files opened safely: they are zip archives of XML, and both can be made to blow up."""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from ..artifacts import Artifact
from ..errors import MediaError
from ..zips import member_names

MAX_MEMBERS = 10_000
MAX_UNPACKED = 500 * 2**20
MAX_XML = 100 * 2**20
"""Of all XML in a file together: parsed, it takes ten times as much."""
_MAX_RATIO = 300
"""Bytes unpacked for each byte packed, above the first megabyte; sheets of empty cells reach a hundred."""
_FREE = 2**20
_CHUNK = 2**20
_XML = re.compile(r"\.(xml|rels|vml)$", re.I)
_DECLARATIONS = tuple(mark.encode(code) for mark in ("<!DOCTYPE", "<!ENTITY") for code in ("utf-8", "utf-16-le", "utf-16-be"))


@contextmanager
def office_file(artifact: Artifact, what: str) -> Iterator[io.BytesIO]:
    """The bytes of an Office file that is safe to be read by a library. What that finds wrong in it is told as a MediaError.

    Its members, their sizes and all its XML are looked at before: a file that unpacks to more than 500 MiB, to more than 100 MiB of XML, or
    to more than 300 times its size is refused, and one that declares entities too. What is packed within (other archives, macros) is not
    opened.

    Args:
        artifact: the file.
        what: what it is called, such as `Word file`.

    Raises:
        MediaError: it is such a file, or damaged.
    """
    data = artifact.read_bytes()
    try:
        count = len(member_names(data))  # a directory of millions would fill the memory once it is read as a whole
        if count > MAX_MEMBERS:
            raise MediaError(f"The {what} {artifact.name!r} has {count:,} parts or more; at most {MAX_MEMBERS:,} are read.")
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check(artifact, archive, what)
        yield io.BytesIO(data)
    except MediaError:
        raise
    except (
        zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, NotImplementedError, RuntimeError,
        KeyError, ValueError, TypeError, AttributeError, IndexError, SyntaxError,
    ) as e:  # fmt: skip  # the libraries raise whatever a file that is not as they expect brings about
        why = str(e) or type(e).__name__
        raise MediaError(f"The {what} {artifact.name!r} is damaged: {why:.200}.", remedy="Open it and save it anew.") from e


def _check(artifact: Artifact, archive: zipfile.ZipFile, what: str) -> None:
    members = archive.infolist()
    xml = [m for m in members if _XML.search(m.filename)]
    for size, most, kind in (
        (sum(m.file_size for m in members), min(MAX_UNPACKED, _FREE + _MAX_RATIO * artifact.size), ""),
        (sum(m.file_size for m in xml), MAX_XML, " of XML"),
    ):
        if size > most:
            raise MediaError(
                f"The {what} {artifact.name!r} has {artifact.size:,} bytes and unpacks to {size:,}{kind}; at most {most:,} are taken.",
                remedy="Give a smaller file, or a part of it as text.",
            )
    for part in xml:
        _check_xml(artifact, archive, part, what)


def _check_xml(artifact: Artifact, archive: zipfile.ZipFile, part: zipfile.ZipInfo, what: str) -> None:
    """Office files declare no entities; those that do make a few bytes into gigabytes, or read other files."""
    longest = max(map(len, _DECLARATIONS))
    last = b""
    with archive.open(part) as f:  # gives no more bytes than the directory says
        while chunk := f.read(_CHUNK):
            if any(mark in last + chunk for mark in _DECLARATIONS):
                raise MediaError(
                    f"The {what} {artifact.name!r} declares entities ({part.filename[:60]}), which no such file needs.",
                    remedy="Open it and save it anew.",
                )
            last = chunk[-longest:]
