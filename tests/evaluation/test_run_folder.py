"""Records on disk: nothing lost, nothing twice, nothing overwritten."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from langchain_hugginggpt.evaluation import Record, RunFolderError
from langchain_hugginggpt.evaluation.run_folder import RunFolder

SETTINGS = {"data": "a.jsonl", "planner": "embedded"}


def begun(path: Path, *, resume: bool = False, **settings: str) -> RunFolder:
    folder = RunFolder(path)
    folder.begin("planning", SETTINGS | settings, resume=resume)
    return folder


def written(path: Path, *records: Record) -> None:
    folder = begun(path)
    for record in records:
        folder.append(record)
    folder.close()


def test_a_record_both_ways() -> None:
    record = Record(
        id="a\ud800",
        groups={"type": "chain"},
        scores={"strict.n_f1": (2.0, 3.0)},
        gold=("x",),
        predicted=("y", "z"),
        seconds=0.25,
        error="broke",
        again=True,
        usage={"m": {"input_tokens": 3, "output_tokens": 4}},
        detail={"request": "one\ntwo", "n": [1, None]},
    )
    line = record.as_line()
    assert "\n" not in line
    assert Record.from_line(line) == record


ODD = [{"id": 5}, {"groups": ["a"]}, {"groups": {"type": 5}}, {"scores": {"m": [float("nan"), 1]}}, {"scores": {"m": [10**400, 1]}}]
ODD += [{"gold": [1]}, {"seconds": float("inf")}, {"usage": {"m": {"input_tokens": "x"}}}, {"detail": 5}, {"error": 5}]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{",
        "[]",
        "3",
        '{"id": "a"}',
        '{"id": "a", "scores": {"m": [1]}}',
        *(json.dumps(json.loads(Record(id="a").as_line()) | o) for o in ODD),
    ],
)
def test_what_is_no_record(line: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # json's own message, or ours
        Record.from_line(line)


def test_resuming_drops_a_torn_line_and_what_shall_be_tried_again(tmp_path: Path) -> None:
    written(tmp_path, Record(id="1"), Record(id="2", error="busy", again=True), Record(id="3"))
    with (tmp_path / "records.jsonl").open("a") as f:
        f.write(Record(id="4").as_line()[:-9])  # killed while it was written
    folder = begun(tmp_path, resume=True)
    assert folder.finished == {"1", "3"}
    folder.append(Record(id="4"))
    folder.close()
    assert [r.id for r in folder.records()] == ["1", "3", "4"]
    assert len((tmp_path / "records.jsonl").read_text().splitlines()) == 3


def test_a_record_that_stands_twice_counts_once(tmp_path: Path) -> None:
    written(tmp_path, Record(id="1", error="first"), Record(id="1", error="second"))
    assert [r.error for r in RunFolder.open(tmp_path).records()] == ["first"]


def test_another_run_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    written(tmp_path, Record(id="1"))
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    with pytest.raises(RunFolderError, match=r"holds the records of a run already \(1 cases\)\. Go on with it \(--resume\)"):
        begun(tmp_path)
    with pytest.raises(RunFolderError, match=r"another run \(planner: 'embedded' there, 'llm' now\)"):
        begun(tmp_path, resume=True, planner="llm")
    with pytest.raises(RunFolderError, match="kind: 'planning' there, 'agent' now"):
        RunFolder(tmp_path).begin("agent", SETTINGS, resume=True)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_files_that_are_no_run_are_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "predictions.jsonl").write_text("mine")
    with pytest.raises(RunFolderError, match=r"holds predictions\.jsonl, and no run\.json"):
        begun(tmp_path, resume=True)
    assert (tmp_path / "predictions.jsonl").read_text() == "mine"


def test_folders_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "below", tmp_path / ("x" * 300)):
        with pytest.raises(RunFolderError, match=r"cannot be (written|read).*Choose another folder"):
            begun(path)
    with pytest.raises(RunFolderError, match=r"there is no run\.json in it"):
        RunFolder.open(tmp_path)
    (tmp_path / "run.json").write_text(json.dumps({"version": 99, "kind": "planning", "settings": {}}))
    with pytest.raises(RunFolderError, match="not of this version"):
        RunFolder.open(tmp_path)
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(RunFolderError, match="cannot be read"):
        RunFolder.open(tmp_path)
    with pytest.raises(RunFolderError, match="was not begun"):
        RunFolder(tmp_path).append(Record(id="1"))


def test_resuming_where_nothing_is_starts(tmp_path: Path) -> None:
    folder = begun(tmp_path / "new" / "run", resume=True)
    folder.close()
    assert folder.finished == set()
    assert RunFolder.open(tmp_path / "new" / "run").kind == "planning"


@pytest.mark.skipif(sys.platform == "win32", reason="there is no lock")
def test_two_at_a_time_do_not_write_to_one_folder(tmp_path: Path) -> None:
    first = begun(tmp_path)
    first.append(Record(id="1"))
    with pytest.raises(RunFolderError, match="Another process is writing its records"):
        begun(tmp_path, resume=True)
    first.append(Record(id="2"))
    first.close()
    second = begun(tmp_path, resume=True)
    second.close()
    assert second.finished == {"1", "2"}
