"""Trains the embedded planner on labelled requests: the encoder's two top layers and the head, on a processor, in minutes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...agent.planners.embedded.telling import described
from ...agent.planners.embedded.weights import Decoding, Known, Weights, as_stored
from ...index.encoder_folder import Shape
from ...index.minilm import MiniLM
from ...index.problems import Problems
from ...tools.errors import MissingExtraError
from ...tools.hub_tasks import HUB_TASKS
from ..datasets.planning_data import PlanningData
from ..errors import DatasetError
from .card import card_text
from .invented import TOOLS_FILE, Learnt, fit_unseen
from .own import FOLDER, own_requests
from .samples import RUN, Group, Sample, held_out, one_table, read_samples, sample_of
from .tuning import Tuned, tune

if TYPE_CHECKING:
    import torch

_TOP = Shape().top  # of the packaged encoder
_NAMES = {
    "attended": "attention.output.dense",
    "norm1": "attention.output.LayerNorm",
    "inner": "intermediate.dense",
    "outer": "output.dense",
    "norm2": "output.LayerNorm",
}
_LEAST = 20


def _silent(*_: object) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, kw_only=True)
class Training:
    """How a training runs.

    Attributes:
        epochs: passes over the samples.
        seed: of everything that is random; the same seed, data and machine give the same weights.
        generated: how many requests are made out of the written ones, beside these.
        own: whether to train on this project's own requests (over the Hub's tasks and invented tools) as well.
        folder: of these requests and of the invented tools; see `own.own_requests` and `invented.invented`.
        on_progress: called with a stage (`requests`, `steps`, …), how many are done, and of how many.
    """

    epochs: int = 6
    seed: int = 0
    generated: int = 7000
    own: bool = True
    folder: Path = FOLDER
    on_progress: Callable[[str, int, int], None] = _silent


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A trained planner, and what the data held that could not be used."""

    weights: Weights
    problems: Problems
    seconds: float


def train_planner(sets: Sequence[PlanningData], training: Training | None = None, *, encoder: MiniLM | None = None) -> Trained:
    """Train on 19 of 20 labelled requests; choose how scores become a plan on the rest, and say how it scores there.

    Args:
        sets: data sets over one table of tasks, which is trained on beside this project's own requests over the Hub's tasks; may be none.
        training: epochs, seed, progress.
        encoder: the one to train on, e.g. `MiniLM(folder)` of one that knows many languages; the planner needs the same. Default: the
            packaged one. Other encoders were tried in tests only, on tiny ones.

    Raises:
        CallerError: the encoder cannot be read.
        DatasetError: nothing to train on, two tables, or fewer than 20 labelled cases.
        MissingExtraError: torch is not installed.
    """
    try:
        import numpy as np
        import torch
    except ImportError as e:
        raise MissingExtraError("torch", "train") from e
    from . import fitting
    from .network import Network

    training, encoder = training or Training(), encoder or MiniLM()
    began = time.perf_counter()
    problems = Problems()
    groups = [*([own_group(encoder, training)] if training.own else []), *_given(sets, encoder, problems, training)]
    if not groups:
        raise DatasetError("There is nothing to train on.", remedy="Name at least one data set: --data PATH.")
    kept = [replace(g, samples=tuple(s for s in g.samples if not s.held)) for g in groups]
    torch.manual_seed(training.seed)
    firsts = fitting.first_rows(groups)
    network = Network(sum(len(g.tasks) for g in groups), fitting.top_layers(encoder, encoder.shape.top, _NAMES), encoder.shape)
    mean = fitting.fit(network, kept, encoder, epochs=training.epochs, seed=training.seed, on_progress=training.on_progress)
    network.load_state_dict(mean)
    linker = fitting.fit_links(network, kept, encoder, seed=training.seed, on_progress=training.on_progress)
    arrays = _named(mean, linker, encoder.shape.top)
    arrays["head"]["described"] = np.concatenate([encoder.encode([described(t) for t in g.tasks.values()]) for g in groups])
    tables = [
        Known(name=g.name, tasks=tuple(g.tasks), first=f, decoding=Decoding(spoken=all(s.mode == RUN for s in g.samples)))
        for f, g in zip(firsts, groups, strict=True)
    ]
    weights = Weights(**arrays, tables=tuple(tables), card={}, encoder=encoder.name)
    unseen = fit_unseen(weights, encoder, seed=training.seed, on_progress=training.on_progress, path=training.folder / TOOLS_FILE)
    arrays["head"]["unseen.weight"] = unseen.weights
    tuned = [_tuned(weights, known, groups, encoder, training) for known in tables]
    seconds = time.perf_counter() - began
    tables = [replace(k, decoding=t.decoding) for k, t in zip(tables, tuned, strict=True)]
    card = _card(sets, kept, dict(zip([k.name for k in tables], tuned, strict=True)), training, unseen, seconds)
    return Trained(weights=replace(weights, tables=tuple(tables), card=card), problems=problems, seconds=seconds)


