"""Builds of made cards, and whether an index answers as it should."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from langchain_hugginggpt.index import CardFilter, Hit, ModelCard, ModelCardIndex
from langchain_hugginggpt.index.building import BuildOptions, BuildReport, build_index
from langchain_hugginggpt.index.sources.given import GivenCards
from tests.index.building.made_cards import TASKS, CountingEncoder, card

SMALL = BuildOptions(window=10, slice=4)


def build(root: Path, cards: Sequence[ModelCard], *, complete: bool = True, options: BuildOptions = SMALL) -> tuple[BuildReport, int]:
    """The report, and how many texts were encoded."""
    encoder = CountingEncoder()
    report = build_index(GivenCards(cards, name="test", complete=complete), root, encoder, options)
    return report, encoder.texts


def opened(root: Path) -> ModelCardIndex:
    return ModelCardIndex.open(root, encoder=CountingEncoder())


def same(root: Path, cards: Sequence[ModelCard]) -> None:
    """The index answers as one that is made of these cards at once."""
    index, fresh = opened(root), ModelCardIndex.from_cards(cards, encoder=CountingEncoder())
    assert index.tasks == fresh.tasks
    for query in ("german speech", "number 17", "satellite birds", "Version 1"):
        for task in (None, *TASKS):
            for filters in (None, CardFilter(license=("mit",)), CardFilter(language="de", max_parameters=20_000_000)):
                a = index.search(query, task=task, filters=filters, limit=70)
                b = fresh.search(query, task=task, filters=filters, limit=70)
                assert all(h.card in cards for h in a)
                assert cosines(a) == pytest.approx(cosines(b), abs=1e-6)
            assert words(index, query, task) == pytest.approx(words(fresh, query, task), abs=1e-5)


def cosines(hits: Sequence[Hit]) -> dict[str, float | None]:
    return {f"{h.card.id} {h.card.task}": h.similarity for h in hits}


def words(index: ModelCardIndex, query: str, task: str | None) -> dict[str, float]:
    """Scores by words, by card: places, which break ties, differ between indexes that were made in another order."""
    cards = index._opened.generation.cards
    if task is not None and task not in cards.tasks:
        return {}
    numbers, scores = cards.lexical(query, cards.tasks[task] if task else None)
    facts = cards.facts(numbers.tolist())
    return {f"{facts[n].id} {facts[n].task}": s for n, s in zip(numbers.tolist(), scores.tolist(), strict=True)}


CARDS = [card(i) for i in range(60)]
