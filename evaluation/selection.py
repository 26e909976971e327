"""Evaluates selection: is the right model among the first that the index gives for a request?"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..agent._loop import run_sync
from ..index.card import ModelCard
from ..index.errors import HuggingGPTError
from ..index.filters import CardFilter
from ..index.minilm import Encoder, MiniLM
from ..index.model_card_index import ModelCardIndex
from ..index.problems import Problems
from ..index.text import card_passages, card_text
from .baselines.baseline import Baseline
from .baselines.table import BASELINES, NEED_VECTORS, Made, check_names, make_baselines
from .datasets.apibench import load_selection
from .datasets.selection_data import SelectionCase, SelectionData
from .evaluating import Evaluation, RunOptions, Subject, aevaluate
from .metrics.retrieval import recall_at, reciprocal_rank, task_at_1
from .record import Record, Score
from .remembering import Remembering
from .selection_ranking import fairly_ranked
from .summary import block, gains_json

__all__ = ["DEPTH", "SelectionCase", "SelectionData", "aevaluate_selection", "evaluate_selection", "load_selection", "selection_json"]

DEPTH = 60
"""How many cards are taken of each ranking. As deep as the index looks for fewer cards as well, so that its first ten are what an agent
gets; a model further down counts as not found, which takes at most 1/60 from a query's reciprocal rank."""
_SHOWN = 10
_PRIMARY = "filtered.mrr"


