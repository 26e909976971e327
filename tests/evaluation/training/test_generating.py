"""Requests that are made out of written ones."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest

from langchain_hugginggpt.evaluation.training.generating import Clause, Generator
from langchain_hugginggpt.evaluation.training.own import FOLDER, own_requests
from langchain_hugginggpt.evaluation.training.written import Written, parse_written, read_written
from langchain_hugginggpt.tools import HUB_TASKS
from tests.evaluation.training.test_written import misfits

# a made-up word for each task, so that it can be seen which words ask for which
SAID = {
    "image-to-text": "zorble the image",
    "summarization": "quimp the text",
    "text-to-speech": "vlonk it aloud",
    "automatic-speech-recognition": "drandle the recording",
    "image-classification": "frum the image",
    "translation": 'glimp "…"',
    "depth-estimation": "snurr the image",
    "audio-classification": "wubble the recording",
}
MARKED: dict[str, Any] = {
    "then": ["{a} THEN<{b}>", "AFTER<{a}> {b}"],
    "also": ["{a} ALSO<{b}>"],
    "not": ["{a} NOT<{n}>", "NOT<{n}> {a}"],
    "aside": ["ASIDE<{x}> {a}", "{a} ASIDE<{x}{y}>"],
    "polite": ["please {a}"],
    "remarks": ["it is raining"],
    "files": {
        "image": ["x.jpg", "y.png"],
        "audio": ["x.wav"],
        "text": ["x.txt"],
        "json": ["x.json"],
        "video": ["x.mp4"],
        "table": ["x.csv"],
    },
    "mentions": {k: [f"this {k}"] for k in ("image", "audio", "text", "video", "table", "json")},
    "texts": ["Rain fell."],
}
WRITTEN = [
    parse_written("Kindly zorble it. || note.jpg || image-to-text", HUB_TASKS),
    parse_written("I want to wubble this! || a.mp3 || audio-classification", HUB_TASKS),
    parse_written("drandle it and quimp that || b.mp3 || automatic-speech-recognition; summarization < 1", HUB_TASKS),
    parse_written("Good day || || -", HUB_TASKS),
]


class Careful(Generator):
    """Spells well."""

    def _misspelt(self, base: Written) -> Written:
        return base


def generated(kind: type[Generator], count: int, seed: int = 0) -> list[Written]:
    clauses = [Clause(text=text, tasks=(name,)) for name, text in SAID.items()]
    found = list(kind(HUB_TASKS, WRITTEN, clauses, MARKED, seed).generate(count))
    assert len(found) == count
    return found


@pytest.fixture(scope="module")
def careful() -> list[Written]:
    return generated(Careful, 1500)


def verb(task: str) -> str:
    return SAID[task].split()[0]


def test_the_same_seed_makes_the_same_requests() -> None:
    assert generated(Generator, 200, 7) == generated(Generator, 200, 7)
    assert generated(Generator, 200, 7) != generated(Generator, 200, 8)


def test_what_flows_fits(careful: list[Written]) -> None:
    assert [(w.text, m) for w in careful if (m := misfits(w, HUB_TASKS))] == []
    assert sum(len(w.links) > 0 for w in careful) > 200
    assert all(a < b < len(w.tasks) for w in careful for a, b in w.links)


def test_what_is_asked_for_is_in_the_words(careful: list[Written]) -> None:
    assert [(w.text, w.tasks) for w in careful if not all(verb(t) in w.text for t in w.tasks)] == []


def test_a_span_holds_the_words_that_ask_for_its_task_and_for_no_other(careful: list[Written]) -> None:
    """The stop at the end of a span may be another than the one that was written."""
    found = [(w.text[s[0] : s[1]], t) for w in careful for t, s in zip(w.tasks, w.spans, strict=False) if s is not None]
    assert len(found) > 500
    wrong = [(said, t) for said, t in found if verb(t) not in said or any(verb(o) in said for o in SAID if o != t)]
    assert wrong == []
    marks = ("THEN", "ALSO", "NOT", "ASIDE", "AFTER")
    assert [(said, t) for said, t in found if any(m in said for m in marks)] == []


def test_what_is_not_wanted_is_not_planned(careful: list[Written]) -> None:
    denied = [(w, m[1]) for w in careful for m in re.finditer(r"NOT<([^<>]*)>", w.text)]
    assert len(denied) > 100
    for written, said in denied:
        (task,) = [t for t, text in SAID.items() if text == said]
        assert task not in written.tasks


def test_what_follows_works_on_what_was_made(careful: list[Written]) -> None:
    chained = [w for w in careful if w.text.count("THEN<") == 1 and "ALSO" not in w.text and "AFTER" not in w.text]
    assert len(chained) > 50
    for written in chained:
        (said,) = re.findall(r"THEN<([^<>]*)", written.text)
        last = len(written.tasks) - 1
        assert verb(written.tasks[last]) in said
        assert [b for _, b in written.links].count(last) == 1


def test_a_wish_has_the_files_that_it_needs(careful: list[Written]) -> None:
    """One alone for a recording brings a recording, and so on; nothing is left to be filled in."""
    assert [w.text for w in careful if '"…"' in w.text] == []
    for written in careful:
        kinds = {kind.value for _, kind in written.files}
        if "drandle" in written.text and "automatic-speech-recognition" in written.tasks:
            position = written.tasks.index("automatic-speech-recognition")
            assert "audio" in kinds or position in {b for _, b in written.links}


def test_requests_that_want_nothing_stay_so() -> None:
    idle = [w for w in generated(Generator, 600) if w.mode == "chat"]
    assert idle
    assert all(w.tasks == () for w in idle)


def test_misspelling_leaves_files_alone_and_changes_the_rest() -> None:
    plain = Written(
        text="Please Describe The Photo MY_Cat.JPG, then tell everything.", files=(parse_written("x || MY_Cat.JPG || -", {}).files)
    )
    generator = Generator(HUB_TASKS, WRITTEN, [], MARKED, 3)
    found = [generator._misspelt(plain) for _ in range(40)]
    assert all("MY_Cat.JPG" in w.text for w in found)
    assert len({w.text for w in found}) > 5
    assert all((w.files, w.tasks) == (plain.files, plain.tasks) for w in found)


@pytest.fixture(scope="module")
def shipped() -> list[Written]:
    """Made out of what is in the project."""
    written = len(list(read_written(sorted(FOLDER.glob("*.txt")), HUB_TASKS)))
    return [w for w, _ in own_requests(1500, 1)[written:]]


def test_the_projects_own_requests_vary_in_structure(shipped: list[Written]) -> None:
    assert [(w.text, m) for w in shipped if (m := misfits(w, HUB_TASKS))] == []
    assert len({w.text for w in shipped}) > 0.95 * len(shipped)
    tasks = Counter(min(len(w.tasks), 4) for w in shipped)
    assert min(tasks[n] for n in (1, 2, 3, 4)) > 20
    sentences = Counter(min(len(re.findall(r"[.!?\n]+(?=\s|$)", w.text)), 4) for w in shipped)
    assert min(sentences[n] for n in range(5)) > 50
    assert {name for w in shipped for name in w.tasks} == set(HUB_TASKS)
    starts = Counter(w.text.split()[0].casefold() for w in shipped)
    assert starts.most_common(1)[0][1] < 0.1 * len(shipped)
    shapes = Counter((len(w.tasks), w.links) for w in shipped)
    assert len(shapes) > 15


def test_every_frame_is_used(shipped: list[Written]) -> None:
    import yaml

    frames = yaml.safe_load((FOLDER / "frames.yaml").read_text("utf-8"))
    fixed = {f for what in ("then", "also", "not") for f in frames[what]}
    pieces = {frame: [p for p in re.split(r"\{\w\}", frame) if len(p.strip(" .,\n")) > 5] for frame in fixed}
    told = " ".join(w.text for w in shipped).casefold()
    unused = [frame for frame, parts in pieces.items() if not all(p.strip(" .,!\n").casefold() in told for p in parts)]
    assert unused == []
