from __future__ import annotations

import json
from typing import Any

import pytest

from langchain_hugginggpt.agent import Plan, Trace
from langchain_hugginggpt.agent.trace import Reply
from tests.agent.plans import task

PLANS = [
    Plan(),
    Plan(question="Which of the two?"),
    Plan(answer="Hello!", confidence=0.5),
    Plan(tasks=(task("1", "translation", text="x"),), repairs=("a", "b"), error="it broke off"),
]


@pytest.mark.parametrize("plan", PLANS)
def test_what_the_planner_said_round_trips(plan: Plan) -> None:
    trace = Trace(text="x", plan=plan)
    assert Trace.from_json(json.loads(json.dumps(trace.as_json()))) == trace


def test_nothing_said_is_null() -> None:
    data = Reply(text="y", artifacts=(), trace=Trace(text="x")).as_json()
    assert (data["question"], data["answer"], data["plan_error"]) == (None, None, None)


def test_a_trace_of_before_there_were_questions_and_answers_is_read() -> None:
    old: dict[str, Any] = {"version": 1, "request": {"text": "x", "files": []}, "plan": [], "repairs": ["r"], "results": []}
    assert Trace.from_json(old) == Trace(text="x", plan=Plan(repairs=("r",)))
