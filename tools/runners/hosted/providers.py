"""Providers of the Hub's models."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from ....index.errors import CallerError
from ..packages import missing


def served_by(provider: str | None) -> frozenset[str] | None:
    """The tasks that a provider serves, as the client names them; None where none was chosen. Raises CallerError for an unknown one."""
    if provider is None or missing(["huggingface_hub"]):
        return None
    from huggingface_hub.inference._providers import PROVIDERS

    known: Mapping[str, Any] = {str(name): served for name, served in PROVIDERS.items()}
    if provider not in known:
        near = get_close_matches(provider, known, n=1, cutoff=0.5)
        hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(sorted(known))}."
        raise CallerError(f"There is no inference provider named {provider[:100]!r}.", remedy=hint)
    return frozenset(known[provider])
