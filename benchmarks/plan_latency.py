"""What a plan of the embedded planner takes: `python benchmarks/plan_latency.py [--data FOLDER]`.

Beside each plan one bare forward pass of the encoder over the same text, in the same run and in turns. Then fresh processes: seconds
from the start of the interpreter to the first plan, and the most memory they held. Texts: the requests of `tests/agent/requests`, and
with `--data` the requests of a TaskBench folder as well.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from langchain_hugginggpt.agent import EmbeddedPlanner, Request
from langchain_hugginggpt.evaluation import Problems, load_taskbench
from langchain_hugginggpt.evaluation.datasets.cases import load_cases
from langchain_hugginggpt.index.minilm import MiniLM
from langchain_hugginggpt.tools import HUB_TASKS, ArtifactStore, TaskTable

REQUESTS = Path(__file__).parent.parent / "tests" / "agent" / "requests"
MOST, FRESH = 300, 5
_FIRST = """
import sys, time
began = time.perf_counter()
from langchain_hugginggpt.agent import EmbeddedPlanner, Request
from langchain_hugginggpt.tools import HUB_TASKS
plan = EmbeddedPlanner().plan(Request(text="Translate 'Good morning' into French and read it to me."), HUB_TASKS)
seconds = time.perf_counter() - began
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(seconds, peak / 1024, int("torch" in sys.modules), len(plan.tasks))
"""


def own_requests() -> list[Request]:
    """The requests of `tests/agent/requests`, files included."""
    store = ArtifactStore()
    return [Request(text=c.request, files=tuple(store.add_file(f) for f in c.files)) for c in load_cases(REQUESTS)]


def in_turns(requests: Sequence[Request], tasks: TaskTable) -> tuple[list[float], list[float]]:
    """Seconds of every plan, and of a bare forward pass over the same text, one after the other."""
    encoder = MiniLM()
    planner = EmbeddedPlanner(encoder)
    planner.plan(requests[0], tasks)
    plans, forwards = [], []
    for request in requests:
        began = time.perf_counter()
        encoder.token_states(request.text)
        between = time.perf_counter()
        planner.plan(request, tasks)
        forwards.append(between - began)
        plans.append(time.perf_counter() - between)
    return plans, forwards


def row(name: str, plans: Sequence[float], forwards: Sequence[float]) -> tuple[str, ...]:
    """A line of the table, in milliseconds."""
    plan, forward = statistics.median(plans), statistics.median(forwards)
    p95 = statistics.quantiles(plans, n=20, method="inclusive")[-1]
    return (name, str(len(plans)), f"{1000 * plan:.1f}", f"{1000 * p95:.1f}", f"{1000 * forward:.1f}", f"{plan / forward:.2f}")


def fresh() -> list[tuple[float, float, bool]]:
    """(seconds, MB, whether torch was imported) of the first plan of new processes."""
    found = []
    for _ in range(FRESH):
        out = subprocess.run([sys.executable, "-c", _FIRST], capture_output=True, text=True, check=True).stdout.split()
        found.append((float(out[0]), float(out[1]), out[2] == "1"))
    return found


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="a TaskBench folder or file")
    data = parser.parse_args().data
    rows = [row("tests/agent/requests, the Hub's tasks", *in_turns(own_requests(), HUB_TASKS))]
    if data is not None:
        loaded = load_taskbench(data)
        asked = [c.request for c in loaded.read(Problems()) if c.request is not None][:MOST]
        rows.append(row(f"{loaded.name}, its tools", *in_turns(asked, loaded.tasks)))
    head = ("requests", "n", "plan, median ms", "p95 ms", "bare forward, median ms", "ratio")
    print("\n".join(f"| {' | '.join(r)} |" for r in (head, ["---"] * len(head), *rows)))
    seconds, memory, torch = zip(*fresh(), strict=True)
    with_torch = "torch imported" if any(torch) else "no torch"
    print(f"\nFirst plan of a fresh process, median of {FRESH}:", end=" ")
    print(f"{statistics.median(seconds):.2f} s, {statistics.median(memory):.0f} MB, {with_torch}")


if __name__ == "__main__":
    main()
