"""Prose where a plan was asked for: an answer to small talk, or a plan that missed its form."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ....tools.task import TaskTable

MAX_CHARACTERS = 8_000
_THOUGHT = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.S | re.I)
_ITEM = re.compile(r"^\s*(?:[-*•]|\(?\d{1,3}[.):]|(?:task|step)\b)", re.I)
_JSON = re.compile(r"[\[{]\s*[\"'“{\w]|```|<\w+>-\d")


def spoken(answer: str) -> str:
    """The words of an answer without a reasoning model's thoughts; empty when nothing else was said or far too much."""
    text = _THOUGHT.sub(" ", answer).strip()
    return text if len(text) <= MAX_CHARACTERS else ""


def attempts_plan(answer: str, tasks: TaskTable) -> bool:
    """Whether prose tries to be a plan: it holds something like JSON, or a list with an entry that names a task of the table."""
    text = _THOUGHT.sub(" ", answer)
    if _JSON.search(text):
        return True
    return any(_ITEM.match(line) and any(name.lower() in line.lower() for name in tasks) for line in text.splitlines())


def without_echo(answer: str, asked: str) -> str:
    """What follows the question in the answer of a model that gives the whole prompt back, as ChatHuggingFace over a local pipeline does.

    The prompt holds demonstrations: one of their plans would be taken for the answer.
    """
    return answer.rpartition(asked.strip())[2] if asked.strip() else answer
