"""Fits the sentiment head: python -m langchain_hugginggpt.tools.runners.embedded.fit_sentiment

Reads `sentiment.jsonl` (sentences of our own, {"text", "label"}) and `polarity.jsonl` (words), writes `sentiment.safetensors` beside
them, and prints the accuracy of five-fold cross-validation. Deterministic.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from ....index.minilm import MiniLM
from .polarity import PolarityReader, listed_polarities
from .sentiment import SentimentHead, sentence_features

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ....index.minilm import Encoder

    Floats = NDArray[np.float32]

FOLDER = Path(__file__).parent
WORD_RIDGE = 1.0
SENTENCE_RIDGE = 1.0
FOLDS = 5


def read_examples() -> tuple[list[str], Floats]:
    """Sentences, and 1 for positive or 0 for negative."""
    import numpy as np

    rows = [json.loads(line) for line in (FOLDER / "sentiment.jsonl").read_text(encoding="utf-8").splitlines()]
    return [r["text"] for r in rows], np.array([r["label"] == "positive" for r in rows], np.float32)


def fit_word_head(encoder: Encoder) -> tuple[Floats, float]:
    """Ridge regression from word vectors to listed polarities: weights (384,) and bias."""
    import numpy as np

    listed = listed_polarities()
    x = encoder.encode(list(listed)).astype(np.float64)
    y = np.array(list(listed.values()))
    middle = x.mean(0)
    x, bias = x - middle, float(y.mean())
    weights = np.linalg.solve(x.T @ x + WORD_RIDGE * np.eye(x.shape[1]), x.T @ (y - bias))
    return weights.astype(np.float32), bias - float(middle @ weights)


def fit_logistic(x: Floats, y: Floats, *, ridge: float = SENTENCE_RIDGE, steps: int = 20) -> tuple[Floats, float]:
    """Logistic regression with an L2 penalty of ridge/2, the bias free, by Newton's method: weights (columns of x,) and bias."""
    import numpy as np

    wide = np.concatenate([x, np.ones((len(x), 1))], 1).astype(np.float64)
    penalty = np.full(wide.shape[1], ridge)
    penalty[-1] = 1e-9
    w = np.zeros(wide.shape[1])
    for _ in range(steps):
        p = 1 / (1 + np.exp(-wide @ w))
        slope = wide.T @ (p - y) + penalty * w
        curve = (wide * (p * (1 - p))[:, None]).T @ wide + np.diag(penalty)
        w -= np.linalg.solve(curve, slope)
    return w[:-1].astype(np.float32), float(w[-1])


def cross_validated(x: Floats, y: Floats) -> float:
    """Accuracy over five folds, drawn at random with a fixed seed."""
    import numpy as np

    fold = np.random.default_rng(0).permutation(len(y)) % FOLDS
    right = 0
    for k in range(FOLDS):
        weights, bias = fit_logistic(x[fold != k], y[fold != k])
        right += int(((x[fold == k] @ weights + bias > 0) == (y[fold == k] > 0.5)).sum())
    return right / len(y)


def fit(encoder: Encoder) -> tuple[SentimentHead, float]:
    """The head, and its cross-validated accuracy."""
    texts, y = read_examples()
    word_weights, word_bias = fit_word_head(encoder)
    x = sentence_features(texts, encoder, PolarityReader(encoder, word_weights, word_bias))
    weights, bias = fit_logistic(x, y)
    return SentimentHead(word_weights=word_weights, word_bias=word_bias, weights=weights, bias=bias), cross_validated(x, y)


def main() -> None:
    import numpy as np
    from safetensors.numpy import save_file

    head, accuracy = fit(MiniLM())
    arrays = {
        "word_weights": head.word_weights,
        "word_bias": np.array([head.word_bias], np.float32),
        "weights": head.weights,
        "bias": np.array([head.bias], np.float32),
    }
    save_file(arrays, FOLDER / "sentiment.safetensors")
    (FOLDER / "sentiment.safetensors").chmod(0o644)
    print(f"{FOLDS}-fold accuracy {accuracy:.3f} on {len(read_examples()[0])} sentences")  # noqa: T201


if __name__ == "__main__":
    main()
