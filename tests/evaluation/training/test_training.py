"""Training: that it learns, that a seed gives the same weights, what it tells of itself, and bad input."""

from __future__ import annotations

import json
import sys
from itertools import count, islice, pairwise
from pathlib import Path

import numpy as np
import pytest

from langchain_hugginggpt.agent import EmbeddedPlanner, Request
from langchain_hugginggpt.agent.planners.embedded.weights import Weights
from langchain_hugginggpt.evaluation import DatasetError, PlanningData, load_taskbench
from langchain_hugginggpt.evaluation.training.own import own_requests
from langchain_hugginggpt.evaluation.training.samples import held_out
from langchain_hugginggpt.evaluation.training.training import Trained, Training, save, train_planner
from langchain_hugginggpt.index.minilm import MiniLM
from langchain_hugginggpt.tools import HUB_TASKS
from langchain_hugginggpt.tools.errors import MissingExtraError
from tests.evaluation.taskbench_files import TOOLS, case, link, node, write_set
from tests.evaluation.training.folders import LINES, requests_folder
from tests.fakes import file

ASR, SUMMARY, SPEECH = "Automatic Speech Recognition", "Summarization", "Text-to-Speech"
CASES, HELD = 60, 6


@pytest.fixture(scope="module")
def encoder() -> MiniLM:
    return MiniLM()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return requests_folder(tmp_path_factory.mktemp("own") / "requests")


def names_of(n: int, *, held: bool) -> list[str]:
    return list(islice((f"c{i}" for i in count() if held_out(f"c{i}") is held), n))


def data(folder: Path, n: int = CASES) -> PlanningData:
    asked = {
        (ASR,): "Write down what is said in talk{i}.wav",
        (SUMMARY,): "Shorten this for me: 'A long story, number {i}, about a dog.'",
        (ASR, SUMMARY): "Give me the gist of the recording talk{i}.wav",
    }
    cases = []
    for i, ident in enumerate([*names_of(n - HELD, held=False), *names_of(HELD, held=True)]):
        names, text = list(asked.items())[i % 3]
        links = [link(a, b) for a, b in pairwise(names)]
        cases.append(case(ident, *(node(name, "x") for name in names), links=links, user_request=text.format(i=i)))
    return load_taskbench(write_set(folder, cases))


def test_training_learns_is_repeatable_and_tells_what_it_did(tmp_path: Path, encoder: MiniLM, folder: Path) -> None:
    found = data(tmp_path / "taskbench")
    stages: dict[str, list[tuple[int, int]]] = {}
    training = Training(
        epochs=10, seed=3, own=False, folder=folder, on_progress=lambda stage, done, of: stages.setdefault(stage, []).append((done, of))
    )
    first, second = (train_planner([found], training, encoder=encoder) for _ in range(2))
    for arrays, others in ((first.weights.head, second.weights.head), (first.weights.layers, second.weights.layers)):
        assert arrays.keys() == others.keys()
        assert [k for k in arrays if not np.array_equal(arrays[k], others[k])] == []
    assert list(stages) == ["requests", "steps", "states", "link steps", "invented tools", "held-out requests"]
    assert all(done == of for done, of in (told[-1] for told in stages.values()))
    assert stages["requests"][:CASES] == [(i, CASES) for i in range(1, CASES + 1)]

    card = json.loads(json.dumps(first.weights.card))
    held = card["held_out"][found.name.split("/")[0]]
    assert card["trained_on"] == [{"name": found.name.split("/")[0], "tasks": len(TOOLS), "requests": CASES - HELD}]
    assert [d["name"] for d in card["data"]] == [found.name]
    assert (card["epochs"], card["seed"]) == (10, 3)
    assert card["seconds"] >= 0
    assert card["invented_tools"].keys() == {"n_f1", "false_alarms"}
    assert all(0 <= x <= 100 for x in card["invented_tools"].values())
    assert held.keys() == {"requests", "n_f1", "e_f1", "exact"}
    assert held["requests"] == HELD
    assert held["n_f1"] > 60  # always naming one task would give about 50

    path = save(first, tmp_path / "new" / "w.safetensors")
    assert path.stat().st_size < 8_000_000
    written = (tmp_path / "new" / "w.md").read_text("utf-8")
    assert f"| {found.name.split('/')[0]} | {len(TOOLS)} | {CASES - HELD} |" in written
    assert f"| {HELD} | {held['n_f1']:.1f} | {held['e_f1']:.1f} | {held['exact']:.1f} |" in written
    plan = EmbeddedPlanner(encoder, path).plan(Request(text="Shorten this for me: 'A story about a cat.'"), found.tasks)
    assert [t.task for t in plan.tasks] == [SUMMARY]
    talk = file("talk.wav", "audio/wav")
    plan = EmbeddedPlanner(encoder, path).plan(Request(text="Give me the gist of the recording talk.wav", files=(talk,)), found.tasks)
    assert [t.task for t in plan.tasks] == [ASR, SUMMARY]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, encoder: MiniLM, folder: Path) -> Trained:
    """Trained on own requests and on a data set."""
    training = Training(epochs=8, generated=10, folder=folder)
    return train_planner([data(tmp_path_factory.mktemp("both") / "taskbench")], training, encoder=encoder)


