"""The index over model cards: hard filters, then dense and lexical ranks fused.

On disk, everything that belongs together lies in one generation folder, and `manifest.json`, replaced in one step, names it:

    DIR/manifest.json                    format, generation, encoder, dimension, template, counts, source, created
    DIR/<generation>/cards.sqlite        cards, words (FTS5), which vector belongs to which card
    DIR/<generation>/<task>.faiss        one exact FAISS sub-index for each task

The generation before stays until the next build, for those who have it open.
"""

from __future__ import annotations

import datetime
import json
import shutil
import sqlite3
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._metadata import Metadata
from ._vectors import Vectors
from .card import ModelCard
from .errors import CallerError, CardError, IndexFileError, UnknownNameError
from .minilm import Encoder, MiniLM
from .text import TEMPLATE, card_text

if TYPE_CHECKING:
    from .minilm import Floats
    from .retriever import ModelCardRetriever

FORMAT = 1
_RRF = 60  # reciprocal-rank fusion: Cormack, Clarke, Buettcher, SIGIR 2009
_DEPTH = 60


@dataclass(frozen=True, kw_only=True)
class CardFilter:
    """Hard filters. A card whose fact is unknown does not pass a filter on that fact.

    Attributes:
        license: Hub licence ids, any of which will do.
        language: ISO 639-1 code that the card must list.
        library: Hub library name.
        max_parameters: number of weights at most.
        gated: False leaves out models that ask for consent.
        where: any further condition, such as "runnable here".
    """

    license: tuple[str, ...] = ()
    language: str | None = None
    library: str | None = None
    max_parameters: int | None = None
    gated: bool | None = None
    where: Callable[[ModelCard], bool] | None = None

    def passes(self, card: ModelCard) -> bool:
        """Whether a card meets every condition."""
        return (
            (not self.license or card.license in self.license)
            and (self.language is None or self.language in card.languages)
            and (self.library is None or card.library == self.library)
            and (self.max_parameters is None or (card.parameters is not None and card.parameters <= self.max_parameters))
            and (self.gated is None or card.gated is self.gated)
            and (self.where is None or self.where(card))
        )


@dataclass(frozen=True, kw_only=True)
class Hit:
    """A card that was found.

    Attributes:
        card: the card.
        score: reciprocal-rank fusion of the dense and the lexical rank, scaled so that first in both is 1; 0 without a query.
        similarity: cosine of query and card, -1..1; None where only words matched, and without a query.
        why: in a person's words.
    """

    card: ModelCard
    score: float
    similarity: float | None
    why: str


