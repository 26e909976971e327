"""What a case pins beyond its plan."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_hugginggpt.agent import TaskResult
from langchain_hugginggpt.evaluation.checks import ArtifactCheck, OutputCheck, TextCheck
from langchain_hugginggpt.tools import Kind
from tests.evaluation.traces import LABELS, SPEECH

TEXT = "CITY LIBRARY\nClosed on\nMonday."


def result(port: str, value: Any, *, task: str = "t") -> TaskResult:
    return TaskResult(task_id="1", task=task, status="ok", output={port: value})


def test_a_text_that_meets_every_demand() -> None:
    check = TextCheck(contains=("closed on monday", "City  Library"), excludes=("tuesday",), matches=(r"(?m)^Monday\.$", "CITY"))
    assert list(check.problems("the reply", TEXT)) == []


def test_a_text_that_meets_none() -> None:
    check = TextCheck(contains=("open",), excludes=("closed ON monday",), matches=("^Closed",))
    assert list(check.problems("the reply", TEXT)) == [
        "the reply does not contain 'open': 'CITY LIBRARY Closed on Monday.'.",
        "the reply contains 'closed ON monday': 'CITY LIBRARY Closed on Monday.'.",
        "the reply does not match '^Closed': 'CITY LIBRARY Closed on Monday.'.",
    ]


@pytest.mark.parametrize(
    ("kind", "value", "pinned", "problems"),
    [
        (Kind.TEXT, "Hello\nyou", {"equals": "Hello you"}, []),
        (Kind.TEXT, "Hello", {"equals": "hello"}, ["x of t is 'Hello', not 'hello'."]),
        (Kind.LABELS, LABELS, {"equals": "complaint", "least": 0.9}, []),
        (Kind.LABELS, LABELS, {"equals": "praise"}, ["x of t is 'complaint', not 'praise'."]),
        (Kind.LABELS, LABELS, {"least": 0.99}, ["x of t is 0.9834, less than 0.99."]),
        (Kind.LABELS, LABELS, {"text": TextCheck(contains=("complaint (0.98), praise (0.02)",))}, []),
        (Kind.JSON, [0.5, 0.75], {"least": 0.6, "most": 0.7}, ["x of t is 0.5, less than 0.6.", "x of t is 0.75, more than 0.7."]),
        (Kind.JSON, [{"a": 1}], {"equals": [{"a": 1}], "text": TextCheck(matches=(r'^\[\{"a": 1\}\]$',))}, []),
        (Kind.NUMBER, 0.30000000000000004, {"equals": 0.3}, []),
        (Kind.NUMBER, 3, {"equals": 3.5}, ["x of t is '3', not 3.5."]),
        (Kind.NUMBER, float("nan"), {"least": 0.0}, ["x of t is nan, less than 0."]),
        (Kind.NUMBER, 10**400, {"most": 1.0, "equals": 1.5}, None),  # a trace may come from elsewhere
        (Kind.LABELS, [{"label": "a", "score": 10**400}], {"text": TextCheck(contains=("a",))}, []),
        (Kind.TEXT, "three", {"least": 3}, ["x of t is no number: 'three'."]),
        (Kind.JSON, None, {"equals": None}, ["x of t is not there."]),
        (Kind.LABELS, ["odd", {"label": 3}], {"text": TextCheck(contains=("odd",))}, []),
    ],
)
def test_an_output(kind: Kind, value: Any, pinned: dict[str, Any], problems: list[str] | None) -> None:
    found = OutputCheck(task="t", port="x", kind=kind, **pinned).problems([result("x", value)])
    assert found == problems if problems is not None else len(found) == 2


def test_of_several_results_one_must_do() -> None:
    check = OutputCheck(task="t", port="x", kind=Kind.TEXT, text=TextCheck(contains=("one", "two")))
    assert check.problems([result("x", "zero"), result("x", "two, one")]) == []
    assert check.problems([result("x", "zero"), result("x", "two")]) == ["x of t does not contain 'one': 'two'."]
    assert check.problems([result("x", "one two", task="other")]) == ["x of t is not there: no task t ran."]


def test_files_that_were_made() -> None:
    assert list(ArtifactCheck(kind=Kind.AUDIO).problems([SPEECH])) == []
    assert list(ArtifactCheck(kind=Kind.IMAGE, count=0).problems([SPEECH])) == []
    assert list(ArtifactCheck(kind=Kind.AUDIO, count=2).problems([SPEECH])) == ["2 audio files had to be made; made: 1 audio."]
    assert list(ArtifactCheck(kind=Kind.IMAGE).problems([])) == ["at least one image file had to be made; made: none."]
