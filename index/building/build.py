"""Builds an index from a source of cards, beside the one that is there, and puts it in its place in one step.

Cards are read, told from those that are there by digest, written with their words, and encoded, some thousands at a time: memory does not
grow with the source. A build that was broken off at any moment goes on where it was when it is started again; until it is done, the old
index answers.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from ..encoders import bulk
from ..errors import CallerError, CardError, IndexFileError
from ..minilm import Encoder
from ..problems import Problems
from ..sources.source import CardSource, SourceCard
from ..store.manifest import FILE, Manifest, read_manifest
from ..store.writing import given_digest
from ..text import TEMPLATE
from .work import CARDS, MARK, Purpose, Work

if TYPE_CHECKING:
    from ..minilm import Floats

WINDOW = 2048
SLICE = 512
CHECKPOINT_SECONDS = 5.0
_LOCK = ".lock"


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a build is.

    Attributes:
        stage: `cards` while they are read and encoded, then `vectors` while these are written.
        cards: cards that the source gave so far.
        encoded: texts that were encoded so far.
        share: part of the stage that is done, 0..1; None where nobody knows.
        skipped: how much could not be used so far.
    """

    stage: str
    cards: int
    encoded: int
    share: float | None
    skipped: int


@dataclass(frozen=True, kw_only=True)
class BuildReport:
    """What a build did.

    Attributes:
        manifest: of the index.
        read: cards that the source gave, those before it was broken off included.
        added, changed, unchanged, deleted: cards.
        encoded: texts that were encoded; cards whose text is as before are not encoded again.
        problems: what could not be used.
        resumed: whether an unfinished build was taken up again.
        seconds: of this run.
    """

    manifest: Manifest
    read: int
    added: int
    changed: int
    unchanged: int
    deleted: int
    encoded: int
    problems: Problems
    resumed: bool
    seconds: float


@dataclass(frozen=True, kw_only=True)
class BuildOptions:
    """How to build.

    Attributes:
        resume: take up an unfinished build of the same source; False begins anew.
        window: cards that are taken in at a time, 1 or more.
        slice: texts that the encoder is given at a time, 1 or more; more where it works on many machines.
        checkpoint_seconds: how much work may be lost when the build is killed, in seconds of it; 0 keeps every window.
        on_progress: hears how far it is, several times a second at most as often as texts are encoded.
    """

    resume: bool = True
    window: int = WINDOW
    slice: int = SLICE
    checkpoint_seconds: float = CHECKPOINT_SECONDS
    on_progress: Callable[[Progress], None] = field(default=lambda _: None)


def build_index(source: CardSource, root: Path | str, encoder: Encoder, options: BuildOptions | None = None) -> BuildReport:
    """Make the index in `root` hold the cards of a source.

    A complete source replaces what is there: cards that it does not name go, cards that did not change are not encoded again. A delta
    adds and changes. With another encoder or template than the index that is there was made with, everything is encoded anew.

    Args:
        source: the cards.
        root: the index's folder; it is made where there is none.
        encoder: encodes the cards, and later the queries.
        options: how.

    Raises:
        CardError: the source gave no card; the index stays as it was.
        CallerError: a delta does not fit the index that is there.
        IndexFileError: the folder cannot be written, or another build is at work on it.
    """
    from filelock import FileLock, Timeout

    place, chosen, began = Path(root), options or BuildOptions(), time.monotonic()
    if min(chosen.window, chosen.slice) < 1:
        raise CallerError(f"window and slice must be 1 or more, not {chosen.window} and {chosen.slice}.")
    try:
        place.mkdir(parents=True, exist_ok=True)
        with FileLock(place / _LOCK, timeout=0):
            return _Builder(source, place, encoder, chosen, began).build()
    except Timeout as e:
        remedy = "Wait until it is done, or choose another folder."
        raise IndexFileError(f"Another build is at work on {str(place)!r}.", remedy=remedy) from e
    except (OSError, sqlite3.Error, RuntimeError) as e:  # FAISS raises RuntimeError
        why = getattr(e, "strerror", None) or e
        remedy = "See to its rights and room, and run the same command again: it goes on where it was. The index before answers as it did."
        raise IndexFileError(f"The index cannot be written to {str(place)!r}: {why}.", remedy=remedy) from e


async def abuild_index(source: CardSource, root: Path | str, encoder: Encoder, options: BuildOptions | None = None) -> BuildReport:
    """`build_index` without blocking the event loop."""
    return await asyncio.to_thread(build_index, source, root, encoder, options)


