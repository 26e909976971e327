"""How each Hub task is asked for. Adding a task: a row in the file of its family."""

from __future__ import annotations

from collections.abc import Mapping

from .chat import ROWS as CHAT
from .row import HostedRow
from .sound import ROWS as SOUND
from .text import ROWS as TEXT
from .vision import ROWS as VISION

HOSTED: Mapping[str, HostedRow] = {row.task: row for row in (*TEXT, *SOUND, *VISION, *CHAT)}
"""By Hub task."""
