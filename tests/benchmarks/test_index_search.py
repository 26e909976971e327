"""benchmarks/index_search.py: what it makes is what it says."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.index_search import SHARES, TASKS, Planted, cards_of, sizes_of, vectors_of
from langchain_hugginggpt.index import ModelCard, ModelCardIndex


@pytest.mark.parametrize("total", [5000, 1_000_000])
def test_tasks_have_the_shares_that_are_said(total: int) -> None:
    sizes = sizes_of(total)
    assert (len(sizes), sum(sizes)) == (TASKS, total)
    assert [n / total for n in sizes[:3]] == pytest.approx(list(SHARES.values()), abs=1 / total)
    assert min(sizes) > 0


def test_every_card_has_its_own_vector() -> None:
    chance = np.random.default_rng(0)
    sizes = [30, 5, 1]
    base = chance.standard_normal((12, 384)).astype(np.float32)
    vectors = np.concatenate(list(vectors_of(base, [np.arange(6), np.arange(6, 12)], sizes, chance)))
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    cards = list(cards_of(sizes, [ModelCard(id="a/b", task="t", license="mit")], ["one two three".split() * 30], chance))
    assert [sum(c.task == f"task-{t}" for c in cards) for t in range(3)] == sizes
    index = ModelCardIndex.from_cards(cards, encoder=Planted(vectors))
    generation = index._opened.generation
    for number, card in enumerate(cards):
        task = generation.cards.tasks[card.task]
        places, cosines = generation.vectors[card.task].search(vectors[number], limit=1)
        found = generation.cards.facts([(task.slot << 32) + int(places[0])])
        assert [c.id for c in found.values()] == [card.id]
        assert cosines[0] == pytest.approx(1, abs=1e-5)
