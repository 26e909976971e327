"""Evidence for the tests beside this file."""

from __future__ import annotations

from typing import Any

import numpy as np

from langchain_hugginggpt.index import ModelCard
from langchain_hugginggpt.index.ranking import Evidence, Query

CODE = "text-generation"


def query(text: str = "write code", *, task: str | None = CODE, encoder: str = "test") -> Query:
    return Query(text=text, vector=np.eye(4, dtype=np.float32)[0], task=task, encoder=encoder)


def evidence(
    cosine: float = 0.5, *, bm25: float | None = 1.0, dense: int | None = 1, lexical: int | None = 1, ident: str = "zoo/a", **facts: Any
) -> Evidence:
    card = ModelCard(**{"id": ident, "task": CODE, **facts})
    return Evidence(card=card, cosines=(cosine - 0.1, cosine), bm25=bm25, dense_rank=dense, lexical_rank=lexical if bm25 else None)
