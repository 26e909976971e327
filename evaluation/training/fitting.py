"""The steps of a training: batches, losses, and the weights' mean over the steps."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...agent.planners.embedded.scoring import UNITS, fitting
from ...agent.planners.embedded.telling import described, flags, pair_features, root_features
from ...index.minilm import MiniLM
from .samples import ASK, RUN, Group, Sample

if TYPE_CHECKING:
    import torch

    from .network import Linker, Network, Out, Table

_BATCH, _RATE, _HEAD_RATE, _DROP, _SMOOTH = 32, 3e-4, 1e-3, 0.1, 0.03
_UNSAID, _LINK, _ORDER, _TWICE, _MODE, _HEARD = 0.7, 6.0, 0.15, 1.0, 1.0, 0.5  # weights of the losses
_LINK_BATCH, _LINK_RATE, _LINK_STEPS = 64, 2e-3, 2000

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True)
class _Batch:
    group: int
    samples: list[Sample]


def fit(network: Network, groups: Sequence[Group], encoder: MiniLM, *, epochs: int, seed: int, on_progress: Progress) -> dict[str, Any]:
    """Train; the weights' mean over the steps, which is steadier than the last.

    Args:
        network: is changed.
        groups: samples by table; the rows of what is learnt of each known task stand in the order of the groups.
        encoder: reads the descriptions.
        epochs: passes over the samples.
        seed: of everything that is random.
        on_progress: called with a stage, how many steps are done, and of how many.
    """
    import torch

    chance = random.Random(seed)  # noqa: S311  # not for secrets
    tables = [table_of(g, encoder, first) for g, first in zip(groups, first_rows(groups), strict=True)]
    own = [p for n, p in network.named_parameters() if n.startswith("layers.")]
    head = [p for n, p in network.named_parameters() if not n.startswith("layers.")]
    optimizer = torch.optim.AdamW([{"params": own, "lr": _RATE}, {"params": head, "lr": _HEAD_RATE}], weight_decay=0.01)
    total = sum(math.ceil(len(g.samples) / _BATCH) for g in groups) * epochs
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, total))
    mean = {k: v.detach().clone() for k, v in network.state_dict().items()}
    network.train()
    for step, batch in enumerate(_batches(groups, epochs, chance), 1):
        loss = _loss(network, groups[batch.group], tables[batch.group], batch.samples)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        decay = min(0.99, (step + 1) / (step + 10))
        with torch.no_grad():
            for name, value in network.state_dict().items():
                mean[name].mul_(decay).add_(value, alpha=1 - decay)
        on_progress("steps", step, total)
    return mean


def first_rows(groups: Sequence[Group]) -> list[int]:
    """For each group the row of its first task."""
    sizes = [len(g.tasks) for g in groups]
    return [sum(sizes[:i]) for i in range(len(groups))]


def table_of(group: Group, encoder: MiniLM, first: int) -> Table:
    """A group's table as the network takes it."""
    import torch

    from .network import Table

    tasks = list(group.tasks.values())
    rows = list(range(first, first + len(tasks)))
    vectors = torch.from_numpy(encoder.encode([described(t) for t in tasks]))
    return Table(described=vectors, flags=torch.tensor([flags(t) for t in tasks]), rows=torch.tensor(rows))


