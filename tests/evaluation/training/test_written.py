"""Requests that were written for training: their form, and that those in the project are sound."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from langchain_hugginggpt.evaluation import DatasetError
from langchain_hugginggpt.evaluation.datasets.cases import load_cases
from langchain_hugginggpt.evaluation.training.invented import invented
from langchain_hugginggpt.evaluation.training.own import FOLDER
from langchain_hugginggpt.evaluation.training.written import Written, parse_file, parse_written, read_written
from langchain_hugginggpt.tools import HUB_TASKS, Kind, TaskTable

FILES = sorted(FOLDER.glob("*.txt"))
ALL = list(read_written(FILES, HUB_TASKS))
TESTS = Path(__file__).parents[2] / "agent"
LEAST = 30  # requests for each task of the Hub


def words(text: str) -> str:
    """However it is punctuated and capitalised."""
    return " ".join(re.findall(r"\w+", text.casefold()))


def misfits(written: Written, tasks: TaskTable) -> list[tuple[str, str]]:
    """Links by which nothing can flow."""
    links = [(tasks[written.tasks[a]], tasks[written.tasks[b]]) for a, b in written.links]
    return [(a.name, b.name) for a, b in links if not any(p.kind.accepts(out.kind) for out in a.outputs for p in b.inputs)]


def test_a_line() -> None:
    line = " Read me this\\nletter. || letter.jpg; ^audio || image-to-text; summarization < 1; text-to-speech <1, 2 "
    found = parse_written(line, HUB_TASKS)
    assert found == Written(
        text="Read me this\nletter.",
        files=(("letter.jpg", Kind.IMAGE), ("^audio", Kind.AUDIO)),
        tasks=("image-to-text", "summarization", "text-to-speech"),
        links=((0, 1), (0, 2), (1, 2)),
    )
    assert parse_written("Hello || || -", HUB_TASKS) == Written(text="Hello", mode="chat")
    assert parse_written("Do it || || ?", HUB_TASKS) == Written(text="Do it", mode="ask")
    twice = parse_written("Say both || || text-to-speech; text-to-speech", HUB_TASKS)
    assert twice.tasks == ("text-to-speech", "text-to-speech")


def test_the_request_that_a_planner_gets() -> None:
    request = parse_written("Say it || a.docx; b.csv; ^image || text-to-speech", HUB_TASKS).request
    assert request.text == "Say it"
    assert [(f.name, f.kind) for f in request.files] == [("a.docx", Kind.TEXT), ("b.csv", Kind.TABLE)]
    ((made,),) = [turn.made for turn in request.history]
    assert made.artifact.kind is Kind.IMAGE
    assert parse_written("Say it || || -", HUB_TASKS).request.history == ()


@pytest.mark.parametrize("name", [f"x.{e}" for e in ("JPG", "m4a", "webm", "tsv", "srt", "json")] + ["^table", "^object3d"])
def test_a_files_kind_survives_as_an_artifact(name: str) -> None:
    found, kind = parse_file(name)
    written = Written(text="", files=((found, kind),))
    artifacts = [*written.request.files, *(m.artifact for t in written.request.history for m in t.made)]
    assert [a.kind for a in artifacts] == [kind]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("Say it || text-to-speech", r"three fields separated by \|\| are needed, not 2"),
        ("a || b.txt || - || c", r"three fields separated by \|\| are needed, not 4"),
        ("Say it || || text-to-peach", "there is no task 'text-to-peach'"),
        ("Say it || ||", "there is no task ''"),
        ("Say it || || summarization; text-to-speech < 2", "text-to-speech takes from '2', which is no earlier step"),
        ("Say it || || summarization < 0", "takes from '0'"),
        ("Say it || || summarization < one", "takes from 'one'"),
        ("Say it || letter || -", "the file 'letter' has an ending that tells no kind"),
        ("Say it || ^picture || -", "picture"),
    ],
)
def test_a_line_that_is_wrong_is_named(tmp_path: Path, line: str, message: str) -> None:
    file = tmp_path / "nurse.txt"
    file.write_text(f"# a remark\n\nHello || || -\n{line}\n", "utf-8")
    with pytest.raises(DatasetError, match=rf"nurse\.txt, line 4: .*{message}"):
        list(read_written([file], HUB_TASKS))
    file.write_text("# a remark\n\nHello || || -\n", "utf-8")
    assert [w.text for w in read_written([file], HUB_TASKS)] == ["Hello"]


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_a_file_in_the_project(path: Path) -> None:
    found = list(read_written([path], HUB_TASKS))
    assert len(found) > 200
    assert all(w.text for w in found)
    assert [(w.text, m) for w in found if (m := misfits(w, HUB_TASKS))] == []
    assert [w.text for w in found if (w.mode == "run") != bool(w.tasks)] == []


def test_a_link_of_the_wrong_kind_would_be_seen() -> None:
    assert misfits(parse_written("x || || text-to-speech; image-to-text < 1", HUB_TASKS), HUB_TASKS) == [
        ("text-to-speech", "image-to-text")
    ]


def test_no_request_is_written_twice() -> None:
    times = Counter(words(w.text) for w in ALL)
    assert [text for text, n in times.items() if n > 1] == []


def test_every_task_is_asked_for_often_enough_and_some_requests_want_nothing() -> None:
    times = Counter(name for w in ALL for name in set(w.tasks))
    assert {name: times[name] for name in HUB_TASKS if times[name] < LEAST} == {}
    modes = Counter(w.mode for w in ALL)
    assert min(modes["chat"], modes["ask"]) >= LEAST


def test_nothing_that_is_measured_on_is_trained_on() -> None:
    """Greetings of up to three words, which anybody says, are allowed."""
    wordings = (TESTS / "wordings.jsonl").read_text("utf-8").splitlines()
    measured = {words(case.request) for case in load_cases(TESTS / "requests")} | {words(json.loads(line)["text"]) for line in wordings}
    clauses = (FOLDER / "clauses.jsonl").read_text("utf-8").splitlines()
    trained = [*(w.text for w in ALL), *(w.text for w, _ in invented()[1]), *(json.loads(line)["text"] for line in clauses)]
    assert len(measured) > 150
    assert [text for text in trained if words(text) in measured and len(words(text).split()) > 3] == []
