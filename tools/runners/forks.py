"""What a process that was forked does without: its parent's threads, and locks that one of them may have held."""

from __future__ import annotations

import os
from collections.abc import Callable
from weakref import WeakMethod


def in_each_child(renew: Callable[[], None]) -> None:
    """Have a bound method called in every process that is forked from this one, before anything else runs there, while its object lives."""
    method = WeakMethod(renew)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=lambda: call() if (call := method()) is not None else None)
