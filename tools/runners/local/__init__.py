"""Models of the Hub, and your own, run on this machine."""

from .pool import ModelPool
from .runner import LocalRunner

__all__ = ["LocalRunner", "ModelPool"]
