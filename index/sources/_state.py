"""What tells that files are still the ones that were read before: a part of a source's name."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterable
from pathlib import Path

from ..text import well_formed


def state_of(path: Path) -> str:
    """Size and time of the last change of a file, e.g. `478 bytes, 2026-11-21T16:02:11.123456789Z`."""
    found = path.stat()
    seconds, nanoseconds = divmod(found.st_mtime_ns, 10**9)
    return f"{found.st_size} bytes, {datetime.datetime.fromtimestamp(seconds, datetime.UTC):%Y-%m-%dT%H:%M:%S}.{nanoseconds:09}Z"


def digest_of(root: Path, paths: Iterable[Path]) -> str:
    """12 hexadecimal digits over the paths below `root`, sizes and times of the last change of files, in their order; of a file that is
    gone, the path alone."""
    digest = hashlib.sha256()
    for path in paths:
        try:
            found = path.stat()
            state = (found.st_size, found.st_mtime_ns)
        except (OSError, RuntimeError):  # RuntimeError: a circle of links
            state = (-1, -1)
        digest.update(repr((str(path.relative_to(root)), *state)).encode())
    return digest.hexdigest()[:12]


def named(path: Path, state: str, *, untagged: bool) -> str:
    """The name of a source that lies at a path, e.g. `/data/cards.jsonl (478 bytes, 2026-11-21T16:02:11.123456789Z)`."""
    return well_formed(f"{path.resolve()} ({state})") + ("; untagged" if untagged else "")