class ModelCardIndex:
    """Model cards that can be searched by meaning, by words and by facts.

    Make one with `embedded()`, `from_cards()` or `open()`. Searching is safe from several threads, and several processes may
    read one folder while another replaces it.
    """

    def __init__(self, metadata: Metadata, vectors: Vectors, encoder: Encoder, manifest: dict[str, Any]) -> None:
        self._metadata = metadata
        self._vectors = vectors
        self._encoder = encoder
        self.manifest = manifest

    @classmethod
    def embedded(cls, encoder: MiniLM | None = None) -> ModelCardIndex:
        """The catalogue that ships: some 250 well-known models and the embedded experts. Its vectors ship as well."""
        from .catalogue import load_catalogue
        from .catalogue_vectors import load_vectors

        cards, chosen = load_catalogue(), encoder or MiniLM()
        return cls._in_memory(cards, load_vectors(cards, chosen), chosen, "embedded catalogue")

    @classmethod
    def from_cards(cls, cards: Iterable[ModelCard], *, encoder: Encoder | None = None, source: str = "cards") -> ModelCardIndex:
        """An index in memory. Of cards with one id and one task the last counts."""
        kept = tuple({(c.id, c.task): c for c in cards}.values())
        if not kept:
            raise CardError("There are no model cards to index.")
        chosen = encoder or MiniLM()
        return cls._in_memory(kept, chosen.encode([card_text(c) for c in kept]), chosen, source)

    @classmethod
    def _in_memory(cls, cards: Sequence[ModelCard], vectors: Floats, encoder: Encoder, source: str) -> ModelCardIndex:
        tasks = [c.task for c in cards]
        manifest = _manifest(encoder.name, int(vectors.shape[1]), cards, source)
        return cls(Metadata.create(cards), Vectors.create(tasks, vectors), encoder, manifest)

    @classmethod
    def build(
        cls, cards: Iterable[ModelCard], folder: Path | str, *, encoder: Encoder | None = None, source: str = "cards"
    ) -> ModelCardIndex:
        """Encode cards, write the index to `folder`, replacing what is there in one step, and open it.

        Raises:
            CardError: there are no cards.
            IndexFileError: the folder cannot be written.
        """
        kept = tuple({(c.id, c.task): c for c in cards}.values())
        if not kept:
            raise CardError("There are no model cards to index.")
        chosen = encoder or MiniLM()
        _write(Path(folder), kept, chosen.encode([card_text(c) for c in kept]), _manifest(chosen.name, None, kept, source))
        return cls.open(folder, encoder=chosen)

    @classmethod
    def open(cls, folder: Path | str, *, encoder: Encoder | None = None) -> ModelCardIndex:
        """Open a folder that `build` wrote. Reads the manifest only; the rest on first use.

        Raises:
            IndexFileError: no index, a corrupt one, one of another format, or one that was made with another encoder.
        """
        root = Path(folder)
        manifest = _read_manifest(root)
        generation = root / str(manifest["generation"])
        chosen = encoder or MiniLM()
        if manifest["encoder"] != chosen.name:
            raise IndexFileError(
                f"The index {str(root)!r} was made with the encoder {manifest['encoder']!r}, not {chosen.name!r}.",
                remedy="Pass that encoder, or build the index again.",
            )
        cards = generation / "cards.sqlite"
        if not cards.is_file():
            raise IndexFileError(f"The index {str(root)!r} has lost its card file.", remedy="Build the index again.")
        index = cls(Metadata(cards), Vectors(generation), chosen, manifest)
        _ = index._counts  # a corrupt card file is found here, not in the middle of a run
        return index

    def __len__(self) -> int:
        return sum(self._counts.values())

    @cached_property
    def _counts(self) -> dict[str, int]:
        return self._metadata.counts()

    @property
    def tasks(self) -> dict[str, int]:
        """Number of cards of each task."""
        return dict(self._counts)

    def get(self, ident: str, *, task: str | None = None) -> ModelCard:
        """The card of a model.

        Raises:
            UnknownNameError: no such model, or not for this task; suggests the nearest id.
        """
        for card in self._metadata.by_id(ident):
            if task is None or card.task == task:
                return card
        raise UnknownNameError("model" if task is None else f"model for {task}", ident, self._metadata.ids())

    def search(self, query: str, *, task: str | None = None, filters: CardFilter | None = None, limit: int = 10) -> list[Hit]:
        """Cards for a query, best first.

        Args:
            query: what the model shall do, in words. Empty: cards in the order of the index.
            task: only cards of this task.
            filters: hard filters, applied inside the search, never after it.
            limit: how many at most, 1 or more.
        """
        if limit < 1:
            raise CallerError(f"limit must be 1 or more, not {limit}.")
        tasks = [t for t in self._counts if task is None or t == task]
        if not query.strip():
            return self._in_order(tasks, filters, limit)
        allowed = self._allowed(tasks, filters)
        if allowed is not None and not allowed:
            return []
        depth = max(limit, _DEPTH)
        dense = self._vectors.search(self._encoder.encode([query])[0], tasks=tasks, allowed=allowed, limit=depth)
        lexical = self._metadata.lexical(query, task=task, allowed=allowed, limit=depth)
        return self._fuse(dense, lexical, limit)

    async def asearch(self, query: str, *, task: str | None = None, filters: CardFilter | None = None, limit: int = 10) -> list[Hit]:
        """`search` without blocking the event loop."""
        import asyncio

        return await asyncio.to_thread(self.search, query, task=task, filters=filters, limit=limit)

    def as_retriever(self, *, task: str | None = None, filters: CardFilter | None = None, k: int = 10) -> ModelCardRetriever:
        """A LangChain retriever over this index; documents hold the card's text, and its facts as metadata."""
        from .retriever import ModelCardRetriever

        return ModelCardRetriever(index=self, task=task, filters=filters, k=k)

    def save(self, folder: Path | str) -> None:
        """Write an index that is in memory. Raises IndexFileError when the folder cannot be written."""
        numbered = self._metadata.cards(range(1, len(self) + 1))
        cards = [numbered[n] for n in sorted(numbered)]
        _write(Path(folder), cards, self._vectors.of([c.task for c in cards]), dict(self.manifest))

    def _allowed(self, tasks: Sequence[str], filters: CardFilter | None) -> list[int] | None:
        if filters is None:
            return None
        return [n for t in tasks for n, card in self._metadata.of_task(t).items() if filters.passes(card)]

    def _in_order(self, tasks: Sequence[str], filters: CardFilter | None, limit: int) -> list[Hit]:
        numbered = {n: card for t in tasks for n, card in self._metadata.of_task(t).items() if filters is None or filters.passes(card)}
        return [
            Hit(card=numbered[n], score=0.0, similarity=None, why="no query: in the order of the index") for n in sorted(numbered)[:limit]
        ]

    def _fuse(self, dense: list[tuple[int, float]], lexical: list[int], limit: int) -> list[Hit]:
        similarity = dict(dense)
        dense_rank = {n: r for r, (n, _) in enumerate(dense, 1)}
        lexical_rank = {n: r for r, n in enumerate(lexical, 1)}
        score = {
            n: sum(1 / (_RRF + ranks[n]) for ranks in (dense_rank, lexical_rank) if n in ranks) * (_RRF + 1) / 2
            for n in {**dense_rank, **lexical_rank}
        }
        best = sorted(score, key=lambda n: (-score[n], -similarity.get(n, -1.0), n))[:limit]
        cards = self._metadata.cards(best)
        return [
            Hit(card=cards[n], score=round(score[n], 6), similarity=similarity.get(n), why=_why(n, dense_rank, lexical_rank, similarity))
            for n in best
        ]


