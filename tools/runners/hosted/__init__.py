"""Hosted models: those of the Hub's inference providers, and endpoints of your own."""

from .facts import Facts
from .runner import Account, HostedRunner

__all__ = ["Account", "Facts", "HostedRunner"]
