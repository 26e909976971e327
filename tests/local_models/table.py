"""`docs/tasks.md`: each Hub task, and how well it is known that each runner runs it.

python -m tests.local_models.table            # writes it
make live                                     # asks the real Hub; what passed is noted in docs/live.json, and shown in the table
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from langchain_hugginggpt.tools.hub_tasks import HUB_TASKS
from langchain_hugginggpt.tools.runners.embedded.table import EXPERTS
from langchain_hugginggpt.tools.runners.local.table import LOCAL, NOT_RUN
from tests.local_models.all import CASES

DOCS = Path(__file__).parents[2] / "docs"
TABLE, LIVE = DOCS / "tasks.md", DOCS / "live.json"
TRAINED = ("image-classification", "text-classification", "translation", "tabular-classification")
"""Tasks for which tests/agent/test_local_experts.py trains small models."""
_HEAD = """\
# Which runner runs which task, and how well that is known

Made by `python -m tests.local_models.table`; a test compares. *Real weights*: run with weights that do the work. *Tiny weights*: run with
models of random weights that have the same architecture and files, so that loading, input, output and errors are known to work, and nothing
is said of quality. *Protocol only*: the real client against a local server. *Not run*: nobody has tried.
What `make live` has run against the real Hub is noted in `live.json` and shown here as real weights.

| task | embedded | local | kinds of local models tried | hosted |
| --- | --- | --- | --- | --- |
"""


def live_runs() -> dict[str, dict[str, Any]]:
    """What `make live` has noted: by case."""
    try:
        noted: dict[str, dict[str, Any]] = json.loads(LIVE.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    return noted


def table() -> str:
    """The page."""
    live = live_runs()
    rows = []
    for task in HUB_TASKS:
        embedded = f"real weights ({EXPERTS[task].card_id.removeprefix('embedded/')})" if task in EXPERTS else "–"
        cases = [c for c in CASES if c.task == task]
        real = [c for c in cases if c.id in live]
        trained = "real weights, small, trained in the tests" if task in TRAINED else ""
        local = "real weights" if real else trained or ("tiny weights" if cases else "not run")
        named = {c.id: f"{c.kind} ({live[c.id]['model']}, {live[c.id]['date']})" if c in real else c.kind for c in cases}
        kinds = ", ".join(named.values()) if cases else NOT_RUN.get(task, "")
        extra = f" (`{LOCAL[task].extra}`)" if task in LOCAL else ""
        rows.append(f"| {task} | {embedded} | {local}{extra} | {kinds} | not run |")
    return _HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text(table(), "utf-8")
