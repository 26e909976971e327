"""The networks that are trained, in torch; `agent/planners/embedded/` runs the same in numpy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...agent.planners.embedded.scoring import HEADS, LINK, MODES, SPOT, UNITS
from ...agent.planners.embedded.telling import GIVEN, KINDS, PAIR_FEATURES
from ...index.encoder_folder import Shape

PAIR = 48
_FLAGS = 2 * len(KINDS)
_TOKENS = 40.0
_CLAMP = 15.0
_MINILM = Shape()


class Table(NamedTuple):
    """A table of t tasks.

    Attributes:
        described: (t, wide) vectors, as wide as the encoder is of the descriptions.
        flags: (t, 10) kinds.
        rows: (t,) which row of what is learnt of each known task is whose; -1 for a task that is told by its description alone.
    """

    described: Tensor
    flags: Tensor
    rows: Tensor


class Out(NamedTuple):
    """What the network says, for b requests and t tasks.

    Attributes:
        tasks: (b, t) logits.
        twice: (b, t) logits: is it asked for more than once?
        mode: (b, 3) logits: run something, just talk, ask back.
        links: (b, t, t) logits, from and to: they shape the states; `Linker` has the last word.
        places: (b, t) where each task is spoken of, in units of 40 tokens.
        spot: (b, t, n) attention that tells the places.
        states: (b, t, 128) and spots: (b, t, heads + 1), for `Linker`.
    """

    tasks: Tensor
    twice: Tensor
    mode: Tensor
    links: Tensor
    places: Tensor
    spot: Tensor
    states: Tensor
    spots: Tensor


class Layer(nn.Module):
    """A BERT layer.

    Args:
        heads: of attention.
        units: of a state.
        inner: of the middle of the feed-forward part.
        eps: of the layer norms.
    """

    def __init__(self, heads: int, units: int, inner: int, eps: float = 1e-12) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(units, 3 * units)
        self.attended = nn.Linear(units, units)
        self.norm1 = nn.LayerNorm(units, eps=eps)
        self.inner = nn.Linear(units, inner)
        self.outer = nn.Linear(inner, units)
        self.norm2 = nn.LayerNorm(units, eps=eps)

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
    """Two layers of the encoder, and a label attention driven by descriptions.

    Args:
        known: how many tasks are known, each with a residual of its own.
        layers: weights of the encoder's two top layers, to start from, as `state_dict`s of `Layer`.
        shape: of the encoder; default all-MiniLM-L6-v2's.
    """

    def __init__(self, known: int, layers: Sequence[Mapping[str, Tensor]], shape: Shape = _MINILM) -> None:
        super().__init__()
        wide = shape.units
        self.layers = nn.ModuleList(Layer(shape.heads, wide, shape.inner, shape.eps) for _ in layers)
        for layer, weights in zip(self.layers, layers, strict=True):
            layer.load_state_dict(dict(weights))
        self.ask, self.key, self.value = nn.Linear(wide + _FLAGS, UNITS), nn.Linear(wide, UNITS), nn.Linear(wide, UNITS)
        self.norm_q, self.norm_s = nn.LayerNorm(UNITS), nn.LayerNorm(UNITS)
        self.files = nn.Linear(GIVEN, UNITS)
        self.mix = Layer(HEADS, UNITS, 2 * UNITS)
        self.logit, self.match = nn.Linear(UNITS, 2), nn.Linear(wide, UNITS)
        self.own_query = nn.Parameter(torch.randn(known, wide) * 0.02)
        self.own_weight = nn.Parameter(torch.zeros(known, wide))
        self.own_bias = nn.Parameter(torch.zeros(known))
        self.own_state = nn.Parameter(torch.zeros(known, UNITS))
        self.where, self.spot = nn.Linear(wide + _FLAGS, SPOT), nn.Linear(wide, SPOT, bias=False)
        self.own_where = nn.Parameter(torch.zeros(known, SPOT))
        self.listen = nn.Parameter(torch.zeros(wide))
        self.mode = nn.Linear(wide + GIVEN, MODES)
        # what follows is trained along and not kept
        self.source, self.target = nn.Linear(UNITS, PAIR), nn.Linear(UNITS, PAIR)
        self.pair1, self.pair2 = nn.Linear(3 * PAIR + HEADS + 3 + 2 * len(KINDS), PAIR), nn.Linear(PAIR, 1)

    def forward(self, x: Tensor, real: Tensor, table: Table, given: Tensor, drop: float = 0.0) -> Out:
        """Score requests.

        Args:
            x: (b, n, wide) states of the frozen layer.
            real: (b, n) bool: which are tokens, and no padding.
            table: the tasks.
            given: (b, 12) what the request brings along.
            drop: dropout.
        """
        mask = torch.zeros_like(real, dtype=x.dtype).masked_fill(~real, -1e9)
        for layer in self.layers:
            x = layer(x, mask, drop)
        b, n, _ = x.shape
        t = len(table.described)
        known = (table.rows >= 0).float()[:, None]
        rows = table.rows.clamp(min=0)
        told = torch.cat([table.described, table.flags], 1)
        query = self.norm_q(self.ask(told) + self.own_state[rows] * known)
        value = self.value(x)
        keys, heads = self.key(x).view(b, n, HEADS, -1), value.view(b, n, HEADS, -1)
        attention = torch.einsum("thd,bnhd->bhtn", query.view(t, HEADS, -1), keys).float() / math.sqrt(UNITS // HEADS)
        attention = (attention + mask[:, None, None, :].float()).softmax(-1)
        got = torch.einsum("bhtn,bnhd->bthd", attention.to(value.dtype), heads).reshape(b, t, UNITS)
        state = self.mix(self.norm_s(got + query + self.files(given)[:, None]), torch.zeros(b, t, dtype=x.dtype), drop)
        spot = torch.einsum("td,bnd->btn", self.where(told) + self.own_where[rows] * known, self.spot(x)).float() / math.sqrt(SPOT)
        spot = (spot + mask[:, None, :].float()).softmax(-1)
        near = torch.einsum("btn,bnd->btd", spot.to(value.dtype), value)
        logit = self.logit(functional.dropout(state, drop, self.training)).float()
        by_description = logit[..., 0] + ((got + near) * self.match(table.described)).sum(-1).float() / math.sqrt(UNITS)
        own = (torch.einsum("td,bnd->btn", self.own_query[rows], x).float() + mask[:, None, :].float()).softmax(-1)
        pooled = functional.dropout(torch.einsum("btn,bnd->btd", own.to(x.dtype), x), drop, self.training)
        residual = (pooled * self.own_weight[rows]).sum(-1).float() + self.own_bias[rows]
        heard = ((x @ self.listen).float() + mask.float()).softmax(-1)
        whole = torch.cat([torch.einsum("bn,bnd->bd", heard.to(x.dtype), x), given.to(x.dtype)], -1)
        at = torch.arange(n, dtype=torch.float32, device=x.device) / _TOKENS
        spots = torch.cat([torch.einsum("bhtn,n->bth", attention, at), (spot @ at)[..., None]], -1)
        states = state + near
        return Out(
            tasks=by_description + residual * known[:, 0],
            twice=logit[..., 1],
            mode=self.mode(whole).float(),
            links=self._pairs(states, spots, table.flags, given),
            places=spots[..., -1],
            spot=spot,
            states=states,
            spots=spots,
        )

    def _pairs(self, states: Tensor, spots: Tensor, flags: Tensor, given: Tensor) -> Tensor:
        b, t, _ = states.shape
        shape, k = (b, t, t), len(KINDS)
        source, target = self.source(states), self.target(states)
        gaps = spots[:, None] - spots[:, :, None]
        flows = flags[:, None, k:] * flags[None, :, :k]
        needs = flags[None, None, :, :k] * given[:, None, None, :k]
        features = [
            torch.tanh(2 * gaps),
            torch.sigmoid(12 * gaps[..., -1:]),
            flows[None].expand(*shape, k),
            needs.expand(*shape, k),
            flows.amax(-1)[None, :, :, None].expand(*shape, 1),
        ]
        pairs = [source[:, :, None].expand(*shape, PAIR), target[:, None].expand(*shape, PAIR), source[:, :, None] * target[:, None]]
        inner = functional.gelu(self.pair1(torch.cat([*pairs, *(f.to(source.dtype) for f in features)], -1)))
        out: Tensor = self.pair2(inner).squeeze(-1).float()
        return out


class Linker(nn.Module):
    """What flows between chosen tasks, learnt on states that no longer change.

    Args:
        drop: dropout on the states.
    """

    def __init__(self, drop: float = 0.3) -> None:
        super().__init__()
        self.drop = drop
        self.source, self.target = nn.Linear(UNITS, LINK), nn.Linear(UNITS, LINK)
        self.pair1, self.pair2 = nn.Linear(3 * LINK + PAIR_FEATURES, LINK), nn.Linear(LINK, 1)
        self.rank1, self.rank2 = nn.Linear(LINK + 6, 32), nn.Linear(32, 1)
        self.root = nn.Linear(LINK + 2 + GIVEN, 1)

    def forward(self, states: Tensor, features: Tensor, roots: Tensor, fits: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Score pairs.

        Args:
            states: (b, n, 128).
            features: (b, n, n, PAIR_FEATURES).
            roots: (b, n, 2 + 12).
            fits: (b, n, n) of 0 and 1: whether what the one gives may feed the other.

        Returns:
            (b, n, n) logits, from and to; the same before they were compared with each other; (b, n) logits of having no parent.
        """
        n = states.shape[1]
        shape = (*states.shape[:2], n)
        states = functional.dropout(states, self.drop, self.training)
        source, target = self.source(states), self.target(states)
        pairs = [
            source[:, :, None].expand(*shape, LINK),
            target[:, None].expand(*shape, LINK),
            source[:, :, None] * target[:, None],
            features,
        ]
        inner = functional.dropout(functional.gelu(self.pair1(torch.cat(pairs, -1))), self.drop / 2, self.training)
        first = self.pair2(inner).squeeze(-1) - _CLAMP * (1 - fits)
        root = self.root(torch.cat([target, roots], -1)).squeeze(-1)
        column = torch.cat([first, root[:, None]], 1).logsumexp(1, keepdim=True)
        row = first.logsumexp(2, keepdim=True)
        others = [first, first - column, first - row, first - first.transpose(1, 2), column.expand(shape), root[:, None].expand(shape)]
        compared = torch.cat([inner, torch.stack(others, -1).clamp(-_CLAMP, _CLAMP)], -1)
        return first + self.rank2(functional.gelu(self.rank1(compared))).squeeze(-1), first, root
