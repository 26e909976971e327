"""Memory while 20 models take turns in a pool that has room for five. See `benchmarks/experts.py`."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.startup import table
from langchain_hugginggpt.index import ModelCard
from langchain_hugginggpt.tools import HUB_TASKS
from langchain_hugginggpt.tools.runners.local import LocalRunner
from langchain_hugginggpt.tools.runners.local.devices import Device
from langchain_hugginggpt.tools.runners.local.pool import ModelPool
from tests.local_models.tokenizers import labels, word_tokenizer

_TASK = "text-classification"
_MB = 1e6
_SLACK = 0.15
"""Of the bound: what the allocator may keep beside weights, as a share."""


@dataclass(frozen=True, kw_only=True)
class Round:
    """A round of turns, in bytes.

    Attributes:
        lowest, highest: resident memory of the process, after each turn.
        pool: the most that the pool held.
    """

    lowest: int
    highest: int
    pool: int


def resident() -> int:
    """Bytes of this process that are in memory now."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    return int(fields["VmRSS"].split()[0]) * 1024


def build(folder: Path, *, width: int, layers: int) -> int:
    """A random BERT; returns the bytes of its weights."""
    import transformers as T  # noqa: N812

    tokenizer = word_tokenizer()
    config = T.BertConfig(
        vocab_size=len(tokenizer), hidden_size=width, num_hidden_layers=layers, num_attention_heads=4, intermediate_size=4 * width,
        max_position_embeddings=128, **labels("good", "bad"),
    )  # fmt: skip
    model = T.BertForSequenceClassification(config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return sum(p.numel() * p.element_size() for p in model.parameters())


def turns(*, models: int, held: int, rounds: int, width: int = 256, layers: int = 6) -> tuple[int, int, list[Round]]:
    """The pool's bound, resident memory before the first turn but with all libraries loaded, and the rounds."""
    with tempfile.TemporaryDirectory() as scratch:
        first = Path(scratch) / "model-0"
        size = build(first, width=width, layers=layers)
        for n in range(1, models):
            shutil.copytree(first, first.with_name(f"model-{n}"))
        pool = ModelPool(max_bytes=held * size + size // 2)
        runner = LocalRunner(models=[scratch], pool=pool)
        runner.device = Device(name="cpu", half="float32")

        def turn(n: int) -> None:
            runner.run(HUB_TASKS[_TASK], ModelCard(id=f"model-{n}", task=_TASK), {"text": "I love this great movie"})

        turn(0)
        pool.clear()
        before = resident()
        found = []
        for _ in range(rounds):
            memory, most = [], 0
            for n in range(models):
                turn(n)
                memory.append(resident())
                most = max(most, pool.bytes)
            found.append(Round(lowest=min(memory), highest=max(memory), pool=most))
        return pool.max_bytes, before, found


def lines(bound: int, before: int, found: list[Round]) -> str:
    """The table, and what it says."""
    head = ("round", "resident, lowest, MB", "resident, highest, MB", "over the start, MB", "pool, highest, MB", "bound, MB", "under it")
    body = []
    for n, r in enumerate(found, 1):
        over = r.highest - before
        kept = r.pool <= bound and over <= bound * (1 + _SLACK)
        figures = (r.lowest, r.highest, over, r.pool, bound)
        body.append((str(n), *(f"{v / _MB:.0f}" for v in figures), "kept" if kept else "MISSED"))
    grown = found[-1].highest - found[0].highest
    return (
        f"{table(head, body)}\n\nFrom the first round's highest to the last's: {grown / _MB:+.0f} MB; {before / _MB:.0f} MB at the start."
    )


def report() -> str:
    """Three rounds of 20 models of 20 MB."""
    return lines(*turns(models=20, held=5, rounds=4))
