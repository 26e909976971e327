"""Two runs side by side."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from langchain_hugginggpt.evaluation import Record, RunFolderError, compare
from langchain_hugginggpt.evaluation.run_folder import RunFolder


def run(path: Path, scores: Mapping[str, float], *, kind: str = "planning", primary: str = "strict.n_f1") -> Path:
    folder = RunFolder(path)
    folder.begin(kind, {"name": path.name, "primary": primary}, resume=False)
    for ident, share in scores.items():
        folder.append(
            Record(
                id=ident,
                scores={primary: (share, 1.0), f"only-{path.name}.f1": (1.0, 1.0)},
                gold=("a",),
                predicted=(f"by {path.name}",),
                detail={"request": f"request {ident}"},
            )
        )
    folder.close()
    return path


def test_the_difference_is_paired(tmp_path: Path) -> None:
    before = {str(i): i % 2 for i in range(400)}  # varies much from case to case
    after = {k: min(1.0, v + (0.1 if int(k) < 360 else 0)) for k, v in before.items()}
    a, b = run(tmp_path / "a", before), run(tmp_path / "b", after)
    found = compare(a, b)
    d = found.metrics["strict.n_f1"]
    assert found.n == 400
    assert list(found.metrics) == ["strict.n_f1"]  # only what both have
    assert d.difference == pytest.approx(0.045)
    assert d.interval is not None
    assert d.difference is not None
    assert 0.03 < d.interval[0] < d.difference < d.interval[1] < 0.06  # either alone is uncertain by 0.05
    assert d.clear
    assert (found.better, found.worse) == (180, 0)


def test_the_same_run_twice_differs_in_nothing(tmp_path: Path) -> None:
    a = run(tmp_path / "a", {str(i): i / 10 for i in range(10)})
    found = compare(a, a)
    assert found.metrics["strict.n_f1"].difference == 0
    assert found.metrics["strict.n_f1"].interval == (0, 0)
    assert not found.metrics["strict.n_f1"].clear
    assert found.changes == ()


def test_cases_that_changed_the_largest_first(tmp_path: Path) -> None:
    a = run(tmp_path / "a", {"1": 0.5, "2": 1.0, "3": 0.2, "only-a": 1.0})
    b = run(tmp_path / "b", {"1": 0.5, "2": 0.0, "3": 0.4, "only-b": 1.0, "only-b-too": 0.0})
    found = compare(a, b)
    assert [(c.id, c.before, c.after) for c in found.changes] == [("2", 1.0, 0.0), ("3", 0.2, 0.4)]
    assert (found.n, found.only, found.better, found.worse) == (3, (1, 2), 1, 1)
    told = found.as_json()
    assert told["metrics"]["strict.n_f1"]["difference"] == pytest.approx(-26.6667)
    assert told["changes"][0]["predicted_after"] == ["by b"]
    json.dumps(told)


def test_less_is_better_where_it_is(tmp_path: Path) -> None:
    a = run(tmp_path / "a", {"1": 0.5}, primary="strict.edit_distance")
    b = run(tmp_path / "b", {"1": 0.2}, primary="strict.edit_distance")
    assert (compare(a, b).better, compare(a, b).worse) == (1, 0)


def test_runs_that_cannot_be_compared(tmp_path: Path) -> None:
    a = run(tmp_path / "a", {"1": 0.5})
    with pytest.raises(RunFolderError, match="no case in common"):
        compare(a, run(tmp_path / "b", {"2": 0.5}))
    with pytest.raises(RunFolderError, match=r"holds a run of planning, .* one of agent"):
        compare(a, run(tmp_path / "c", {"1": 0.5}, kind="agent"))
    with pytest.raises(RunFolderError, match="holds no run"):
        compare(a, tmp_path)


def test_a_case_that_wants_nothing_is_right_when_nothing_comes(tmp_path: Path) -> None:
    for name, score in {"a": (0.0, 0.0), "b": (0.0, 1.0)}.items():  # nothing planned, as wanted; then a task too much
        folder = RunFolder(tmp_path / name)
        folder.begin("planning", {"name": name, "primary": "strict.n_f1"}, resume=False)
        folder.append(Record(id="chat", scores={"strict.n_f1": score}))
        folder.close()
    found = compare(tmp_path / "a", tmp_path / "b")
    assert (found.better, found.worse) == (0, 1)
    assert [(c.before, c.after) for c in found.changes] == [(1.0, 0.0)]


def test_other_data_under_the_same_ids_is_noticed(tmp_path: Path) -> None:
    a = run(tmp_path / "a", {"1": 0.5, "2": 1.0})
    b = run(tmp_path / "b", {"1": 0.5, "2": 1.0})
    assert compare(a, b).differing == 0
    records = b / "records.jsonl"
    records.write_text(records.read_text().replace("request 2", "another request"))
    assert compare(a, b).differing == compare(a, b).as_json()["differing"] == 1


def test_more_changes_than_are_shown(tmp_path: Path) -> None:
    a = run(tmp_path / "a", {str(i): 0.0 for i in range(120)})
    b = run(tmp_path / "b", {str(i): i / 120 for i in range(120)})
    found = compare(a, b)
    assert (found.better, len(found.changes)) == (119, 50)
    assert [c.id for c in found.changes] == [str(i) for i in range(119, 69, -1)]


def test_run_folders_that_were_tampered_with(tmp_path: Path) -> None:
    a, b = run(tmp_path / "a", {"1": 0.5}), run(tmp_path / "b", {"1": 0.5}, primary="strict.unheard_of")
    with pytest.raises(RunFolderError, match=r"no metric that is known: 'strict\.unheard_of'"):
        compare(b, a)
    (b / "run.json").write_text('{"version": 1, "kind": "planning", "settings": []}')
    with pytest.raises(RunFolderError, match="not of this version"):
        compare(a, b)
