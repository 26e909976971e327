"""Builds that break off, fail, or meet what is damaged or not theirs: nothing is lost, and it is told as what it is."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from langchain_hugginggpt.index import ModelCard, ModelCardIndex
from langchain_hugginggpt.index.building import Progress, abuild_index, build_index
from langchain_hugginggpt.index.building.work import Purpose
from langchain_hugginggpt.index.errors import CallerError, CardError, ExpertError, IndexFileError, RemoteError
from langchain_hugginggpt.index.problems import Problems
from langchain_hugginggpt.index.sources import open_source
from langchain_hugginggpt.index.sources.given import GivenCards
from langchain_hugginggpt.index.sources.source import SourceCard
from langchain_hugginggpt.index.text import TEMPLATE
from tests.index.building.building import CARDS, SMALL, build, opened, same
from tests.index.building.made_cards import CountingEncoder, card

if TYPE_CHECKING:
    from langchain_hugginggpt.index.minilm import Floats


def test_a_folder_with_another_manifest_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"name": "a web project"}')
    with pytest.raises(IndexFileError, match=r"manifest\.json that is not an index's"):
        build(tmp_path, CARDS)
    assert (tmp_path / "manifest.json").read_text() == '{"name": "a web project"}'


def test_an_index_of_an_older_format_is_built_anew(tmp_path: Path) -> None:
    build(tmp_path, CARDS)
    manifest = tmp_path / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"format": 2', '"format": 1'))
    with pytest.raises(IndexFileError, match=r"has format 1; this version reads 2.*index build --from"):
        opened(tmp_path)
    report, _ = build(tmp_path, CARDS)
    assert report.added == 60
    same(tmp_path, CARDS)


class Breaks:
    """Gives some cards, then fails."""

    name, complete = "test", True

    def __init__(self, good: int) -> None:
        self.good = good
        self.asked: list[str | None] = []

    def read(self, problems: Problems, after: str | None = None) -> Iterator[SourceCard]:
        self.asked.append(after)
        for item in GivenCards(CARDS).read(problems, after):
            if int(item.cursor) > self.good:
                raise RemoteError("The Hub does not answer.")
            yield item


def test_a_build_that_broke_off_is_taken_up_again(tmp_path: Path) -> None:
    encoder, source = CountingEncoder(), Breaks(good=35)
    with pytest.raises(RemoteError):
        build_index(source, tmp_path, encoder, SMALL)
    with pytest.raises(IndexFileError, match="There is no index"):
        opened(tmp_path)
    source.good = 100
    report = build_index(source, tmp_path, encoder, SMALL)
    assert source.asked == [None, "30"]  # whole windows of ten were kept
    assert report.resumed
    assert (report.read, report.added, report.encoded) == (60, 60, 60)
    assert encoder.texts == 60
    same(tmp_path, CARDS)
    assert len(list(tmp_path.glob("g-*"))) == 1


def test_resume_false_begins_anew(tmp_path: Path) -> None:
    encoder, source = CountingEncoder(), Breaks(good=35)
    with pytest.raises(RemoteError):
        build_index(source, tmp_path, encoder, SMALL)
    source.good = 100
    report = build_index(source, tmp_path, encoder, replace(SMALL, resume=False))
    assert source.asked == [None, None]
    assert not report.resumed
    same(tmp_path, CARDS)


def test_an_unfinished_build_of_another_source_is_not_taken_up(tmp_path: Path) -> None:
    with pytest.raises(RemoteError):
        build_index(Breaks(good=35), tmp_path, CountingEncoder(), SMALL)
    report = build_index(GivenCards(CARDS[:20], name="another"), tmp_path, CountingEncoder(), SMALL)
    assert not report.resumed
    same(tmp_path, CARDS[:20])


class Fails(CountingEncoder):
    """Fails in the middle of a window."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.after = after

    def encode(self, texts: Sequence[str]) -> Floats:
        if self.texts > self.after:
            raise KeyboardInterrupt
        return super().encode(texts)


@pytest.mark.parametrize("after", [0, 7, 25, 47])
def test_an_encoder_that_is_stopped_in_the_middle_loses_no_card(tmp_path: Path, after: int) -> None:
    build(tmp_path, CARDS[:30])
    with pytest.raises(KeyboardInterrupt):
        build_index(GivenCards([card(i, version=1) for i in range(60)], name="test"), tmp_path, Fails(after), SMALL)
    same(tmp_path, CARDS[:30])
    build(tmp_path, [card(i, version=1) for i in range(60)])
    same(tmp_path, [card(i, version=1) for i in range(60)])


