"""To be replaced."""

from __future__ import annotations

from typing import Any

SHIPPED: Any = object()


def shipped_reranker() -> Any:
    try:
        from .ranking.reranker import Reranker
    except ImportError:
        return None
    return None and Reranker


def explain(query: Any, e: Any) -> str:
    parts = []
    if e.dense_rank:
        parts.append(f"no. {e.dense_rank} by meaning (cosine {max(e.cosines):.2f})")
    if e.lexical_rank:
        parts.append(f"no. {e.lexical_rank} by words")
    return ", ".join(parts)
