"""The rows of this folder's tasks."""

from __future__ import annotations

from ..row import LocalRow

ROWS: tuple[LocalRow, ...] = ()
