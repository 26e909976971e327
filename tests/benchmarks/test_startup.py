"""benchmarks/startup.py: it measures fresh processes, judges bars, and what must not be loaded is not."""

from __future__ import annotations

import subprocess

import pytest

from benchmarks.startup import CASES, Case, measure, rows, table


@pytest.mark.parametrize(
    "case", [c for c in CASES if c.name.startswith("import langchain_hugginggpt") or "--help" in c.name], ids=lambda c: c.name
)
def test_nothing_heavy_is_imported(case: Case) -> None:
    assert not measure(case).loaded & set(case.forbidden)


def test_what_is_forbidden_is_seen() -> None:
    case = Case(name="json", code="import sys; sys.stderr.write('[\"torch\"]')", bar=1.0, forbidden=("torch",))
    with pytest.raises(AssertionError, match="json loads torch"):
        rows([case], 1)


def test_a_case_that_fails_is_not_a_measurement() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        measure(Case(name="broken", code="raise SystemExit(3)"))


def test_bars() -> None:
    cases = (
        Case(name="nothing", code="pass"),
        Case(name="kept", code="print(0.25)", printed=True, bar=0.25),
        Case(name="missed", code="print(0.26)", printed=True, bar=0.25),
        Case(name="memory", code="print(0.1)", printed=True, bar=0.25, memory=1),
        Case(name="twice", code="print(50)", printed=True, bar=2, base="kept", ratio=True),
    )
    body = rows(cases, 1)
    assert [r[-1] for r in body] == ["–", "kept", "MISSED", "MISSED", "MISSED"]
    assert body[4][-2] == "≤ 2 × the row above; is 200.00 ×"
    assert table(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"
