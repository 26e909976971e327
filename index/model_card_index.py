"""The index over model cards: hard filters, then dense and lexical ranks fused, then a small re-ranker.

On disk, everything that belongs together lies in one generation folder, and `manifest.json`, replaced in one step, names it:

    DIR/manifest.json                    format, generation, encoder, dimension, template, counts, source, created
    DIR/<generation>/cards.sqlite        cards, facts for filters, words (FTS5)
    DIR/<generation>/<task>.faiss …      one FAISS sub-index for each task (see store/vectors.py)

The generation before stays until the next build, for those who are reading in it.
"""

from __future__ import annotations

import shlex
import threading
from collections.abc import Callable, Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from .card import ModelCard
from .encoders import encode_query, same_encoder
from .errors import CallerError, IndexFileError, UnknownNameError
from .filters import CardFilter
from .finding import Found, Search
from .minilm import Encoder, MiniLM
from .ranking.evidence import Query, Ranker
from .ranking.reranker import shipped_reranker
from .ranking.why import why
from .store.cards import FACTS
from .store.generation import Generation
from .store.manifest import FILE, read_manifest
from .store.schema import number_of
from .store.vectors import MissingVectorsError

if TYPE_CHECKING:
    from .retriever import ModelCardRetriever
    from .sources.source import CardSource
    from .store.cards import TaskRange

_NEAREST_TASKS = 3
_PAGE = 500
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Hit:
    """A card that was found.

    Attributes:
        card: the card.
        score: 0..1, higher is better; 0 without a query.
        similarity: cosine of the query and the nearest passage of the card, -1..1; None without a query.
        why: in a person's words.
    """

    card: ModelCard
    score: float
    similarity: float | None
    why: str


