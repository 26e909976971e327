"""Both sides of a fetcher."""

from __future__ import annotations

import pytest


@pytest.fixture(params=["sync", "async"])
def side(request: pytest.FixtureRequest) -> str:
    side: str = request.param
    return side
