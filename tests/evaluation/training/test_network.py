"""The network says the same in torch, where it is trained, and in numpy, where it plans; and what is kept in 8 bits is what is used."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from langchain_hugginggpt.agent import Request
from langchain_hugginggpt.agent.planners.embedded.scoring import Scorer, fitting
from langchain_hugginggpt.agent.planners.embedded.telling import described, flags, pair_features, root_features, tell
from langchain_hugginggpt.agent.planners.embedded.weights import Decoding, Known, Weights
from langchain_hugginggpt.evaluation import load_taskbench
from langchain_hugginggpt.evaluation.training.fitting import padded, top_layers
from langchain_hugginggpt.evaluation.training.network import Linker, Network, Out, Table
from langchain_hugginggpt.evaluation.training.samples import FROZEN, Sample, sample_of
from langchain_hugginggpt.evaluation.training.training import _NAMES, _TOP, _named
from langchain_hugginggpt.evaluation.training.written import parse_written
from langchain_hugginggpt.index.minilm import MiniLM
from langchain_hugginggpt.tools import HUB_TASKS, HubTask, Kind, Port, TaskTable
from tests.evaluation.taskbench_files import TOOLS, write_set
from tests.fakes import file

DICE = HubTask(
    name="throw-dice", summary="Throw dice.", inputs=(Port(name="n", kind=Kind.TEXT),), outputs=(Port(name="s", kind=Kind.TABLE),)
)
REQUESTS = [
    Request(text="Write down what is said in talk.wav, and sum it up.", files=(file("talk.wav", "audio/wav"),)),
    Request(text=f"Translate '{'word ' * 60}' into French, then read it aloud"),
    Request(text="Hi"),
]


Floats = NDArray[np.float32]


class Stored(MiniLM):
    """Gives what was kept as its weights."""

    def __init__(self, layers: dict[str, Floats]) -> None:
        super().__init__()
        self._layers = layers

    def weights(self) -> dict[str, Floats]:
        return self._layers


@dataclass(frozen=True, kw_only=True)
class Twins:
    """One planner, twice."""

    network: Network
    linker: Linker
    weights: Weights
    encoder: MiniLM


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Twins:
    """Random weights, through the file and back, in both."""
    torch.manual_seed(1)
    encoder = MiniLM()
    size = len(HUB_TASKS) + len(TOOLS)
    network, linker = Network(size, top_layers(encoder, _TOP, _NAMES)).eval(), Linker().eval()
    for parameter in (network.own_weight, network.own_bias, network.own_state, network.own_where, network.listen):
        torch.nn.init.normal_(parameter, std=0.1)
    for name, bias in network.named_parameters():
        if name.startswith("layers.") and name.endswith("outer.bias"):
            torch.nn.init.normal_(bias, std=0.1)  # as trained ones, they are not the encoder's own
    arrays = _named(network.state_dict(), linker.state_dict())
    tasks = [*HUB_TASKS.values(), *bench(tmp_path_factory.mktemp("set")).values()]
    arrays["head"]["described"] = encoder.encode([described(t) for t in tasks])
    hub = Known(name="hub", tasks=tuple(HUB_TASKS), first=0, decoding=Decoding())
    other = Known(name="taskbench", tasks=tuple(TOOLS), first=len(HUB_TASKS), decoding=Decoding(spoken=True))
    made = Weights(**arrays, tables=(hub, other), card={})
    path = tmp_path_factory.mktemp("weights") / "planner.safetensors"
    made.save(path)
    read = Weights.load(path)
    assert all(np.array_equal(made.layers[k], read.layers[k]) for k in made.layers)
    state = network.state_dict()
    for i, kept in enumerate(top_layers(Stored(read.layers), _TOP, _NAMES)):
        state |= {f"layers.{i}.{name}": value for name, value in kept.items()}
    state |= {name: torch.from_numpy(read.head[name]) for name in state if name in read.head}
    network.load_state_dict(state)
    linker.load_state_dict({name: torch.from_numpy(read.head[f"linker.{name}"]) for name in linker.state_dict()})
    return Twins(network=network, linker=linker, weights=read, encoder=encoder)


def bench(folder: Path) -> TaskTable:
    return load_taskbench(write_set(folder, [])).tasks


def in_torch(twins: Twins, table: TaskTable, request: Request) -> Out:
    rows = twins.weights.rows(table)
    vectors = torch.from_numpy(twins.encoder.encode([described(t) for t in table.values()]))
    told = tell(request)
    x = torch.from_numpy(twins.encoder.token_states(told.text, layer=FROZEN).states)[None]
    of = Table(described=vectors, flags=torch.tensor([flags(t) for t in table.values()]), rows=torch.tensor(rows))
    with torch.no_grad():
        found: Out = twins.network(x, torch.ones(1, x.shape[1], dtype=torch.bool), of, torch.tensor([told.given]))
    return found


@pytest.mark.parametrize("request_", REQUESTS, ids=["file", "quote", "short"])
@pytest.mark.parametrize("name", ["hub", "taskbench", "mixed"])
def test_numpy_says_what_torch_says(twins: Twins, tmp_path: Path, name: str, request_: Request) -> None:
    tables = {"hub": HUB_TASKS, "taskbench": bench(tmp_path / "set"), "mixed": TaskTable([DICE, *list(HUB_TASKS.values())[:9]])}
    table = tables[name]
    assert (-1 in twins.weights.rows(table)) == (name == "mixed")
    scorer = Scorer(twins.weights, table, twins.encoder)
    assert scorer.decoding.spoken == (name == "taskbench")
    scores = scorer.score(tell(request_))
    out = in_torch(twins, table, request_)
    for mine, its in (
        (scores.tasks, out.tasks),
        (scores.twice, out.twice),
        (scores.mode, out.mode.softmax(-1)),
        (scores.states, out.states),
        (scores.spots, out.spots),
        (scores.spots[:, -1], out.places),
    ):
        assert np.allclose(mine, its[0].numpy(), rtol=1e-3, atol=2e-3), np.abs(mine - its[0].numpy()).max()
    assert np.allclose(scores.places, out.spot[0].numpy() @ scores.characters, atol=0.1)  # in characters
    assert scores.tasks.std() > 0.05  # or else there were nothing to compare
    chosen = [0, 1, 3, 6]
    links = scorer.links(scores, chosen)
    kinds = np.array([flags(t) for t in table.values()], np.float32)[chosen]
    features = pair_features(scores.spots[chosen], kinds, scores.given, scores.tasks[chosen])
    parts = (scores.states[chosen], features, root_features(features, scores.given), fitting(kinds))
    with torch.no_grad():
        expected, _, _ = twins.linker(*(torch.from_numpy(p)[None] for p in parts))
    assert np.allclose(links[np.ix_(chosen, chosen)], expected[0].numpy(), rtol=1e-3, atol=2e-3)
    left = np.ones_like(links, bool)
    left[np.ix_(chosen, chosen)] = False
    assert (links[left] == -15).all()
    assert (scorer.links(scores, [2]) == -15).all()


def test_places_are_characters_of_the_request(twins: Twins) -> None:
    scores = Scorer(twins.weights, HUB_TASKS, twins.encoder).score(tell(REQUESTS[1]))
    text = REQUESTS[1].text
    assert ((scores.places >= 0) & (scores.places < len(text))).all()
    assert set(scores.peaks.tolist()) <= set(scores.characters.tolist())
    assert scores.characters[-2] > text.index("aloud") - 1  # behind the quote that was cut
    assert scores.mode.sum() == pytest.approx(1)


def test_padding_and_company_change_nothing(twins: Twins) -> None:
    """A request scores in a batch beside a longer one as it does alone; 16 bits are kept of the frozen states."""
    rows = {name: i for i, name in enumerate(HUB_TASKS)}
    lines = ["Hi there || || -", "Write down what was said by all of them in the long meeting || a.wav || automatic-speech-recognition"]
    samples: list[Sample] = [sample_of(parse_written(line, HUB_TASKS), rows, twins.encoder) for line in lines]
    vectors = torch.from_numpy(twins.encoder.encode([described(t) for t in HUB_TASKS.values()]))
    table = Table(described=vectors, flags=torch.tensor([flags(t) for t in HUB_TASKS.values()]), rows=torch.arange(len(HUB_TASKS)))
    x, real = padded(samples)
    assert real.sum(1).tolist() == [len(s.states) for s in samples]
    with torch.no_grad():
        both: Out = twins.network(x, real, table, torch.from_numpy(np.stack([s.given for s in samples])))
        alone: Out = twins.network(*padded(samples[:1]), table, torch.from_numpy(samples[0].given)[None])
    assert torch.allclose(both.tasks[0], alone.tasks[0], atol=1e-4)
    assert torch.allclose(both.places[0], alone.places[0], atol=1e-4)
    assert torch.allclose(both.mode[0], alone.mode[0], atol=1e-4)
