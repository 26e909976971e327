"""Confidence intervals in one pass over the cases, with memory that does not depend on their number.

The Poisson bootstrap: in each of R resamples, a case counts k times, k drawn from Poisson(1), which for more than a few cases is the
ordinary bootstrap (Hanley and MacGibbon 2006, "Creating non-parametric bootstrap samples using Poisson frequencies"; Chamandy et al.
2012, "Estimating uncertainty for massive data streams"). The draws are seeded by the case's id: whatever the order of the cases, the
intervals are the same; and two runs over the same cases are resampled alike, which makes the difference between them a paired one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .record import Score

RESAMPLES = 1000
_LOW, _HIGH = 2.5, 97.5
_TOGETHER = 64
_GRID = 2.0**30  # scores are kept in steps of a power of two, so that sums of up to millions of cases are exact in any order


def weights(case_id: str) -> NDArray[np.float64]:
    """How often a case counts in each resample: (RESAMPLES,) of Poisson(1), the same for the same id."""
    seed = int.from_bytes(hashlib.blake2b(case_id.encode(errors="surrogatepass"), digest_size=8).digest(), "big")
    return np.random.default_rng(seed).poisson(1.0, RESAMPLES).astype(np.float64)


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """A metric that is a sum over cases divided by another.

    Attributes:
        value: the ratio; None when the denominator is 0.
        resampled: the ratio in each resample: (RESAMPLES,), NaN where the denominator is 0.
        n: how many cases count for it.
    """

    value: float | None
    resampled: NDArray[np.float64]
    n: int

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval by percentiles; None for fewer than two cases, and where all agree: resampling them tells nothing then."""
        found = percentile_interval(self.resampled) if self.n > 1 else None
        return found if found is None or found[0] < found[1] else None


class RatiosOfSums:
    """Adds up the scores of cases, for many metrics at once, with what each metric is in each resample."""

    def __init__(self) -> None:
        self.cases = 0
        self._rows: dict[str, int] = {}
        self._n: list[int] = []
        self._sums = np.zeros((0, 2))
        self._resampled = np.zeros((0, 2, RESAMPLES))
        self._waiting: list[tuple[Mapping[str, Score], NDArray[np.float64]]] = []

    def add(self, scores: Mapping[str, Score], weight: NDArray[np.float64]) -> None:
        """Count a case. `weight` is `weights(its id)`."""
        self.cases += 1
        self._waiting.append((scores, weight))
        if len(self._waiting) >= _TOGETHER:
            self._add_up()

    def ratios(self) -> dict[str, Ratio]:
        """Every metric that a case counted for, in the order in which they came."""
        self._add_up()
        found = {}
        for key, row in self._rows.items():
            above, below = self._sums[row]
            over, under = self._resampled[row]
            resampled = np.full(RESAMPLES, np.nan)
            np.divide(over, under, out=resampled, where=under > 0)
            found[key] = Ratio(value=float(above / below) if below else None, resampled=resampled, n=self._n[row])
        return found

    def _add_up(self) -> None:
        """One multiplication of matrices for many cases: several times as fast as one for each."""
        for key in (k for scores, _ in self._waiting for k in scores):
            if key not in self._rows:
                self._rows[key] = len(self._rows)
                self._n.append(0)
        grown = len(self._rows) - len(self._sums)
        if grown:
            self._sums = np.concatenate([self._sums, np.zeros((grown, 2))])
            self._resampled = np.concatenate([self._resampled, np.zeros((grown, 2, RESAMPLES))])
        if not self._waiting:
            return
        table = np.zeros((len(self._rows), 2, len(self._waiting)))
        for column, (scores, _) in enumerate(self._waiting):
            for key, score in scores.items():
                row = self._rows[key]
                table[row, :, column] = score
                self._n[row] += 1
        table = np.round(table * _GRID) / _GRID
        self._sums += table.sum(axis=2)
        self._resampled += table @ np.stack([w for _, w in self._waiting])
        self._waiting.clear()


def percentile_interval(resampled: NDArray[np.float64]) -> tuple[float, float] | None:
    """2.5th and 97.5th percentile of what the resamples gave; NaN ones are left out; None when all are."""
    usable = resampled[~np.isnan(resampled)]
    if not usable.size:
        return None
    low, high = np.percentile(usable, (_LOW, _HIGH))
    return float(low), float(high)
