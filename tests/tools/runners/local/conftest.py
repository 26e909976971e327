"""Tiny models, each built once in a run of the tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import transformers

from langchain_hugginggpt.tools.artifacts import ArtifactStore
from langchain_hugginggpt.tools.runners.local import LocalRunner
from langchain_hugginggpt.tools.runners.local.devices import Device
from tests.local_models.case import Case
from tests.local_models.samples import Samples


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the tiny models."""
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def built(models: Path) -> Callable[[Case], Path]:
    """Builds a case's model on first use."""

    def build(case: Case) -> Path:
        folder = models / case.id
        if not folder.exists():
            torch.manual_seed(0)
            folder.mkdir()
            case.build(folder)
        return folder

    return build


@pytest.fixture(scope="session")
def local(models: Path) -> LocalRunner:
    """A runner over the tiny models, in 32 bits on every machine; the conformance suite has a run in 16 bits besides."""
    runner = LocalRunner(models=[models], device="cpu")
    runner.device = Device(name="cpu", half="float32")
    return runner


@pytest.fixture
def samples(tmp_path: Path) -> Samples:
    return Samples(ArtifactStore(tmp_path))
