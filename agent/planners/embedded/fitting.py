"""Fits the clause classifier to `examples.jsonl`: `python -m langchain_hugginggpt.agent.planners.embedded.fitting`.

Multinomial logistic regression over MiniLM's last three layers (1,152 numbers a clause), by full-batch Adam with an L2 penalty.
Deterministic; about a minute on two cores. With `--validate` it prints the accuracy of five-fold cross-validation instead.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ....index.minilm import MiniLM
from ....tools.hub_tasks import HUB_TASKS
from .matching import EXAMPLES, WEIGHTS

if TYPE_CHECKING:
    from ....index.minilm import Floats

_STEPS = 250
_RATE = 0.05
_PENALTY = 2e-5
_FOLDS = 5


def digest(path: Path = EXAMPLES) -> str:
    """SHA-256 of the examples, which the weights record."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write(path: Path = WEIGHTS) -> None:
    """Fit and write the weights, in 16 bits."""
    import numpy as np
    from safetensors.numpy import save_file

    encoder = MiniLM()
    features, labels = _examples(encoder)
    names = sorted(set(labels))
    matrix, bias = fit(features, [names.index(label) for label in labels], len(names))
    shown = [n for n in HUB_TASKS if any(n in label for label in names)]
    summaries = encoder.encode([HUB_TASKS[n].summary.rstrip(".") for n in shown])
    tensors = {"matrix": matrix, "bias": bias, "summaries": summaries}
    facts = {"labels": json.dumps(names), "shown": json.dumps(shown), "examples": digest()}
    save_file({k: np.ascontiguousarray(v.astype(np.float16)) for k, v in tensors.items()}, path, metadata=facts)
    path.chmod(0o644)


def cross_validate() -> float:
    """Share of the examples whose label a classifier predicts that was fitted to the other four fifths, 0..1."""
    import numpy as np

    features, labels = _examples(MiniLM())
    names = sorted(set(labels))
    targets = np.array([names.index(label) for label in labels])
    fold = np.random.default_rng(0).permutation(len(targets)) % _FOLDS
    right = 0
    for k in range(_FOLDS):
        matrix, bias = fit(features[fold != k], targets[fold != k].tolist(), len(names))
        right += int(((features[fold == k] @ matrix + bias).argmax(1) == targets[fold == k]).sum())
    return right / len(targets)


def fit(features: Floats, targets: Sequence[int], count: int) -> tuple[Floats, Floats]:
    """Weights (features, count) and bias (count,) of a multinomial logistic regression."""
    import numpy as np

    rows = len(targets)
    goal = np.eye(count, dtype=np.float32)[list(targets)]
    weights = np.zeros((features.shape[1] + 1, count), np.float32)
    inputs = np.concatenate([features, np.ones((rows, 1), np.float32)], 1)
    mean, square = np.zeros_like(weights), np.zeros_like(weights)
    for step in range(1, _STEPS + 1):
        logits = inputs @ weights
        p = np.exp(logits - logits.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        gradient = inputs.T @ (p - goal) / rows + _PENALTY * weights
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        weights -= _RATE * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
    return weights[:-1], weights[-1]


def _examples(encoder: MiniLM) -> tuple[Floats, list[tuple[str, ...]]]:
    rows = [json.loads(line) for line in EXAMPLES.read_text("utf-8").splitlines()]
    return encoder.layers([r["text"] for r in rows]).reshape(len(rows), -1), [tuple(r["tasks"]) for r in rows]


if __name__ == "__main__":
    if "--validate" in sys.argv:
        print(f"right in five-fold cross-validation: {cross_validate():.3f}")  # noqa: T201
    else:
        write()
