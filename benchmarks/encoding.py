"""How fast MiniLM encodes many texts: torch in bf16 and fp32, and numpy, in turns.

    python benchmarks/encoding.py ../shared/data [--texts 96] [--turns 4]

Texts are the passages of JARVIS' cards, heads and further ones as they come.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import numpy as np

from langchain_hugginggpt.index import MiniLM
from langchain_hugginggpt.index.encoders.bulk import TorchMiniLM
from langchain_hugginggpt.index.minilm import Encoder
from langchain_hugginggpt.index.problems import Problems
from langchain_hugginggpt.index.sources import open_source
from langchain_hugginggpt.index.text import card_passages


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--texts", type=int, default=96)
    parser.add_argument("--turns", type=int, default=4)
    options = parser.parse_args()
    cards = (s.card for s in open_source(options.data / "cards" / "jarvis_2023.jsonl").read(Problems()))
    passages = [p for card in cards for p in card_passages(card)]
    texts = [passages[i] for i in np.random.default_rng(0).permutation(len(passages))[: options.texts]]
    engines: dict[str, Encoder] = {"torch, bf16": TorchMiniLM(MiniLM(), half=True), "torch, fp32": TorchMiniLM(MiniLM(), half=False)}
    rates: dict[str, list[float]] = {name: [] for name in (*engines, "numpy")}
    for engine in engines.values():
        engine.encode(texts[:4])  # loads
    for _ in range(options.turns):
        engines["numpy"] = MiniLM()  # a fresh one: it remembers what it encoded
        engines["numpy"].encode(["loads"])
        for name, engine in engines.items():
            began = time.perf_counter()
            engine.encode(texts)
            rates[name].append(len(texts) / (time.perf_counter() - began))
    exact = engines["numpy"].encode(texts)
    print(f"{len(texts)} passages of {np.mean([len(t.split()) for t in texts]):.0f} words, {options.turns} turns.\n")
    print("| engine | texts/s, median (range) | least cosine to numpy |\n| --- | --- | --- |")
    for name, found in rates.items():
        cosine = float((engines[name].encode(texts) * exact).sum(1).min())
        print(f"| {name} | {statistics.median(found):.1f} ({min(found):.1f}–{max(found):.1f}) | {cosine:.6f} |")


if __name__ == "__main__":
    main()
