"""Building an index: rate against the bare encoder, memory, updates, kills.

    python -m benchmarks.index_build ../shared/data [--part rate|memory|kills]

rate     2,000 cards of real length (JARVIS' READMEs; beyond 673 with another id) with MiniLM: building, and encoding the same texts with
         nothing else done, in turns.
memory   10,000 and 200,000 cards with an encoder that costs nothing and counts: what is measured is everything else. Then an update of 1 %
         of the cards, from a file of those alone and from a file of all.
kills    a build of 20,000 cards over an older index, killed (SIGKILL) at 20 random moments, and taken up again.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from langchain_hugginggpt.index import MiniLM, ModelCard, ModelCardIndex
from langchain_hugginggpt.index.building import build_index
from langchain_hugginggpt.index.encoders import bulk
from langchain_hugginggpt.index.problems import Problems
from langchain_hugginggpt.index.sources import open_source
from langchain_hugginggpt.index.sources.given import GivenCards
from langchain_hugginggpt.index.text import card_passages
from tests.index.building.made_cards import CountingEncoder, write_cards

TASKS = 36
KILLS = 20
TURNS = 3
Shapes = list[ModelCard]


def real_cards(data: Path) -> Shapes:
    """JARVIS' cards, long READMEs and all."""
    return [s.card for s in open_source(data / "cards" / "jarvis_2023.jsonl").read(Problems())]


def many_cards(shapes: Shapes, count: int, *, version: int = 0, step: int = 1) -> Iterator[ModelCard]:
    """Cards with real facts and the first 900 characters of real texts, in 36 tasks of unequal size."""
    for i in range(0, count, step):
        shape = shapes[i % len(shapes)]
        task = min(TASKS - 1, int(TASKS * random.Random(i).random() ** 3))
        text = f"Number {i}, version {version}. {shape.text[:900]}"
        yield replace(shape, id=f"org-{i % 500}/model-{i}", task=f"task-{task}", text=text)


def rate(data: Path) -> None:
    """Cards a second of a build, and of the encoder alone."""
    shapes = real_cards(data)
    cards = [replace(c, id=f"{c.id}-{turn}") for turn in range(3) for c in shapes][:2000]
    texts = [text for card in cards for text in card_passages(card)]
    chunk = len(cards) // TURNS
    building, encoding = [], []
    bare = bulk(MiniLM(), len(texts))
    bare.encode(texts[:500])  # loads
    for turn in range(TURNS):
        part = cards[turn * chunk : (turn + 1) * chunk]
        passages = [text for card in part for text in card_passages(card)]
        began = time.perf_counter()
        bare.encode(passages)
        encoding.append(len(part) / (time.perf_counter() - began))
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            build_index(GivenCards(part, name="cards"), folder, bare)
            building.append(len(part) / (time.perf_counter() - began))
    ratio = statistics.median(b / e for b, e in zip(building, encoding, strict=True))
    print(f"{len(cards)} cards, {len(texts)} passages, in {TURNS} turns.\n\n| | cards/s (median) |\n| --- | --- |")
    print(f"| the encoder alone | {statistics.median(encoding):.1f} |\n| the whole build | {statistics.median(building):.1f} |")
    print(f"| build / encoder, of each turn | {ratio:.3f} |")