class _Builder:
    """One run."""

    def __init__(self, source: CardSource, root: Path, encoder: Encoder, options: BuildOptions, began: float) -> None:
        self._source = source
        self._root = root
        self._encoder = encoder
        self._bulk: Encoder = encoder
        self._options = options
        self._began = began
        self._before = _existing(root)
        self._share: float | None = None

    def build(self) -> BuildReport:
        purpose = self._purpose()
        work = Work.resume(self._root, purpose) if self._options.resume else None
        resumed = work is not None
        work = work or Work.begin(self._root, purpose)
        named = {work.folder.name} | ({self._before.generation} if self._before else set())
        _sweep(self._root, named, unfinished=True)
        try:
            if not work.state.taken:
                self._take_in(work)
            counts = work.counts()
            if not counts:
                raise CardError(f"{self._source.name} leaves no model card in the index{_told(work.problems)}.", remedy="Check the source.")
            work.write_vectors(lambda done, of: self._tell(work, "vectors", done / of))
            report = self._finish(work, counts, resumed=resumed)
            _sweep(self._root, named, unfinished=False)
            return report
        except CardError:
            work.close()
            shutil.rmtree(work.folder, ignore_errors=True)
            raise
        finally:
            work.close()

    def _purpose(self) -> Purpose:
        before = self._before
        fits = before is not None and (before.encoder, before.template) == (self._encoder.name, TEMPLATE)
        if not self._source.complete and not fits:
            there = "there is no index"
            if before is not None:
                there = f"the index was made with {before.encoder!r} and the template {before.template!r}"
            raise CallerError(
                f"{self._source.name} names only what changed, and in {str(self._root)!r} {there}.",
                remedy="Build the index from a source that names every card first.",
            )
        if fits and before is not None:
            dimension, base = before.dimension, before.generation
        else:
            dimension, base = int(self._encoder.encode(["dimension"]).shape[1]), ""
        return Purpose(source=self._source.name, encoder=self._encoder.name, dimension=dimension, template=TEMPLATE, base=base)

    def _take_in(self, work: Work) -> None:
        windows = _windows(self._source.read(work.problems, after=work.state.cursor), self._options.window)
        while True:
            try:
                window = next(windows, None)
            except BaseException:
                work.checkpoint()  # what was taken in so far is whole
                raise
            if window is None:
                break
            self._take_window(work, window)
            self._share = window[-1].share
            work.state.cursor = window[-1].cursor
            work.checkpoint(every=self._options.checkpoint_seconds)
        if self._source.complete:
            if not work.state.read:
                raise CardError(
                    f"There are no model cards to index in {self._source.name}{_told(work.problems)}.", remedy="Check the source."
                )
            work.delete_unseen()
        work.state.taken = True
        work.checkpoint()

    def _take_window(self, work: Work, window: Sequence[SourceCard]) -> None:
        last = {(s.card.id, s.card.task): s.card for s in window}
        given = [(card, given_digest(card)) for card in last.values()]
        known = [work.cards.known(card, digest) for card, digest in given]
        written = work.cards.put([pair for pair, number in zip(given, known, strict=True) if number is None])
        work.see([n for n in known if n is not None] + [w.number for w in written], twice=len(window) - len(last))
        state = work.state
        state.read += len(window)
        state.added += sum(w.new for w in written)
        state.changed += sum(not w.new for w in written)
        texts = [(w.number, i, text) for w in written for i, text in enumerate(w.passages)]
        if texts:
            vectors = self._encode(work, [text for _, _, text in texts], window[-1].share)
            work.stage([n for n, _, _ in texts], [i for _, i, _ in texts], vectors)
        self._tell(work, "cards", window[-1].share)

    def _encode(self, work: Work, texts: Sequence[str], share: float | None) -> Floats:
        """Vectors in the order of the texts, encoded by ascending length: texts of one length need no filling up."""
        import numpy as np

        if self._bulk is self._encoder:
            self._bulk = bulk(self._encoder, len(texts))
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        vectors: Floats | None = None
        for start in range(0, len(order), self._options.slice):
            chosen = order[start : start + self._options.slice]
            part = self._bulk.encode([texts[i] for i in chosen])
            if vectors is None:
                vectors = np.empty((len(texts), part.shape[1]), np.float32)
            vectors[chosen] = part
            work.state.encoded += len(chosen)
            done, before = (start + len(chosen)) / len(order), self._share or 0.0
            self._tell(work, "cards", None if share is None else before + done * (share - before))
        if vectors is None or vectors.shape[1] != work.purpose.dimension:
            got = None if vectors is None else vectors.shape[1]
            raise CallerError(f"The encoder {self._encoder.name!r} gives vectors of {got} numbers; the index has {work.purpose.dimension}.")
        return vectors

    def _finish(self, work: Work, counts: dict[str, int], *, resumed: bool) -> BuildReport:
        state, problems = work.state, work.problems
        manifest = Manifest(
            generation=work.folder.name,
            encoder=work.purpose.encoder,
            dimension=work.purpose.dimension,
            template=work.purpose.template,
            counts=counts,
            source=self._source.name,
            created=state.begun,
            skipped=dict(problems.counts),
        )
        work.finish(self._root, manifest)
        return BuildReport(
            manifest=manifest,
            read=state.read,
            added=state.added,
            changed=state.changed,
            unchanged=manifest.cards - state.added - state.changed,
            deleted=state.deleted,
            encoded=state.encoded,
            problems=problems,
            resumed=resumed,
            seconds=time.monotonic() - self._began,
        )

    def _tell(self, work: Work, stage: str, share: float | None) -> None:
        skipped = sum(work.problems.counts.values())
        self._options.on_progress(Progress(stage=stage, cards=work.state.read, encoded=work.state.encoded, share=share, skipped=skipped))


def _windows(cards: Iterator[SourceCard], size: int) -> Iterator[list[SourceCard]]:
    while window := list(islice(cards, size)):
        yield window


def _existing(root: Path) -> Manifest | None:
    """What is there; None for nothing, and for what cannot be used any more."""
    try:
        manifest = read_manifest(root)
    except IndexFileError as e:
        if (root / FILE).exists() and not any(root.glob("g-*")):
            raise IndexFileError(f"{str(root)!r} holds a {FILE} that is not an index's.", remedy="Choose another folder.") from e
        return None
    return manifest if (root / manifest.generation / CARDS).is_file() else None


def _sweep(root: Path, keep: set[str], *, unfinished: bool) -> None:
    """Delete generations but for some: those that were never finished, or all."""
    for folder in root.glob("g-*"):
        if folder.name not in keep and ((folder / MARK).exists() or not unfinished):
            shutil.rmtree(folder, ignore_errors=True)


def _told(problems: Problems) -> str:
    return "".join(f"; {kind}: {n}" for kind, n in problems.counts.most_common(4))
