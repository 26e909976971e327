"""Scores the embedded planner on a file of wordings: `python tests/agent/wording_score.py tests/agent/wordings.jsonl [-v]`."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from langchain_hugginggpt.agent import EmbeddedPlanner, Plan, Request
from langchain_hugginggpt.tools import HUB_TASKS, Artifact

_TYPES = {
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".mp4": "video/mp4",
    ".mp3": "audio/mpeg",
    ".csv": "text/csv",
    ".txt": "text/plain",
    ".wav": "audio/wav",
}


def request(row: dict[str, Any]) -> Request:
    """The request of a wording; its files need not exist to be planned with."""
    files = tuple(
        Artifact(id=f"artifact-{i:016x}", path=Path(name), media_type=_TYPES[Path(name).suffix], name=name, size=1)
        for i, name in enumerate(row["files"], 1)
    )
    return Request(text=row["text"], files=files)


def right(row: dict[str, Any], plan: Plan) -> bool:
    """Whether the plan is one of those that are accepted, links included where they are given."""
    names = [t.task for t in plan.tasks]
    if "links" not in row:
        return names in row["plans"]
    if sorted(names) not in [sorted(p) for p in row["plans"]]:
        return False
    task_of = {t.id: t.task for t in plan.tasks}
    links = [[task_of[parent], t.task] for t in plan.tasks for parent in t.parents]
    return all(link in links for link in row["links"] if link[0] in names and link[1] in names)


def main(path: str, verbose: bool) -> None:
    """Print how many plans are right, by case."""
    planner = EmbeddedPlanner()
    hits: dict[str, list[bool]] = defaultdict(list)
    for line in Path(path).read_text("utf-8").splitlines():
        row = json.loads(line)
        plan = planner.plan(request(row), HUB_TASKS)
        ok = right(row, plan)
        hits[row["case"]].append(ok)
        if verbose and not ok:
            shown = [(t.task, {k: str(v)[:50] for k, v in t.arguments.items()}) for t in plan.tasks]
            print(f"{row['case']}: {row['text'][:150]!r} {row['files']}\n   -> {shown or plan.question} ({plan.confidence})")
    for case, oks in hits.items():
        print(f"{case:24} {sum(oks)}/{len(oks)}")
    total = [ok for oks in hits.values() for ok in oks]
    print(f"{'all':24} {sum(total)}/{len(total)}")


if __name__ == "__main__":
    main(sys.argv[1], "-v" in sys.argv)
