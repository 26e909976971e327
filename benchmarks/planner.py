"""How often the embedded planner is right, and how fast: `python benchmarks/planner.py`.

`wordings.jsonl` is the development set. `wordings_heldout.jsonl` was written by others and nothing was tuned on it. A plan is right
when its tasks, and its links where the row gives them, are among those accepted; a question back counts as wrong unless the row
accepts no plan.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from langchain_hugginggpt.agent import EmbeddedPlanner
from langchain_hugginggpt.tools import HUB_TASKS

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))  # so that the script finds the tests when it is run by its path
from tests.agent.wording_score import request, right  # noqa: E402

SETS = {"development": "wordings.jsonl", "held out": "wordings_heldout.jsonl"}


@dataclass(kw_only=True)
class Score:
    """One set of wordings: whether each plan is right, by case, and the seconds that each took."""

    right: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    seconds: list[float] = field(default_factory=list)

    def shown(self, case: str) -> str:
        """Right plans of all plans of a case; `all` for every case."""
        found = [ok for oks in self.right.values() for ok in oks] if case == "all" else self.right.get(case, [])
        return f"{sum(found)} / {len(found)} ({sum(found) / len(found):.0%})" if found else "–"

    def milliseconds(self, share: float) -> str:
        """A quantile of the time that a plan took."""
        return f"{statistics.quantiles(self.seconds, n=100, method='inclusive')[round(share * 100) - 1] * 1000:.0f} ms"


def score(planner: EmbeddedPlanner, path: Path) -> Score:
    """Plan every wording of a file; nothing is left out."""
    found = Score()
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        began = time.perf_counter()
        plan = planner.plan(request(row), HUB_TASKS)
        found.seconds.append(time.perf_counter() - began)
        found.right[row["case"]].append(right(row, plan))
    return found


def main() -> None:
    """Print a table by case, and the latencies."""
    scores = {}
    for name, file in SETS.items():
        planner = EmbeddedPlanner()  # one for each set: what one set encoded must not speed up the other
        planner.plan(request({"text": "Hello!", "files": []}), HUB_TASKS)
        scores[name] = score(planner, ROOT / "tests" / "agent" / file)
    cases = list(dict.fromkeys(c for s in scores.values() for c in s.right))
    body = [(c, *(s.shown(c) for s in scores.values())) for c in [*cases, "all"]]
    body += [(f"a plan, p{round(q * 100)}", *(s.milliseconds(q) for s in scores.values())) for q in (0.5, 0.95)]
    print("\n".join(f"| {' | '.join(row)} |" for row in (("case", *scores), ["---"] * 3, *body)))


if __name__ == "__main__":
    main()
