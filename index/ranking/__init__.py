"""Puts the cards that a search found in their final order, and says why each is there."""

from .evidence import Evidence, Query, Ranker
from .reranker import Reranker, shipped_reranker
from .why import why

__all__ = ["Evidence", "Query", "Ranker", "Reranker", "shipped_reranker", "why"]
