"""The requests of this project's own are sound as a measuring stick; how well a planner does on them is in benchmarks/RESULTS.md.

`requests/` holds 150 requests, thirty each in the words of five people, with the plan that an expert would make. They were written
without a look at what a planner makes of them, and stay so: correct a label only where it is wrong in itself.

An id begins with a modality, which is what is worked on: `text`, `image`, `audio`, `video`, `table`, `document` (a page as a picture),
`multimodal` (two kinds of files), `generation` (nothing but words saying what to make), `other` (robots, games, graphs), or `chat`:
nothing is to be run, because it is small talk, no task serves it, or only asking back is right.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from langchain_hugginggpt.evaluation.datasets.agent_case import AgentCase
from langchain_hugginggpt.evaluation.datasets.cases import load_cases
from langchain_hugginggpt.tools.artifacts import ArtifactStore
from langchain_hugginggpt.tools.hub_tasks import HUB_TASKS
from langchain_hugginggpt.tools.task import Kind

FOLDER = Path(__file__).parent / "requests"
PEOPLE = ("engineer", "manager", "newcomer", "teacher", "teenager")
COUNTS = {
    "text": 36,
    "image": 27,
    "audio": 21,
    "video": 11,
    "table": 12,
    "document": 13,
    "multimodal": 9,
    "generation": 9,
    "other": 3,
    "chat": 9,
}
KINDS: dict[str, set[Kind]] = {
    "text": {Kind.TEXT},
    "image": {Kind.IMAGE},
    "audio": {Kind.AUDIO},
    "video": {Kind.VIDEO},
    "table": {Kind.TABLE},
    "document": {Kind.IMAGE},
    "generation": set(),
    "other": {Kind.JSON, Kind.IMAGE},
}
CASES = load_cases(FOLDER)  # refuses ids that stand twice, files that there are not, and unknown tasks


def modality_of(case: AgentCase) -> str:
    return case.id.partition("-")[0]


def kinds_of(case: AgentCase) -> set[Kind]:
    store = ArtifactStore()
    return {store.add_file(f).kind for f in case.files}


def fits(source: str, target: str) -> bool:
    return any(port.kind.accepts(out.kind) for out in HUB_TASKS[source].outputs for port in HUB_TASKS[target].inputs)


@pytest.mark.parametrize("person", PEOPLE)
def test_each_person_asks_thirty_times(person: str) -> None:
    assert len(load_cases(FOLDER / f"{person}.yaml")) == 30


def test_all_files_together() -> None:
    assert [p.stem for p in sorted(FOLDER.glob("*.yaml"))] == list(PEOPLE)
    assert Counter(map(modality_of, CASES)) == COUNTS
    assert sum(COUNTS.values()) == len({case.request for case in CASES}) == 150


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_label_is_whole(case: AgentCase) -> None:
    assert case.plan_only
    assert case.tasks is not None
    assert case.known_links is not None
    assert [(a, b) for a, b in case.known_links if not fits(a, b)] == []
    if modality_of(case) == "chat":
        assert case.tasks == ()
    else:
        assert case.tasks != ()


def test_a_link_of_the_wrong_kind_would_be_seen() -> None:
    assert fits("image-to-text", "text-to-speech")
    assert not fits("text-to-speech", "image-to-text")


@pytest.mark.parametrize("case", [c for c in CASES if modality_of(c) != "chat"], ids=lambda case: case.id)
def test_the_files_are_of_the_modality(case: AgentCase) -> None:
    kinds = kinds_of(case)
    if modality_of(case) == "multimodal":
        assert len(kinds) > 1
    else:
        assert kinds <= KINDS[modality_of(case)]
        assert kinds or modality_of(case) in ("text", "generation")


def test_nearly_every_task_of_the_hub_is_asked_for() -> None:
    asked = {name for case in CASES for name in case.tasks or ()}
    assert set(HUB_TASKS) - asked == {"image-text-to-image"}  # nobody could tell it from image-to-image


def test_every_file_in_the_folder_is_used() -> None:
    used = {f for case in CASES for f in case.files}
    assert [p.name for p in sorted((FOLDER / "files").iterdir()) if p.resolve() not in used] == []
