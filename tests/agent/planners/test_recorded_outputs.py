"""What two real language models wrote for TaskBench, read by the planner."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from benchmarks.recorded_plans import DATA, FILES, KINDS, kind, readings
from langchain_hugginggpt.evaluation import load_taskbench

pytestmark = pytest.mark.skipif(not (DATA / FILES[0]).is_file(), reason="needs ../shared/data")


def test_nearly_all_become_a_plan_that_can_be_run() -> None:
    data = load_taskbench(DATA)
    found = [r for name in FILES for r in readings(DATA / name, data)]
    assert len(found) == 986
    assert sum(r.plan is not None for r in found) / len(found) >= 0.99
    assert all(r.problems for r in found if r.plan is None)
    for reading in found:
        if reading.plan is not None:
            made = reading.plan
            before: set[str] = set()
            for task in made.tasks:
                assert set(task.arguments) >= {p.name for p in data.tasks[task.task].inputs if p.required}
                assert set(task.parents) <= {t.id for t in made.tasks} - {task.id}
                before.add(task.id)
            assert len(before) == len(made.tasks) > 0
            json.dumps(made.as_json(), allow_nan=False).encode()
    kinds = Counter(kind(repair) for r in found if r.plan is not None for repair in r.plan.repairs)
    assert set(kinds) <= {*KINDS.values(), "other"}
    assert kinds["other"] < 20
