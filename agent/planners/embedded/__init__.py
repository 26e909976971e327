"""The planner that needs no language model."""

from .planner import EmbeddedPlanner

__all__ = ["EmbeddedPlanner"]
