"""Text of others, such as model cards and files of data, on its way to a terminal."""

from __future__ import annotations

from rich.markup import escape


def foreign(text: str, most: int = 120) -> str:
    """One line of at most `most` characters, in which nothing steers the terminal and nothing is markup of rich."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return escape(line if len(line) <= most else line[: most - 1] + "…")