def test_own_requests_and_a_data_set_make_two_tables(both: Trained, folder: Path) -> None:
    hub, other = both.weights.tables
    assert (hub.name, hub.tasks, hub.first, hub.decoding.spoken) == ("hub", tuple(HUB_TASKS), 0, False)
    assert (other.tasks, other.first, other.decoding.spoken) == (tuple(TOOLS), len(HUB_TASKS), True)
    assert both.weights.head["own_bias"].shape == (len(HUB_TASKS) + len(TOOLS),)
    own = sum(not held for _, held in own_requests(10, 0, folder))
    assert [t["requests"] for t in both.weights.card["trained_on"]] == [own, CASES - HELD]
    assert both.weights.card["held_out"]["hub"]["requests"] == 12 * len(LINES) + 10 - own


def test_own_requests_are_learnt(both: Trained, encoder: MiniLM, tmp_path: Path) -> None:
    """After a few steps it tells talk from wishes, and the two lists of tools apart."""
    path = save(both, tmp_path / "w.safetensors")
    planner = EmbeddedPlanner(encoder, Weights.load(path))
    chat = planner.plan(Request(text="Good day number 99 to you"), HUB_TASKS)
    assert (chat.tasks, chat.question) == ((), "")
    page = file("p99.jpg", "image/jpeg")
    likely = planner.plausible(Request(text="Describe picture 99 for me", files=(page,)), HUB_TASKS)
    assert max(likely, key=lambda name: likely[name]) == "image-to-text"
    report = file("r99.txt", "text/plain")
    likely = planner.plausible(Request(text="Sum up report number 99", files=(report,)), HUB_TASKS)
    assert max(likely, key=lambda name: likely[name]) == "summarization"


def test_own_requests_alone(encoder: MiniLM, tmp_path: Path) -> None:
    few = requests_folder(tmp_path / "requests", each=4)
    made = train_planner([], Training(epochs=1, generated=0, folder=few), encoder=encoder)
    assert [k.name for k in made.weights.tables] == ["hub"]
    assert made.weights.card["data"] == []


def test_what_cannot_be_trained_on(tmp_path: Path, encoder: MiniLM) -> None:
    without = Training(own=False)
    with pytest.raises(DatasetError, match="nothing to train on"):
        train_planner([], without, encoder=encoder)
    few = data(tmp_path / "few", 8)
    with pytest.raises(DatasetError, match="There are 8 labelled cases; at least 20 are needed"):
        train_planner([few], without, encoder=encoder)
    other = data(tmp_path / "other", 8)
    tools = json.loads((tmp_path / "other" / "tool_desc.json").read_text())
    tools["nodes"] = tools["nodes"][:3]
    (tmp_path / "other" / "tool_desc.json").write_text(json.dumps(tools))
    with pytest.raises(DatasetError, match="have different tool lists"):
        train_planner([few, load_taskbench(tmp_path / "other")], without, encoder=encoder)
    assert other.size == 8


def test_torch_is_missing(monkeypatch: pytest.MonkeyPatch, encoder: MiniLM) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)  # as if it were not installed
    with pytest.raises(MissingExtraError, match="torch") as told:
        train_planner([], Training(own=False), encoder=encoder)
    assert "langchain-hugginggpt[train]" in str(told.value)


def test_a_place_where_nothing_can_be_written(both: Trained, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(DatasetError, match=r"cannot be written to .*w\.safetensors"):
        save(both, tmp_path / "file" / "w.safetensors")
