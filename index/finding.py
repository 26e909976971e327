"""A search in one generation: hard filters, meaning and words, fused, and put in their final order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .filters import CardFilter
from .ranking.evidence import Evidence, Query, Ranker
from .store.cards import TaskRange
from .store.generation import Generation
from .store.schema import LOCAL, SLOT_BITS, number_of

if TYPE_CHECKING:
    from .store.lexical import Numbers
    from .store.vectors import Mask

DEPTH = 60
"""How many cards are looked at more closely, of each of the two rankings and of both together."""
_RRF = 60  # reciprocal-rank fusion: Cormack, Clarke, Buettcher, SIGIR 2009


@dataclass(frozen=True, kw_only=True)
class Found:
    """A card in its final place.

    Attributes:
        number: of the card.
        score: 0..1, higher is better.
        evidence: what speaks for it.
    """

    number: int
    score: float
    evidence: Evidence


class Search:
    """One search.

    Args:
        generation: what is searched.
        query: what for; its task only tells the ranking, see `tasks`.
        tasks: in which tasks.
        filters: hard filters.
        limit: how many cards at most.
    """

    def __init__(self, generation: Generation, query: Query, tasks: Sequence[TaskRange], filters: CardFilter | None, limit: int) -> None:
        self._generation = generation
        self._query = query
        self._tasks = tasks
        self._facts = filters.on_facts if filters else None
        self._where = filters.where if filters else None
        self._depth = max(limit, DEPTH)
        self._limit = limit
        self._asked: dict[int, bool] = {}

    def run(self, reranker: Ranker | None) -> list[Found]:
        """The best cards, best first."""
        dense, lexical = self._dense(), self._lexical()
        fused = _fused(dense, [n for n, _ in lexical])
        best = sorted(fused, key=lambda n: (-fused[n], -dense.get(n, (-1.0, 0))[0], n))[: self._depth]
        evidence = self._evidence(best, dense, lexical)
        if reranker is None:
            return [Found(number=n, score=round(fused[n], 6), evidence=e) for n, e in zip(best, evidence, strict=True)][: self._limit]
        return _reranked(reranker, self._query, best, evidence)[: self._limit]

    def _dense(self) -> dict[int, tuple[float, int]]:
        """Cosine and rank of the nearest cards, by number."""
        hits: list[tuple[float, int]] = []
        for task in self._tasks:
            mask = self._generation.mask(task, self._facts)
            if mask is None or mask.any():
                hits += self._nearest(task, mask)
        hits.sort(key=lambda h: (-h[0], h[1]))
        return {n: (cosine, rank) for rank, (cosine, n) in enumerate(hits[: self._depth], 1)}

    def _nearest(self, task: TaskRange, mask: Mask | None) -> list[tuple[float, int]]:
        index, wanted = self._generation.vectors[task.name], self._depth
        while True:
            places, cosines = index.search(self._query.vector, limit=wanted, allowed=mask)
            numbers = [number_of(task.slot, p) for p in places.tolist()]
            passing = self._passing(numbers)
            if len(passing) >= self._depth or len(numbers) < wanted:
                break
            wanted *= 4  # the order stays: whoever passes further down is found as if the filter had come first
        return [(c, n) for c, n in zip(cosines.tolist(), numbers, strict=True) if n in passing]

    def _lexical(self) -> list[tuple[int, float]]:
        """Numbers and scores of the cards that share rare words, best first."""
        import numpy as np

        found: list[tuple[int, float]] = []
        cards, all_tasks = self._generation.cards, len(self._tasks) == len(self._generation.cards.tasks)
        for task in [None] if all_tasks and len(self._tasks) > 1 else self._tasks:
            numbers, scores = cards.lexical(self._query.text, task)
            keep = self._allowed(numbers)
            numbers, scores = numbers[keep], scores[keep]
            order = np.lexsort((numbers, -scores))[: None if self._where else self._depth]
            found += self._first_passing(list(zip(numbers[order].tolist(), scores[order].tolist(), strict=True)))
        return sorted(found, key=lambda f: (-f[1], f[0]))[: self._depth]

    def _allowed(self, numbers: Numbers) -> Mask:
        """Which of some cards, by ascending number, pass the conditions on facts."""
        import numpy as np

        keep = np.ones(len(numbers), np.bool_)
        for task in self._tasks:
            mask = self._generation.mask(task, self._facts)
            if mask is not None:
                first, stop = np.searchsorted(numbers, [number_of(task.slot, 0), number_of(task.slot + 1, 0)])
                keep[first:stop] = mask[numbers[first:stop] & LOCAL]
        return keep

    def _first_passing(self, ranked: list[tuple[int, float]]) -> list[tuple[int, float]]:
        passed: list[tuple[int, float]] = []
        for start in range(0, len(ranked), self._depth):
            part = ranked[start : start + self._depth]
            passing = self._passing([n for n, _ in part])
            passed += [p for p in part if p[0] in passing]
            if len(passed) >= self._depth:
                break
        return passed[: self._depth]

    def _passing(self, numbers: Sequence[int]) -> set[int]:
        """Which of some cards pass `where`; each is asked once."""
        if self._where is None:
            return set(numbers)
        new = [n for n in numbers if n not in self._asked]
        cards = self._generation.cards.cards(new) if new else {}
        self._asked.update((n, bool(self._where(card))) for n, card in cards.items())
        return {n for n in numbers if self._asked.get(n)}

    def _evidence(
        self, numbers: Sequence[int], dense: Mapping[int, tuple[float, int]], lexical: Sequence[tuple[int, float]]
    ) -> list[Evidence]:
        facts = self._generation.cards.facts(numbers)
        words = {n: (score, rank) for rank, (n, score) in enumerate(lexical, 1)}
        cosines = self._cosines(numbers)
        return [
            Evidence(
                card=facts[n],
                cosines=cosines[n],
                bm25=words[n][0] if n in words else None,
                dense_rank=dense[n][1] if n in dense else None,
                lexical_rank=words[n][1] if n in words else None,
            )
            for n in numbers
        ]

    def _cosines(self, numbers: Sequence[int]) -> dict[int, tuple[float, ...]]:
        import numpy as np

        found: dict[int, tuple[float, ...]] = {}
        for task in self._tasks:
            chosen = [n for n in numbers if n >> SLOT_BITS == task.slot]
            if chosen:
                places = np.array([n & LOCAL for n in chosen], np.uint32)
                found.update(zip(chosen, self._generation.vectors[task.name].cosines(self._query.vector, places), strict=True))
        return found


def _fused(dense: Mapping[int, tuple[float, int]], lexical: Sequence[int]) -> dict[int, float]:
    """Reciprocal-rank fusion, scaled so that the first in both has 1."""
    scale = (_RRF + 1) / 2
    fused = {n: scale / (_RRF + rank) for n, (_, rank) in dense.items()}
    for rank, n in enumerate(lexical, 1):
        fused[n] = fused.get(n, 0.0) + scale / (_RRF + rank)
    return fused


def _reranked(reranker: Ranker, query: Query, numbers: Sequence[int], evidence: Sequence[Evidence]) -> list[Found]:
    """The first cards in the order of the re-ranker, the others behind them as they were."""
    scores = reranker.scores(query, evidence[:DEPTH]).tolist()
    order = sorted(range(len(scores)), key=lambda i: -scores[i])
    first = [Found(number=numbers[i], score=scores[i], evidence=evidence[i]) for i in order]
    least = min(scores, default=0.0)
    return first + [Found(number=n, score=least, evidence=e) for n, e in zip(numbers[DEPTH:], evidence[DEPTH:], strict=True)]
