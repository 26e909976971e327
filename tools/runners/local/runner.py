"""The runner of models on this machine."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ....index.card import ModelCard
from ....index.errors import ExpertError, HuggingGPTError
from ...errors import ExpertTimeoutError, ModelRefusedError
from ..packages import missing, not_installed
from ..runner import Availability, Place, RunnerOutput
from ..workers import Job, Workers, check_abandoned, when_abandoned
from .devices import Device, check_device, choose_device, free_memory, without_gradients
from .places import ModelPlaces
from .pool import ModelPool
from .row import Loader, LocalRow
from .table import LOCAL, NOT_RUN

if TYPE_CHECKING:
    from ...task import HubTask
    from .loaded import LoadedModel
    from .model_files import ModelFiles

_LOADING = threading.Lock()
"""One load at a time in a process: transformers changes torch's default dtype meanwhile, and two loads would mix theirs up."""
_GRACE_SECONDS = 5.0  # for an abandoned call to come to its next step


class LocalRunner:
    """Runs models of the Hub, and your own, on this machine: those of transformers, sentence-transformers, diffusers and scikit-learn.

        LocalRunner()                                     # what is in the Hub's cache on this machine
        LocalRunner(models=["models"])                    # also models/NAME and models/ORG/NAME, which a card of that id stands for
        LocalRunner(max_download=2 * 10**9)               # also what has to be fetched, up to 2 GB a model

    A model is loaded on its first use, once however many callers; weights in safetensors form only, and never code that comes with it.

    Args:
        models: folders of models.
        max_download: bytes that may be downloaded for one model; 0: nothing is.
        cache: the Hub's cache on this machine. Default: where huggingface_hub has it.
        endpoint: address of the Hub. Default: the one that huggingface_hub uses.
        max_memory: bytes that the weights in memory may take together. Default: half of the memory that is free when the first model is
            loaded, on a GPU nine tenths of its free memory.
        pool: the models in memory, to share them with other runners; `max_memory` is not looked at then.
        device: as torch names it; None: the best that there is.
        concurrency: how many models compute at once; further calls wait in line.
        timeout: seconds that one call of a model may take, once it is loaded; None: as long as it likes. The caller is freed then, and
            the next candidate may try.
        table: how each task is run. Default: all that come with the package.

    Raises:
        CallerError: a folder is not there, or torch knows no such device.
    """

    name = "local"

    def __init__(
        self,
        *,
        models: Sequence[Path | str] = (),
        max_download: int = 0,
        cache: Path | None = None,
        endpoint: str | None = None,
        max_memory: int | None = None,
        pool: ModelPool | None = None,
        device: str | None = None,
        concurrency: int = 2,
        timeout: float | None = None,
        table: Mapping[str, LocalRow] = LOCAL,
    ) -> None:
        self.pool = pool or ModelPool(max_bytes=max_memory or (lambda: self.device.room))
        self._places = ModelPlaces(models, max_download=max_download, cache=cache, endpoint=endpoint)
        check_device(device)
        self._device_name = device
        self._timeout = timeout
        self._table = table
        self._workers = Workers(concurrency, name="local-expert")

    def availability(self, task: HubTask, card: ModelCard | None = None) -> Availability:
        """Whether a model on this machine can do `task`, or one that may be downloaded. Looks for packages and folders; loads nothing."""
        row = self._table.get(task.name)
        if row is None:
            return Availability(supported=False, ok=False, why=NOT_RUN.get(task.name, "no library that is used here runs this task"))
        if card is not None and card.id.startswith("embedded/"):
            return Availability(supported=False, ok=False, why="embedded experts are no Hub models")
        if lacking := missing(row.needs()):
            return not_installed(lacking, row.extra)
        available = self._places.availability(row, card)
        return replace(available, place=self._place(row, card)) if card is not None and available.ok else available

    def _place(self, row: LocalRow, card: ModelCard) -> Place:
        """Where a model is that can be used."""
        files = self._places.files(card.id)
        if files is None:
            return Place.ABSENT
        loader = row.loader_for(files)
        if loader is not None and "device" in self.__dict__ and self._key(loader, files) in self.pool:
            return Place.LOADED
        return Place.HERE if files.bytes_on_disk <= free_memory() else Place.TIGHT

    def _key(self, loader: Loader, files: ModelFiles) -> Hashable:
        """What the pool knows a model by."""
        return (files.id, files.stamp, loader.name, self.device)

    def run(self, task: HubTask, card: ModelCard, inputs: Mapping[str, Any]) -> RunnerOutput:
        """Run the model of `card` and wait.

        Raises:
            CallerError: the inputs are at fault.
            ModelRefusedError: the model does something else, is not whole, does not fit, or is pickled.
            ModelAbsentError: it is not here and cannot be fetched.
            ExpertTimeoutError: it did not end in time.
            ExpertError: it failed.
        """
        job = self._submit(task, card, inputs)
        try:
            with when_abandoned(job.abandon):  # one of several experts that are asked in threads
                check_abandoned()
                return job.future.result()
        except BaseException:
            job.abandon()  # interrupted: the thread ends at the model's next step
            raise

    async def arun(self, task: HubTask, card: ModelCard, inputs: Mapping[str, Any]) -> RunnerOutput:
        """The same off the event loop. Cancelling frees the caller and the call's place at once."""
        job = self._submit(task, card, inputs)
        try:
            return await asyncio.wrap_future(job.future)
        except BaseException:
            job.abandon()
            raise

    def models_here(self) -> list[ModelFiles]:
        """The models on this machine that can be looked at, whatever they do. Nothing is loaded."""
        return list(self._places.all())

    @cached_property
    def device(self) -> Device:
        """Where models compute; torch is imported to find out."""
        return choose_device(self._device_name)

    def _submit(self, task: HubTask, card: ModelCard, inputs: Mapping[str, Any]) -> Job[RunnerOutput]:
        available = self.availability(task, card)
        if not available.ok:
            raise ExpertError(f"{card.id!r} cannot do {task.name} because {available.why}.", remedy=available.remedy)
        row = self._table[task.name]
        return self._workers.submit(lambda job: self._call(row, card, inputs, job))

    def _call(self, row: LocalRow, card: ModelCard, inputs: Mapping[str, Any], job: Job[RunnerOutput]) -> RunnerOutput:
        try:
            files = self._places.find(row, card)
            given = row.prepared(lambda task, asked: self._asked(task, asked, job), files, inputs)
            with self._model(row, files) as (key, model), self._limited(job, key, card.id), without_gradients():
                return row.expert()(model, given)
        except HuggingGPTError:
            raise
        except MemoryError as e:
            raise self._out_of_memory(card.id, e) from e
        except Exception as e:  # libraries and models have error classes of their own, without a common root
            if "out of memory" in str(e).lower() or "can't allocate memory" in str(e).lower():
                raise self._out_of_memory(card.id, e) from e
            raise ExpertError(f"{card.id!r} failed at {row.task}: {type(e).__name__}: {' '.join(str(e).split())[:300]}.") from e

    def _asked(self, task: str, inputs: Mapping[str, Any], job: Job[RunnerOutput]) -> Iterator[tuple[str, RunnerOutput]]:
        """See `Ask`. Each model is called within the same job, and given back to the pool before the next thing is done."""
        row = self._table.get(task)
        if row is None or missing(row.needs()):
            return
        failed, answered = None, False
        for ident in self._places.here(row):
            try:
                output = self._call(row, ModelCard(id=ident, task=task), inputs, job)
            except ExpertError as e:
                failed = e
                continue
            answered = True
            yield ident, output
        if failed is not None and not answered:
            raise failed

    @contextmanager
    def _model(self, row: LocalRow, files: ModelFiles) -> Iterator[tuple[Any, LoadedModel]]:
        """A model, loaded, with the key that the pool knows it by."""
        loader = row.loader_for(files)
        if loader is None:
            made = ", ".join(files.architectures) or f"a folder of {files.layout}"
            raise ModelRefusedError(
                f"{files.id!r} does not do {row.task}: it holds {made}.", remedy="Choose a model that was trained for the task."
            )
        key = self._key(loader, files)
        expected = self.device.share(loader.expected(files, self.device), self.pool.max_bytes)
        with self.pool.use(key, expected, lambda: self._load(loader, files)) as model:
            yield key, model

    def _load(self, loader: Loader, files: ModelFiles) -> LoadedModel:
        with _LOADING:
            check_abandoned()
            return loader.load(files, self.device)

    @contextmanager
    def _limited(self, job: Job[RunnerOutput], key: Any, model: str) -> Iterator[None]:
        """Give the call up when its time is over. A model that goes on all the same is forgotten: others would wait for it."""
        timers = []

        def later(seconds: float, what: Callable[[], None]) -> None:
            timers.append(threading.Timer(seconds, what))
            timers[-1].daemon = True
            timers[-1].start()

        def over() -> None:
            self.pool.forget(key)
            job.abandon(ExpertTimeoutError(model, self._timeout or 0.0))

        if self._timeout is not None:
            later(self._timeout, over)
        try:
            with when_abandoned(lambda: later(_GRACE_SECONDS, lambda: self.pool.forget(key))):
                yield
        finally:
            for timer in timers:
                timer.cancel()

    def _out_of_memory(self, model: str, error: BaseException) -> ExpertError:
        self.pool.clear()
        return ExpertError(
            f"{model!r} ran out of memory ({' '.join(str(error).split())[:120] or type(error).__name__}).",
            remedy="Give it a smaller input, or choose a smaller model.",
            retryable=True,
        )
