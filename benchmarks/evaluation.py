"""What the harness of `hugginggpt evaluate` costs, in time and memory: `python benchmarks/evaluation.py`.

Time: the harness's own share of a case (reading, scoring, recording, adding up), with a planner that takes no time, beside what the
embedded planner takes for one plan in the same run. Memory: what a process holds at its most, by the number of cases.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from langchain_hugginggpt.agent import EmbeddedPlanner, Plan, PlannedTask, Ref, Request
from langchain_hugginggpt.evaluation import RunOptions, evaluate_planning, load_taskbench
from langchain_hugginggpt.tools import TaskTable

REQUESTS = (
    ("I have an audio file example.wav. Please transcribe it, summarise the text and read the summary to me.", 3),
    ("Take the picture example.jpg, say what it shows, and translate that into French.", 2),
    ("How similar are the sentences 'A cat sleeps on the sofa.' and 'A kitten naps on the couch.'?", 1),
)
TOOLS = {
    "Automatic Speech Recognition": (["audio"], ["text"]),
    "Summarization": (["text"], ["text"]),
    "Text-to-Speech": (["text"], ["audio"]),
    "Image-to-Text": (["image"], ["text"]),
    "Translation": (["text"], ["text"]),
    "Sentence Similarity": (["text", "text"], []),
}
CHAINS = {3: ["Automatic Speech Recognition", "Summarization", "Text-to-Speech"], 2: ["Image-to-Text", "Translation"], 1: ["Summarization"]}


@dataclass(frozen=True)
class NoTime:
    """A planner that gives the same plan at once."""

    made = Plan(
        tasks=(
            PlannedTask(id="1", task="Image-to-Text", arguments={"image": "example.jpg"}),
            PlannedTask(id="2", task="Translation", arguments={"text": Ref(task_id="1")}),
        )
    )

    def plan(self, request: Request, tasks: TaskTable) -> Plan:
        """At once."""
        return self.made

    async def aplan(self, request: Request, tasks: TaskTable) -> Plan:
        """At once."""
        return self.made

    async def astream(self, request: Request, tasks: TaskTable) -> AsyncIterator[PlannedTask]:
        """At once."""
        for task in self.made.tasks:
            yield task


def write_data(folder: Path, cases: int) -> None:
    """A data set in TaskBench's layout."""
    nodes = [{"id": t, "desc": f"{t}.", "input-type": takes, "output-type": gives} for t, (takes, gives) in TOOLS.items()]
    (folder / "tool_desc.json").write_text(json.dumps({"nodes": nodes}))
    with (folder / "data.json").open("w") as out:
        for i in range(cases):
            request, length = REQUESTS[i % len(REQUESTS)]
            chain = CHAINS[length]
            case = {
                "id": f"case-{i}",
                "user_request": f"{request} This is request number {i}.",
                "type": "chain" if length > 1 else "single",
                "task_nodes": [{"task": t, "arguments": [f"<node-{k - 1}>" if k else "example.wav"]} for k, t in enumerate(chain)],
                "task_links": [{"source": a, "target": b} for a, b in pairwise(chain)],
            }
            out.write(json.dumps(case) + "\n")


def run_once(cases: int) -> tuple[float, float]:
    """Seconds a case without any planning, and MB that the process held at its most."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_data(folder, cases)
        began = time.perf_counter()
        evaluation = evaluate_planning(load_taskbench(folder), NoTime(), options=RunOptions(out=folder / "out"))
        seconds = time.perf_counter() - began
    if evaluation.n != cases:
        raise SystemExit(f"{evaluation.n} records of {cases} cases")
    return seconds / cases, most_memory()


def most_memory() -> float:
    """MB that this process held at its most. Not `ru_maxrss`, which a process takes over from the one that started it."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def in_new_process(cases: int) -> tuple[float, float]:
    """`run_once` in a process of its own."""
    done = subprocess.run([sys.executable, __file__, "--one", str(cases)], capture_output=True, text=True, check=True)
    seconds, megabytes = json.loads(done.stdout)
    return seconds, megabytes


def planner_seconds(plans: int) -> float:
    """Median seconds of one plan by the embedded planner, after a warm-up."""
    with tempfile.TemporaryDirectory() as name:
        write_data(Path(name), plans + 3)
        data = load_taskbench(Path(name))
        evaluation = evaluate_planning(data, EmbeddedPlanner())
    latency = evaluation.summary.latency
    if latency is None:
        raise SystemExit("nothing was timed")
    return latency.p50


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 50_000])
    chosen = parser.parse_args()
    if chosen.one:
        print(json.dumps(run_once(chosen.one)))
        return
    smallest = min(chosen.sizes)
    pairs = [(in_new_process(smallest)[0], planner_seconds(60)) for _ in range(3)]  # side by side: the machine is shared
    harness, planner = (statistics.median(p[i] for p in pairs) for i in (0, 1))
    print("| | ms a case |\n| --- | --- |")
    print(f"| embedded planner | {planner * 1000:.1f} |\n| harness | {harness * 1000:.2f} ({harness / planner:.1%} of the planner) |\n")
    print("| cases | harness, ms a case | most memory, MB |\n| --- | --- | --- |")
    for size in chosen.sizes:
        seconds, megabytes = in_new_process(size)
        print(f"| {size:,} | {seconds * 1000:.2f} | {megabytes:.0f} |")


if __name__ == "__main__":
    main()