def test_an_encoder_of_the_same_name_with_other_vectors_encodes_everything_anew(tmp_path: Path) -> None:
    build(tmp_path, CARDS[:5])
    with pytest.raises(CallerError, match=r"made with 'counting' \(16 numbers\)"):
        build_index(GivenCards(CARDS, name="test", complete=False), tmp_path, CountingEncoder(8), SMALL)
    same(tmp_path, CARDS[:5])
    assert build_index(GivenCards(CARDS, name="test"), tmp_path, CountingEncoder(8), SMALL).added == 60


class Unsteady(CountingEncoder):
    """Gives what nobody can use."""

    def __init__(self, given: object) -> None:
        super().__init__()
        self.given = given

    def encode(self, texts: Sequence[str]) -> Floats:
        if isinstance(self.given, Exception):
            raise self.given
        vectors = super().encode(texts)
        return vectors[:1] if self.given == "one row" else vectors * np.float32(np.nan)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (RuntimeError("CUDA out of memory"), "failed: RuntimeError: CUDA out of memory.*goes on where it was"),
        (ConnectionError("refused"), "failed: ConnectionError: refused"),
        ("one row", r"gave shape \(1, 16\) for 4 texts"),
        ("nan", "what is no number"),
    ],
    ids=str,
)
def test_an_encoder_that_fails_is_told_as_what_it_is(tmp_path: Path, given: object, said: str) -> None:
    build(tmp_path, CARDS[:5])
    with pytest.raises(ExpertError, match=said):
        build_index(GivenCards(CARDS, name="test"), tmp_path, Unsteady(given), SMALL)
    same(tmp_path, CARDS[:5])


def test_a_source_that_cannot_be_read_is_told_as_what_it_is(tmp_path: Path) -> None:
    def cards() -> Iterator[ModelCard]:
        yield from CARDS[:15]
        raise OSError("Input/output error")

    with pytest.raises(CallerError, match=r"test cannot be read: Input/output error"):
        build_index(GivenCards(cards(), name="test"), tmp_path, CountingEncoder(), SMALL)


def damage(folder: Path, what: str) -> None:
    (generation,) = folder.glob("g-*")
    path = generation / "image-classification.faiss"
    if what == "gone":
        path.unlink()
    elif what == "cut":
        path.write_bytes(path.read_bytes()[:100])
    else:
        (generation / "cards.sqlite").write_bytes(b"nonsense" * 1000)


@pytest.mark.parametrize("what", ["gone", "cut", "cards"])
def test_building_again_repairs_an_index_that_was_damaged(tmp_path: Path, what: str) -> None:
    build(tmp_path, CARDS)
    damage(tmp_path, what)
    with pytest.raises(CallerError, match="index is damaged"):
        build(tmp_path, CARDS[:2], complete=False)
    report, texts = build(tmp_path, CARDS)
    assert (report.added, texts) == (60, 60)
    same(tmp_path, CARDS)


def test_folders_of_others_stay(tmp_path: Path) -> None:
    (tmp_path / "g-code").mkdir()
    (tmp_path / "g-0123456789ab").mkdir()
    (tmp_path / "g-0123456789ab" / "thesis.txt").write_text("mine")
    for version in range(3):
        build(tmp_path, [card(1, version=version)])
    assert (tmp_path / "g-code").is_dir()
    assert (tmp_path / "g-0123456789ab" / "thesis.txt").read_text() == "mine"


def test_saving_leaves_another_manifest_alone_and_no_generation_too_many(tmp_path: Path) -> None:
    index = ModelCardIndex.from_cards(CARDS, encoder=CountingEncoder())
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "manifest.json").write_text('{"name": "a web project"}')
    with pytest.raises(IndexFileError, match="not an index's"):
        index.save(tmp_path / "web")
    for _ in range(4):
        index.save(tmp_path / "index")
    assert len(list((tmp_path / "index").glob("g-*"))) == 2
    same(tmp_path / "index", CARDS)
    build(tmp_path / "index", CARDS[:30])
    same(tmp_path / "index", CARDS[:30])


def test_cards_given_to_the_index_are_never_mixed_with_those_of_a_build_that_broke_off(tmp_path: Path) -> None:
    with pytest.raises(RemoteError):
        build_index(Breaks(good=35), tmp_path, CountingEncoder(), SMALL)
    others = [card(i) for i in range(100, 140)]
    ModelCardIndex.build(others, tmp_path, encoder=CountingEncoder(), source="test")
    same(tmp_path, others)


class HalfRead(Breaks):
    """Finds out in the middle that it is not complete, and is not asked for that part again."""

    def read(self, problems: Problems, after: str | None = None) -> Iterator[SourceCard]:
        for item in super().read(problems, after):
            if item.cursor == "12":
                self.complete = False
            yield item


