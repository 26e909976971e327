"""What the re-ranker looks at. All of it exists at search time, and none of it depends on how large the index is."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..languages import languages_named
from .evidence import Evidence, Query

if TYPE_CHECKING:
    from ..minilm import Floats

FEATURES = ("meaning", "words", "meaning rank", "words rank", "language", "other language", "language in id", "popularity", "task")
"""The columns, in their order."""

_RANK = 10
_DOWNLOADS, _YEARS, _SIZES = 4.0, 3.0, 4.0  # e^4 times the downloads, or 3 years, or e^4 times the weights, count as far apart
_DAYS = 365.25
_LETTERS = re.compile(r"[a-z]+")


def features(query: Query, found: Sequence[Evidence], *, spread: float | None, task_logs: Sequence[float]) -> Floats:
    """Shape (cards, len(FEATURES)), float32. What is not known of a card, or said in the query, is 0: neither good nor bad.

    Args:
        query: what was searched for.
        found: the cards.
        spread: of cosines, by which their differences are divided; None: the standard deviation of those that are there.
        task_logs: for each card how likely its task is for the query, as a logarithm, or 0s.
    """
    import numpy as np

    table = np.zeros((len(found), len(FEATURES)), np.float32)
    cosines = np.array([max(e.cosines) for e in found], np.float32)
    table[:, 0] = (cosines - cosines.max()) / (spread or max(float(cosines.std()), 1e-3))
    most = max((e.bm25 for e in found if e.bm25 is not None), default=0.0) or 1.0
    table[:, 1] = [(e.bm25 or 0.0) / most for e in found]
    table[:, 2] = [_RANK / (_RANK + e.dense_rank) if e.dense_rank else 0.0 for e in found]
    table[:, 3] = [_RANK / (_RANK + e.lexical_rank) if e.lexical_rank else 0.0 for e in found]
    if spoken := languages_named(_LETTERS.findall(query.text.lower())):
        table[:, 4] = [len(spoken.intersection(e.card.languages)) / len(spoken) for e in found]
        table[:, 5] = [bool(e.card.languages) and spoken.isdisjoint(e.card.languages) for e in found]
        table[:, 6] = [len(spoken.intersection(_LETTERS.findall(e.card.id.lower()))) / len(spoken) for e in found]
    table[:, 7] = _apart([None if e.card.downloads is None else math.log1p(e.card.downloads) for e in found], _DOWNLOADS)
    table[:, 8] = task_logs
    return table


def newness(found: Sequence[Evidence]) -> Floats:
    """-1..1 for each card: how new it is among the others; 0 where that is not known."""
    return _apart([_years(e.card.last_modified) for e in found], _YEARS)


def smallness(found: Sequence[Evidence]) -> Floats:
    """-1..1 for each card: how few weights it has among the others; 0 where that is not known."""
    return _apart([None if e.card.parameters is None else -math.log(e.card.parameters) for e in found], _SIZES)


def _apart(values: Sequence[float | None], far: float) -> Floats:
    """How far a value is above the mean of those that are known, -1..1; less, the fewer are known."""
    import numpy as np

    known = [v for v in values if v is not None]
    mean = sum(known) / len(known) if known else 0.0
    share = len(known) / max(1, len(values))
    apart: Floats = np.array([0.0 if v is None else share * max(-1.0, min(1.0, (v - mean) / far)) for v in values], np.float32)
    return apart


def _years(date: str | None) -> float | None:
    try:
        return datetime.date.fromisoformat(date[:10]).toordinal() / _DAYS if date else None
    except ValueError:  # cards come from anywhere
        return None
