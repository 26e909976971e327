"""Whether the packages that an expert needs are installed."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib.util import find_spec

from .runner import Availability


def missing(packages: Iterable[str]) -> list[str]:
    """Top-level packages among these that cannot be found; none is imported."""
    return [p for p in packages if not _is_installed(p)]


def not_installed(packages: Iterable[str], extra: str) -> Availability:
    """What a runner answers when these are missing; the extra of this distribution brings them."""
    names = list(packages)
    why = f"the package{'s' if len(names) > 1 else ''} {', '.join(names)} {'are' if len(names) > 1 else 'is'} not installed"
    return Availability(supported=True, ok=False, why=why, remedy=f'Run: pip install "langchain-hugginggpt[{extra}]"')


def _is_installed(package: str) -> bool:
    if package in sys.modules:
        return sys.modules[package] is not None
    return find_spec(package) is not None
