"""Builds an index from a source of cards, beside the one that is there, and puts it in its place in one step.

Cards are read, told from those that are there by digest, written with their words, and encoded, some thousands at a time: memory does not
grow with the source. A build that was broken off at any moment goes on where it was when it is started again; until it is done, the old
index answers.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from ..encoders import bulk
from ..errors import CallerError, CardError, ExpertError, IndexFileError
from ..minilm import Encoder
from ..problems import Problems
from ..sources.source import CardSource, SourceCard
from ..store.manifest import Manifest
from ..store.stored import mended
from ..store.writing import given_digest
from ..text import TEMPLATE
from .folders import existing, locked, sound, sweep
from .work import Purpose, Work

if TYPE_CHECKING:
    from ..minilm import Floats

WINDOW = 2048
SLICE = 512
CHECKPOINT_SECONDS = 5.0
_AGAIN = "The same command goes on where it was; the index before answers as it did."


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
    adds and changes; of the models that it names, cards for other tasks go. With another encoder or template than the index that is there
    was made with, everything is encoded anew.

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
    place, chosen, began = Path(root), options or BuildOptions(), time.monotonic()
    if min(chosen.window, chosen.slice) < 1:
        raise CallerError(f"window and slice must be 1 or more, not {chosen.window} and {chosen.slice}.")
    try:
        place.mkdir(parents=True, exist_ok=True)
        with locked(place):
            return _Builder(source, place, encoder, chosen, began).build()
    except (OSError, sqlite3.Error, RuntimeError) as e:  # FAISS raises RuntimeError
        why = getattr(e, "strerror", None) or e
        if isinstance(e, sqlite3.DatabaseError) and ("malformed" in str(e) or "not a database" in str(e)):
            message = f"The index in {str(place)!r} is damaged: {why}."
            raise IndexFileError(message, remedy="Delete that folder and build again.") from e
        remedy = "See to its rights and room, and run the same command again: it goes on where it was. The index before answers as it did."
        raise IndexFileError(f"The index cannot be written to {str(place)!r}: {why}.", remedy=remedy) from e


async def abuild_index(source: CardSource, root: Path | str, encoder: Encoder, options: BuildOptions | None = None) -> BuildReport:
    """`build_index` without blocking the event loop. Cancelled, it stops once the texts at hand are encoded, and can be taken up again."""
    chosen, stop = options or BuildOptions(), threading.Event()

    def tell(progress: Progress) -> None:
        if stop.is_set():
            raise _Stopped
        chosen.on_progress(progress)

    try:
        return await asyncio.to_thread(build_index, source, root, encoder, replace(chosen, on_progress=tell))
    except asyncio.CancelledError:
        stop.set()
        raise


class _Stopped(BaseException):
    """Nobody waits for this build any more."""


class _Builder:
    """One run."""

    def __init__(self, source: CardSource, root: Path, encoder: Encoder, options: BuildOptions, began: float) -> None:
        self._source = source
        self._root = root
        self._encoder = encoder
        self._bulk: Encoder = encoder
        self._options = options
        self._began = began
        self._before = existing(root)
        self._share: float | None = None

    def build(self) -> BuildReport:
        purpose = self._purpose()
        done = self._before.generation if self._before else ""
        work = Work.resume(self._root, purpose, done) if self._options.resume else None
        resumed = work is not None
        work = work or Work.begin(self._root, purpose)
        named = {work.folder.name, done}
        sweep(self._root, named, unfinished=True)
        try:
            if not work.state.taken:
                self._take_in(work)
            counts = work.counts()
            if not counts:
                raise CardError(f"{self._source.name} leaves no model card in the index{_told(work.problems)}.", remedy="Check the source.")
            work.write_vectors(lambda done, of: self._tell(work, "vectors", done / of))
            report = self._finish(work, counts, resumed=resumed)
            sweep(self._root, named, unfinished=False)
            return report
        except CardError:
            work.close()
            shutil.rmtree(work.folder, ignore_errors=True)
            raise
        finally:
            work.close()

    def _purpose(self) -> Purpose:
        before = self._before
        dimension = getattr(self._encoder, "dimension", None) or int(self._encoded(["dimension"]).shape[1])
        wanted = (self._encoder.name, dimension, TEMPLATE)
        alike = before is not None and (before.encoder, before.dimension, before.template) == wanted
        fits = before is not None and alike and sound(self._root, before)
        if not self._source.complete and not fits:
            there = "there is no index"
            if before is not None:
                there = f"the index was made with {before.encoder!r} ({before.dimension} numbers) and the template {before.template!r}"
                there = "the index is damaged" if alike else there
            raise CallerError(
                f"{self._source.name} names only what changed, and in {str(self._root)!r} {there}.",
                remedy="Build the index from a source that names every card first.",
            )
        return Purpose(
            source=self._source.name,
            complete=self._source.complete,
            encoder=self._encoder.name,
            dimension=dimension,
            template=TEMPLATE,
            base=before.generation if fits and before is not None else "",
        )

    def _take_in(self, work: Work) -> None:
        windows = _windows(self._source.read(work.problems, after=work.state.cursor), self._options.window)
        while True:
            try:
                window = next(windows, None)
            except BaseException as e:
                work.checkpoint()  # what was taken in so far is whole
                if isinstance(e, OSError | RuntimeError):
                    raise CallerError(f"{self._source.name} cannot be read: {e}.", remedy=_AGAIN) from e
                raise
            if window is None:
                break
            self._take_window(work, window)
            self._share = window[-1].share
            work.taken(window[-1].cursor, complete=self._source.complete)
            work.checkpoint(every=self._options.checkpoint_seconds)
        work.taken(work.state.cursor, complete=self._source.complete)
        if work.state.complete and not work.state.read:
            raise CardError(f"There are no model cards to index in {self._source.name}{_told(work.problems)}.", remedy="Check the source.")
        if work.state.complete:
            work.delete_unseen(everything=True)
        elif not work.purpose.complete:  # a delta names all tasks of its models; a source that was cut off may have lost some
            work.delete_unseen(everything=False)
        work.state.taken = True
        work.checkpoint()

    def _take_window(self, work: Work, window: Sequence[SourceCard]) -> None:
        last = {(s.card.id, s.card.task): mended(s.card) for s in window}
        given = [(card, given_digest(card)) for card in last.values()]
        known = [work.cards.known(card, digest) for card, digest in given]
        written = work.cards.put([pair for pair, number in zip(given, known, strict=True) if number is None])
        again = work.see([n for n in known if n is not None] + [w.number for w in written], twice=len(window) - len(last))
        state = work.state
        state.read += len(window)
        state.added += sum(w.new for w in written)
        state.changed += sum(not w.new and w.number not in again for w in written)
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
        vectors = np.empty((len(texts), work.purpose.dimension), np.float32)
        for start in range(0, len(order), self._options.slice):
            chosen = order[start : start + self._options.slice]
            part = self._encoded([texts[i] for i in chosen])
            if part.shape[1] != vectors.shape[1]:
                gave = f"gives vectors of {part.shape[1]} numbers, and said that they have {vectors.shape[1]}"
                raise ExpertError(f"The encoder {self._encoder.name!r} {gave}.")
            vectors[chosen] = part
            work.state.encoded += len(chosen)
            done, before = (start + len(chosen)) / len(order), self._share or 0.0
            self._tell(work, "cards", None if share is None else before + done * (share - before))
        return vectors

    def _encoded(self, texts: list[str]) -> Floats:
        """What the encoder gives. Raises ExpertError when it fails, or gives something else than a row of numbers for each text."""
        import numpy as np

        try:
            vectors = self._bulk.encode(texts)
        except (OSError, RuntimeError) as e:
            raise ExpertError(f"The encoder {self._encoder.name!r} failed: {type(e).__name__}: {e!s:.300}.", remedy=_AGAIN) from e
        if (vectors.ndim, len(vectors)) != (2, len(texts)) or not np.isfinite(vectors).all():
            raise ExpertError(
                f"The encoder {self._encoder.name!r} gave shape {vectors.shape} for {len(texts)} texts, or what is no number."
            )
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


def _told(problems: Problems) -> str:
    return "".join(f"; {kind}: {n}" for kind, n in problems.counts.most_common(4))
