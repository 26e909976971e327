"""Logistic regression on a few features."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...index.minilm import Floats

_STEPS, _PENALTY = 20, 0.1


def logistic(features: Floats, wanted: Floats) -> Floats:
    """Weights (f,) by Newton's method, with a small penalty on their squares.

    Args:
        features: (n, f); a column of ones where a constant is wanted.
        wanted: (n,) of 0 and 1.
    """
    import numpy as np

    weights = np.zeros(features.shape[1])
    for _ in range(_STEPS):
        p = 1 / (1 + np.exp(-features @ weights))
        gradient = features.T @ (p - wanted) + _PENALTY * weights
        curvature = (features * (p * (1 - p))[:, None]).T @ features + _PENALTY * np.eye(len(weights))
        weights -= np.linalg.solve(curvature, gradient)
    return weights.astype(np.float32)
