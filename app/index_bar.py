"""The progress bar of a build, on standard error, where that is a terminal."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from ..index.building import Progress as Told

_SECONDS = 30  # over which a rate is taken
_SHARD = 256  # texts that a cluster's progress counts by


class IndexBar:
    """How far a build is: the part of the source that is read, cards, texts a second, what was noted, time left."""

    def __init__(self) -> None:
        console = Console(stderr=True, highlight=False, emoji=False)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[said]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[left]}"),
        )
        self._progress = Progress(*columns, console=console, refresh_per_second=4, transient=True, disable=not console.is_terminal)
        self._task = self._progress.add_task("cards", total=None, said="reading", left="")
        self._stage = "cards"
        self._encoded: deque[tuple[float, int]] = deque()
        self._last: Told | None = None

    @property
    def cards(self) -> int:
        """Cards that the source gave so far."""
        return self._last.cards if self._last else 0

    def __enter__(self) -> IndexBar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, told: Told) -> None:
        """So far it is."""
        self._last = told
        if told.stage != self._stage:
            self._stage = told.stage
            self._progress.reset(self._task, description=told.stage, said="", left="")
        total, left = (None, "") if told.share is None else (1.0, "left")
        self._progress.update(self._task, total=total, completed=told.share or 0.0, said=self._said(0), left=left)

    def encoding(self, done: int, of: int) -> None:
        """A cluster has encoded so many of so many shards of what comes next."""
        self._progress.update(self._task, said=self._said(done * _SHARD))

    def _said(self, more: int) -> str:
        told = self._last
        if told is None:
            return f"{more:,} texts"
        now = time.monotonic()
        self._encoded.append((now, told.encoded + more))
        while now - self._encoded[0][0] > _SECONDS and len(self._encoded) > 2:
            self._encoded.popleft()
        (then, before), (_, after) = self._encoded[0], self._encoded[-1]
        rate = f", {(after - before) / (now - then):,.0f} texts/s" if after > before and now > then else ""
        noted = f", {told.skipped:,} noted" if told.skipped else ""
        return f"{told.cards:,} cards{rate}{noted}"
