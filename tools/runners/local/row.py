"""What the runner knows of a task: a row of its table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from ..runner import RunnerOutput

if TYPE_CHECKING:
    from .devices import Device
    from .loaded import LoadedModel
    from .model_files import ModelFiles

LocalExpert = Callable[["LoadedModel", Mapping[str, Any]], RunnerOutput]
"""Runs a loaded model on the inputs of a task (see `Runner`). Other models for the same task need no other function."""

Ask = Callable[[str, Mapping[str, Any]], Iterator[tuple[str, RunnerOutput]]]
"""Runs the models on this machine that do a task (its Hub name) on inputs of that task, one after another as they are asked for: the id of
each, and its output. A model that fails is passed over; it is an ExpertError if all do. Nothing comes where there is no such model."""

Preparation = Callable[[Ask, "ModelFiles", Mapping[str, Any]], Mapping[str, Any]]
"""What has to be made of the inputs by other models before a model gets them; gives back the inputs, with more among them. No model is held
in memory for it meanwhile."""


class Loader(Protocol):
    """Loads the models of a library that do one kind of work."""

    @property
    def packages(self) -> tuple[str, ...]:
        """Top-level packages that it imports."""

    @property
    def name(self) -> str:
        """The same for loaders that make the same of a folder: such a model is loaded once for all of its tasks."""

    def fits(self, files: ModelFiles) -> bool:
        """Whether a folder seems to hold such a model. Fast: no library is imported. `load` looks closer."""

    def expected(self, files: ModelFiles, device: Device) -> int:
        """Bytes that the weights will take."""

    def load(self, files: ModelFiles, device: Device) -> LoadedModel:
        """Load it.

        Raises:
            ModelRefusedError: it does something else, part of it would be random, or its weights are damaged.
        """


@runtime_checkable
class StandsOnBase(Protocol):
    """A loader whose models are but a part, and need another model beside them: `load` finds it as `files.base`."""

    def base_of(self, files: ModelFiles) -> tuple[str, ...]:
        """Hub ids of the model that it stands on: the same one under several names, the one to fetch first.

        Raises:
            ModelRefusedError: nothing tells which.
        """


@dataclass(frozen=True, kw_only=True)
class LocalRow:
    """How a Hub task is run.

    Attributes:
        task: the Hub's name of it.
        function: a `LocalExpert`, or `module:name` of one in this folder, imported when the task is run for the first time.
        loaders: what may hold its models; the first that fits a folder is taken.
        prepare: a `Preparation`, or `module:name` of one; None where models get the inputs as they are.
        extra: the extra of this distribution that brings its packages.
        packages: packages that the function needs besides those of its loaders.
        libraries: the Hub's names of libraries whose models these are; models of other libraries are not considered.
    """

    task: str
    function: str | LocalExpert
    loaders: tuple[Loader, ...]
    prepare: str | Preparation | None = None
    extra: str = "local"
    packages: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ("transformers",)

    def loader_for(self, files: ModelFiles) -> Loader | None:
        """The loader that fits a folder."""
        return next((loader for loader in self.loaders if loader.fits(files)), None)

    def needs(self) -> tuple[str, ...]:
        """Top-level packages without which the task cannot be run at all; the pool asks psutil how much memory is free."""
        return tuple(dict.fromkeys((*self.loaders[0].packages, *self.packages, "psutil")))

    def expert(self) -> LocalExpert:
        """The function."""
        function: LocalExpert = _imported(self.function) if isinstance(self.function, str) else self.function
        return function

    def prepared(self, ask: Ask, files: ModelFiles, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """The inputs as the function wants them for a model."""
        if self.prepare is None:
            return inputs
        prepare: Preparation = _imported(self.prepare) if isinstance(self.prepare, str) else self.prepare
        return prepare(ask, files, inputs)


def _imported(where: str) -> Any:
    module, name = where.split(":")
    return getattr(import_module(f".{module}", __package__), name)
