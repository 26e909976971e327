"""What selection is evaluated on: requests, the model that is right for each, and the cards to choose from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...index.card import ModelCard
from ...index.problems import Problems


@dataclass(frozen=True, kw_only=True)
class SelectionCase:
    """One request.

    Attributes:
        id: unique in the data set.
        query: what the model shall do, in words.
        model: Hub id of the right model.
        task: Hub task of the right model: what the filtered search is filtered by.
    """

    id: str
    query: str
    model: str
    task: str


@dataclass(frozen=True, kw_only=True)
class SelectionData:
    """A data set.

    Attributes:
        name: for people, e.g. `apibench/huggingface_eval.jsonl`.
        cards: what is chosen from; what the index is built from where none is given, and what the baselines search.
        read: iterates over the cases, reading them one by one; what cannot be used goes to the problems it is given.
        size: how many cases there are.
        notes: what a reader must know to judge figures on this set.
        settings: what identifies the data in `run.json`: paths and hashes.
    """

    name: str
    cards: tuple[ModelCard, ...]
    read: Callable[[Problems], Iterator[SelectionCase]]
    size: int
    notes: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
