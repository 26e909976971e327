"""Cards in JSON lines, also compressed by gzip. One row a line, in any of the forms that `rows` knows."""

from __future__ import annotations

import gzip
import json
import zlib
from codecs import BOM_UTF8
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from ..problems import Problems
from ..text import well_formed
from ._state import named, state_of
from .errors import SourceError
from .rows import Rows
from .source import SourceCard, two_numbers

LONGEST = 20 * 1024 * 1024
"""Bytes of a line that is read; a longer one is skipped, and never held."""

_GZIP = b"\x1f\x8b"
_EARLY = "file ends early"


class JsonLines:
    """A file of JSON lines, read line by line. The cursor is a place in the (unpacked) file: it goes on without reading what was before,
    but for gzip, which has to be unpacked again.

    Args:
        path: the file.
        complete: False when others than these cards stay.
        untagged: keep cards without a task, under `other`.

    Raises:
        SourceError: there is no such file.
    """

    def __init__(self, path: Path, *, complete: bool = True, untagged: bool = False) -> None:
        if not path.is_file():
            raise SourceError(f"There is no file {str(path)!r}.", remedy="Check the path.")
        self.path = path
        self.complete = complete
        self._rows = Rows(source=well_formed(path.name), untagged=untagged)
        self._size = path.stat().st_size
        self._name = named(path, state_of(path), untagged=untagged)

    @property
    def name(self) -> str:
        """Path, size and time of change: a file that has changed is another source, since cursors into it are worth nothing."""
        return self._name

    def read(self, problems: Problems, after: str | None = None) -> Iterator[SourceCard]:
        """The cards in the order of the lines; see `CardSource`. Empty lines are passed over."""
        offset, number = two_numbers(after)  # bytes and lines before the first card
        try:
            with self.path.open("rb") as raw:
                packed = raw.read(2) == _GZIP
                raw.seek(0)
                lines: IO[bytes] = gzip.GzipFile(fileobj=raw) if packed else raw  # type: ignore[assignment]
                try:
                    lines.seek(offset)
                    yield from self._cards(lines, raw if packed else None, offset, number, problems)
                except (EOFError, zlib.error, gzip.BadGzipFile) as e:
                    self.complete = False
                    problems.add(_EARLY, f"{self.path.name}: {e}")
        except OSError as e:
            raise SourceError(f"{str(self.path)!r} cannot be read: {e.strerror or e}.", remedy="Check the path.") from e

    def _cards(self, lines: IO[bytes], packed: IO[bytes] | None, offset: int, number: int, problems: Problems) -> Iterator[SourceCard]:
        """`packed`: the file below, whose position tells the share."""
        while line := lines.readline(LONGEST + 1):
            number += 1
            place = f"{self.path.name}:{number}"
            begun, offset = offset, offset + len(line)
            if len(line) > LONGEST:
                offset += _skip(lines, line)
                problems.add(f"line longer than {LONGEST // 2**20} MB (skipped)", f"{place}: {offset - begun} bytes")
                continue
            row = self._row(line if begun else line.removeprefix(BOM_UTF8), place, problems)
            if row is not None and (card := self._rows.card(row, place, problems)) is not None:
                share = (packed.tell() if packed else offset) / max(self._size, 1)
                yield SourceCard(card=card, cursor=f"{offset}:{number}", share=min(share, 1.0))

    def _row(self, line: bytes, place: str, problems: Problems) -> object:
        if line.isspace():
            return None
        try:
            return json.loads(line.decode())
        except (ValueError, RecursionError) as e:
            told = f"{place}: {line[:60].decode(errors='replace').strip()!r}"
            if not line.endswith(b"\n"):  # whoever wrote the file was broken off
                self.complete = False
                problems.add(_EARLY, told)
            else:
                problems.add("line is not UTF-8" if isinstance(e, UnicodeDecodeError) else "line is not JSON", told)
        return None


def _skip(lines: IO[bytes], line: bytes) -> int:
    """Pass by what is left of a line; how many bytes."""
    passed = 0
    while not line.endswith(b"\n") and (line := lines.readline(2**20)):
        passed += len(line)
    return passed
