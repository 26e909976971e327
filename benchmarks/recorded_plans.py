"""How many recorded outputs of language models become plans: `python benchmarks/recorded_plans.py [shared/data/taskbench]`.

Each output is fed as the text that the model wrote (`{"task_steps", "task_nodes", "task_links"}`) to the language-model planner's own
reading and to the checker, on TaskBench's table of tools, with the files that the request names. An output is first read as one whose
model could be asked again (`first try`), then as the last attempt (`salvage`), where what cannot be used is left out and said so.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from langchain_hugginggpt.agent import Plan, PlanError, check
from langchain_hugginggpt.agent.planners.llm.drafts import draft
from langchain_hugginggpt.agent.planners.llm.parsing import find_plan
from langchain_hugginggpt.evaluation.datasets.planning_data import LaidOutPlan, PlanningData
from langchain_hugginggpt.evaluation.datasets.predictions import lay_out
from langchain_hugginggpt.evaluation.datasets.taskbench import load_taskbench, mentioned_files
from langchain_hugginggpt.evaluation.planning import score
from langchain_hugginggpt.index.problems import Problems

DATA = Path(__file__).parents[2] / "shared" / "data" / "taskbench"
FILES = ("predictions_codellama-13b.jsonl", "predictions_mistral-7b-instruct-v0.2.jsonl")
PARTS = ("task_steps", "task_nodes", "task_links")
METRICS = ("n_f1", "e_f1", "t_f1", "v_f1")
_VALUE = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|\([^()]*\)|<[^<>]*>|\d+")


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What became of one output.

    Attributes:
        id: of the case.
        written: the plan as the model wrote it.
        first: whether it is a plan at the first try.
        plan: the plan after salvage, or None.
        problems: why there is none.
    """

    id: str
    written: dict[str, Any]
    first: bool
    plan: Plan | None
    problems: tuple[str, ...] = ()


def readings(path: Path, data: PlanningData) -> Iterator[Reading]:
    """Every output of a file; none is left out."""
    for line in path.read_text("utf-8").splitlines():
        entry = json.loads(line)
        written = {part: entry.get(part) for part in PARTS}
        text = json.dumps(written, ensure_ascii=False)
        files = {f.name: f for f in mentioned_files(entry["user_request"])}
        plans: list[Plan] = []
        problems: tuple[str, ...] = ()
        for salvage in (False, True):
            try:
                drafted = draft(find_plan(text), data.tasks, files, salvage=salvage)
                plans.append(check(drafted, data.tasks, files, salvage=salvage))
                break
            except PlanError as e:
                problems = e.problems
        first = bool(plans) and not salvage
        yield Reading(id=entry["id"], written=written, first=first, plan=plans[0] if plans else None, problems=problems)


def kind(repair: str) -> str:
    """A repair without its names and values: what sort of repair it is."""
    text = _VALUE.sub("_", repair)
    for mark, name in KINDS.items():
        if mark in text:
            return name
    return "other"


KINDS = {
    "were left out: of": "words around a reference left out",
    "there is no task": "task outside the table left out",
    "was left out: ": "task without its input left out",
    "was put between": "another task put between (bridge)",
    "was filled with": "missing input: the only thing there is",
    "instead of the output": "wrong kind: what the other task worked on",
    "what the plan's links say": "missing input: the plan's own links",
    "aligned": "references counted from 0 or 1",
    "the output _ of": "output under another name",
    "was added to its port": "pieces of an instruction put together",
    "was given to its port": "argument without a port's name given to a port",
    "the words were left out": "words around a reference left out",
    "was taken, the rest left out": "several for a port that takes one: first kept",
    "; left out": "argument that no port takes left out",
    "the port _ was read as": "port's name spelt otherwise",
    "was read as the output": "sentence or placeholder read as the output that it names",
    "references and the words": "reference and quoted words taken apart",
    "a list of one": "list of one read as its element",
    "was read as _": "file spelt otherwise",
    "was read as": "task's name spelt otherwise",
}


def f1(data: PlanningData, plans: dict[str, LaidOutPlan]) -> dict[str, float]:
    """Strict F1 in percent, over the outputs whose case has a label; a plan that is missing counts as empty."""
    sums: dict[str, list[float]] = {m: [0.0, 0.0] for m in METRICS}
    for case in data.read(Problems()):
        if case.id in plans and case.label is not None:
            found = score(data, case, plans[case.id]).scores
            for metric in METRICS:
                top, bottom = found.get(f"strict.{metric}", (0.0, 0.0))
                sums[metric][0] += top
                sums[metric][1] += bottom
    return {m: 100 * top / bottom if bottom else 0.0 for m, (top, bottom) in sums.items()}


def main() -> None:
    """Print a table for each file: outputs, plans, repairs by kind, F1 as written and as repaired; then every failure."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DATA
    data = load_taskbench(folder)
    failures: list[str] = []
    total = plans = 0
    for name in FILES:
        found = list(readings(folder / name, data))
        made = [r.plan for r in found if r.plan is not None]
        total, plans = total + len(found), plans + len(made)
        failures += [f"{name} {r.id}: {'; '.join(r.problems)}" for r in found if r.plan is None]
        intact = sum(not p.repairs for p in made)
        rows = [("outputs", len(found)), ("plans at the first try", sum(r.first for r in found)), ("plans with salvage", len(made))]
        rows += [("plans without any repair", intact), ("tasks written", sum(len(r.written["task_nodes"]) for r in found))]
        rows += [("tasks in the plans", sum(len(p.tasks) for p in made))]
        rows += Counter(kind(r) for p in made for r in p.repairs).most_common()
        print(f"| {name} | |\n| --- | ---: |\n" + "\n".join(f"| {label} | {n:,} |" for label, n in rows))
        raw = {r.id: LaidOutPlan(**{k: r.written[k] or [] for k in PARTS}) for r in found}
        repaired = {r.id: lay_out(r.plan, data.tasks) if r.plan else LaidOutPlan() for r in found}
        for label, laid in (("as written", raw), ("as repaired", repaired)):
            print(f"| strict n / e / t / v F1 {label} | {' / '.join(f'{v:.1f}' for v in f1(data, laid).values())} |")
        print()
    print(f"{plans} of {total} outputs become a plan ({plans / total:.1%}). Those that do not:")
    print("\n".join(f"- {f}" for f in failures) or "- none")


if __name__ == "__main__":
    main()