class ModelCardIndex:
    """Model cards, searchable. Made by `embedded`, `from_cards`, `build` or `open`. May be used from several threads.

    An index that was opened follows its folder: once another build has finished, the next search answers out of the new generation. Each
    answer comes out of one generation.

    Args:
        generation: what is searched.
        encoder: encodes queries as the cards were encoded; default: the one that the index names, loaded on the first query.
        reranker: gives what puts the found cards in their final order, called at each search; None leaves them in the order of the fused
            ranks.
        root: the folder that is followed; None for an index in memory.
    """

    def __init__(
        self,
        generation: Generation,
        encoder: Encoder | None = None,
        *,
        reranker: Callable[[], Ranker] | None = shipped_reranker,
        root: Path | None = None,
    ) -> None:
        self._given = encoder
        self._reranker = reranker
        self._root = root
        self._opened = _Opened(generation, _Encoding(encoder, generation.manifest.encoder), _stamp(root))
        self._lock = threading.Lock()

    @classmethod
    def embedded(cls, encoder: MiniLM | None = None) -> ModelCardIndex:
        """The catalogue that ships: some 250 well-known models and the embedded experts. Its vectors ship as well."""
        from .building.memory import generation_in_memory
        from .catalogue import load_catalogue
        from .catalogue_vectors import load_vectors

        chosen = encoder or MiniLM()
        generation = generation_in_memory(load_catalogue(), chosen.name, lambda texts: load_vectors(texts, chosen), "embedded catalogue")
        return cls(generation, chosen)

    @classmethod
    def from_cards(cls, cards: Iterable[ModelCard], *, encoder: Encoder | None = None, source: str = "cards") -> ModelCardIndex:
        """An index in memory. Of cards with one id and one task the last counts. Raises CardError when there are none."""
        from .building.memory import generation_in_memory

        chosen = encoder or MiniLM()
        generation = generation_in_memory(cards, chosen.name, chosen.encode, source)
        return cls(generation, chosen)

    @classmethod
    def build(
        cls, cards: CardSource | Iterable[ModelCard], folder: Path | str, *, encoder: Encoder | None = None, source: str = "cards"
    ) -> ModelCardIndex:
        """Write an index of these cards to `folder`, replacing what is there in one step, and open it. See `building.build_index`.

        Args:
            cards: a source (`sources.open_source`), or cards.
            folder: of the index.
            encoder: encodes cards and queries.
            source: what the manifest says where cards, rather than a source, are given.

        Raises:
            CardError: there are no cards.
            IndexFileError: the folder cannot be written.
        """
        from .building.build import BuildOptions, build_index
        from .sources.given import GivenCards

        chosen = encoder or MiniLM()
        if isinstance(cards, Iterable):  # nobody knows whether those of a build that broke off were the same
            build_index(GivenCards(cards, name=source), folder, chosen, BuildOptions(resume=False))
        else:
            build_index(cards, folder, chosen)
        return cls.open(folder, encoder=chosen)

    @classmethod
    def open(cls, folder: Path | str, *, encoder: Encoder | None = None) -> ModelCardIndex:
        """Open a folder that `build` wrote. Reads the manifest and a few numbers; the rest on first use.

        Args:
            folder: of the index.
            encoder: must be the one that encoded the cards; default: it is loaded by the name that the index recorded, on the first query.

        Raises:
            IndexFileError: no index, a corrupt one, one of another format, or one that was made with another encoder.
        """
        root = Path(folder)
        manifest = read_manifest(root)
        generation = Generation.open(root, manifest)
        if encoder is not None and not same_encoder(encoder.name, manifest.encoder):
            raise _other_encoder(root, manifest.encoder, encoder.name)
        return cls(generation, encoder, root=root)

    def __len__(self) -> int:
        return self._current().generation.cards.count

    @property
    def tasks(self) -> dict[str, int]:
        """Number of cards of each task."""
        return {name: task.cards for name, task in self._current().generation.cards.tasks.items()}

    @property
    def manifest(self) -> dict[str, Any]:
        """How the index was made, as in `manifest.json`."""
        return self._current().generation.manifest.as_json()

    def count_by(self, fact: str) -> dict[str, int]:
        """How many cards there are for each value of a fact, the commonest first.

        Args:
            fact: `task`, `license`, `library`, `modified` (days, as `2026-11-21`), `language` or `flag`. Under an empty name: cards that do
                not tell their licence, library or date. A card counts for each of its languages and flags.

        Raises:
            UnknownNameError: another fact.
        """
        if fact not in FACTS:
            raise UnknownNameError("fact", fact, FACTS)
        return self._in_one(lambda opened: opened.generation.cards.tally(fact))

    def get(self, ident: str, *, task: str | None = None) -> ModelCard:
        """The card of a model.

        Raises:
            UnknownNameError: no such model, or not for this task; suggests the nearest id.
        """
        generation = self._current().generation
        for card in generation.cards.by_id(ident):
            if task is None or card.task == task:
                return card
        raise UnknownNameError("model" if task is None else f"model for {task}", ident, generation.cards.ids_like(ident))

    def search(self, query: str, *, task: str | None = None, filters: CardFilter | None = None, limit: int = 10) -> list[Hit]:
        """Cards for a query, best first.

        Args:
            query: what the model shall do, in words. Empty: cards in the order of the index.
            task: only cards of this task. Where the index has none for it, the nearest tasks are searched, and each hit says so.
            filters: hard filters, applied inside the search, never after it.
            limit: how many at most, 1 or more.
        """
        if type(limit) is not int or limit < 1:
            raise CallerError(f"limit must be 1 or more, not {limit!r}.")
        if filters is not None and not isinstance(filters, CardFilter):
            raise CallerError(f"filters must be a CardFilter, not {filters!r:.80}.")
        return self._in_one(lambda opened: self._search(opened, query, task, filters, limit))

    async def asearch(self, query: str, *, task: str | None = None, filters: CardFilter | None = None, limit: int = 10) -> list[Hit]:
        """`search` without blocking the event loop."""
        import asyncio

        return await asyncio.to_thread(self.search, query, task=task, filters=filters, limit=limit)

    def as_retriever(self, *, task: str | None = None, filters: CardFilter | None = None, k: int = 10) -> ModelCardRetriever:
        """A LangChain retriever over this index; documents hold the card's text, and its facts as metadata."""
        from .retriever import ModelCardRetriever

        return ModelCardRetriever(index=self, task=task, filters=filters, k=k)

    def with_reranker(self, reranker: Ranker | None) -> ModelCardIndex:
        """The same index with another re-ranker, or with none: cards in the order of the fused ranks."""
        other = copy(self)
        other._reranker = None if reranker is None else lambda: reranker
        return other

    def save(self, folder: Path | str) -> None:
        """Write a copy of this index, as it is, in place of what is in the folder. Raises IndexFileError when it cannot be written."""
        from .building.memory import save_generation

        self._in_one(lambda opened: save_generation(opened.generation, Path(folder)))

    def _search(self, opened: _Opened, text: str, task: str | None, filters: CardFilter | None, limit: int) -> list[Hit]:
        generation, encoder = opened.generation, opened.encoding.encoder
        tasks, instead_of = generation.tasks(task), ""
        if not tasks and task is not None:
            tasks, instead_of = _nearest_tasks(generation, encoder, task), task
        if not text.strip():
            listed = _in_order(generation, tasks, filters, limit)
            return [
                Hit(card=c, score=0.0, similarity=None, why=_told("no query: in the order of the index", c, instead_of)) for c in listed
            ]
        query = Query(text=text, vector=encode_query(encoder, text), task=None if instead_of else task, encoder=encoder.name)
        reranker = self._reranker() if self._reranker else None
        found = Search(generation, query, tasks, filters, limit).run(reranker)
        cards = generation.cards.cards(f.number for f in found)
        return [_hit(cards[f.number], f, query, instead_of) for f in found]

    def _current(self) -> _Opened:
        """What is searched now: the newest generation of the folder."""
        stamp = _stamp(self._root)  # None where the folder has gone: what is open goes on answering
        if self._root is not None and stamp is not None and stamp != self._opened.stamp:
            with self._lock:
                if (stamp := _stamp(self._root)) not in (None, self._opened.stamp):
                    self._opened = self._reopened(self._root, stamp)
        return self._opened

    def _reopened(self, root: Path, stamp: object) -> _Opened:
        manifest = read_manifest(root)
        encoding = self._opened.encoding
        if manifest.encoder != encoding.name:
            if self._given is not None:
                raise _other_encoder(root, manifest.encoder, self._given.name)
            encoding = _Encoding(None, manifest.encoder)
        return _Opened(Generation.open(root, manifest), encoding, stamp)

    def _in_one(self, ask: Callable[[_Opened], T]) -> T:
        """Ask one generation; where it has gone because builds have finished meanwhile, ask the newest, from the start."""
        opened = self._current()
        while True:
            try:
                return ask(opened)
            except MissingVectorsError:
                newest = self._current()
                if newest is opened:
                    raise
                opened = newest


