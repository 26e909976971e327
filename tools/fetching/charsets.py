"""Fetched texts as UTF-8: a server says in which encoding a text is, which the stored file could not."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from ..sniff import HTML, is_html, media_type_of

if TYPE_CHECKING:
    from .fetcher import Fetched

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_AS_BROWSERS = {"iso8859-1": "cp1252", "ascii": "cp1252", "iso8859-9": "cp1254", "utf-16": "utf-16-le"}
"""What the Encoding standard reads these as."""
_NOT_OF_THE_WEB = frozenset(("unicode-escape", "raw-unicode-escape", "idna", "punycode", "utf-7", "undefined"))


def is_page(fetched: Fetched) -> bool:
    """Whether a web page was fetched: the server says so, or its bytes do where the server does not call them another text."""
    declared = fetched.media_type or ""
    if declared == HTML:
        return media_type_of(fetched.data, hint=HTML) == HTML
    return not declared.startswith("text/") and is_html(fetched.data)


def utf_8(fetched: Fetched) -> bytes:
    """The content; of a text whose encoding is known as UTF-8. A byte order mark tells it, else the server. Pages that the server says
    nothing of may declare it themselves, and are left as they are; so is what is no text.

    A page gets a byte order mark, which counts more than what it may declare.
    """
    data, declared = fetched.data, fetched.media_type or ""
    if not (declared.startswith("text/") or declared in ("application/json", "application/xhtml+xml")):
        return data
    if media_type_of(data) not in (HTML, "text/plain", "application/octet-stream"):
        return data  # a picture, a PDF, whatever the server calls it
    bom, encoding = next(((mark, name) for mark, name in _BOMS if data.startswith(mark)), (b"", _codec(fetched.charset)))
    if encoding is None or (b"\x00" in data and not encoding.startswith("utf-16")):
        return data
    text = data[len(bom) :].decode(encoding, errors="replace")
    return codecs.BOM_UTF8 * is_page(fetched) + text.encode("utf-8", errors="replace")


def _codec(charset: str | None) -> str | None:
    """The name of the codec for a charset; None for one that is unknown or no encoding of texts."""
    try:
        name = codecs.lookup(charset or "").name
        "".encode(name)  # refuses those that are no encodings of texts, such as zlib
    except (LookupError, ValueError):
        return None
    return None if name in _NOT_OF_THE_WEB else _AS_BROWSERS.get(name, name)
