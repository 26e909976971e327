"""A build that is killed at any moment, and one for which there is no room: the old index answers, and nothing is lost."""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from langchain_hugginggpt.index import ModelCard, ModelCardIndex
from langchain_hugginggpt.index.building import build_index
from langchain_hugginggpt.index.errors import IndexFileError
from langchain_hugginggpt.index.sources import open_source
from langchain_hugginggpt.index.sources.given import GivenCards
from langchain_hugginggpt.index.text import card_passages
from tests.index.building.building import same
from tests.index.building.made_cards import CountingEncoder, card, write_cards

ROOT = Path(__file__).parents[3]
OLD = [card(i) for i in range(200)]
NEW = [card(i, version=int(i % 3 == 0)) for i in range(50, 3000)]


def started(source: Path, folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.index.building.builder_process", str(source), str(folder), "100", "16"]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cards(tmp_path_factory.mktemp("source") / "cards.jsonl", NEW)


def unfinished(folder: Path) -> bool:
    return any(folder.glob("g-*/work.json"))


def test_a_build_that_is_killed_leaves_the_old_index_and_is_taken_up_again(tmp_path: Path, source: Path) -> None:
    build_index(GivenCards(OLD, name="old"), tmp_path, CountingEncoder())
    chance = random.Random(5)
    killed = 0
    for _ in range(4):
        process = started(source, tmp_path)
        while process.poll() is None and not unfinished(tmp_path):
            time.sleep(0.005)
        try:
            process.wait(timeout=chance.uniform(0.0, 0.5))
        except subprocess.TimeoutExpired:
            process.kill()
            killed += 1
        process.communicate()
        if unfinished(tmp_path):
            same(tmp_path, OLD)
    assert killed
    process = started(source, tmp_path)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    assert said
    index = ModelCardIndex.open(tmp_path, encoder=CountingEncoder())
    assert len(index) == len(NEW)
    same_cards(index, NEW)


def same_cards(index: ModelCardIndex, cards: list[ModelCard]) -> None:
    """Every card is there as it is, and its vector is its own."""
    encoder = CountingEncoder()
    for expected in cards[::37]:
        assert replace(index.get(expected.id), source=None) == expected
        hit = index.search(expected.text, task=expected.task, limit=1)[0]
        assert hit.similarity is not None
    generation = index._opened.generation
    for task in generation.tasks(None):
        vectors = generation.vectors[task.name]
        assert len(set(vectors.owners.tolist())) == task.cards
        numbered = generation.cards.cards(range(task.slot << 32, (task.slot << 32) + task.places))
        wanted = encoder.encode([p for n in sorted(numbered) for p in card_passages(numbered[n])])
        assert (abs(vectors.vectors - wanted) < 1e-6).all()


def test_two_builds_at_once_are_refused(tmp_path: Path, source: Path) -> None:
    process = started(source, tmp_path)
    while process.poll() is None and not unfinished(tmp_path):
        time.sleep(0.005)
    with pytest.raises(IndexFileError, match="Another build is at work"):
        build_index(GivenCards(OLD, name="old"), tmp_path, CountingEncoder())
    process.communicate(timeout=120)
    assert len(ModelCardIndex.open(tmp_path, encoder=CountingEncoder())) == len(NEW)


def test_a_full_disk_leaves_the_old_index_and_the_build_goes_on_later(tmp_path: Path, source: Path) -> None:
    build_index(GivenCards(OLD, name="old"), tmp_path, CountingEncoder())
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, limits[1]))  # no file may grow beyond: the same error path as no room at all
    try:
        with pytest.raises(IndexFileError, match=r"cannot be written to .*room, and run the same command again"):
            build_index(open_source(source), tmp_path, CountingEncoder())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    same(tmp_path, OLD)
    build_index(open_source(source), tmp_path, CountingEncoder())
    assert len(ModelCardIndex.open(tmp_path, encoder=CountingEncoder())) == len(NEW)
