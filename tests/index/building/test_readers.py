"""Processes that search while others build."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from langchain_hugginggpt.index.building import build_index
from langchain_hugginggpt.index.sources.given import GivenCards
from tests.index.building.made_cards import CountingEncoder, card

ROOT = Path(__file__).parents[3]
READERS, BUILDS, CARDS = 8, 4, 600


def build(folder: Path, version: int) -> None:
    build_index(GivenCards([card(i, version=version) for i in range(CARDS)], name="cards"), folder, CountingEncoder())


def test_readers_go_on_while_the_index_is_replaced_underneath(tmp_path: Path) -> None:
    folder, stop = tmp_path / "index", tmp_path / "stop"
    build(folder, 0)
    command = [sys.executable, "-m", "tests.index.building.reader_process", str(folder), str(stop)]
    readers = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(READERS)]
    try:
        deadline = time.monotonic() + 60
        while len(list(tmp_path.glob("ready-*"))) < READERS and time.monotonic() < deadline:
            time.sleep(0.02)
        for version in range(1, BUILDS + 1):
            build(folder, version)
    finally:
        stop.touch()
        said = [json.loads(r.communicate(timeout=60)[0]) for r in readers]
    assert [s["wrong"] for s in said] == [[]] * READERS
    assert all(s["searches"] > 0 for s in said)
    seen = {v for s in said for v in s["versions"]}
    assert len(seen) > 1  # the swaps fell into the searches
