"""For every test."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark that langchain-tests uses; the plugin that owns it is switched off in pyproject.toml."""
    config.addinivalue_line("markers", "benchmark: used by langchain-tests")
