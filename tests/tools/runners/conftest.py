"""One embedded runner for all tests: its engines load once."""

from __future__ import annotations

from pathlib import Path

import pytest

from langchain_hugginggpt.tools.artifacts import ArtifactStore
from langchain_hugginggpt.tools.runners.embedded import EmbeddedRunner


@pytest.fixture(scope="session")
def embedded() -> EmbeddedRunner:
    return EmbeddedRunner()


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path)
