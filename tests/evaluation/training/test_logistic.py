"""Logistic regression on a few features."""

from __future__ import annotations

import numpy as np
import pytest

from langchain_hugginggpt.evaluation.training.logistic import logistic


def test_what_made_the_labels_is_found() -> None:
    chance = np.random.default_rng(0)
    x = np.concatenate([chance.normal(size=(4000, 2)), np.ones((4000, 1))], 1).astype(np.float32)
    y = (chance.random(4000) < 1 / (1 + np.exp(-(x @ [2.0, -1.0, 0.5])))).astype(np.float32)
    found = logistic(x, y)
    assert found == pytest.approx([2.0, -1.0, 0.5], abs=0.2)
    assert found.dtype == np.float32


def test_labels_that_a_feature_tells_wholly_give_weights_all_the_same() -> None:
    x = np.array([[-1, 1], [1, 1]] * 10, np.float32)
    found = logistic(x, np.array([0, 1] * 10, np.float32))
    assert np.isfinite(found).all()
    assert found[0] > 1
