"""Confidence intervals in one pass over the cases, with memory that does not depend on their number.

The Poisson bootstrap: in each of R resamples, a case counts k times, k drawn from Poisson(1), which for more than a few cases is the
ordinary bootstrap (Hanley and MacGibbon 2006, "Creating non-parametric bootstrap samples using Poisson frequencies"; Chamandy et al.
2012, "Estimating uncertainty for massive data streams"). The draws are seeded by the case's id: whatever the order of the cases, the
intervals are the same; and two runs over the same cases are resampled alike, which makes the difference between them a paired one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from .record import Score

RESAMPLES = 1000
_LOW, _HIGH = 2.5, 97.5


def weights(case_id: str) -> NDArray[np.float64]:
    """How often a case counts in each resample: (RESAMPLES,) of Poisson(1), the same for the same id."""
    seed = int.from_bytes(hashlib.blake2b(case_id.encode(errors="surrogatepass"), digest_size=8).digest(), "big")
    return np.random.default_rng(seed).poisson(1.0, RESAMPLES).astype(np.float64)


class RatioOfSums:
    """A metric that is a sum over cases divided by another, with what it is in each resample."""

    def __init__(self) -> None:
        self._sums = np.zeros(2)
        self._resampled = np.zeros((2, RESAMPLES))
        self.n = 0

    def add(self, score: Score, weight: NDArray[np.float64]) -> None:
        """Count a case. `weight` is `weights(its id)`."""
        self._sums += score
        self._resampled[0] += score[0] * weight
        self._resampled[1] += score[1] * weight
        self.n += 1

    @property
    def value(self) -> float | None:
        """The ratio; None when nothing was counted that could make one (the denominator is 0)."""
        return float(self._sums[0] / self._sums[1]) if self._sums[1] else None

    @property
    def resampled(self) -> NDArray[np.float64]:
        """The ratio in each resample: (RESAMPLES,), NaN where the denominator is 0."""
        above, below = self._resampled
        ratio = np.full(RESAMPLES, np.nan)
        np.divide(above, below, out=ratio, where=below > 0)
        return ratio

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval by percentiles; None for fewer than two cases."""
        return percentile_interval(self.resampled) if self.n > 1 else None


def percentile_interval(resampled: NDArray[np.float64]) -> tuple[float, float] | None:
    """2.5th and 97.5th percentile of what the resamples gave; NaN ones are left out; None when all are."""
    usable = resampled[~np.isnan(resampled)]
    if not usable.size:
        return None
    low, high = np.percentile(usable, (_LOW, _HIGH))
    return float(low), float(high)


def add_all(into: dict[str, RatioOfSums], scores: Mapping[str, Score], weight: NDArray[np.float64]) -> None:
    """Count a case's scores, each under its key."""
    for key, score in scores.items():
        if key not in into:
            into[key] = RatioOfSums()
        into[key].add(score, weight)
