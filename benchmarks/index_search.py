"""Search over a million cards: recall, time, memory, opening; LangChain's own FAISS store beside it.

    python benchmarks/index_search.py ../shared/data [--cards 1000000] [--work FOLDER]

Vectors are synthetic, made of MiniLM's vectors of APIBench's cards: base + U(0, .7) x a card of the same task + U(0, .4) x any card +
isotropic noise of norm U(.2, .7), normalised; bases by Zipf's law; 36 tasks, of which three have 19.98 %, 0.99 % and 0.05 % of the cards.
Facts and words are those of JARVIS' real cards, shuffled. Queries are APIBench's instructions with MiniLM's vectors.
The built index is kept in the work folder, and used again.
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from langchain_hugginggpt.evaluation.datasets.apibench import load_selection
from langchain_hugginggpt.index import CardFilter, MiniLM, ModelCard, ModelCardIndex
from langchain_hugginggpt.index.building import BuildOptions, Progress, build_index
from langchain_hugginggpt.index.problems import Problems
from langchain_hugginggpt.index.sources import open_source
from langchain_hugginggpt.index.sources.given import GivenCards
from langchain_hugginggpt.index.store.vectors import ExactRows, SubIndex, write_quantised
from langchain_hugginggpt.index.text import card_text

Vectors = NDArray[np.float32]
SHARES = {"20 %": 0.199833, "1 %": 0.00992, "0.05 %": 0.000495}
TASKS = 36
NUMBER = re.compile(r"model-(\d+)")
QUERIES = 40
REPEATS = 3


class Planted:
    """Gives card `model-N` the vector N, and a query the vector that was planted for it."""

    name = "planted"

    def __init__(self, vectors: Vectors | None = None, queries: dict[str, Vectors] | None = None) -> None:
        self._vectors = vectors
        self._queries = queries or {}

    def encode(self, texts: Sequence[str]) -> Vectors:
        if self._vectors is None or texts[0] in self._queries:
            return np.stack([self._queries.get(t, np.zeros(384, np.float32)) for t in texts])
        found = [NUMBER.search(t) for t in texts]
        return np.asarray(self._vectors[[int(m[1]) if m else 0 for m in found]])


def vectors_of(base: Vectors, groups: list[NDArray[np.int64]], sizes: list[int], chance: np.random.Generator) -> Iterator[Vectors]:
    """Blocks of one task's vectors after the other."""
    for task, size in enumerate(sizes):
        own = groups[task % len(groups)]
        weights = 1 / np.arange(1, len(own) + 1)
        for start in range(0, size, 20_000):
            n = min(20_000, size - start)
            v = base[chance.choice(own, n, p=weights / weights.sum())]
            v = (
                v
                + chance.uniform(0, 0.7, (n, 1)) * base[chance.choice(own, n)]
                + chance.uniform(0, 0.4, (n, 1)) * base[chance.integers(0, len(base), n)]
            )
            noise = chance.standard_normal(v.shape)
            v = v + chance.uniform(0.2, 0.7, (n, 1)) * noise / np.linalg.norm(noise, axis=1, keepdims=True)
            yield (v / np.linalg.norm(v, axis=1, keepdims=True)).astype(np.float32)


def sizes_of(total: int) -> list[int]:
    """Cards of each task: three as given, the rest by Zipf's law."""
    fixed = [round(total * share) for share in SHARES.values()]
    weights = 1 / np.arange(1, TASKS - 2)
    rest = (weights / weights.sum() * (total - sum(fixed))).astype(int).tolist()
    rest[0] += total - sum(fixed) - sum(rest)
    return [*fixed, *rest]


