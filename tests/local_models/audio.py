"""Tiny models of the tasks in tools/runners/local/audio."""

from __future__ import annotations

from tests.local_models.case import Case

CASES: tuple[Case, ...] = ()
