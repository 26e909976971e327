from __future__ import annotations

import json

from langchain_hugginggpt.index.problems import LISTED, Problems


def test_problems_are_counted_and_the_first_places_listed() -> None:
    problems = Problems()
    assert not problems
    for i in range(50):
        problems.add("line is not JSON", f"file:{i}")
    problems.add("no task", "a\n b" + "x" * 500)
    assert problems
    assert dict(problems.counts) == {"line is not JSON": 50, "no task": 1}
    assert problems.places["line is not JSON"] == [f"file:{i}" for i in range(LISTED)]
    assert problems.places["no task"] == ["a b" + "x" * 196]


def test_problems_survive_json() -> None:
    problems = Problems()
    for kind in ("rare", "common", "common"):
        problems.add(kind, "here")
    data = json.loads(json.dumps(problems.as_json()))
    assert list(data) == ["common", "rare"]
    assert Problems.from_json(data) == problems
