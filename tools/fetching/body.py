"""The body of a response, piece by piece: whatever a server sends, little more than the limit is kept in memory."""

from __future__ import annotations

import asyncio
import io
import zlib
from collections.abc import AsyncIterable, Iterator

from ..errors import MediaError
from .addresses import WebAddress, refusal

_GZIP, _ZLIB, _RAW = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS
_PIECE = 2**20


async def read_body(chunks: AsyncIterable[bytes], *, address: WebAddress, encoding: str, length: int | None, most: int) -> bytes:
    """The whole body, its Content-Encoding undone.

    Args:
        chunks: as they come.
        address: where from, for errors.
        encoding: Content-Encoding, in lower case; empty for none.
        length: Content-Length, or None.
        most: bytes that may come, before and after the encoding is undone.

    Raises:
        MediaError: too much, an encoding that is not known, or data that it does not fit.
    """
    if length is not None and length > most:
        raise _too_large(address, f"it has {length:,}", most)
    if encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
        raise refusal(str(address), f"it comes in the encoding {encoding[:40]!r}, which is not undone", "Download it and attach it.")
    inflate = _Inflate(encoding) if encoding not in ("", "identity") else None
    body, came = io.BytesIO(), 0
    try:
        async for chunk in chunks:
            came += len(chunk)
            if came > most:
                raise _too_large(address, "more came", most)
            for piece in inflate.feed(chunk) if inflate else [chunk]:
                body.write(piece)
                if body.tell() > most:
                    raise _too_large(address, f"it is more once it is not compressed ({came:,} came so far)", most)
                await asyncio.sleep(0)  # others have their turn while a small chunk becomes a large file
        if inflate is not None:
            inflate.end()
    except zlib.error as e:
        raise refusal(str(address), f"it is not what its encoding ({encoding}) says: {e}", "Try again, or another address.") from e
    return body.getvalue()


def _too_large(address: WebAddress, why: str, most: int) -> MediaError:
    return refusal(str(address), f"at most {most:,} bytes are taken, and {why}", "Give a smaller file.")


class _Inflate:
    """Undoes gzip (also of several parts) and deflate (with a zlib header, as the standard wants it, or without, as some send it)."""

    def __init__(self, encoding: str) -> None:
        self._is_gzip = encoding != "deflate"
        self._head = b""
        self._stream: zlib._Decompress | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What `data` stands for, in pieces of at most 1 MiB. Raises zlib.error."""
        data, self._head = self._head + data, b""
        while data:
            if self._stream is None:
                if not self._is_gzip and len(data) < 2:
                    self._head = data
                    return
                self._stream = zlib.decompressobj(_GZIP if self._is_gzip else _ZLIB if _has_zlib_header(data) else _RAW)
            yield from _pieces(self._stream, data)
            data = self._stream.unused_data
            if self._stream.eof and self._is_gzip:
                self._stream = None  # what follows is another part
            elif data:
                raise zlib.error("data after its end")

    def end(self) -> None:
        """Raises zlib.error where the data stopped too early."""
        if self._head or (self._stream is not None and not self._stream.eof):
            raise zlib.error("it ends too early")


def _pieces(stream: zlib._Decompress, data: bytes) -> Iterator[bytes]:
    """Up to the end of the stream or of the data. A full piece may leave more behind although all data was read."""
    full = True
    while full and not stream.eof:
        piece = stream.decompress(data, _PIECE)
        full = len(piece) == _PIECE
        data = stream.unconsumed_tail
        yield piece


def _has_zlib_header(data: bytes) -> bool:
    """RFC 1950: the method is 8 (deflate), and the two bytes make a multiple of 31."""
    return data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0
