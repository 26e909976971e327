"""The example that a team copies: run by pytest as a team runs it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The example, its cases and their inputs, away from the checkout and its settings."""
    shutil.copytree(EXAMPLES / "inputs", tmp_path / "inputs")
    for name in ("cases.yaml", "test_own_cases.py"):
        shutil.copy(EXAMPLES / name, tmp_path)
    return tmp_path


def change(place: Path, old: str, new: str) -> None:
    cases = (place / "cases.yaml").read_text("utf-8")
    assert old in cases
    (place / "cases.yaml").write_text(cases.replace(old, new), "utf-8")


def run(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("HUGGINGGPT_", "OPENAI_", "PYTEST_"))}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", *arguments, "test_own_cases.py"],
        cwd=place, env=environment, capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip


def test_every_case_passes(place: Path) -> None:
    done = run(place)
    assert done.returncode == 0, done.stdout
    assert "12 passed" in done.stdout


def test_a_case_that_fails_says_why(place: Path) -> None:
    cases = place / "cases.yaml"
    cases.write_text(
        cases.read_text("utf-8").replace("sentence-similarity: {min: 0.5, max: 1}", "sentence-similarity: {min: 0.99}"), "utf-8"
    )
    done = run(place, "-k", "similarity")
    assert done.returncode == 1
    assert "scores of sentence-similarity is 0.7" in done.stdout
    assert ", less than 0.99." in done.stdout


def test_a_fault_in_the_cases_stops_everything(place: Path) -> None:
    change(place, "tasks: [text-ranking]", "tasks: [text-rankin]")
    done = run(place)
    assert done.returncode == 2
    assert "case 'best-sentence', tasks[0]: There is no task named 'text-rankin'. Did you mean 'text-ranking'?" in done.stdout
