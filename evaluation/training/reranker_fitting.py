"""Fits a re-ranker: a linear discriminant for the task of a query, and a network of one hidden layer over a search's cards.

In numpy: there are a few hundred weights and a few thousand searches.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...index.ranking.features import FEATURES
from ...index.ranking.reranker import Reranker
from .reranker_lists import Candidates, Requests

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ...index.minilm import Floats

    Doubles = NDArray[np.float64]

_UNITS, _EPOCHS, _TOGETHER, _RATE, _DECAY = 8, 15, 64, 0.01, 1e-3
_INNER = 4
_OWN_WEIGHT = 0.3  # of an own request, beside one of the data
_SHRUNK, _SMOOTHED, _SHARPNESS = 0.3, 5.0, 0.2
_NETWORK = ("direct", "hidden.weight", "hidden.bias", "out")


def fit(searches: Sequence[Candidates], own: Requests, *, seed: int) -> Reranker:
    """A re-ranker trained on these searches; those that did not find the right card teach the classifier of tasks only.

    The network learns from what the classifier says of queries that it did not see: so that it trusts it as far as it will deserve.

    Args:
        searches: at least one that found the right card, all by one encoder.
        own: further requests for the classifier, by the same encoder.
        seed: of everything that is random.
    """
    import numpy as np

    encoder = searches[0].query.encoder
    spread = float(np.mean([np.std([max(e.cosines) for e in s.found]) for s in searches]))
    inner = np.array([fold_of(s.model, _INNER, f"inner {seed}") for s in searches])
    rows: list[tuple[Floats, int]] = []
    for fold in range(_INNER):
        others = [s for s, f in zip(searches, inner, strict=True) if f != fold]
        tasks, classifier = _classifier(others or searches, own)
        reader = Reranker(encoder=encoder, tasks=tasks, spread=spread, weights=classifier)
        for search, its_fold in zip(searches, inner, strict=True):
            if its_fold == fold and search.right is not None:
                rows.append((reader.features(search.query, search.found), search.right))
    tasks, classifier = _classifier(searches, own)
    return Reranker(encoder=encoder, tasks=tasks, spread=spread, weights=classifier | _network(rows, seed))


def fold_of(model: str, folds: int, salt: str) -> int:
    """The fold of a model's requests: all of one are in one, whatever the data set."""
    return int.from_bytes(hashlib.blake2b(f"{salt} {model}".encode(), digest_size=8).digest(), "big") % folds


def _classifier(searches: Sequence[Candidates], own: Requests) -> tuple[tuple[str, ...], dict[str, Floats]]:
    """Linear discriminant analysis: means of the tasks drawn towards that of all, one covariance drawn towards a sphere.

    Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, 2009, section 4.3.
    """
    import numpy as np

    asked = list({s.query.text: s for s in searches}.values())
    names = [s.model_task for s in asked] + list(own.tasks)
    vectors = np.concatenate([np.stack([s.query.vector for s in asked]), own.vectors]).astype(np.float64)
    weights = np.array([1.0] * len(asked) + [_OWN_WEIGHT] * len(own.tasks))
    tasks = sorted(set(names))
    task = np.searchsorted(tasks, names)
    count = np.bincount(task, weights)
    sums = np.zeros((len(tasks), vectors.shape[1]))
    np.add.at(sums, task, vectors * weights[:, None])
    means = (sums + _SMOOTHED * sums.sum(0) / count.sum()) / (count + _SMOOTHED)[:, None]
    apart = (vectors - means[task]) * np.sqrt(weights / weights.sum())[:, None]
    covariance = apart.T @ apart
    sphere = np.eye(len(covariance)) * np.trace(covariance) / len(covariance)
    linear = np.linalg.solve((1 - _SHRUNK) * covariance + _SHRUNK * sphere + 1e-9 * np.eye(len(covariance)), means.T)
    constant = np.log((count + 1) / (count + 1).sum()) - (means.T * linear).sum(0) / 2
    arrays = {"tasks.weight": linear * _SHARPNESS, "tasks.bias": constant * _SHARPNESS}
    return tuple(tasks), {name: array.astype(np.float32) for name, array in arrays.items()}


def _network(rows: Sequence[tuple[Floats, int]], seed: int) -> dict[str, Floats]:
    """Weights by which the right card's share of the softmax over each search's cards is the largest (ListNet, Cao et al., ICML 2007)."""
    import numpy as np

    chance = np.random.default_rng(seed)
    most = max(len(table) for table, _ in rows)
    x = np.zeros((len(rows), most, len(FEATURES)))
    there = np.zeros((len(rows), most), bool)
    wanted = np.zeros((len(rows), most))
    for i, (table, right) in enumerate(rows):
        x[i, : len(table)], there[i, : len(table)], wanted[i, right] = table, True, 1.0
    shapes = ((len(FEATURES),), (len(FEATURES), _UNITS), (_UNITS,), (_UNITS,))
    weights = [chance.uniform(-1, 1, s) / np.sqrt(s[0]) for s in shapes]
    weights[0][:] = 0
    batches = [b for _ in range(_EPOCHS) for b in np.array_split(chance.permutation(len(rows)), max(1, len(rows) // _TOGETHER))]
    means, squares = [np.zeros(s) for s in shapes], [np.zeros(s) for s in shapes]
    for step, batch in enumerate(batches, 1):
        rate = _RATE * (1 + np.cos(np.pi * step / len(batches))) / 2
        for w, m, v, g in zip(weights, means, squares, _gradients(weights, x[batch], there[batch], wanted[batch]), strict=True):
            m += 0.1 * (g - m)  # Adam with decoupled decay: Loshchilov and Hutter, ICLR 2019
            v += 0.001 * (g * g - v)
            w -= rate * (m / (1 - 0.9**step) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8) + _DECAY * w)
    return {name: w.astype(np.float32) for name, w in zip(_NETWORK, weights, strict=True)}


def _gradients(weights: Sequence[Doubles], x: Doubles, there: NDArray[np.bool_], wanted: Doubles) -> list[Doubles]:
    import numpy as np

    direct, hidden, bias, out = weights
    h = np.tanh(x @ hidden + bias)
    z = np.where(there, x @ direct + h @ out, -np.inf)
    p = np.exp(z - z.max(1, keepdims=True))
    g = (p / p.sum(1, keepdims=True) - wanted) / len(x)
    inner = g[..., None] * out * (1 - h * h)
    return [np.einsum("nk,nkf->f", g, x), np.einsum("nkf,nku->fu", x, inner), inner.sum((0, 1)), np.einsum("nk,nku->u", g, h)]
