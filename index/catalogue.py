"""The embedded catalogue: model cards of well-known experts, and of the experts that ship with the project.

It lets the index answer without a network. Each row names its source; facts that were not known for sure are left out, and so are
downloads, likes and dates, which change every day.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

from .card import ModelCard
from .errors import CardError

_PACKAGE, _FILE = "langchain_hugginggpt.index", "catalogue.jsonl"


@cache
def load_catalogue() -> tuple[ModelCard, ...]:
    """The cards in the order of the file: by task as in `tools.HUB_TASKS`, the embedded experts last. Read once.

    Raises:
        CardError: a line of the file is not a model card.
    """
    return cards_of(files(_PACKAGE).joinpath(_FILE).read_text(encoding="utf-8"))


def cards_of(text: str) -> tuple[ModelCard, ...]:
    """The cards of JSON lines, one object in the form of `ModelCard.as_json` a line, in their order; none for an empty text.

    Raises:
        CardError: a line is not a model card; the message says which line.
    """
    return tuple(_card(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip())


def _card(number: int, line: str) -> ModelCard:
    try:
        data = json.loads(line)
        if not isinstance(data, dict):
            raise CardError(f"A model card must be a JSON object, not {line[:80]!r}")
        return ModelCard.from_json(data)
    except (json.JSONDecodeError, CardError) as error:
        raise CardError(f"Line {number}: {error}") from error
