"""What several experts share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ....index.minilm import MiniLM
from ..runner import RunnerOutput
from .ocr import PageReader


@dataclass(frozen=True, kw_only=True)
class Engines:
    """Heavy things, each loaded on its own first use.

    Attributes:
        encoder: sentence vectors.
        pages: OCR.
    """

    encoder: MiniLM
    pages: PageReader


class Expert(Protocol):
    """Does one task. Made once, used from several threads."""

    def __call__(self, inputs: Mapping[str, Any]) -> RunnerOutput:
        """Do it.

        Args:
            inputs: by input port of the task, as `Runner.run` takes them.

        Raises:
            CallerError: the inputs are at fault.
        """
