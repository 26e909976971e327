"""Experts that need no download, no key, no network and no GPU."""

from .runner import EmbeddedRunner

__all__ = ["EmbeddedRunner"]