def own_group(encoder: MiniLM, training: Training) -> Group:
    """This project's own requests over the Hub's tasks, written and made out of these."""
    rows = {name: i for i, name in enumerate(HUB_TASKS)}
    samples: list[Sample] = []
    requests = own_requests(training.generated, training.seed, training.folder)
    for n, (written, held) in enumerate(requests, 1):
        samples.append(replace(sample_of(written, rows, encoder), held=held))
        training.on_progress("own requests", n, len(requests))
    return Group(name="hub", tasks=HUB_TASKS, samples=tuple(samples))


def _given(sets: Sequence[PlanningData], encoder: MiniLM, problems: Problems, training: Training) -> list[Group]:
    if not sets:
        return []
    tasks = one_table(sets)
    size, done = sum(s.size for s in sets), 0

    def on_read() -> None:
        nonlocal done
        done += 1
        training.on_progress("requests", done, size)

    samples = [replace(s, held=held_out(s.id)) for s in read_samples(sets, tasks, encoder, problems, on_read)]
    if len(samples) < _LEAST or not any(s.held for s in samples):
        raise DatasetError(f"There are {len(samples)} labelled cases; at least {_LEAST} are needed.", remedy="Name more data: --data PATH.")
    return [Group(name=sets[0].name.split("/", maxsplit=1)[0], tasks=tasks, samples=tuple(samples))]


def _tuned(weights: Weights, known: Known, groups: Sequence[Group], encoder: MiniLM, training: Training) -> Tuned:
    group = next(g for g in groups if g.name == known.name)
    held = [s for s in group.samples if s.held]
    return tune(weights, group.tasks, held, encoder, known.decoding, training.on_progress)


def _card(
    sets: Sequence[PlanningData], groups: Sequence[Group], tuned: Mapping[str, Tuned], training: Training, unseen: Learnt, seconds: float
) -> dict[str, Any]:
    return {
        "trained_on": [{"name": g.name, "tasks": len(g.tasks), "requests": len(g.samples)} for g in groups],
        "data": [{"name": s.name} for s in sets],
        "held_out": {name: {"requests": t.cases, "n_f1": t.n_f1, "e_f1": t.e_f1, "exact": t.exact} for name, t in tuned.items()},
        "invented_tools": {"n_f1": unseen.n_f1, "false_alarms": unseen.false_alarms},
        "epochs": training.epochs,
        "seed": training.seed,
        "seconds": round(seconds),
    }


def _named(state: Mapping[str, torch.Tensor], linker: Mapping[str, torch.Tensor], top: Sequence[int] = _TOP) -> dict[str, Any]:
    """The trained weights as `Weights` names them, and as they are kept, so that the held-out figures are theirs."""
    import numpy as np

    layers: dict[str, Any] = {}
    head: dict[str, Any] = {f"linker.{name}": tensor.numpy() for name, tensor in linker.items()}
    for name, tensor in state.items():
        value = tensor.numpy()
        if name.startswith(("source.", "target.", "pair1.", "pair2.")):
            continue  # the linker has taken their place
        if not name.startswith("layers."):
            head[name] = value
            continue
        _, position, mine, kind = name.split(".")
        prefix = f"encoder.layer.{top[int(position)]}."
        if mine == "qkv":
            for part, weights in zip(("query", "key", "value"), np.split(value, 3), strict=True):
                layers[f"{prefix}attention.self.{part}.{kind}"] = weights
        else:
            layers[f"{prefix}{_NAMES[mine]}.{kind}"] = value
    return {"layers": as_stored(layers), "head": as_stored(head)}


def save(trained: Trained, path: Path) -> Path:
    """Write the weights, and beside them their card for people. Raises DatasetError when that cannot be done."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        trained.weights.save(path)
        text = card_text(path.stem, trained.weights.encoder, path.stat().st_size, trained.weights.card)
        path.with_suffix(".md").write_text(text, "utf-8")
    except OSError as e:
        raise DatasetError(f"The weights cannot be written to {str(path)!r}: {e.strerror}.", remedy="Choose another --out.") from e
    return path
