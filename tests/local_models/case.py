"""What the conformance suite runs: one case for each task and kind of model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.local_models.samples import Samples


@dataclass(frozen=True, kw_only=True)
class Case:
    """A task, a tiny model for it, and what must come out.

    Attributes:
        task: the Hub's name of it.
        kind: of model, e.g. `bert`.
        build: writes a model with random weights into a folder: seconds, less than 1 MB.
        inputs: arguments of the tool.
        check: asserts what must hold of the output by port, whatever the weights are. Files are Artifacts.
        live: Hub id of a small real model for `make live`; None where there is none.
        live_check: asserts what a real model must find; default `check`.
        half: also run in bfloat16.
    """

    task: str
    kind: str
    build: Callable[[Path], None]
    inputs: Callable[[Samples], Mapping[str, Any]]
    check: Callable[[Mapping[str, Any], Samples], None]
    live: str | None = None
    live_check: Callable[[Mapping[str, Any], Samples], None] | None = field(default=None)
    half: bool = False

    @property
    def id(self) -> str:
        """Name of the case, and of the model's folder."""
        return f"{self.task}--{self.kind}"