def memory(data: Path) -> None:
    """Peak memory and seconds for two sizes, each in a process of its own; updates of the larger."""
    print("| cards | build, s | cards/s | peak MiB | 1 % changed, a file of those: s | of a build | texts | a file of all: s | texts |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    sys.stdout.flush()
    for count in (10_000, 200_000):
        subprocess.run([sys.executable, "-m", "benchmarks.index_build", str(data), "--part", f"one-{count}"], check=True)


def one(data: Path, count: int) -> None:
    """One size, in this process."""
    shapes = real_cards(data)
    with tempfile.TemporaryDirectory() as temporary:
        root, folder = Path(temporary), Path(temporary) / "index"
        write_lines(root / "all.jsonl", many_cards(shapes, count))
        changed = {c.id: c for c in many_cards(shapes, count, version=1, step=100)}
        write_lines(root / "changed.jsonl", iter(changed.values()))
        write_lines(root / "all-again.jsonl", (changed.get(c.id, c) for c in many_cards(shapes, count)))
        encoder = CountingEncoder(384)
        began = time.perf_counter()
        build_index(open_source(root / "all.jsonl"), folder, encoder)
        built, peak = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        shutil.copytree(folder, root / "again")
        encoder = CountingEncoder(384)
        began = time.perf_counter()
        report = build_index(open_source(root / "changed.jsonl", delta=True), folder, encoder)
        update, texts = time.perf_counter() - began, encoder.texts
        assert report.changed == len(changed), report
        encoder = CountingEncoder(384)
        began = time.perf_counter()
        report = build_index(open_source(root / "all-again.jsonl"), root / "again", encoder)
        whole = time.perf_counter() - began
        assert report.changed == len(changed), report
        print(
            f"| {count:,} | {built:.1f} | {count / built:,.0f} | {peak:.0f} | {update:.2f} | {update / built:.1%} | {texts:,} "
            f"| {whole:.1f} | {encoder.texts:,} |"
        )


def write_lines(path: Path, cards: Iterator[ModelCard]) -> None:
    """JSON lines, some at a time."""
    import json

    with path.open("w") as f:
        for card in cards:
            f.write(json.dumps(card.as_json()) + "\n")


def kills(data: Path) -> None:
    """Kill a build at random moments; after each the old index must answer, and at the end nothing may be missing."""
    shapes, chance = real_cards(data), random.Random(11)
    with tempfile.TemporaryDirectory() as temporary:
        root, folder = Path(temporary), Path(temporary) / "index"
        old = list(many_cards(shapes, 500, version=9))
        new = list(many_cards(shapes, 20_000))
        source = write_cards(root / "cards.jsonl", new)
        build_index(GivenCards(old, name="old"), folder, CountingEncoder())
        command = [sys.executable, "-m", "tests.index.building.builder_process", str(source), str(folder), "500", "16"]
        began = time.monotonic()
        shutil.copytree(folder, root / "trial")
        subprocess.run([*command[:4], str(root / "trial"), *command[5:]], check=True, stdout=subprocess.DEVNULL)
        alone = time.monotonic() - began
        killed, answered, resumed, rounds = 0, 0, 0, 0
        while killed < KILLS:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            try:
                said, _ = process.communicate(timeout=chance.uniform(0.5, alone))
                resumed += int(said.split()[0])
                rounds += 1
                shutil.rmtree(folder)
                build_index(GivenCards(old, name="old"), folder, CountingEncoder())  # it got through: from the start again
            except subprocess.TimeoutExpired:
                os.kill(process.pid, signal.SIGKILL)
                process.communicate()
                killed += 1
                index = ModelCardIndex.open(folder, encoder=CountingEncoder())
                answered += len(index) in (len(old), len(new)) and len(index.search("text", limit=5)) == 5
        said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        resumed += int(said.split()[0])
        index = ModelCardIndex.open(folder, encoder=CountingEncoder())
        given = [s.card for s in open_source(source).read(Problems())]
        missing = len(new) - len(given) + sum(index.get(c.id) != c for c in given)
        print(
            f"A build of {len(new):,} cards takes {alone:.1f} s. Killed {killed} times; the index opened and answered {answered} times. "
            f"Builds that came to their end: {rounds + 1}, of which {resumed} had been taken up again. "
            f"Cards missing or different at the end: {missing}."
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--part", default="rate,memory,kills")
    options = parser.parse_args()
    for part in options.part.split(","):
        if part.startswith("one-"):
            one(options.data, int(part.removeprefix("one-")))
        else:
            {"rate": rate, "memory": memory, "kills": kills}[part](options.data)
            print()


if __name__ == "__main__":
    main()
