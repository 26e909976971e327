"""Invented tools, and what is learnt from them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from langchain_hugginggpt.agent.planners.embedded.unseen import FEATURES
from langchain_hugginggpt.evaluation.training.invented import _TENTH, TOOLS, _figures, fit_unseen, invented
from langchain_hugginggpt.evaluation.training.samples import held_out
from langchain_hugginggpt.index.minilm import MiniLM
from langchain_hugginggpt.tools import HUB_TASKS
from tests.agent.planners.embedded.blank import weights
from tests.evaluation.taskbench_files import write_lines
from tests.evaluation.training.folders import named, requests_folder, tool, tools
from tests.evaluation.training.test_written import misfits, words


def test_the_tools_in_the_project() -> None:
    table, requests = invented(TOOLS)
    names = list(table)
    assert names[: len(HUB_TASKS)] == list(HUB_TASKS)
    own = names[len(HUB_TASKS) :]
    assert len(own) >= 100
    held = {n for n in own if held_out(n, _TENTH)}
    assert 5 <= len(held) <= len(own) // 5
    assert all(table[n].summary.endswith(".") for n in own)
    asked = Counter(n for w, _ in requests for n in set(w.tasks))
    assert [n for n in own if asked[n] < 3] == []
    assert [(w.text, m) for w, _ in requests if (m := misfits(w, table))] == []
    times = Counter(words(w.text) for w, _ in requests)
    assert [text for text, n in times.items() if n > 1] == []


def test_a_tool_that_is_held_out_is_in_no_request_that_is_learnt_from() -> None:
    _, requests = invented(TOOLS)
    kept = [w for w, held in requests if not held]
    assert [w.text for w in kept if any(held_out(n, _TENTH) for n in w.tasks if n not in HUB_TASKS)] == []
    assert 0 < len(requests) - len(kept) < len(requests) / 4


def test_requests_of_a_held_out_tool_are_held_out_whatever_they_want(tmp_path: Path) -> None:
    free, held = named("free", held=False), named("held", held=True)
    entries = [tool(free, "One.", "a", "b"), tool(held, "Two.", "c", "d")]
    entries[0]["requests"][1]["plan"] = [[free, []], [held, [0]]]
    entries[1]["requests"][1]["plan"] = [["summarization", []]]
    table, requests = invented(write_lines(tmp_path / "tools.jsonl", entries))
    assert [(w.text, is_held) for w, is_held in requests] == [("a", False), ("b", True), ("c", True), ("d", True)]
    assert (requests[1][0].tasks, requests[1][0].links) == ((free, held), ((0, 1),))
    assert list(table)[-2:] == [free, held]


def test_a_tool_that_is_wrong(tmp_path: Path) -> None:
    entry = tool("x", "Y.", "z") | {"inputs": ["smell"]}
    with pytest.raises(ValidationError, match="inputs"):
        invented(write_lines(tmp_path / "tools.jsonl", [entry]))


def test_what_is_learnt_finds_a_tool_by_its_summary(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "tools.jsonl", tools())
    told: list[tuple[str, int, int]] = []
    encoder = MiniLM()
    first, again = (fit_unseen(weights(), encoder, seed=1, on_progress=lambda *x: told.append(x), path=path) for _ in range(2))
    assert first.weights.shape == (FEATURES,)
    assert np.array_equal(first.weights, again.weights)
    assert first.weights[0] > 0  # the nearer, the likelier
    assert first.n_f1 > 80  # of two held-out tools, whose requests speak as their summaries do
    assert first.false_alarms == 0  # there is no request that wants none
    assert told[:12] == [("invented tools", i, 12) for i in range(1, 13)]


def test_requests_that_want_no_tool_are_learnt_from_as_well(tmp_path: Path) -> None:
    told: list[int] = []
    folder = requests_folder(tmp_path / "requests", each=40)
    found = fit_unseen(weights(), MiniLM(), seed=1, on_progress=lambda stage, done, of: told.append(of), path=folder / "tools.jsonl")
    assert told[-1] > 12
    assert (found.n_f1 > 60, found.false_alarms < 40) == (True, True)


def test_figures() -> None:
    """A tool taken of two wanted, one too many; and two requests that want none, of which one is given one."""
    yes, no = np.array([True, False]), np.array([False, False])
    both = np.array([True, True])
    assert _figures([(yes, both), (both, yes), (no, no), (yes, no)]) == {"n_f1": 66.7, "false_alarms": 50.0}
    assert _figures([]) == {"n_f1": 0.0, "false_alarms": 0.0}
