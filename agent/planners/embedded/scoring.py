"""The trained network in numpy: which tasks of a table a request asks for, where it speaks of each, and what flows between them.

One forward pass of the encoder, whose top layers are the planner's own; then every task of the table attends to the token states with a
query made from its description; tasks that training saw have a residual of their own. Pairs of chosen tasks are scored by their states,
by where they are spoken of, and by the kinds that may flow. `evaluation/training/network.py` is the same in torch.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ....index.minilm import MiniLM, TokenStates
from ....tools.task import TaskTable
from .telling import KINDS, Told, described, flags, pair_features, root_features
from .weights import Weights

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ....index.minilm import Floats

HEADS, UNITS, SPOT, LINK, MODES = 4, 128, 64, 48, 3
_FAR, _CLAMP = -15.0, 15.0
_STOP = re.compile(r"[.?!:;](?=\s|$)|\n")
TOKENS = 40.0  # places are told in units of so many tokens


@dataclass(frozen=True, kw_only=True)
class Scores:
    """What the network says of one request and one table of t tasks.

    Attributes:
        tasks: (t,) logits: does the request ask for it?
        twice: (t,) logits: more than once?
        mode: (3,) probabilities: something is to be run, nothing is, asking back is right.
        places: (t,) where it is spoken of, in characters of the request; peaks: (t,) the character at which most is heard of it.
        characters: (n,) where each token stands.
        states: (t, 128) and spots: (t, heads + 1), for `links`.
        given: (12,) what the request brings along.
    """

    tasks: Floats
    twice: Floats
    mode: Floats
    places: Floats
    peaks: Floats
    characters: Floats
    states: Floats
    spots: Floats
    given: Floats


class Scorer:
    """The network over one table of tasks.

    Args:
        weights: what training wrote.
        tasks: the table.
        encoder: the shared MiniLM.
    """

    def __init__(self, weights: Weights, tasks: TaskTable, encoder: MiniLM) -> None:
        import numpy as np

        self._w = weights.head
        self._encoder = encoder.with_weights(weights.layers)
        self._flags = np.array([flags(t) for t in tasks.values()], np.float32)
        self.rows = np.array(weights.rows(tasks), np.int64)
        self.decoding = weights.known(tasks).decoding
        self._known = (self.rows >= 0).astype(np.float32)
        described_ = self._described(tasks, encoder)
        told = np.concatenate([described_, self._flags], 1)
        query = self._norm(self._linear(told, "ask") + self._own("own_state"), "norm_q")
        self._query = query
        self._match = self._linear(described_, "match") / np.float32(UNITS**0.5)
        # keys are linear in the states: the key's matrix is folded into the queries, once for a table
        key = self._w["key.weight"].reshape(HEADS, UNITS // HEADS, -1)
        split = query.reshape(-1, HEADS, UNITS // HEADS) / np.float32((UNITS // HEADS) ** 0.5)
        folded = np.einsum("thd,hdn->htn", split, key).reshape(HEADS * len(tasks), -1)
        where = (self._linear(told, "where") + self._own("own_where")) @ self._w["spot.weight"] / np.float32(SPOT**0.5)
        self._asked: Floats = np.concatenate([folded, where, self._own("own_query"), self._w["listen"][None]]).astype(np.float32)
        self._own_weight, self._own_bias = self._own("own_weight"), self._own("own_bias")

    def score(self, told: Told) -> Scores:
        """Score every task of the table for a request. One forward pass of the encoder."""
        read = self._encoder.token_states(told.text)
        with self._encoder.one_thread():
            return self._score(told, read)

    def _score(self, told: Told, read: TokenStates) -> Scores:
        import numpy as np

        x, t = read.states, len(self._flags)
        given = np.array(told.given, np.float32)
        attentions = _softmax(self._asked @ x.T)
        attention, spot = attentions[: HEADS * t].reshape(HEADS, t, -1), attentions[HEADS * t : HEADS * t + t]
        own, heard = attentions[HEADS * t + t : -1] @ x, attentions[-1] @ x
        value = self._linear(x, "value")
        heads = value.reshape(len(x), HEADS, -1).transpose(1, 0, 2)
        got = (attention @ heads).transpose(1, 0, 2).reshape(t, -1)
        state = self._mix(self._norm(got + self._query + self._linear(given, "files"), "norm_s"))
        near = spot @ value
        logit = self._linear(state, "logit")
        tasks = logit[:, 0] + ((got + near) * self._match).sum(-1)
        tasks = tasks + self._known * ((own * self._own_weight).sum(-1) + self._own_bias)
        places = np.arange(len(x), dtype=np.float32) / np.float32(TOKENS)
        characters = np.array([told.original((a + b) // 2) for a, b in read.offsets], np.float32)
        characters[-1] = characters[-2] if len(characters) > 1 else 0  # the closing token stands nowhere
        return Scores(
            tasks=tasks,
            twice=logit[:, 1],
            mode=_softmax(self._linear(np.concatenate([heard, given]), "mode")),
            places=spot @ characters,
            peaks=characters[_peaks(spot, told.text, read.offsets)],
            characters=characters,
            states=state + near,
            spots=np.concatenate([(attention @ places).T, (spot @ places)[:, None]], 1),
            given=given,
        )

    def links(self, scores: Scores, chosen: Sequence[int]) -> Floats:
        """(t, t) logits, from and to; -15 for every pair that is not of the chosen tasks."""
        import numpy as np

        t = len(self._flags)
        out = np.full((t, t), _FAR, np.float32)
        if len(chosen) > 1:
            at = np.array(chosen)
            kinds = self._flags[at]
            features = pair_features(scores.spots[at], kinds, scores.given, scores.tasks[at])
            with self._encoder.one_thread():
                out[np.ix_(at, at)] = self._pairs(scores.states[at], features, root_features(features, scores.given), fitting(kinds))
        return out

    def _pairs(self, states: Floats, features: Floats, roots: Floats, fits: Floats) -> Floats:
        import numpy as np

        n = len(states)
        shape = (n, n)
        source, target = self._linear(states, "linker.source"), self._linear(states, "linker.target")
        both = [np.broadcast_to(source[:, None], (*shape, LINK)), np.broadcast_to(target[None], (*shape, LINK))]
        pairs = np.concatenate([*both, source[:, None] * target[None], features], -1)
        inner = _gelu(self._linear(pairs, "linker.pair1"))
        first = self._linear(inner, "linker.pair2")[..., 0] - np.float32(_CLAMP) * (1 - fits)
        root = self._linear(np.concatenate([target, roots], -1), "linker.root")[:, 0]
        column = np.broadcast_to(_logsumexp(np.concatenate([first, root[None]]), 0), shape)  # all that could feed the second
        row = np.broadcast_to(_logsumexp(first, 1), shape)  # all that the first could feed
        others = [first, first - column, first - row, first - first.T, column, np.broadcast_to(root, shape)]
        compared = np.concatenate([inner, np.stack(others, -1).clip(-_CLAMP, _CLAMP)], -1)
        out: Floats = first + self._linear(_gelu(self._linear(compared, "linker.rank1")), "linker.rank2")[..., 0]
        return out

    def _described(self, tasks: TaskTable, encoder: MiniLM) -> Floats:
        """Vectors of what the tasks say of themselves; those of known tasks are kept with the weights."""
        import numpy as np

        new = encoder.encode([described(t) for t, row in zip(tasks.values(), self.rows, strict=True) if row < 0])
        out: Floats = self._w["described"][self.rows.clip(0)].astype(np.float32)
        out[self.rows < 0] = new
        return out

    def _own(self, name: str) -> Floats:
        """What was learnt of each known task; zeros for the others."""
        learnt = self._w[name][self.rows.clip(0)]
        out: Floats = learnt * self._known.reshape(-1, *[1] * (learnt.ndim - 1))
        return out

    def _mix(self, x: Floats) -> Floats:
        """The tasks look at each other: one small transformer layer."""
        t, units = x.shape
        q, k, v = self._linear(x, "mix.qkv").reshape(t, 3, HEADS, units // HEADS).transpose(1, 2, 0, 3)
        mixed = _softmax(q @ k.swapaxes(-1, -2) * (units // HEADS) ** -0.5) @ v
        x = self._norm(x + self._linear(mixed.swapaxes(0, 1).reshape(t, units), "mix.attended"), "mix.norm1", 1e-12)
        return self._norm(x + self._linear(_gelu(self._linear(x, "mix.inner")), "mix.outer"), "mix.norm2", 1e-12)

    def _linear(self, x: Floats, name: str) -> Floats:
        out: Floats = x @ self._w[name + ".weight"].T + self._w[name + ".bias"]
        return out

    def _norm(self, x: Floats, name: str, least: float = 1e-5) -> Floats:
        import numpy as np

        x = x - x.mean(-1, keepdims=True)
        out: Floats = x / np.sqrt((x * x).mean(-1, keepdims=True) + least) * self._w[name + ".weight"] + self._w[name + ".bias"]
        return out


def _peaks(spot: Floats, text: str, offsets: Sequence[tuple[int, int]]) -> NDArray[np.int64]:
    """(t,) the token at which most is heard of each task: the loudest of the stretch between two stops that is the loudest as a whole."""
    import numpy as np

    real = np.array([end > 0 for _, end in offsets])
    if not real.any():
        return np.zeros(len(spot), np.int64)
    stops = [m.start() for m in _STOP.finditer(text)]
    stretch = np.searchsorted(stops, [start for start, _ in offsets])
    heard = np.where(real, spot, 0.0)
    sums = np.stack([heard[:, stretch == k].sum(1) for k in range(len(stops) + 1)], 1)
    out: NDArray[np.int64] = np.where(stretch[None] == sums.argmax(1)[:, None], heard, -1.0).argmax(1)
    return out


def fitting(kinds: Floats) -> Floats:
    """(n, n) of 0 and 1: whether what the one gives may feed the other; nothing feeds itself. `kinds`: (n, 10) flags."""
    import numpy as np

    k, n = len(KINDS), len(kinds)
    flows = kinds[:, None, k:] * kinds[None, :, :k]
    out: Floats = flows.max(-1) * (1 - np.eye(n, dtype=np.float32))
    return out


def _softmax(x: Floats) -> Floats:
    import numpy as np

    e = np.exp(x - x.max(-1, keepdims=True))
    out: Floats = e / e.sum(-1, keepdims=True)
    return out


def _logsumexp(x: Floats, axis: int) -> Floats:
    import numpy as np

    top = x.max(axis, keepdims=True)
    out: Floats = np.log(np.exp(x - top).sum(axis, keepdims=True)) + top
    return out


def _gelu(x: Floats) -> Floats:
    import numpy as np

    from ....index.minilm import erf

    out: Floats = x * np.float32(0.5) * (1 + erf((x * np.float32(2**-0.5)).astype(np.float32)))
    return out
