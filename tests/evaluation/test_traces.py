"""Recorded runs, in every form in which they come, and in forms in which they should not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from langchain_hugginggpt.evaluation.errors import DatasetError
from langchain_hugginggpt.evaluation.traces import RecordedRuns
from langchain_hugginggpt.index.problems import Problems
from tests.evaluation.traces import reply, write_lines

RUN = reply("It is a complaint.")
TRACE = RUN.trace.as_json()


@pytest.mark.parametrize(
    "entry",
    [
        {"reply": RUN.text, "trace": TRACE},
        {"text": RUN.text, "trace": TRACE},
        RUN.as_json(),  # what `hugginggpt ask --json` prints
        {"scores": {}, "detail": {"reply": RUN.text, "trace": TRACE, "problems": []}},
    ],
)
def test_every_form(tmp_path: Path, entry: dict[str, Any]) -> None:
    path = write_lines(tmp_path / "runs.jsonl", {"id": "a", **entry})
    assert RecordedRuns(path, Problems()).get("a").reply == RUN


def test_the_folder_of_a_run_and_tokens(tmp_path: Path) -> None:
    usage = {"gpt": {"input_tokens": 3, "output_tokens": 5}}
    write_lines(tmp_path / "records.jsonl", {"id": "a", "usage": usage, "detail": {"reply": "r", "trace": TRACE}})
    assert RecordedRuns(tmp_path, Problems()).get("a").usage == usage


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({}, "its trace cannot be read: reply: "),
        ({"reply": "x"}, "its trace cannot be read: trace.request: Field required"),
        ({"reply": "x", "trace": 5}, "its trace cannot be read: trace: "),
        ({"reply": "x", "trace": {**TRACE, "version": 2}}, "its trace cannot be read: trace.version: "),
        ({"reply": "x", "trace": {**TRACE, "plan": [5]}}, "its trace cannot be read: The plan cannot be run: task 1 is not an object"),
        ({"reply": "x", "trace": {**TRACE, "results": [{**TRACE["results"][0], "status": "fine"}]}}, "its trace cannot be read: trace."),
        ({"reply": "x", "trace": {**TRACE, "results": [{**TRACE["results"][0], "seconds": -1}]}}, "its trace cannot be read: trace."),
        ({"reply": "x", "trace": TRACE, "usage": {"gpt": {"input_tokens": "many"}}}, "its trace cannot be read: usage.gpt."),
        ({"error": "PlanError: no plan", "detail": {"reply": None, "trace": None}}, "PlanError: no plan"),
        ({"detail": {"result": {}}}, "the record holds no trace"),
    ],
)
def test_what_cannot_be_read_is_told(tmp_path: Path, entry: dict[str, Any], told: str) -> None:
    found = RecordedRuns(write_lines(tmp_path / "runs.jsonl", {"id": "a", **entry}), Problems()).get("a")
    assert found.reply is None
    assert found.error.startswith(told)


def test_broken_lines_are_counted(tmp_path: Path) -> None:
    problems = Problems()
    path = write_lines(tmp_path / "runs.jsonl", "{torn", "[]", {"reply": "no id"}, {"id": "a", "reply": "r", "trace": TRACE})
    runs = RecordedRuns(path, problems)
    assert list(runs) == ["a"]
    assert problems.counts.total() == 3
    assert runs.get("b").error == "no run was recorded for this case"


def test_there_must_be_a_file(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="There is no file"):
        RecordedRuns(tmp_path, Problems())
