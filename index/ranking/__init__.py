"""Puts the cards that a search found in their final order, and says why each is there."""

from .evidence import Evidence, Query

__all__ = ["Evidence", "Query"]
