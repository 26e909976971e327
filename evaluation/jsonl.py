"""Reading JSON lines (and JSON arrays) that may be broken: what cannot be read is noted, and the rest is read."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..index.problems import Problems
from .errors import DatasetError


def read_objects(path: Path, problems: Problems) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each object of a file of JSON lines, or of one JSON array, with its place (`dev.jsonl:7`).

    Lines are read one by one, so that memory does not grow with the file; an array is read whole. Empty lines are skipped; a line that
    is not a JSON object goes to `problems`.

    Raises:
        DatasetError: there is no such file, or it cannot be read.
    """
    try:
        with path.open("rb") as lines:
            if is_array(path):
                yield from _array(path, problems)
                return
            for number, line in enumerate(lines, 1):
                place = f"{path.name}:{number}"
                if line.strip() and (found := _object(line, place, problems)) is not None:
                    yield place, found
    except OSError as e:
        raise DatasetError(f"{str(path)!r} cannot be read: {e.strerror}.", remedy="Check the path.") from e


def is_array(path: Path) -> bool:
    """Whether a file holds one JSON array: its first character is a bracket. Raises OSError when it cannot be read."""
    with path.open("rb") as f:
        if f.read(len(BOM_UTF8)) != BOM_UTF8:
            f.seek(0)
        while byte := f.read(1):
            if not byte.isspace():
                return byte == b"["
    return False


def _array(path: Path, problems: Problems) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        entries = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as e:
        problems.add("file is not JSON", f"{path.name}: {e}")
        return
    for position, entry in enumerate(entries, 1):
        if isinstance(entry, dict):
            yield f"{path.name}[{position}]", entry
        else:
            problems.add("entry is not an object", f"{path.name}[{position}]: {entry!r:.80}")


def _object(line: bytes, place: str, problems: Problems) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        problems.add("line is not JSON", f"{place}: {line[:60].decode(errors='replace').strip()!r}")
        return None
    if not isinstance(found, dict):
        problems.add("line is not an object", f"{place}: {found!r:.60}")
        return None
    return found


class LinesById:
    """The objects of a file by their `id`, read again when they are asked for: a line costs an offset, not its content.

    Of two lines with one id the last holds, as in TaskBench's scorer. A JSON array is held whole.

    Args:
        path: the file.
        problems: where lines without an id, and ids that come twice, are noted.

    Raises:
        DatasetError: the file cannot be read.
    """

    def __init__(self, path: Path, problems: Problems) -> None:
        self.path = path
        self._offsets: dict[str, int] = {}
        self._held: dict[str, dict[str, Any]] = {}
        try:
            if not path.is_file():
                raise DatasetError(f"There is no file {str(path)!r}.", remedy="Check the path.")
            if is_array(path):
                for place, held in read_objects(path, problems):
                    self._note(held, place, problems, 0)
                    self._held[str(held.get("id"))] = held
            else:
                for place, offset, line in _lines(path):
                    if (entry := _object(line, place, problems)) is not None:
                        self._note(entry, place, problems, offset)
        except OSError as e:
            raise DatasetError(f"{str(path)!r} cannot be read: {e.strerror}.", remedy="Check the path.") from e

    def _note(self, entry: dict[str, Any], place: str, problems: Problems, offset: int) -> None:
        if "id" not in entry:
            problems.add("line has no id", place)
            return
        ident = str(entry["id"])
        if ident in self._offsets:
            problems.add(f"id occurs twice in {self.path.name} (the last holds)", ident)
        self._offsets[ident] = offset

    def __contains__(self, ident: str) -> bool:
        return ident in self._offsets

    def __iter__(self) -> Iterator[str]:
        return iter(self._offsets)

    def __len__(self) -> int:
        return len(self._offsets)

    def get(self, ident: str) -> dict[str, Any] | None:
        """The object of that id, or None."""
        if ident not in self._offsets:
            return None
        if ident in self._held:
            return self._held[ident]
        with self.path.open("rb") as f:
            f.seek(self._offsets[ident])
            found: dict[str, Any] = json.loads(f.readline())
        return found


def _lines(path: Path) -> Iterator[tuple[str, int, bytes]]:
    offset = 0
    with path.open("rb") as f:
        for number, line in enumerate(f, 1):
            if line.strip():
                yield f"{path.name}:{number}", offset, line
            offset += len(line)
