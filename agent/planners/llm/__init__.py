"""Planning by a chat model."""

from .planner import LLMPlanner

__all__ = ["LLMPlanner"]