def test_a_source_that_turned_out_incomplete_deletes_nothing_after_a_restart_either(tmp_path: Path) -> None:
    build(tmp_path, [*CARDS, card(200)])
    with pytest.raises(RemoteError):
        build_index(HalfRead(good=35), tmp_path, CountingEncoder(), replace(SMALL, checkpoint_seconds=0))
    again = HalfRead(good=100)
    report = build_index(again, tmp_path, CountingEncoder(), SMALL)
    assert report.resumed
    assert report.deleted == 0
    same(tmp_path, [*CARDS, card(200)])


@pytest.mark.parametrize("field", ["license", "library", "last_modified", "source", "text", "id", "task"])
def test_half_of_a_surrogate_pair_breaks_nothing(tmp_path: Path, field: str) -> None:
    told: dict[str, Any] = {field: "odd \ud83d", "languages": ("\ud83d",), "tags": ("\ud83d",), "providers": ("\ud83d",)}
    odd = replace(card(1), **told)
    build(tmp_path, [odd, card(2)])
    index = opened(tmp_path)
    assert len(index) == 2
    assert "\ufffd" in getattr(next(h.card for h in index.search("", limit=5) if h.card.tags), field)
    assert len(ModelCardIndex.from_cards([odd, card(2)], encoder=CountingEncoder())) == 2


async def test_a_build_whose_caller_has_gone_stops(tmp_path: Path) -> None:
    reached = asyncio.Event()
    loop = asyncio.get_running_loop()

    def tell(progress: Progress) -> None:
        if progress.encoded > 8:
            loop.call_soon_threadsafe(reached.set)
            go_on.wait(10)

    go_on = threading.Event()
    building = asyncio.create_task(
        abuild_index(GivenCards(CARDS, name="test"), tmp_path, CountingEncoder(), replace(SMALL, on_progress=tell, checkpoint_seconds=0))
    )
    await reached.wait()
    building.cancel()
    with pytest.raises(asyncio.CancelledError):
        await building
    go_on.set()
    while True:  # the thread ends by itself, and lets go of the folder
        try:
            report = await abuild_index(GivenCards(CARDS, name="test"), tmp_path, CountingEncoder(), SMALL)
            break
        except IndexFileError:
            await asyncio.sleep(0.02)
    assert report.resumed
    same(tmp_path, CARDS)


def test_a_source_without_cards_leaves_the_index_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("nonsense\n")
    build(tmp_path / "index", CARDS)
    with pytest.raises(CardError, match=r"no model cards to index in .*empty\.jsonl.*: 1"):
        build_index(open_source(tmp_path / "empty.jsonl"), tmp_path / "index", CountingEncoder(), SMALL)
    same(tmp_path / "index", CARDS)
    assert len(list((tmp_path / "index").glob("g-*"))) == 1


def test_a_source_that_was_cut_off_leaves_the_other_tasks_of_its_models(tmp_path: Path) -> None:
    both = [replace(card(1), task="translation"), replace(card(1), task="summarization")]
    build(tmp_path, both)

    class CutOff(GivenCards):
        """Holds the first card only, and finds out at its end."""

        def read(self, problems: Problems, after: str | None = None) -> Iterator[SourceCard]:
            yield from super().read(problems, after)
            self.complete = False

    report = build_index(CutOff(both[:1], name="test"), tmp_path, CountingEncoder(), SMALL)
    assert report.deleted == 0
    same(tmp_path, both)


def test_an_encoder_that_says_another_length_than_it_gives_is_told(tmp_path: Path) -> None:
    class Boasts(CountingEncoder):
        def encode(self, texts: Sequence[str]) -> Floats:
            return super().encode(texts)[:, :7]

    with pytest.raises(ExpertError, match="gives vectors of 7 numbers, and said that they have 16"):
        build_index(GivenCards(CARDS, name="test"), tmp_path, Boasts(), SMALL)


def test_a_finished_generation_whose_mark_was_left_is_not_built_in_again(tmp_path: Path) -> None:
    """Killed between the manifest and the mark; then the vectors are damaged, so that the next build begins from nothing."""
    build(tmp_path, CARDS)
    (folder,) = tmp_path.glob("g-*")
    purpose = Purpose(source="test", complete=True, encoder="counting", dimension=16, template=TEMPLATE, base="")
    (folder / "work.json").write_text(json.dumps(asdict(purpose)))
    damage(tmp_path, "gone")
    report, _ = build(tmp_path, CARDS)
    assert not report.resumed
    same(tmp_path, CARDS)
