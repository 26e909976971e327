"""Reading JSON lines (and JSON arrays) that may be broken: what cannot be read is noted, and the rest is read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .errors import DatasetError
from .problems import Problems


def read_objects(path: Path, problems: Problems) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each object of a file of JSON lines, or of one JSON array, with its place (`dev.jsonl:7`).

    Lines are read one by one, so that memory does not grow with the file; an array is read whole. Empty lines are skipped; a line that
    is not a JSON object goes to `problems`.

    Raises:
        DatasetError: there is no such file, or it cannot be read.
    """
    try:
        with path.open("rb") as lines:
            if _is_array(path):
                yield from _array(path, problems)
                return
            for number, line in enumerate(lines, 1):
                place = f"{path.name}:{number}"
                if line.strip() and (found := _object(line, place, problems)) is not None:
                    yield place, found
    except OSError as e:
        raise DatasetError(f"{str(path)!r} cannot be read: {e.strerror}.", remedy="Check the path.") from e


def _is_array(path: Path) -> bool:
    with path.open("rb") as f:
        while byte := f.read(1):
            if not byte.isspace():
                return byte == b"["
    return False


def _array(path: Path, problems: Problems) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        entries = json.loads(path.read_bytes())
    except ValueError as e:
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