@dataclass(frozen=True)
class _Opened:
    """A generation, with the encoder of its queries."""

    generation: Generation
    encoding: _Encoding
    stamp: object


class _Encoding:
    """The encoder that was given, or the one of a name, loaded on first use."""

    def __init__(self, given: Encoder | None, name: str) -> None:
        self.name = name
        self._given = given

    @cached_property
    def encoder(self) -> Encoder:
        from .encoders import load_encoder

        return self._given or load_encoder(self.name)


def _stamp(root: Path | None) -> object:
    """Changes when the manifest is replaced; None where there is none."""
    try:
        stat = (root / FILE).stat() if root is not None else None
    except OSError:
        return None
    return stat and (stat.st_ino, stat.st_mtime_ns, stat.st_size)


def _other_encoder(root: Path, made_with: str, given: str) -> IndexFileError:
    again = f"hugginggpt index build --from SOURCE --encoder NAME --out {shlex.quote(str(root))}"
    return IndexFileError(
        f"The index {str(root)!r} was made with the encoder {made_with!r}, not {given!r}.",
        remedy=f"Pass that encoder or none; or build it again: {again}",
    )


def _nearest_tasks(generation: Generation, encoder: Encoder, task: str) -> list[TaskRange]:
    """The tasks of the index whose names are nearest in meaning, nearest first."""
    import numpy as np

    tasks = generation.tasks(None)
    vectors = encoder.encode([t.replace("-", " ") for t in (task, *(t.name for t in tasks))])
    return [tasks[i] for i in np.argsort(-(vectors[1:] @ vectors[0]), kind="stable")[:_NEAREST_TASKS]]


def _in_order(generation: Generation, tasks: Sequence[TaskRange], filters: CardFilter | None, limit: int) -> list[ModelCard]:
    """The first cards of some tasks that pass."""
    found: list[ModelCard] = []
    for task in tasks:
        mask = generation.mask(task, filters.on_facts if filters else None)
        places = range(task.places) if mask is None else mask.nonzero()[0].tolist()
        for start in range(0, len(places), _PAGE):
            page = generation.cards.cards(number_of(task.slot, p) for p in places[start : start + _PAGE])
            found += [page[n] for n in sorted(page) if filters is None or filters.passes(page[n])]
            if len(found) >= limit:
                return found[:limit]
    return found


def _hit(card: ModelCard, found: Found, query: Query, instead_of: str) -> Hit:
    reasons = _told(why(query, found.evidence), card, instead_of)
    return Hit(card=card, score=found.score, similarity=max(found.evidence.cosines), why=reasons)


def _told(reasons: str, card: ModelCard, instead_of: str) -> str:
    return f"no model for {instead_of} is in the index, {card.task} is near; {reasons}" if instead_of else reasons
