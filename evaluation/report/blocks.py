"""Blocks of figures: in which order they are shown, and what a reader is told of each."""

from __future__ import annotations

from collections.abc import Iterable

from ..metrics.table import METRICS
from ..summary import Summary

TOLD = {
    "agent": ("Whole runs", "From the request to the reply."),
    "official": ("Official", "The arithmetic of TaskBench's own scorer."),
    "strict": ("Strict", "No case is dropped, a plan that cannot be read counts as an empty one, links are those that are given."),
    "hugginggpt": ("HuggingGPT", "The paper's own planning metrics (arXiv 2303.17580, tables 3 to 5)."),
    "filtered": ("With the task filter", "The search knows the right task and ranks that task's models only."),
    "unfiltered": ("Without the task filter", "The search ranks all models."),
}
"""Title and explanation of a block; the order is the one in which they are shown."""

_SCORED = "scored"


def told(block: str) -> tuple[str, str]:
    """Title and explanation; a block that is not in the table has its name and none."""
    return TOLD.get(block, (block, ""))


def block_of(key: str) -> str:
    """`bm25/filtered` of `bm25/filtered.r5`."""
    return key.rpartition(".")[0]


def baseline_of(key: str) -> str:
    """`bm25` of `bm25/filtered.r5`; empty for a figure of what was evaluated itself."""
    return block_of(key).rpartition("/")[0]


def ordered(keys: Iterable[str]) -> list[str]:
    """Keys of what was evaluated itself, block by block; within a block in the order of the table of metrics.

    Without `scored`, which tells of the scorer and not of what was evaluated: see `dropped`.
    """
    blocks, metrics = list(TOLD), list(METRICS)

    def place(key: str) -> tuple[int, str, int]:
        block, _, name = key.rpartition(".")
        return blocks.index(block) if block in blocks else len(blocks), block, metrics.index(name)

    return sorted((k for k in keys if not baseline_of(k) and not k.endswith(f".{_SCORED}")), key=place)


def dropped(summary: Summary, block: str) -> str:
    """How many cases a block's scorer does not count, as a sentence; empty when it counts all."""
    scored = summary.overall.figures.get(f"{block}.{_SCORED}")
    if scored is None or scored.value is None or not (n := round((1 - scored.value) * scored.n)):
        return ""
    return f"It drops {n:,} of {scored.n:,} cases."


def primary(summary: Summary) -> str | None:
    """Key of the figure that stands for the whole; None when there is no figure."""
    there = summary.overall.figures
    return next((k for k in (summary.primary, *ordered(there)) if k in there), None)
