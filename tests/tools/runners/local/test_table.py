"""The page that says which runner runs which task is what the tests say."""

from __future__ import annotations

from itertools import combinations

from langchain_hugginggpt.tools.hub_tasks import HUB_TASKS
from langchain_hugginggpt.tools.runners.local.table import LOCAL, NOT_RUN
from tests.local_models.all import CASES
from tests.local_models.table import TABLE, live_runs, table


def test_the_table_is_current() -> None:
    assert TABLE.read_text("utf-8") == table(), "run: python -m tests.local_models.table"


def test_every_task_is_run_or_it_is_said_why_not() -> None:
    assert set(LOCAL) | set(NOT_RUN) == set(HUB_TASKS)
    assert set(LOCAL) & set(NOT_RUN) == set()


def test_what_was_run_live_has_a_case() -> None:
    assert set(live_runs()) <= {c.id for c in CASES}


def test_tasks_share_a_loaded_model_only_where_they_want_the_same_numbers() -> None:
    for one, other in combinations((loader for row in LOCAL.values() for loader in row.loaders), 2):
        if one.name == other.name:
            assert getattr(one, "half", None) == getattr(other, "half", None), one.name
