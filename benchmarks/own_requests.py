"""How often the embedded planner plans this project's own 150 requests right: `python benchmarks/own_requests.py [--planner FILE]`.

A plan is exact when its tasks and its links are those of the case, no more and no fewer. F1 counts tasks, with repetitions.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from langchain_hugginggpt.agent import EmbeddedPlanner, Plan, Request
from langchain_hugginggpt.evaluation.datasets.agent_case import AgentCase
from langchain_hugginggpt.evaluation.datasets.cases import load_cases
from langchain_hugginggpt.tools import HUB_TASKS, ArtifactStore

REQUESTS = Path(__file__).parent.parent / "tests" / "agent" / "requests"


@dataclass(kw_only=True)
class Group:
    """Counts over some cases."""

    cases: int = 0
    exact: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, case: AgentCase, plan: Plan) -> None:
        """One more case."""
        wanted, planned = Counter(case.tasks or ()), Counter(t.task for t in plan.tasks)
        self.cases += 1
        self.exact += is_exact(case, plan)
        self.counts += Counter(both=(wanted & planned).total(), wanted=wanted.total(), planned=planned.total())

    @property
    def f1(self) -> float:
        """Micro F1 of tasks, in percent; 100 where nothing is wanted and nothing was planned."""
        below = self.counts["wanted"] + self.counts["planned"]
        return 100 * 2 * self.counts["both"] / below if below else 100.0


def is_exact(case: AgentCase, plan: Plan) -> bool:
    """Whether the plan has the tasks and links of the case."""
    task_of = {t.id: t.task for t in plan.tasks}
    links = sorted((task_of[parent], t.task) for t in plan.tasks for parent in t.parents)
    return sorted(task_of.values()) == sorted(case.tasks or ()) and links == sorted(case.known_links or ())


def score(planner: EmbeddedPlanner, folder: Path = REQUESTS) -> dict[str, Group]:
    """By modality (the first word of a case's id), by person (the file), and for all."""
    store = ArtifactStore()
    found: dict[str, Group] = defaultdict(Group)
    for path in sorted(folder.glob("*.yaml")):
        for case in load_cases(path):
            plan = planner.plan(Request(text=case.request, files=tuple(store.add_file(f) for f in case.files)), HUB_TASKS)
            for group in ("all", case.id.partition("-")[0], path.stem):
                found[group].add(case, plan)
    return dict(found)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--planner", type=Path, help="weights other than those in the package")
    found = score(EmbeddedPlanner(weights=parser.parse_args().planner))
    people = [p.stem for p in sorted(REQUESTS.glob("*.yaml"))]
    order = [*sorted(set(found) - {"all", *people}, key=lambda n: -found[n].cases), *people, "all"]
    print("| group | requests | exact plans | n-F1 |\n| --- | --- | --- | --- |")
    for name in order:
        group = found[name]
        print(f"| {name} | {group.cases} | {group.exact} ({group.exact / group.cases:.0%}) | {group.f1:.1f} |")


if __name__ == "__main__":
    main()
