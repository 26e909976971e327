"""Eight processes search without pause while the index is rebuilt underneath: `python -m benchmarks.index_readers [--seconds 60]`.

Every card of a generation carries its version. An answer with two versions, with fewer cards than asked for, or an error is counted.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from langchain_hugginggpt.index.building import build_index
from langchain_hugginggpt.index.sources.given import GivenCards
from tests.index.building.made_cards import CountingEncoder, card

READERS = 8
CARDS = 20_000


def build(folder: Path, version: int) -> None:
    """Every card changes."""
    build_index(GivenCards((card(i, version=version) for i in range(CARDS)), name="cards"), folder, CountingEncoder())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60)
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as temporary:
        folder, stop = Path(temporary) / "index", Path(temporary) / "stop"
        build(folder, 0)
        command = [sys.executable, "-m", "tests.index.building.reader_process", str(folder), str(stop)]
        readers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(READERS)]
        while len(list(stop.parent.glob("ready-*"))) < READERS:
            time.sleep(0.05)
        began, builds = time.monotonic(), 0
        while time.monotonic() - began < seconds:
            builds += 1
            build(folder, builds)
        stop.touch()
        said = [json.loads(r.communicate()[0]) for r in readers]
    print(
        f"{READERS} readers, {builds} rebuilds of {CARDS:,} cards in {time.monotonic() - began:.0f} s: "
        f"{sum(s['searches'] for s in said):,} searches, generations seen by each reader "
        f"{min(len(s['versions']) for s in said)} to {max(len(s['versions']) for s in said)} of {builds + 1}, "
        f"errors and mixed answers {sum(len(s['wrong']) for s in said)}."
    )


if __name__ == "__main__":
    main()
