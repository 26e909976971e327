"""Your own cases as tests: copy this file and `cases.yaml` into your project, change the cases, and run `pytest`."""

from __future__ import annotations

from pathlib import Path

import pytest

from langchain_hugginggpt.agent import HuggingGPT
from langchain_hugginggpt.evaluation import AgentCase, load_cases

CASES = load_cases(Path(__file__).parent / "cases.yaml")


@pytest.fixture(scope="module")
def agent() -> HuggingGPT:
    return HuggingGPT()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_case(case: AgentCase, agent: HuggingGPT) -> None:
    assert case.problems(agent.ask(case.request, case.files)) == []
