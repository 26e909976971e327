"""What starting costs: `python benchmarks/startup.py [--runs N]`. Every measurement in a fresh process, all of them side by side."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HEAVY = ("torch", "transformers", "sentence_transformers", "faiss", "openai", "PIL")
"""What importing the packages must not load."""
INPUTS = Path(__file__).parent.parent / "examples" / "inputs"

_REPORT = f"import json, sys; sys.stderr.write(json.dumps([m for m in {(*HEAVY, 'langchain_core')!r} if m in sys.modules]))"
_COMMAND = f"""
import sys
sys.argv = ["hugginggpt", *{{arguments!r}}]
from langchain_hugginggpt.app.main import main
try:
    main()
except SystemExit as e:
    assert not e.code, e.code
{_REPORT}
"""
_SECOND = f"""
import sys, time
from langchain_hugginggpt.agent import HuggingGPT
agent = HuggingGPT()
agent.ask("How similar are 'a cat' and 'a kitten'?")
began = time.perf_counter()
agent.ask("Is this positive or negative: 'The train was late again and nobody said a word.'")
print(time.perf_counter() - began)
{_REPORT}
"""


@dataclass(frozen=True, kw_only=True)
class Case:
    """Something that is measured.

    Attributes:
        name: as the table shows it.
        code: what the fresh interpreter runs; it may write to standard error, as JSON, which of `HEAVY` it loaded.
        bar: seconds at most, on top of `base` (or, with `ratio`, times `base`); None for a case that is only compared with.
        base: name of the case that this one is compared with.
        ratio: the bar is a factor, not a sum.
        memory: MB at most, or None.
        forbidden: modules that must not be loaded.
        printed: the code prints the seconds that count; else the whole process counts.
    """

    name: str
    code: str
    bar: float | None = None
    base: str | None = None
    ratio: bool = False
    memory: float | None = None
    forbidden: tuple[str, ...] = ()
    printed: bool = False


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One fresh process: seconds, peak resident memory in MB, and which of `HEAVY` it loaded."""

    seconds: float
    megabytes: float
    loaded: frozenset[str]


def command(*arguments: str) -> str:
    """Code that runs the command line in the interpreter that measures it."""
    return _COMMAND.format(arguments=list(arguments))


_CORE = "import langchain_core.tools, langgraph.graph"
_RICH = "import typer, rich.console, rich.table, rich.panel, rich.columns, rich.markdown"
CASES = (
    Case(name=_CORE, code=_CORE),
    *(
        Case(
            name=f"import langchain_hugginggpt.{p}",
            code=f"import langchain_hugginggpt.{p}\n{_REPORT}",
            bar=0.15,
            base=_CORE,
            forbidden=HEAVY,
        )
        for p in ("index", "tools", "agent")
    ),
    Case(name=_RICH, code=_RICH),
    Case(name="hugginggpt --help", code=command("--help"), bar=1.5, base=_RICH, ratio=True, forbidden=(*HEAVY, "langchain_core")),
    Case(
        name="first ask, text",
        code=command("ask", "How similar are 'a cat' and 'a kitten'?"),
        bar=2.5,
        memory=350,
        forbidden=("torch", "transformers"),
    ),
    Case(
        name="first ask, picture",
        code=command("ask", "Read this receipt and tell me the total", "--file", str(INPUTS / "receipt.png")),
        bar=5.0,
        forbidden=("torch", "transformers"),
    ),
    Case(name="second ask, text", code=_SECOND, bar=0.1, forbidden=("torch", "transformers"), printed=True),
)


def measure(case: Case) -> Sample:
    """Run a case in a fresh interpreter. Raises CalledProcessError when it fails."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, tempfile.TemporaryDirectory() as results:
        environment = {**os.environ, "HUGGINGGPT_OUT": results}
        began = time.perf_counter()
        process = subprocess.Popen([sys.executable, "-c", case.code], stdout=out, stderr=err, env=environment)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        said = err.read().decode()
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, case.name, stderr=said)
        if case.printed:
            seconds = float(out.read().split()[-1])
    return Sample(seconds=seconds, megabytes=used.ru_maxrss / 1024, loaded=frozenset(json.loads(said)) if said else frozenset())


def rows(cases: Sequence[Case], runs: int) -> list[tuple[str, ...]]:
    """Measure all cases `runs` times, in turn, so that a busy moment of the machine hits all alike. One row each, bars last.

    Raises:
        AssertionError: a case loaded a module that it must not load.
    """
    samples: dict[str, list[Sample]] = {c.name: [] for c in cases}
    for _ in range(runs):
        for case in cases:
            sample = measure(case)
            assert not sample.loaded & set(case.forbidden), f"{case.name} loads {', '.join(sorted(sample.loaded & set(case.forbidden)))}"
            samples[case.name].append(sample)
    median = {n: statistics.median(s.seconds for s in found) for n, found in samples.items()}
    memory = {n: statistics.median(s.megabytes for s in found) for n, found in samples.items()}
    return [
        (
            c.name,
            f"{median[c.name]:.3f} s",
            f"{min(s.seconds for s in samples[c.name]):.3f} s",
            f"{memory[c.name]:.0f} MB",
            *_judged(c, median, memory),
        )
        for c in cases
    ]


def _judged(case: Case, median: dict[str, float], memory: dict[str, float]) -> tuple[str, str]:
    """The bar in words, and whether it is kept."""
    if case.bar is None:
        return "–", "–"
    seconds, base = median[case.name], median[case.base] if case.base else 0.0
    if case.ratio:
        kept, words = seconds <= case.bar * base, f"≤ {case.bar:g} × the row above; is {seconds / base:.2f} ×"
    elif case.base:
        kept, words = (
            seconds <= base + case.bar,
            f"≤ {case.bar * 1000:.0f} ms on top of the first row; is {(seconds - base) * 1000:+.0f} ms",
        )
    else:
        kept, words = seconds <= case.bar, f"≤ {case.bar:g} s"
    if case.memory is not None:
        kept, words = kept and memory[case.name] <= case.memory, f"{words}, ≤ {case.memory:.0f} MB"
    return words, "kept" if kept else "MISSED"


def table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *body))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="fresh processes for each row (default 5)")
    runs = parser.parse_args().runs
    print(table(("what", "median", "fastest", "peak memory", "bar", ""), rows(CASES, runs)))


if __name__ == "__main__":
    main()
