"""Trains a planner on labelled requests: the encoder's two top layers and the head, on a processor, in minutes."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...agent.planners.trained.scoring import described, flags
from ...agent.planners.trained.weights import Decoding, TrainedWeights
from ...index.minilm import MiniLM
from ...tools.errors import MissingExtraError
from ...tools.task import TaskTable
from ..datasets.planning_data import PlanningData
from ..errors import DatasetError
from ..problems import Problems
from .samples import Sample, held_out, one_table, read_samples
from .tuning import Tuned, tune

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from .network import Network, Out

_TOP = (4, 5)
_NAMES = {
    "attended": "attention.output.dense",
    "norm1": "attention.output.LayerNorm",
    "inner": "intermediate.dense",
    "outer": "output.dense",
    "norm2": "output.LayerNorm",
}
_BATCH, _RATE, _HEAD_RATE, _DROP, _SMOOTH = 32, 3e-4, 1e-3, 0.1, 0.03
_UNSAID, _DESCRIBED, _LINK, _ORDER = 0.7, 0.5, 6.0, 0.15  # weights of the losses


def _silent(*_: object) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, kw_only=True)
class Training:
    """How a training runs.

    Attributes:
        epochs: passes over the samples.
        seed: of everything that is random; the same seed, data and machine give the same weights.
        on_progress: called with a stage (`requests`, `steps`, `held-out requests`), how many are done, and of how many.
    """

    epochs: int = 5
    seed: int = 0
    on_progress: Callable[[str, int, int], None] = _silent


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A trained planner, and what the data held that could not be used."""

    weights: TrainedWeights
    problems: Problems
    seconds: float


def train_planner(sets: Sequence[PlanningData], training: Training | None = None, *, encoder: MiniLM | None = None) -> Trained:
    """Train on nine tenths of the labelled cases; choose how scores become a plan on the rest, and say how it scores there.

    Args:
        sets: data sets over one table of tasks.
        training: epochs, seed, progress.
        encoder: a MiniLM to share.

    Raises:
        DatasetError: nothing to train on, two tables, or fewer than 20 labelled cases.
        MissingExtraError: torch is not installed.
    """
    try:
        import torch
    except ImportError as e:
        raise MissingExtraError("torch", "train") from e
    training, encoder = training or Training(), encoder or MiniLM()
    began = time.perf_counter()
    tasks = one_table(sets)
    problems = Problems()
    samples = _read(sets, tasks, encoder, problems, training)
    kept = [s for s in samples if not held_out(s.case.id)]
    rest = [s for s in samples if held_out(s.case.id)]
    if len(samples) < 20 or not rest:
        raise DatasetError(f"There are {len(samples)} labelled cases; at least 20 are needed.", remedy="Name more data: --data PATH.")
    torch.manual_seed(training.seed)
    weights = _fit(kept, tasks, encoder, training)
    tuned = tune(TrainedWeights(**weights, decoding=Decoding(), card={}), tasks, rest, encoder, training.on_progress)
    seconds = time.perf_counter() - began
    card = _card(sets, tasks, kept, rest, training, tuned, seconds)
    return Trained(weights=TrainedWeights(**weights, decoding=tuned.decoding, card=card), problems=problems, seconds=seconds)


def _read(sets: Sequence[PlanningData], tasks: TaskTable, encoder: MiniLM, problems: Problems, training: Training) -> list[Sample]:
    size, done = sum(s.size for s in sets), 0

    def on_read() -> None:
        nonlocal done
        done += 1
        training.on_progress("requests", done, size)

    return read_samples(sets, tasks, encoder, problems, on_read)


def _card(
    sets: Sequence[PlanningData],
    tasks: TaskTable,
    kept: Sequence[Sample],
    rest: Sequence[Sample],
    training: Training,
    tuned: Tuned,
    seconds: float,
) -> dict[str, Any]:
    return {
        "trained_on": [{"name": s.name, **dict(s.settings)} for s in sets],
        "tasks": len(tasks),
        "cases": len(kept),
        "held_out": {"cases": len(rest), "n_f1": tuned.n_f1, "e_f1": tuned.e_f1},
        "epochs": training.epochs,
        "seed": training.seed,
        "seconds": round(seconds),
    }


def _fit(samples: Sequence[Sample], tasks: TaskTable, encoder: MiniLM, training: Training) -> dict[str, Any]:
    import torch

    from .network import Network

    network = Network(len(tasks), _top_layers(encoder))
    table = _table(tasks, encoder)
    own = [p for n, p in network.named_parameters() if n.startswith("layers.")]
    head = [p for n, p in network.named_parameters() if not n.startswith("layers.")]
    optimizer = torch.optim.AdamW([{"params": own, "lr": _RATE}, {"params": head, "lr": _HEAD_RATE}], weight_decay=0.01)
    total = math.ceil(len(samples) / _BATCH) * training.epochs
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, total))
    mean = {k: v.detach().clone() for k, v in network.state_dict().items()}  # of the weights over the steps: steadier than the last
    network.train()
    for step, batch in enumerate(_epochs(samples, training), 1):
        loss = _loss(network, table, batch)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        decay = min(0.99, (step + 1) / (step + 10))
        with torch.no_grad():
            for name, value in network.state_dict().items():
                mean[name].mul_(decay).add_(value, alpha=1 - decay)
        training.on_progress("steps", step, total)
    return _named(mean, tuple(tasks))


