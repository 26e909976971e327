"""This project's own requests to train on: written, and made out of these.

`python -m langchain_hugginggpt.evaluation.training.own [COUNT [SEED]]` shows requests that are made.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from ...tools.hub_tasks import HUB_TASKS
from .generating import Clause, Generator
from .samples import held_out
from .written import Written, read_written

FOLDER = Path(__file__).parent / "requests"


def own_requests(generated: int, seed: int, folder: Path = FOLDER) -> list[tuple[Written, bool]]:
    """The requests, and for each whether it is held out. What is held out is not built on.

    Args:
        generated: how many are made beside the written ones.
        seed: of the choices in making them.
        folder: `*.txt` in the form of `written`, `clauses.jsonl` (`{"text", "tasks"}`) and `frames.yaml`.
    """
    import yaml

    written = list(read_written(sorted(folder.glob("*.txt")), HUB_TASKS))
    kept = [w for w in written if not held_out(w.text)]
    clauses = [Clause(text=r["text"], tasks=tuple(r["tasks"])) for r in map(json.loads, _lines(folder / "clauses.jsonl"))]
    frames = yaml.safe_load((folder / "frames.yaml").read_text("utf-8"))
    made = Generator(HUB_TASKS, kept, clauses, frames, seed).generate(generated)
    return [*((w, held_out(w.text)) for w in written), *((w, False) for w in made)]


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text("utf-8").splitlines() if line.strip()]


def line(written: Written) -> str:
    """A request in the form in which requests are written down."""
    steps = []
    for i, name in enumerate(written.tasks):
        parents = [str(a + 1) for a, b in written.links if b == i]
        steps.append(f"{name} < {','.join(parents)}" if parents else name)
    plan = "; ".join(steps) or {"chat": "-", "ask": "?"}[written.mode]
    return f"{written.text.replace(chr(10), chr(92) + 'n')} || {'; '.join(n for n, _ in written.files)} || {plan}"


def main(count: int = 20, seed: int = 0) -> None:
    """Print requests that are made."""
    total = len(own_requests(0, seed))
    for written, _ in own_requests(count, seed)[total:]:
        sys.stdout.write(line(written) + "\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
