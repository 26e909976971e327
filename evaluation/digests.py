"""What tells one file from another."""

from __future__ import annotations

import hashlib
from pathlib import Path

from .errors import DatasetError


def sha256(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal digits. Raises DatasetError when it cannot be read."""
    try:
        with path.open("rb") as f:
            return hashlib.file_digest(f, "sha256").hexdigest()
    except OSError as e:
        raise DatasetError(f"{str(path)!r} cannot be read: {e.strerror}.", remedy="Check the path.") from e