def _why(number: int, dense: dict[int, int], lexical: dict[int, int], similarity: dict[int, float]) -> str:
    parts = []
    if number in dense:
        parts.append(f"no. {dense[number]} by meaning (cosine {similarity[number]:.2f})")
    if number in lexical:
        parts.append(f"no. {lexical[number]} by words")
    return ", ".join(parts)


def _manifest(encoder: str, dimension: int | None, cards: Sequence[ModelCard], source: str) -> dict[str, Any]:
    counts: dict[str, int] = {}
    for card in cards:
        counts[card.task] = counts.get(card.task, 0) + 1
    return {
        "format": FORMAT,
        "encoder": encoder,
        "dimension": dimension,
        "template": TEMPLATE,
        "counts": counts,
        "source": source,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def _write(root: Path, cards: Sequence[ModelCard], vectors: Floats, manifest: dict[str, Any]) -> None:
    generation = f"g-{uuid.uuid4().hex[:12]}"
    try:
        old = _stale_generations(root)
        place = root / generation
        place.mkdir(parents=True)
        Metadata.create(cards, place / "cards.sqlite").close()
        Vectors.create([c.task for c in cards], vectors, place)
        temporary = root / f"manifest-{generation}.tmp"
        temporary.write_text(json.dumps({**manifest, "generation": generation, "dimension": int(vectors.shape[1])}, indent=1), "utf-8")
        temporary.replace(root / "manifest.json")
    except (OSError, sqlite3.Error, RuntimeError) as e:  # FAISS raises RuntimeError
        why = getattr(e, "strerror", None) or e
        raise IndexFileError(f"The index cannot be written to {str(root)!r}: {why}.", remedy="Choose another folder.") from e
    for folder in old:
        shutil.rmtree(folder, ignore_errors=True)


def _stale_generations(root: Path) -> list[Path]:
    """Every generation but the one that the manifest names: whoever has that one open reads files of it on first use."""
    if not root.is_dir():
        return []
    try:
        current = _read_manifest(root)["generation"]
    except IndexFileError:
        current = None
    return [p for p in root.glob("g-*") if p.is_dir() and p.name != current]


def _read_manifest(root: Path) -> dict[str, Any]:
    path = root / "manifest.json"
    try:
        manifest = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as e:
        raise IndexFileError(f"There is no index in {str(root)!r}.", remedy="Check the path (--index, HUGGINGGPT_INDEX).") from e
    except (OSError, ValueError) as e:
        raise IndexFileError(f"The manifest of the index {str(root)!r} cannot be read: {e}.", remedy="Build the index again.") from e
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        found = manifest.get("format") if isinstance(manifest, dict) else None
        raise IndexFileError(f"The index {str(root)!r} has format {found!r}; this version reads {FORMAT}.", remedy="Build the index again.")
    if not isinstance(manifest.get("encoder"), str) or not str(manifest.get("generation", "")).startswith("g-"):
        raise IndexFileError(f"The manifest of the index {str(root)!r} is incomplete.", remedy="Build the index again.")
    if Path(manifest["generation"]).name != manifest["generation"]:
        raise IndexFileError(f"The manifest of the index {str(root)!r} names a generation outside of it.", remedy="Build the index again.")
    return manifest