def _rate(step: int, total: int) -> float:
    """Part of the learning rate: up over the first tenth, then down along a cosine."""
    warm = max(1, total // 10)
    return min(1.0, (step + 1) / warm) * max(0.02, 0.5 * (1 + math.cos(math.pi * max(0, step - warm) / max(1, total - warm))))


def _batches(groups: Sequence[Group], epochs: int, chance: random.Random) -> Iterator[_Batch]:
    """Batches of one table and about the same length, in random order, as often as there are epochs."""
    for _ in range(epochs):
        batches: list[_Batch] = []
        for number, group in enumerate(groups):
            order = sorted(group.samples, key=lambda s: len(s.states) * chance.uniform(0.85, 1.18))
            batches += [_Batch(group=number, samples=order[i : i + _BATCH]) for i in range(0, len(order), _BATCH)]
        chance.shuffle(batches)
        yield from batches


def _loss(network: Network, group: Group, table: Table, batch: Sequence[Sample]) -> torch.Tensor:
    import numpy as np
    import torch

    x, real = padded(batch)
    real &= torch.rand(real.shape) > 0.04  # some tokens are not seen
    real[:, 0] = True
    tasks, twice = (torch.from_numpy(np.stack([getattr(s, n) for s in batch])) for n in ("tasks", "twice"))
    links = torch.stack([_dense(s.links, len(table.rows)) for s in batch])
    given = torch.from_numpy(np.stack([s.given for s in batch]))
    with torch.autocast("cpu", torch.bfloat16):
        out: Out = network(x, real, table, given, drop=_DROP)
    weight = torch.where(torch.tensor([s.partial for s in batch])[:, None] & (tasks == 0), _UNSAID, 1.0)
    weight = weight * torch.tensor([float(s.mode != ASK) for s in batch])[:, None]
    mode = torch.tensor([s.mode for s in batch]) if _has_modes(group) else None
    return _losses(out, tasks, twice, links, weight, mode) + _HEARD * _heard(out, batch)


def _heard(out: Out, batch: Sequence[Sample]) -> torch.Tensor:
    """How little of the attention that tells a task's place lies on the words that ask for it, where these are known."""
    import torch

    parts = [out.spot[k, row, a:b].sum() for k, s in enumerate(batch) for row, a, b in s.heard]
    return -torch.stack(parts).clamp(min=1e-4).log().mean() if parts else out.tasks.new_zeros(())


def _has_modes(group: Group) -> bool:
    return any(s.mode != RUN for s in group.samples)


def _dense(pairs: Sequence[tuple[int, int]], size: int) -> torch.Tensor:
    import torch

    out = torch.zeros(size, size)
    for a, b in pairs:
        out[a, b] = 1
    return out


def padded(batch: Sequence[Sample]) -> tuple[torch.Tensor, torch.Tensor]:
    """(b, n, wide) states and (b, n) bool: which are tokens."""
    import numpy as np
    import torch

    longest = max(len(s.states) for s in batch)
    x, real = torch.zeros(len(batch), longest, batch[0].states.shape[1]), torch.zeros(len(batch), longest, dtype=torch.bool)
    for i, sample in enumerate(batch):
        x[i, : len(sample.states)] = torch.from_numpy(sample.states.astype(np.float32))
        real[i, : len(sample.states)] = True
    return x, real


def _losses(
    out: Out, tasks: torch.Tensor, twice: torch.Tensor, links: torch.Tensor, weight: torch.Tensor, mode: torch.Tensor | None
) -> torch.Tensor:
    import torch
    from torch.nn import functional

    def bce(logits: torch.Tensor, goal: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
        each = functional.binary_cross_entropy_with_logits(logits, goal, reduction="none")
        return (each * where).sum() / where.sum().clamp(min=1)

    smooth = tasks * (1 - 2 * _SMOOTH) + _SMOOTH
    pairs = tasks[:, :, None] * tasks[:, None] * (1 - torch.eye(tasks.shape[1]))
    gap = out.places[:, None] - out.places[:, :, None]
    later = (functional.softplus(-10 * gap + 1) * links * pairs).sum() / (links * pairs).sum().clamp(min=1)
    asked = bce(out.tasks, smooth, weight) * tasks.shape[1]
    total = asked + _LINK * (bce(out.links, links, pairs) + _ORDER * later) + _TWICE * bce(out.twice, twice, tasks)
    return total if mode is None else total + _MODE * functional.cross_entropy(out.mode, mode)


@dataclass(frozen=True, kw_only=True)
class _State:
    """What the trained network says of one sample: (t, 128), (t, heads + 1), (t,)."""

    sample: Sample
    states: Any
    spots: Any
    tasks: Any
    flags: Any


def fit_links(network: Network, groups: Sequence[Group], encoder: MiniLM, *, seed: int, on_progress: Progress) -> dict[str, Any]:
    """Train the linker on the states of the trained network: on labelled tasks, on those that the network finds, on a mix of both.

    Args:
        network: trained.
        groups, encoder, seed, on_progress: as in `fit`.
    """
    import torch
    from torch.nn import functional

    from .network import Linker

    torch.manual_seed(seed)
    chance = random.Random(seed)  # noqa: S311  # not for secrets
    seen = [s for s in _states(network, groups, encoder, on_progress) if s.sample.tasks.sum() > 1]
    linker: Linker = Linker()
    optimizer = torch.optim.AdamW(linker.parameters(), lr=_LINK_RATE, weight_decay=0.02)
    round_ = math.ceil(len(seen) / _LINK_BATCH)  # steps in which every request comes once
    total = min(_LINK_STEPS, 50 * round_)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _LINK_RATE, total_steps=max(2, total), pct_start=0.1)
    mean = {k: v.detach().clone() for k, v in linker.state_dict().items()}
    for step in range(total):
        if step % round_ == 0:
            chance.shuffle(seen)
        at = step % round_ * _LINK_BATCH
        states, features, roots, fits, links, on = _packed(seen[at : at + _LINK_BATCH], chance)
        scored, first, root = linker(states, features, roots, fits)
        pairs = on[:, :, None] * on[:, None] * (1 - torch.eye(on.shape[1]))
        each = functional.binary_cross_entropy_with_logits(scored, links * 0.94 + 0.02, reduction="none")
        loss = (each * pairs).sum() / pairs.sum().clamp(min=1) + 0.3 * _parents(first, root, links, on)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        with torch.no_grad():
            for name, value in linker.state_dict().items():
                mean[name].mul_(0.98).add_(value, alpha=0.02)
        on_progress("link steps", step + 1, total)
    return mean


def _parents(first: torch.Tensor, root: torch.Tensor, links: torch.Tensor, on: torch.Tensor) -> torch.Tensor:
    """How unlikely the labelled parents are among all that a task might have, having none included."""
    import torch

    far = (1 - on)[:, :, None] * -30.0
    log = torch.cat([first + far, root[:, None]], 1).log_softmax(1)
    none = (links.sum(1) == 0).float()
    goal = torch.cat([links, none[:, None]], 1)
    goal = goal / goal.sum(1, keepdim=True).clamp(min=1)
    return -((goal * log).sum(1) * on).sum() / on.sum().clamp(min=1)


def _states(network: Network, groups: Sequence[Group], encoder: MiniLM, on_progress: Progress) -> Iterator[_State]:
    import numpy as np
    import torch

    network.eval()
    done, size = 0, sum(len(g.samples) for g in groups)
    for group, first in zip(groups, first_rows(groups), strict=True):
        table = table_of(group, encoder, first)
        order = sorted(group.samples, key=lambda s: len(s.states))
        for i in range(0, len(order), 2 * _BATCH):
            batch = order[i : i + 2 * _BATCH]
            with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
                out: Out = network(*padded(batch), table, torch.from_numpy(np.stack([s.given for s in batch])))
            for k, sample in enumerate(batch):
                parts = (out.states[k], out.spots[k], out.tasks[k])
                states, spots, tasks = (p.float().numpy().astype(np.float32) for p in parts)
                yield _State(sample=sample, states=states, spots=spots, tasks=tasks, flags=table.flags.numpy())
            done += len(batch)
            on_progress("states", done, size)


def _packed(batch: Sequence[_State], chance: random.Random) -> tuple[torch.Tensor, ...]:
    import numpy as np
    import torch

    chosen = [_chosen(s, chance) for s in batch]
    b, n = len(batch), max(map(len, chosen))
    shapes = [(b, n, UNITS), None, None, (b, n, n), (b, n, n), (b, n)]
    arrays = [np.zeros(s, np.float32) if s else np.zeros(0, np.float32) for s in shapes]
    for i, (state, which) in enumerate(zip(batch, chosen, strict=True)):
        k = len(which)
        kinds = state.flags[which]
        features = pair_features(state.spots[which], kinds, state.sample.given, state.tasks[which])
        roots = root_features(features, state.sample.given)
        if not arrays[1].size:
            arrays[1], arrays[2] = np.zeros((b, n, n, features.shape[-1]), np.float32), np.zeros((b, n, roots.shape[-1]), np.float32)
        links = [(which.index(x), which.index(y)) for x, y in state.sample.links if x in which and y in which]
        arrays[0][i, :k], arrays[1][i, :k, :k], arrays[2][i, :k] = state.states[which], features, roots
        arrays[3][i, :k, :k], arrays[5][i, :k] = fitting(kinds), 1
        for x, y in links:
            arrays[4][i, x, y] = 1
    return tuple(torch.from_numpy(a) for a in arrays)


def _chosen(state: _State, chance: random.Random) -> list[int]:
    """Tasks to link: the labelled ones or those that the network finds, sometimes with one left out or one too many."""
    labelled = state.sample.tasks.nonzero()[0].tolist()
    found = (state.tasks > -0.1).nonzero()[0].tolist() or [int(state.tasks.argmax())]
    out = list(labelled if chance.random() < 0.5 else found)
    if chance.random() < 0.15 and len(out) > 2:
        out.pop(chance.randrange(len(out)))
    if chance.random() < 0.2:
        rest = [int(i) for i in (-state.tasks).argsort()[:8] if int(i) not in out]
        out += chance.sample(rest, min(1, len(rest)))
    return out


def top_layers(encoder: MiniLM, numbers: Sequence[int], names: Mapping[str, str]) -> tuple[dict[str, torch.Tensor], ...]:
    """The encoder's own layers, as the network names their weights."""
    import torch

    weights = encoder.weights()

    def layer(number: int) -> dict[str, torch.Tensor]:
        prefix, found = f"encoder.layer.{number}.", dict[str, torch.Tensor]()
        for kind in ("weight", "bias"):
            parts = [torch.from_numpy(weights[f"{prefix}attention.self.{n}.{kind}"].copy()) for n in ("query", "key", "value")]
            found[f"qkv.{kind}"] = torch.cat(parts)
            found |= {f"{mine}.{kind}": torch.from_numpy(weights[f"{prefix}{its}.{kind}"].copy()) for mine, its in names.items()}
        return found

    return tuple(layer(n) for n in numbers)
