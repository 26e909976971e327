"""Text of others, such as model cards and files of data, on its way to a terminal."""

from __future__ import annotations

import json
import re

from rich.markup import escape

_NOT_ASCII = re.compile(r"[^\x20-\x7e]")


def foreign(text: str, most: int = 120) -> str:
    """One line of at most `most` characters, in which nothing steers the terminal and nothing is markup of rich."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return escape(line if len(line) <= most else line[: most - 1] + "…")


def as_json_line(data: object) -> str:
    """One line of JSON, with its end, in which nothing steers the terminal and which UTF-8 can hold."""
    line = json.dumps(data, ensure_ascii=False)
    return _NOT_ASCII.sub(lambda c: c[0] if c[0].isprintable() else json.dumps(c[0])[1:-1], line) + "\n"