def _rate(step: int, total: int) -> float:
    """Part of the learning rate: up over the first tenth, then down along a cosine."""
    warm = max(1, total // 10)
    return min(1.0, (step + 1) / warm) * max(0.02, 0.5 * (1 + math.cos(math.pi * max(0, step - warm) / max(1, total - warm))))


def _epochs(samples: Sequence[Sample], training: Training) -> Iterator[list[Sample]]:
    """Batches of about the same length, in random order, as often as there are epochs."""
    chance = random.Random(training.seed)  # noqa: S311  # not for secrets
    for _ in range(training.epochs):
        order = sorted(samples, key=lambda s: len(s.states) * chance.uniform(0.85, 1.18))
        batches = [order[i : i + _BATCH] for i in range(0, len(order), _BATCH)]
        chance.shuffle(batches)
        yield from batches


def _loss(network: Network, table: tuple[torch.Tensor, torch.Tensor], batch: Sequence[Sample]) -> torch.Tensor:
    import numpy as np
    import torch

    longest = max(len(s.states) for s in batch)
    x, real = torch.zeros(len(batch), longest, batch[0].states.shape[1]), torch.zeros(len(batch), longest, dtype=torch.bool)
    for i, sample in enumerate(batch):
        x[i, : len(sample.states)] = torch.from_numpy(sample.states.astype(np.float32))
        real[i, : len(sample.states)] = True
    real &= torch.rand(real.shape) > 0.04  # some tokens are not seen
    real[:, 0] = True
    tasks, links, files = (torch.from_numpy(np.stack([getattr(s, n) for s in batch])) for n in ("tasks", "links", "files"))
    there = tasks.clone()
    there[torch.rand(len(batch)) < 0.5] = math.nan  # half of them with the network's own choice of tasks
    with torch.autocast("cpu", torch.bfloat16):
        out: Out = network(x, real, table, files, there, drop=_DROP)
    return _losses(out, tasks, links, torch.tensor([s.partial for s in batch]))


def _losses(out: Out, tasks: torch.Tensor, links: torch.Tensor, partial: torch.Tensor) -> torch.Tensor:
    import torch
    from torch.nn import functional

    weight = torch.where(partial[:, None] & (tasks == 0), _UNSAID, 1.0)
    smooth = tasks * (1 - 2 * _SMOOTH) + _SMOOTH

    def asked(logits: torch.Tensor) -> torch.Tensor:
        each = functional.binary_cross_entropy_with_logits(logits, smooth, reduction="none")
        return (each * weight).sum() / weight.sum() * tasks.shape[1]

    pairs = tasks[:, :, None] * tasks[:, None] * (1 - torch.eye(tasks.shape[1]))
    each = functional.binary_cross_entropy_with_logits(out.links, links, reduction="none")
    linked = (each * pairs).sum() / pairs.sum().clamp(min=1)
    gap = out.places[:, None] - out.places[:, :, None]
    later = (functional.softplus(-10 * gap + 1) * links * pairs).sum() / (links * pairs).sum().clamp(min=1)
    return asked(out.tasks) + _DESCRIBED * asked(out.described) + _LINK * (linked + _ORDER * later)


def _table(tasks: TaskTable, encoder: MiniLM) -> tuple[torch.Tensor, torch.Tensor]:
    import torch

    rows = list(tasks.values())
    return torch.from_numpy(encoder.encode([described(t) for t in rows])), torch.tensor([flags(t) for t in rows])


def _top_layers(encoder: MiniLM) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """The encoder's own two top layers, as the network names their weights."""
    import torch

    weights = encoder.weights()

    def layer(number: int) -> dict[str, torch.Tensor]:
        prefix, found = f"encoder.layer.{number}.", dict[str, torch.Tensor]()
        for kind in ("weight", "bias"):
            parts = [torch.from_numpy(weights[f"{prefix}attention.self.{n}.{kind}"].copy()) for n in ("query", "key", "value")]
            found[f"qkv.{kind}"] = torch.cat(parts)
            found |= {f"{mine}.{kind}": torch.from_numpy(weights[f"{prefix}{its}.{kind}"].copy()) for mine, its in _NAMES.items()}
        return found

    first, second = _TOP
    return layer(first), layer(second)


def _named(state: Mapping[str, torch.Tensor], known: tuple[str, ...]) -> dict[str, Any]:
    """The trained weights as `TrainedWeights` names them; in half precision, as they are kept, so that the held-out figures are theirs."""
    import numpy as np

    layers: dict[str, NDArray[np.float32]] = {}
    head: dict[str, NDArray[np.float32]] = {}
    for name, tensor in state.items():
        value = tensor.numpy().astype(np.float16).astype(np.float32)
        if not name.startswith("layers."):
            head[name] = value
            continue
        _, position, mine, kind = name.split(".")
        prefix = f"encoder.layer.{_TOP[int(position)]}."
        if mine == "qkv":
            for part, weights in zip(("query", "key", "value"), np.split(value, 3), strict=True):
                layers[f"{prefix}attention.self.{part}.{kind}"] = weights
        else:
            layers[f"{prefix}{_NAMES[mine]}.{kind}"] = value
    return {"layers": layers, "head": head, "known": known}


def save(trained: Trained, path: Path) -> Path:
    """Write the weights. Raises DatasetError when that cannot be done."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        trained.weights.save(path)
    except OSError as e:
        raise DatasetError(f"The weights cannot be written to {str(path)!r}: {e.strerror}.", remedy="Choose another --out.") from e
    return path