async def aevaluate_selection(
    data: SelectionData,
    index: ModelCardIndex | None = None,
    *,
    baselines: Iterable[str] = tuple(BASELINES),
    options: RunOptions | None = None,
    encoder: Encoder | None = None,
    shipped: bool = False,
    on_encoded: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Search for every request twice, among the cards of the right task and among all, and see at which rank the right model is.

    Seconds a case are the index's two searches; the second finds the request's vector ready where the encoder remembers (MiniLM does).
    An encoder that was asked the same requests before, in the same process, makes the first one look faster than it is.

    Args:
        data: requests and cards.
        index: what is searched, as it is; a model that it lacks counts as not found. Default: one made of the data's cards.
        baselines: names of `BASELINES`: other rankings of the data's cards. One that cannot be made here is left out, with a note.
        options: how the run goes.
        encoder: encodes the cards and what the baselines are asked. Default: the shared MiniLM.
        shipped: judge the re-ranker that ships as it is, also on requests that it was trained on; see `selection_ranking`.
        on_encoded: told how many texts are encoded, and of how many.

    Returns:
        Figures `filtered.r1, .r5, .r10, .mrr`, `unfiltered.` the same and `.task1`; for a baseline `NAME/filtered.r1` and so on.

    Raises:
        UnknownNameError: there is no such baseline.
        RunFolderError: the folder holds another run, or cannot be written.
    """
    options = options or RunOptions()
    options.check()  # before the cards are encoded
    names = check_names(baselines)
    shared = Remembering(encoder or MiniLM())
    own = index is None
    await asyncio.to_thread(shared.keep, _texts(data, passages=own, whole=bool(NEED_VECTORS.intersection(names))), on_encoded)
    if index is None:
        index = await asyncio.to_thread(ModelCardIndex.from_cards, data.cards, encoder=shared, source=data.name)
    made = await asyncio.to_thread(make_baselines, names, data.cards, shared)
    held = None if own else await asyncio.to_thread(_held, index, data)
    ranked = await asyncio.to_thread(fairly_ranked, index, data, shared, shipped=shipped, on_encoded=on_encoded)
    subject = Subject(
        kind="selection",
        name=f"{'index of its cards' if own else 'given index'} on {data.name}",
        settings={**data.settings, "index": _identity(index, own=own), "reranker": ranked.told, "baselines": sorted(made.baselines)},
        primary=_PRIMARY,
        notes=(*data.notes, ranked.note, *_notes(index, data, made, own=own)),
    )
    judge = _Judge(index=ranked.index, baselines=made.baselines)
    return await aevaluate(subject, lambda problems: _cases(data, held, problems), judge, options)


def evaluate_selection(
    data: SelectionData,
    index: ModelCardIndex | None = None,
    *,
    baselines: Iterable[str] = tuple(BASELINES),
    options: RunOptions | None = None,
    encoder: Encoder | None = None,
    shipped: bool = False,
    on_encoded: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """`aevaluate_selection` for sync code."""
    return run_sync(
        lambda: aevaluate_selection(
            data, index, baselines=baselines, options=options, encoder=encoder, shipped=shipped, on_encoded=on_encoded
        )
    )


def selection_json(evaluation: Evaluation) -> dict[str, Any]:
    """The figures as JSON, percentages as 0..100: `{"n", "filtered", "unfiltered", "baselines": {NAME: {"filtered", "unfiltered"}}, …}`.

    `gains` is `{"NAME/filtered.r1": {"gain", "interval"}}`: how far the index is above a baseline, request by request.
    """
    overall = evaluation.summary.overall
    names = dict.fromkeys(key.partition("/")[0] for key in overall.figures if "/" in key)
    return {
        "n": evaluation.n,
        "filtered": block(overall, "filtered"),
        "unfiltered": block(overall, "unfiltered"),
        "baselines": {n: {b: block(overall, f"{n}/{b}") for b in ("filtered", "unfiltered")} for n in names},
        "gains": gains_json(evaluation.summary.gains),
        **evaluation.common_json(),
    }


@dataclass(frozen=True, kw_only=True)
class _Found:
    """Two rankings for one case.

    Attributes:
        filtered: cards of the right task, best first.
        unfiltered: all cards, best first.
    """

    filtered: Sequence[ModelCard] = ()
    unfiltered: Sequence[ModelCard] = ()

    def ranks(self, case: SelectionCase) -> dict[str, int | None]:
        """Where the right model is in each."""
        return {"filtered": _rank(case.model, self.filtered), "unfiltered": _rank(case.model, self.unfiltered)}

    def scores(self, case: SelectionCase, prefix: str = "") -> Iterator[tuple[str, Score]]:
        for name, rank in self.ranks(case).items():
            for k in (1, 5, 10):
                yield f"{prefix}{name}.r{k}", recall_at(rank, k)
            yield f"{prefix}{name}.mrr", reciprocal_rank(rank)
        yield f"{prefix}unfiltered.task1", task_at_1(self.unfiltered[0].task if self.unfiltered else None, case.task)


def _rank(model: str, cards: Sequence[ModelCard]) -> int | None:
    return next((rank for rank, card in enumerate(cards, 1) if card.id == model), None)


@dataclass(frozen=True, kw_only=True)
class _Judge:
    """Makes a case's record."""

    index: ModelCardIndex
    baselines: Mapping[str, Baseline] = field(default_factory=dict)

    async def __call__(self, case: SelectionCase) -> Record:
        began, error = time.perf_counter(), ""
        try:
            found = _Found(
                filtered=[h.card for h in await self.index.asearch(case.query, task=case.task, limit=DEPTH)],
                unfiltered=[h.card for h in await self.index.asearch(case.query, limit=DEPTH)],
            )
        except HuggingGPTError as e:
            found, error = _Found(), str(e)
        seconds = time.perf_counter() - began  # before the baselines, which would make the request's vector ready
        others = await asyncio.to_thread(self._others, case)
        scores = dict(found.scores(case))
        for name, other in others.items():
            scores.update(other.scores(case, f"{name}/"))
        return Record(
            id=case.id,
            groups={"task": case.task},
            scores=scores,
            gold=(case.task,),
            predicted=tuple(c.task for c in found.unfiltered[:1]),
            seconds=seconds,
            error=error,
            detail=_detail(case, found, others),
        )

    def _others(self, case: SelectionCase) -> dict[str, _Found]:
        return {
            name: _Found(filtered=ranker.rank(case.query, task=case.task, k=DEPTH), unfiltered=ranker.rank(case.query, task=None, k=DEPTH))
            for name, ranker in self.baselines.items()
        }


def _detail(case: SelectionCase, found: _Found, others: Mapping[str, _Found]) -> dict[str, Any]:
    return {
        "query": case.query,
        "model": case.model,
        "task": case.task,
        "ranks": {"index": found.ranks(case), **{name: other.ranks(case) for name, other in others.items()}},
        "filtered": [c.id for c in found.filtered[:_SHOWN]],
        "unfiltered": [{"id": c.id, "task": c.task} for c in found.unfiltered[:_SHOWN]],
    }


def _texts(data: SelectionData, *, passages: bool, whole: bool) -> list[str]:
    """What of the cards is encoded, for an index of them and for baselines."""
    made = [text for card in data.cards for text in card_passages(card)] if passages else []
    return made + ([card_text(card) for card in data.cards] if whole else [])


def _held(index: ModelCardIndex, data: SelectionData) -> frozenset[tuple[str, str]]:
    """(id, task) of every right model's cards in an index, in one pass over it."""
    wanted = {case.model for case in data.read(Problems())}
    hits = index.search("", filters=CardFilter(where=lambda card: card.id in wanted), limit=max(1, len(index)))
    return frozenset((h.card.id, h.card.task) for h in hits)


def _cases(data: SelectionData, held: frozenset[tuple[str, str]] | None, problems: Problems) -> Iterator[SelectionCase]:
    ids = {ident for ident, _ in held or ()}
    for case in data.read(problems):
        if held is not None and case.model not in ids:
            problems.add("right model is not in the index (counts as not found)", f"{case.id}: {case.model}")
        elif held is not None and (case.model, case.task) not in held:
            problems.add(
                "right model is in the index for another task (not found with the filter)", f"{case.id}: {case.model}: {case.task}"
            )
        yield case


def _identity(index: ModelCardIndex, *, own: bool) -> dict[str, Any]:
    """What tells one index from another; one that is made of the data's cards is the same each time it is made."""
    names = ("encoder", "template") if own else ("encoder", "template", "source", "created")
    return {**{n: index.manifest.get(n) for n in names}, "cards": len(index)}


def _notes(index: ModelCardIndex, data: SelectionData, made: Made, *, own: bool) -> Iterator[str]:
    if own:
        yield f"The index was made of the data's {len(index)} cards with {index.manifest['encoder']}."
    else:
        yield f"The index that was given holds {len(index)} cards ({index.manifest['source']}), encoded with {index.manifest['encoder']}."
        if made.baselines:
            yield f"The baselines rank the data's {len(data.cards)} cards: not the cards of the index that was given."
    for name, why in made.left_out.items():
        yield f"Baseline {name} is left out: {why}"
    if "most-downloads" in made.baselines:
        unknown = sum(c.downloads is None for c in data.cards)
        if unknown:
            yield f"most-downloads never finds the {unknown} of {len(data.cards)} cards whose downloads are not known."
    yield f"Rankings are {DEPTH} cards deep: beyond that a model counts as not found."
    yield "Seconds a case are those of the index's two searches, with and without the task filter."
