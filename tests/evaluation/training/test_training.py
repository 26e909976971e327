"""Training: what is learnt from, that torch and numpy agree, that a seed gives the same weights, and bad input."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from langchain_hugginggpt.agent import Request, TrainedPlanner
from langchain_hugginggpt.agent.planners.trained import Decoding, TrainedWeights
from langchain_hugginggpt.agent.planners.trained.literals import literals
from langchain_hugginggpt.agent.planners.trained.scoring import Scorer
from langchain_hugginggpt.evaluation import DatasetError, PlanningData, Problems, load_taskbench
from langchain_hugginggpt.evaluation.training.network import Network
from langchain_hugginggpt.evaluation.training.samples import held_out, read_samples
from langchain_hugginggpt.evaluation.training.training import Training, _named, _table, _top_layers, train_planner
from langchain_hugginggpt.index.minilm import MiniLM
from tests.evaluation.taskbench_files import case, link, node, write_set

ASR, SUMMARY, SPEECH = "Automatic Speech Recognition", "Summarization", "Text-to-Speech"


@pytest.fixture(scope="module")
def encoder() -> MiniLM:
    return MiniLM()


def data(folder: Path, n: int = 40) -> PlanningData:
    asked = {
        (ASR,): "Write down what is said in talk{i}.wav",
        (SUMMARY,): "Shorten this for me: 'A long story, number {i}, about a dog.'",
        (ASR, SUMMARY): "Give me the gist of the recording talk{i}.wav",
    }
    cases = []
    for i in range(n):
        names, text = list(asked.items())[i % 3]
        links = [link(a, b) for a, b in pairwise(names)]
        cases.append(case(f"c{i}", *(node(name, "x") for name in names), links=links, user_request=text.format(i=i)))
    return load_taskbench(write_set(folder, cases))


def test_samples(tmp_path: Path, encoder: MiniLM) -> None:
    lines = [
        case(
            "good",
            node(ASR, "a.wav"),
            node(SUMMARY, "<node-0>"),
            node("Time Travel", "x"),
            links=[link(ASR, SUMMARY), link(ASR, "Time Travel")],
        ),
        case("good", node(ASR, "a.wav")),
        case("odd", node("Time Travel", "x")),
        {"id": "bare", "user_request": "Write it down"},
    ]
    found = load_taskbench(write_set(tmp_path, lines))
    problems, read = Problems(), []
    (sample,) = read_samples([found], found.tasks, encoder, problems, lambda: read.append(1))
    names = list(found.tasks)
    assert [names[i] for i in np.flatnonzero(sample.tasks)] == [ASR, SUMMARY]
    assert [(names[a], names[b]) for a, b in np.argwhere(sample.links)] == [(ASR, SUMMARY)]
    assert sample.partial
    assert list(sample.files) == [0, 0, 1, 0]
    assert sample.states.shape[1] == 384
    assert len(read) == 4
    assert {k: v for k, v in problems.counts.items() if k.startswith("not trained on")} == {
        "not trained on: its id came before": 1,
        "not trained on: no labelled task is in the table": 1,
        "not trained on: no request or no label": 1,
    }


def test_numpy_scores_as_torch_does(tmp_path: Path, encoder: MiniLM) -> None:
    found = data(tmp_path, 3)
    torch.manual_seed(1)
    network = Network(len(found.tasks), _top_layers(encoder)).eval()
    for parameter in (network.own_weight, network.own_bias, network.own_state, network.own_where):
        torch.nn.init.normal_(parameter, std=0.1)
    (sample, *_) = read_samples([found], found.tasks, encoder, Problems())
    state = {k: v.half().float() for k, v in network.state_dict().items()}
    network.load_state_dict(state)
    there = torch.zeros(1, len(found.tasks))
    chosen = [0, 1, 3]
    there[0, chosen] = 1
    x = encoder.token_states("Write down what is said in talk0.wav", layer=-3).states
    with torch.no_grad():
        out = network(
            torch.from_numpy(x)[None],
            torch.ones(1, len(x), dtype=torch.bool),
            _table(found.tasks, encoder),
            torch.from_numpy(sample.files)[None],
            there,
        )
    scorer = Scorer(TrainedWeights(**_named(state, tuple(found.tasks)), decoding=Decoding(), card={}), found.tasks, encoder)
    request = sample.case.request
    assert isinstance(request, Request)
    scores = scorer.score(request.text, literals(request.text, request.files))
    assert np.allclose(scores.tasks, out.tasks[0].numpy(), atol=1e-3)
    assert np.allclose(scorer.links(scores, chosen)[np.ix_(chosen, chosen)], out.links[0].numpy()[np.ix_(chosen, chosen)], atol=1e-3)


def test_training_learns_is_repeatable_and_tells_what_it_did(tmp_path: Path, encoder: MiniLM) -> None:
    found = data(tmp_path, 60)
    stages: set[str] = set()
    training = Training(epochs=6, seed=3, on_progress=lambda stage, done, of: stages.add(stage))
    first, second = (train_planner([found], training, encoder=encoder) for _ in range(2))
    assert all(np.array_equal(first.weights.head[k], second.weights.head[k]) for k in first.weights.head)
    assert stages == {"requests", "steps", "held-out requests"}
    card = first.weights.card
    assert (card["cases"], card["held_out"]["cases"]) == (
        60 - sum(held_out(f"c{i}") for i in range(60)),
        sum(held_out(f"c{i}") for i in range(60)),
    )
    assert card["held_out"]["n_f1"] > 60  # always naming one task would give about 50
    path = tmp_path / "w.safetensors"
    first.weights.save(path)
    assert path.stat().st_size < 8_000_000
    plan = TrainedPlanner(path, encoder).plan(Request(text="Shorten this for me: 'A story about a cat.'"), found.tasks)
    assert [t.task for t in plan.tasks] == [SUMMARY]
    json.dumps(card)


def test_what_cannot_be_trained_on(tmp_path: Path, encoder: MiniLM) -> None:
    with pytest.raises(DatasetError, match="nothing to train on"):
        train_planner([], encoder=encoder)
    few = data(tmp_path / "few", 5)
    with pytest.raises(DatasetError, match="There are 5 labelled cases; at least 20 are needed"):
        train_planner([few], encoder=encoder)
    other = data(tmp_path / "other", 5)
    tools = json.loads((tmp_path / "other" / "tool_desc.json").read_text())
    tools["nodes"] = tools["nodes"][:3]
    (tmp_path / "other" / "tool_desc.json").write_text(json.dumps(tools))
    with pytest.raises(DatasetError, match="have different tool lists"):
        train_planner([few, load_taskbench(tmp_path / "other")], encoder=encoder)
    assert other.size == 5
