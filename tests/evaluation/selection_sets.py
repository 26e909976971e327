"""Requests of which popularity decides: two cards say the same, and the right one is that which people download."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from langchain_hugginggpt.evaluation.datasets.selection_data import SelectionCase, SelectionData
from langchain_hugginggpt.index import ModelCard
from langchain_hugginggpt.index.problems import Problems
from tests.fakes import WordEncoder

TASKS = ("image-classification", "image-to-text")


def word_encoder(size: int) -> WordEncoder:
    return WordEncoder(*(f"thing{i}" for i in range(size)))


def popular_is_right(size: int, *, one_task_each: bool = False, **settings: Any) -> SelectionData:
    """Half of the right cards come first in the data, half second."""
    cards, cases = [], []
    for i in range(size):
        task = f"task-{i}" if one_task_each else TASKS[i % 2]
        right = ModelCard(id=f"zoo/right{i}", task=task, text=f"thing{i}", downloads=1_000_000)
        wrong = ModelCard(id=f"zoo/wrong{i}", task=task, text=f"thing{i}", downloads=10)
        cards += [right, wrong] if i % 4 < 2 else [wrong, right]
        cases.append(SelectionCase(id=str(i), query=f"thing{i}", model=right.id, task=task))

    def read(problems: Problems) -> Iterator[SelectionCase]:
        yield from cases

    return SelectionData(name="zoo", cards=tuple(cards), read=read, size=size, settings=settings)