def cards_of(
    sizes: list[int], shapes: Sequence[ModelCard], vocabulary: list[list[str]], chance: np.random.Generator
) -> Iterator[ModelCard]:
    """Cards with the facts of real ones and 40 to 90 of their words."""
    number = 0
    for task, size in enumerate(sizes):
        for _ in range(size):
            shape, words = shapes[int(chance.integers(len(shapes)))], vocabulary[int(chance.integers(len(vocabulary)))]
            start = int(chance.integers(max(1, len(words) - 40)))
            yield ModelCard(
                id=f"org-{number % 5000}/model-{number}",
                task=f"task-{task}",
                library=shape.library,
                license=shape.license,
                languages=shape.languages[:4],
                tags=shape.tags[:8],
                downloads=int(10 ** chance.uniform(0, 6)),
                likes=int(10 ** chance.uniform(0, 3)),
                parameters=int(10 ** chance.uniform(6, 10)),
                last_modified=f"202{int(chance.integers(2, 7))}-0{int(chance.integers(1, 10))}-11",
                text=" ".join(words[start : start + int(chance.integers(40, 90))]),
            )
            number += 1


def prepare(data: Path, work: Path, total: int) -> None:
    """Vectors, queries and the index, unless they are there."""
    chance = np.random.default_rng(0)
    sizes = sizes_of(total)
    vectors_file, queries_file = work / "vectors.npy", work / "queries.npz"
    selection = load_selection(data / "apibench")
    if not queries_file.exists():
        cards = selection.cards
        base = MiniLM().encode([card_text(c) for c in cards])
        names = sorted({c.task for c in cards})
        groups = [np.array([i for i, c in enumerate(cards) if c.task == t]) for t in names]
        out = np.lib.format.open_memmap(vectors_file, "w+", np.float32, (total, base.shape[1]))
        start = 0
        for block in vectors_of(base, groups, sizes, chance):
            out[start : start + len(block)] = block
            start += len(block)
        out.flush()
        queries = [c.query for c in selection.read(Problems())][:: len(cards) // QUERIES][:QUERIES]
        np.savez(queries_file, texts=np.array(queries), vectors=MiniLM().encode(queries))
    if not (work / "index" / "manifest.json").exists():
        shapes = [s.card for s in open_source(data / "cards" / "jarvis_2023.jsonl").read(Problems())]
        vocabulary = [w for c in shapes if len(w := card_text(c).split()) > 60]
        encoder = Planted(np.load(vectors_file, mmap_mode="r"))
        began = time.monotonic()

        def tell(p: Progress) -> None:
            sys.stderr.write(f"\r{p.stage} {p.cards:,} of {total:,}, {time.monotonic() - began:.0f} s")

        build_index(
            GivenCards(cards_of(sizes, shapes, vocabulary, chance), name="synthetic"),
            work / "index",
            encoder,
            BuildOptions(on_progress=tell),
        )
        sys.stderr.write("\n")


def timed(action: Any) -> tuple[float, Any]:
    """Milliseconds of the fastest of a few calls, and what it gave."""
    best, value = float("inf"), None
    for _ in range(REPEATS):
        began = time.perf_counter()
        value = action()
        best = min(best, (time.perf_counter() - began) * 1000)
    return best, value


def searcher(work: Path) -> tuple[ModelCardIndex, list[str], Vectors]:
    """The index, opened, the queries, and their vectors, which are given to it ready."""
    stored = np.load(work / "queries.npz")
    texts, queries = stored["texts"].tolist(), stored["vectors"]
    return ModelCardIndex.open(work / "index", encoder=Planted(queries=dict(zip(texts, queries, strict=True)))), texts, queries


def measure(work: Path) -> None:
    """Recall and time for each filter; prints rows. FAISS has one thread in the bare scan too: two wait for each other."""
    import faiss

    faiss.omp_set_num_threads(1)
    index, texts, queries = searcher(work)
    head = (
        "task holds",
        "rows",
        "index",
        "bare scan, ms",
        "whole search, ms (max)",
        "2 x scan + 3",
        "with licence and size, ms",
        "first, ms",
    )
    print(f"| {' | '.join(head)} | recall@10 |\n|{' --- |' * (len(head) + 1)}")
    vectors = np.load(work / "vectors.npy", mmap_mode="r")
    starts = np.cumsum([0, *sizes_of(len(vectors))])
    for task, share in enumerate(SHARES):
        print(row(index, texts, queries, f"task-{task}", share, np.asarray(vectors[starts[task] : starts[task + 1]])))
    ms = [timed(lambda text=text: index.search(text))[0] for text in texts[:8]]
    print(f"\nAll tasks together: {statistics.median(ms):.0f} ms.")


def row(index: ModelCardIndex, texts: list[str], queries: Vectors, task: str, share: str, flat: Vectors) -> str:
    """One task's figures; recall is against brute force over its float32 vectors, one for each card in the order in which cards came."""
    sub = index._opened.generation.vectors[task]
    filters = CardFilter(license=("mit", "apache-2.0"), max_parameters=10**9)
    began = time.perf_counter()
    index.search(texts[0], task=task, filters=filters)
    first = (time.perf_counter() - began) * 1000
    bare, whole, filtered, recalls = [], [], [], []
    for text, query in zip(texts, queries, strict=True):
        bare.append(timed(lambda query=query: sub._index.search(query[None], 10))[0])
        whole.append(timed(lambda text=text: index.search(text, task=task))[0])
        filtered.append(timed(lambda text=text: index.search(text, task=task, filters=filters))[0])
        exact = set(np.argsort(-(flat @ query))[:10].tolist())
        places, _ = sub.search(query, limit=60)
        recalls.append(len(exact & set(places[:10].tolist())) / 10)
    scan = statistics.median(bare)
    return (
        f"| {share} | {sub.rows:,} | {type(sub._index).__name__} | {scan:.2f} | {statistics.median(whole):.2f} ({max(whole):.2f}) "
        f"| {2 * scan + 3:.2f} | {statistics.median(filtered):.2f} | {first:.1f} | {statistics.mean(recalls):.4f} |"
    )


def sizes(work: Path) -> None:
    """From how many rows on 8 bits are worth it."""
    vectors = np.load(work / "vectors.npy", mmap_mode="r")
    queries = np.load(work / "queries.npz")["vectors"]
    print("| rows | exact, ms | 8 bits and exact rows of what was found, ms | exact, MiB | 8 bits, MiB |\n| --- | --- | --- | --- | --- |")
    for count in (1000, 2000, 4000, 8000, 16_000, 64_000):
        rows, owners = np.ascontiguousarray(vectors[:count]), np.arange(count, dtype=np.uint32)
        flat = SubIndex.of(owners, rows)
        path = work / f"{count}.f16"
        quantised = SubIndex(write_quantised(path, iter([rows]), count, rows.shape[1]), owners, ExactRows(path, count, rows.shape[1]))
        a, b = ([timed(lambda q=q, i=i: i.search(q, limit=60))[0] for q in queries] for i in (flat, quantised))
        each = rows.shape[1] / 2**20 * count
        print(f"| {count:,} | {statistics.median(a):.2f} | {statistics.median(b):.2f} | {4 * each:.1f} | {each:.1f} |")
        path.unlink()
    print()


LEAN = """
import sys, time, numpy as np, faiss
from pathlib import Path
from langchain_hugginggpt.index import ModelCardIndex
work = Path(sys.argv[1])
resident = lambda: int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20
stored = np.load(work / "queries.npz")
vectors = dict(zip(stored["texts"].tolist(), stored["vectors"]))
class Planted:
    name = "planted"
    def encode(self, texts):
        return np.stack([vectors[t] for t in texts])
before = resident()
began = time.perf_counter()
index = ModelCardIndex.open(work / "index", encoder=Planted())
opening = (time.perf_counter() - began) * 1000
began = time.perf_counter()
index.search(next(iter(vectors)), task="task-1")
first = (time.perf_counter() - began) * 1000
for text in vectors:
    index.search(text)
print(f"Opened in {opening:.1f} ms; first search in a 1 % task {first:.0f} ms; resident {resident():.0f} MiB once all cards were searched "
      f"for {len(vectors)} queries, {before:.0f} MiB of it before opening; {len(index):,} cards.")
"""
"""Imports the index and nothing else."""


def opened(work: Path) -> None:
    """In a process of its own: opening, the first search, and memory after searching all."""
    subprocess.run([sys.executable, "-c", LEAN, str(work)], check=True)
    size = sum(p.stat().st_size for p in (work / "index").rglob("*") if p.is_file())
    print(f"{size / 2**30:.2f} GiB on disk.")


def resident() -> float:
    """MiB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20


def langchain(work: Path) -> None:
    """LangChain's FAISS store over the same vectors, in a process of its own."""
    import warnings

    warnings.filterwarnings("ignore", category=DeprecationWarning)
    import faiss
    from langchain_community.docstore.in_memory import InMemoryDocstore
    from langchain_community.vectorstores import FAISS
    from langchain_core.documents import Document
    from langchain_core.embeddings import FakeEmbeddings

    stored = np.load(work / "queries.npz")
    vectors = np.load(work / "vectors.npy", mmap_mode="r")
    sizes = sizes_of(len(vectors))
    tasks = np.repeat(np.arange(len(sizes)), sizes)
    began = time.perf_counter()
    flat = faiss.IndexFlatIP(vectors.shape[1])
    for start in range(0, len(vectors), 50_000):
        flat.add(np.ascontiguousarray(vectors[start : start + 50_000]))
    documents = {str(i): Document(page_content=f"model-{i}", metadata={"task": int(t)}) for i, t in enumerate(tasks.tolist())}
    store = FAISS(FakeEmbeddings(size=384), flat, InMemoryDocstore(documents), {i: str(i) for i in range(len(vectors))})
    made = time.perf_counter() - began
    folder = str(work / "langchain")
    store.save_local(folder)
    del store, documents, flat
    began = time.perf_counter()
    store = FAISS.load_local(folder, FakeEmbeddings(size=384), allow_dangerous_deserialization=True)
    loaded = time.perf_counter() - began
    print(f"\nLangChain's FAISS store: made in {made:.0f} s, opened in {loaded:.1f} s (a pickle), resident {resident():.0f} MiB.\n")
    print("| task holds | fetch_k | ms | recall@10 | queries without any hit |\n| --- | --- | --- | --- | --- |")
    for task, share in enumerate(SHARES):
        own = np.flatnonzero(tasks == task)
        flat_vectors = np.ascontiguousarray(vectors[own[0] : own[-1] + 1])
        for fetch in (20, 2000):
            times: list[float] = []
            recalls: list[float] = []
            none = 0
            for query in stored["vectors"][:20]:
                began = time.perf_counter()
                hits = store.similarity_search_by_vector(query.tolist(), k=10, filter={"task": task}, fetch_k=fetch)
                times.append((time.perf_counter() - began) * 1000)
                exact = {int(own[0] + i) for i in np.argsort(-(flat_vectors @ query))[:10]}
                recalls.append(len(exact & {int(d.page_content.split("-")[1]) for d in hits}) / 10)
                none += not hits
            print(f"| {share} | {fetch} | {statistics.median(times):.0f} | {statistics.mean(recalls):.3f} | {none / len(times):.0%} |")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--cards", type=int, default=1_000_000)
    parser.add_argument("--work", type=Path, default=Path("/tmp/index_search"))
    parser.add_argument("--part", choices=("measure", "opened", "sizes", "langchain"))
    options = parser.parse_args()
    work = options.work / str(options.cards)
    work.mkdir(parents=True, exist_ok=True)
    if options.part:
        {"measure": measure, "opened": opened, "sizes": sizes, "langchain": langchain}[options.part](work)
        return
    prepare(options.data, work, options.cards)
    for part in ("measure", "opened", "sizes", "langchain"):
        command = [sys.executable, __file__, str(options.data), "--cards", str(options.cards), "--work", str(options.work), "--part", part]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
