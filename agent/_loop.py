"""The sync side's event loop: one, in a daemon thread, started on first use.

Connections that a runner keeps belong to the loop they were made in, so every sync call uses the same one. It also works where
the caller's thread already runs a loop (Jupyter).
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Coroutine
from functools import lru_cache
from typing import Any, TypeVar

T = TypeVar("T")


@lru_cache(maxsize=1)
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True, name="hugginggpt-loop").start()
    return loop


def run_sync(make: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine to its end from sync code, with the caller's context variables. Ctrl-C cancels it before it is raised."""
    context = contextvars.copy_context()

    async def inside() -> T:
        return await asyncio.get_running_loop().create_task(make(), context=context)

    future = asyncio.run_coroutine_threadsafe(inside(), _loop())
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise
