"""Several experts asked the same: what they agree on, and how far."""

from .agreement import Agreement

__all__ = ["Agreement"]
