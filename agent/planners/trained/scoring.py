"""The trained head in numpy: which tasks of a table a request asks for, where it speaks of each, and what flows between them.

One forward pass of the encoder, whose top layers are the head's own; then every task of the table attends to the token states with a
query made from its description; tasks that training saw have a residual of their own. Pairs of chosen tasks are scored by their states,
by where they are spoken of, and by the kinds that may flow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ....index.minilm import MiniLM
from ....tools.task import HubTask, Kind, Port, TaskTable, hub_spelling
from .literals import Literal, shortened
from .weights import TrainedWeights

if TYPE_CHECKING:
    from ....index.minilm import Floats

HEADS, UNITS, SPOT = 4, 128, 64
KINDS = (Kind.TEXT, Kind.IMAGE, Kind.AUDIO, Kind.VIDEO)
"""What the head tells apart; everything else that has a text view is text, a number alone is nothing that flows."""
_FAR = -12.0
_TOKENS = 40.0  # places are told in units of so many tokens


@dataclass(frozen=True, kw_only=True)
class Scores:
    """What the head says of one request and one table of t tasks.

    Attributes:
        tasks: (t,) logits: does the request ask for it?
        places: (t,) where it is spoken of, in characters of the request.
        states: (t, 128) and spots: (t, heads + 1), for `links`.
        files: (4,) whether the request holds a literal of each kind.
    """

    tasks: Floats
    places: Floats
    states: Floats
    spots: Floats
    files: Floats


def flowing(ports: Sequence[Port]) -> tuple[Kind, ...]:
    """The kinds of ports as the head knows them, in order."""
    kinds = [Kind.TEXT if p.kind.has_text_view else p.kind for p in ports if p.kind is not Kind.NUMBER]
    return tuple(k for k in kinds if k in KINDS)


def described(task: HubTask) -> str:
    """What the head reads of a task: its name, its summary, and the kinds that it takes and gives."""
    takes, gives = flowing([p for p in task.inputs if p.required]), flowing(task.outputs[:1])
    return f"{task.name}. {task.summary} Takes {' and '.join(takes) or 'nothing'}, gives {' and '.join(gives) or 'a score'}."


def flags(task: HubTask) -> list[float]:
    """(8,) of 0 and 1: the kinds that it takes, and those that it gives."""
    takes, gives = flowing([p for p in task.inputs if p.required]), flowing(task.outputs[:1])
    return [float(k in takes) for k in KINDS] + [float(k in gives) for k in KINDS]


class Scorer:
    """The head over one table of tasks.

    Args:
        weights: what training wrote.
        tasks: the table.
        encoder: the shared MiniLM.
    """

    def __init__(self, weights: TrainedWeights, tasks: TaskTable, encoder: MiniLM) -> None:
        import numpy as np

        self._w = weights.head
        self._encoder = encoder.with_weights(weights.layers)
        described_ = encoder.encode([described(t) for t in tasks.values()])
        self._flags = np.array([flags(t) for t in tasks.values()], np.float32)
        rows = {hub_spelling(name): i for i, name in enumerate(weights.known)}
        own = [rows.get(hub_spelling(name)) for name in tasks]
        told = np.concatenate([described_, self._flags], 1)
        query = self._norm(self._linear(told, "ask") + self._own("own_state", own), "norm_q")
        self._query = query
        self._match = self._linear(described_, "match") / np.float32(UNITS**0.5)
        # keys are linear in the states: the key's matrix is folded into the queries, once for a table
        key = self._w["key.weight"].reshape(HEADS, UNITS // HEADS, -1)
        split = query.reshape(-1, HEADS, UNITS // HEADS) / np.float32((UNITS // HEADS) ** 0.5)
        self._folded: Floats = np.einsum("thd,hdn->htn", split, key).reshape(HEADS * len(tasks), -1).astype(np.float32)
        where = self._linear(told, "where") + self._own("own_where", own)
        self._where: Floats = (where @ self._w["spot.weight"] / np.float32(SPOT**0.5)).astype(np.float32)
        self._own_query, self._own_weight = self._own("own_query", own), self._own("own_weight", own)
        self._own_bias = self._own("own_bias", own)

    def score(self, text: str, found: Sequence[Literal]) -> Scores:
        """Score every task of the table for a request with these literals. One forward pass of the encoder."""
        import numpy as np

        short = shortened(text)
        read = self._encoder.token_states(short.text)
        x, t = read.states, len(self._flags)
        kinds = {f.kind if f.kind in KINDS else Kind.TEXT for f in found}
        files = np.array([float(k in kinds) for k in KINDS], np.float32)
        attention = _softmax(self._folded @ x.T).reshape(HEADS, t, -1)
        value = self._linear(x, "value")
        heads = value.reshape(len(x), HEADS, -1).transpose(1, 0, 2)
        got = (attention @ heads).transpose(1, 0, 2).reshape(t, -1)
        state = self._mix(self._norm(got + self._query + self._linear(files, "files"), "norm_s"))
        spot = _softmax(self._where @ x.T)
        near = spot @ value
        logits = self._linear(state, "logit")[:, 0] + ((got + near) * self._match).sum(-1)
        own = _softmax(self._own_query @ x.T) @ x
        logits = logits + (own * self._own_weight).sum(-1) + self._own_bias
        places = np.arange(len(x), dtype=np.float32) / np.float32(_TOKENS)
        spots = np.concatenate([(attention @ places).T, (spot @ places)[:, None]], 1)
        characters = np.array([short.original((a + b) // 2) for a, b in read.offsets], np.float32)
        characters[-1] = characters[-2] if len(characters) > 1 else 0  # the closing token stands nowhere
        return Scores(tasks=logits, places=spot @ characters, states=state + near, spots=spots, files=files)

    def links(self, scores: Scores, chosen: Sequence[int]) -> Floats:
        """(t, t) logits, from and to; -12 for every pair that is not of the chosen tasks."""
        import numpy as np

        t = len(self._flags)
        out = np.full((t, t), _FAR, np.float32)
        if len(chosen) > 1:
            at = np.array(chosen)
            out[np.ix_(at, at)] = self._pairs(scores.states[at], scores.spots[at], self._flags[at], scores.files)
        return out

    def _pairs(self, states: Floats, spots: Floats, kinds: Floats, files: Floats) -> Floats:
        import numpy as np

        n = len(states)
        shape = (n, n)
        source, target = self._linear(states, "source"), self._linear(states, "target")
        gaps = spots[None] - spots[:, None]  # how much later the second is spoken of
        gap = gaps[..., -1]
        flows = kinds[:, None, 4:] * kinds[None, :, :4]
        fits = flows.max(-1)
        later = 1 / (1 + np.exp(-12 * gap))
        features = [
            np.tanh(2 * gaps),
            np.tanh(4 * gap)[..., None],
            later[..., None],
            (later @ later)[..., None],  # how many stand between
            (later @ (later * fits))[..., None],  # and how many of these could feed the second
            flows,
            np.broadcast_to(kinds[None, :, :4] * files, (*shape, 4)),
            fits[..., None],
            np.full((*shape, 1), n / 4, np.float32),
        ]
        units = source.shape[1]
        both = [np.broadcast_to(source[:, None], (*shape, units)), np.broadcast_to(target[None], (*shape, units))]
        inner = _gelu(self._linear(np.concatenate([*both, source[:, None] * target[None], *features], -1).astype(np.float32), "pair1"))
        first = self._linear(inner, "pair2")[..., 0]
        odds = first + np.float32(np.log(1 + 1e-4))
        np.fill_diagonal(odds, _FAR)
        column = np.broadcast_to(_logsumexp(odds, 0), shape)  # all that could feed the second
        row = np.broadcast_to(_logsumexp(odds, 1), shape)  # all that the first could feed
        more = np.stack([first, first - column, first - row, first - first.T, column], -1)
        out: Floats = first + self._linear(_gelu(self._linear(np.concatenate([inner, more], -1), "rank1")), "rank2")[..., 0]
        return out

    def _own(self, name: str, rows: Sequence[int | None]) -> Floats:
        """What was learnt of each known task; zeros for the others."""
        import numpy as np

        learnt = self._w[name]
        out = np.zeros((len(rows), *learnt.shape[1:]), np.float32)
        for i, row in enumerate(rows):
            if row is not None:
                out[i] = learnt[row]
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
