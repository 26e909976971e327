"""The runner of the embedded experts."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from ....index.errors import ExpertError, HuggingGPTError
from ....index.minilm import MiniLM
from ..packages import missing, not_installed
from ..runner import Availability, Place, RunnerOutput
from .engines import Engines, Expert
from .ocr import PageReader
from .table import EXPERTS, ExpertRow

if TYPE_CHECKING:
    from ....index.card import ModelCard
    from ...task import HubTask


class EmbeddedRunner:
    """Runs experts that come with the package: OCR, speech, and what a small sentence encoder can do.

    Every engine loads on its own first use, once, whichever thread comes first.

    Args:
        encoder: the sentence encoder to share. Default: one of its own.
        concurrency: how many experts may run at once when called through `arun`; further calls wait in line. `arun` has threads of
            its own, so that it neither blocks the event loop nor takes threads from `asyncio.to_thread`.
        table: the experts by Hub task. Default: all that come with the package.
    """

    name = "embedded"

    def __init__(self, encoder: MiniLM | None = None, *, concurrency: int = 2, table: Mapping[str, ExpertRow] = EXPERTS) -> None:
        self._engines = Engines(encoder=encoder or MiniLM(), pages=PageReader())
        self._table = table
        self._experts: dict[str, Expert] = {}
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(max_workers=concurrency, thread_name_prefix="embedded-expert")

    def availability(self, task: HubTask, card: ModelCard | None = None) -> Availability:
        """Whether an embedded expert can do `task`. Looks for packages only; loads nothing."""
        row = self._table.get(task.name)
        if row is None:
            return Availability(supported=False, ok=False, why="no embedded expert does this task")
        if card is not None and card.id != row.card_id:
            return Availability(supported=False, ok=False, why="embedded experts do not run Hub models")
        if lacking := missing(row.packages):
            return not_installed(lacking, "embedded")
        place = None if card is None else Place.LOADED if task.name in self._experts else Place.HERE
        return Availability(supported=True, ok=True, models=(row.card_id,), place=place)

    def run(self, task: HubTask, card: ModelCard, inputs: Mapping[str, Any]) -> RunnerOutput:
        """Run the expert of `task` and wait.

        Raises:
            CallerError: the inputs are at fault.
            ExpertError: there is no such expert here, or it failed.
        """
        available = self.availability(task, card)
        if not available.ok:
            raise ExpertError(f"{card.id!r} cannot do {task.name} because {available.why}.", remedy=available.remedy)
        try:
            return self._expert(task.name, self._table[task.name])(inputs)
        except HuggingGPTError:
            raise
        except Exception as e:  # the engines have error classes of their own, without a common root
            raise ExpertError(f"{card.id!r} failed at {task.name}: {type(e).__name__}: {e!s:.200}.") from e

    async def arun(self, task: HubTask, card: ModelCard, inputs: Mapping[str, Any]) -> RunnerOutput:
        """The same in a thread of this runner, with the caller's context variables. Raises what `run` raises."""
        call = partial(contextvars.copy_context().run, self.run, task, card, inputs)
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    def _expert(self, task: str, row: ExpertRow) -> Expert:
        with self._lock:
            if task not in self._experts:
                self._experts[task] = row.make(self._engines)
            return self._experts[task]
