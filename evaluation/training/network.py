"""The network that is trained, in torch; `agent/planners/trained/scoring.py` runs the same in numpy."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...agent.planners.trained.scoring import HEADS, KINDS, SPOT, UNITS

WIDE, PAIR, RANK = 384, 48, 24
_FLAGS = 2 * len(KINDS)
_FEATURES = (HEADS + 1) + 4 + len(KINDS) + len(KINDS) + 2
_FAR = -12.0
_TOKENS = 40.0


class Out(NamedTuple):
    """What the network says, for b requests and t tasks.

    Attributes:
        tasks: (b, t) logits.
        described: (b, t) logits without the residual of each known task: a loss on these makes the descriptions tell.
        links: (b, t, t) logits, from and to.
        places: (b, t) where each task is spoken of, in units of 40 tokens.
    """

    tasks: Tensor
    described: Tensor
    links: Tensor
    places: Tensor


class Layer(nn.Module):
    """A BERT layer.

    Args:
        heads: of attention.
        units: of a state.
        inner: of the middle of the feed-forward part.
    """

    def __init__(self, heads: int = 12, units: int = WIDE, inner: int = 4 * WIDE) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(units, 3 * units)
        self.attended = nn.Linear(units, units)
        self.norm1 = nn.LayerNorm(units, eps=1e-12)
        self.inner = nn.Linear(units, inner)
        self.outer = nn.Linear(inner, units)
        self.norm2 = nn.LayerNorm(units, eps=1e-12)

    def forward(self, x: Tensor, mask: Tensor, drop: float) -> Tensor:
        """(b, n, units) to the same; `mask` (b, n) is added to the attention's logits."""
        b, n, units = x.shape
        q, k, v = self.qkv(x).view(b, n, 3, self.heads, units // self.heads).permute(2, 0, 3, 1, 4)
        # by hand: on a processor this trained faster than torch's own attention
        attention = torch.matmul(q * (units // self.heads) ** -0.5, k.transpose(-1, -2)) + mask[:, None, None, :].to(q.dtype)
        mixed = torch.matmul(attention.softmax(-1).to(v.dtype), v).transpose(1, 2).reshape(b, n, units)
        x = self.norm1(x + functional.dropout(self.attended(mixed), drop, self.training))
        out: Tensor = self.norm2(x + functional.dropout(self.outer(functional.gelu(self.inner(x))), drop, self.training))
        return out


class Network(nn.Module):
    """Two layers of the encoder, a label attention driven by descriptions, and a head for pairs.

    Args:
        tasks: how many tasks are known, each with a residual of its own.
        layers: weights of the encoder's two top layers, to start from, as `state_dict`s of `Layer`.
    """

    def __init__(self, tasks: int, layers: tuple[Mapping[str, Tensor], Mapping[str, Tensor]]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Layer() for _ in layers)
        for layer, weights in zip(self.layers, layers, strict=True):
            layer.load_state_dict(dict(weights))
        self.ask, self.key, self.value = nn.Linear(WIDE + _FLAGS, UNITS), nn.Linear(WIDE, UNITS), nn.Linear(WIDE, UNITS)
        self.norm_q, self.norm_s = nn.LayerNorm(UNITS), nn.LayerNorm(UNITS)
        self.files = nn.Linear(len(KINDS), UNITS)
        self.mix = Layer(HEADS, UNITS, 2 * UNITS)
        self.logit, self.match = nn.Linear(UNITS, 1), nn.Linear(WIDE, UNITS)
        self.own_query = nn.Parameter(torch.randn(tasks, WIDE) * 0.02)
        self.own_weight = nn.Parameter(torch.zeros(tasks, WIDE))
        self.own_bias = nn.Parameter(torch.zeros(tasks))
        self.own_state = nn.Parameter(torch.zeros(tasks, UNITS))
        self.source, self.target = nn.Linear(UNITS, PAIR), nn.Linear(UNITS, PAIR)
        self.pair1, self.pair2 = nn.Linear(3 * PAIR + _FEATURES, PAIR), nn.Linear(PAIR, 1)
        self.rank1, self.rank2 = nn.Linear(PAIR + 5, RANK), nn.Linear(RANK, 1)
        self.where, self.spot = nn.Linear(WIDE + _FLAGS, SPOT), nn.Linear(WIDE, SPOT, bias=False)
        self.own_where = nn.Parameter(torch.zeros(tasks, SPOT))

    def forward(self, x: Tensor, real: Tensor, table: tuple[Tensor, Tensor], files: Tensor, there: Tensor, drop: float = 0.0) -> Out:
        """Score requests.

        Args:
            x: (b, n, 384) states of the frozen layer.
            real: (b, n) bool: which are tokens, and no padding.
            table: (t, 384) vectors of the descriptions, (t, 8) flags of kinds.
            files: (b, 4) kinds of literals.
            there: (b, t) which tasks are in the plan, for the links; NaN where the network's own choice shall stand.
            drop: dropout.
        """
        described, flags = table
        mask = torch.zeros_like(real, dtype=x.dtype).masked_fill(~real, -1e9)
        for layer in self.layers:
            x = layer(x, mask, drop)
        b, n, _ = x.shape
        t = len(described)
        told = torch.cat([described, flags], 1)
        query = self.norm_q(self.ask(told) + self.own_state)
        value = self.value(x)
        keys, heads = self.key(x).view(b, n, HEADS, -1), value.view(b, n, HEADS, -1)
        attention = torch.einsum("thd,bnhd->bhtn", query.view(t, HEADS, -1), keys).float() / math.sqrt(UNITS // HEADS)
        attention = (attention + mask[:, None, None, :].float()).softmax(-1)
        got = torch.einsum("bhtn,bnhd->bthd", attention.to(value.dtype), heads).reshape(b, t, UNITS)
        state = self.mix(self.norm_s(got + query + self.files(files)[:, None]), torch.zeros(b, t, dtype=x.dtype), drop)
        spot = torch.einsum("td,bnd->btn", self.where(told) + self.own_where, self.spot(x)).float() / math.sqrt(SPOT)
        spot = (spot + mask[:, None, :].float()).softmax(-1)
        near = torch.einsum("btn,bnd->btd", spot.to(value.dtype), value)
        by_description = self.logit(functional.dropout(state, drop, self.training)).squeeze(-1).float()
        by_description = by_description + ((got + near) * self.match(described)).sum(-1).float() / math.sqrt(UNITS)
        own = (torch.einsum("td,bnd->btn", self.own_query, x).float() + mask[:, None, :].float()).softmax(-1)
        pooled = functional.dropout(torch.einsum("btn,bnd->btd", own.to(x.dtype), x), drop, self.training)
        tasks = by_description + (pooled * self.own_weight).sum(-1).float() + self.own_bias
        places = torch.arange(n, dtype=torch.float32) / _TOKENS
        spots = torch.cat([torch.einsum("bhtn,n->bth", attention, places), (spot @ places)[..., None]], -1)
        there = torch.where(torch.isnan(there), torch.sigmoid(tasks + 0.3).detach(), there)
        return Out(
            tasks=tasks, described=by_description, links=self._pairs(state + near, spots, there, flags, files), places=spots[..., -1]
        )

    def _pairs(self, states: Tensor, spots: Tensor, there: Tensor, flags: Tensor, files: Tensor) -> Tensor:
        b, t, _ = states.shape
        shape = (b, t, t)
        source, target = self.source(states), self.target(states)
        gaps = spots[:, None] - spots[:, :, None]
        gap = gaps[..., -1]
        flows = flags[:, None, 4:] * flags[None, :, :4]
        fits = flows.amax(-1)
        later = torch.sigmoid(12 * gap)
        between = torch.einsum("bac,bcd,bc->bad", later, later, there)
        rivals = torch.einsum("bac,bcd,bc,cd->bad", later, later, there, fits)
        needs = flags[None, None, :, :4] * files[:, None, None, :]
        size = there.sum(-1)[:, None, None, None].expand(*shape, 1) / 4
        features = [
            torch.tanh(2 * gaps),
            torch.tanh(4 * gap)[..., None],
            later[..., None],
            between[..., None],
            rivals[..., None],
            flows[None].expand(*shape, 4),
            needs.expand(*shape, 4),
            fits[None, :, :, None].expand(*shape, 1),
            size,
        ]
        pairs = [source[:, :, None].expand(*shape, PAIR), target[:, None].expand(*shape, PAIR), source[:, :, None] * target[:, None]]
        inner = functional.gelu(self.pair1(torch.cat([*pairs, *(f.to(source.dtype) for f in features)], -1)))
        first = self.pair2(inner).squeeze(-1).float()
        itself = torch.eye(t, dtype=torch.bool)
        column = (first + torch.log(there + 1e-4)[:, :, None]).masked_fill(itself, _FAR).logsumexp(1, keepdim=True).expand(shape)
        row = (first + torch.log(there + 1e-4)[:, None, :]).masked_fill(itself, _FAR).logsumexp(2, keepdim=True).expand(shape)
        more = torch.stack([first, first - column, first - row, first - first.transpose(1, 2), column], -1)
        ranked: Tensor = self.rank2(functional.gelu(self.rank1(torch.cat([inner, more.to(inner.dtype)], -1)))).squeeze(-1).float()
        out: Tensor = first + ranked
        return out
