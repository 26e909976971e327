"""benchmarks/experts.py: both sides do the same work, loads are counted, memory is judged, and each part makes its table."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from benchmarks import experts_cold, experts_large, experts_turns
from benchmarks.by_hand import BY_HAND
from benchmarks.experts import HEAD, TOGETHER_HEAD, Sample, concurrent, in_turn, warm
from benchmarks.experts_turns import Round, lines, turns
from benchmarks.startup import table
from langchain_hugginggpt.tools.runners.local.table import LOCAL
from tests.local_models.all import CASES


def test_every_task_is_done_by_hand() -> None:
    assert {i.split("--")[0] for i in BY_HAND} == set(LOCAL)
    assert set(BY_HAND) <= {c.id for c in CASES}
    assert {s.case for s in experts_cold.STARTS} <= {c.id for c in CASES}


@pytest.mark.parametrize("case_id", ["text-classification--bert", "image-classification--vit", "summarization--t5"])
def test_both_sides_do_the_same_work(case_id: str) -> None:
    (found,) = warm([c for c in CASES if c.id == case_id], 0.0)
    assert found.id == case_id
    assert found.modules[0] == found.modules[1] > 10
    assert found.calls == 5
    assert min(found.hand, found.ours) > 0
    assert len(found.row()) == len(HEAD)


def test_the_limit() -> None:
    def kept(hand: float, ours: float) -> bool:
        return Sample(id="a--b", hand=hand, ours=ours, calls=1, modules=(0, 0)).kept

    assert kept(1.0, 4.0)
    assert not kept(1.0, 4.1)
    assert kept(100.0, 105.0)
    assert not kept(100.0, 105.1)
    assert Sample(id="a--b", hand=2.0, ours=3.0, calls=1, modules=(0, 0)).row()[1:6] == ("–", "2.00", "3.00", "+1.00", "+50%")


def test_in_turn() -> None:
    order: list[str] = []

    def timer(name: str) -> float:
        order.append(name)
        return 1.0

    assert in_turn((lambda: timer("a"), lambda: timer("b")), 0.0) == [[1.0] * 5] * 2
    assert order == ["a", "b"] * 5


def test_ten_callers_load_once() -> None:
    (row,) = concurrent([c for c in CASES if c.id == "text-classification--bert"])
    assert row[:2] == ("text-classification--bert", "1")
    assert row[-1] == "kept"
    assert len(row) == len(TOGETHER_HEAD)


def test_models_take_turns_under_the_bound() -> None:
    bound, before, found = turns(models=3, held=2, rounds=2, width=32, layers=1)
    assert len(found) == 2
    assert all(0 < r.pool <= bound for r in found)
    assert all(0 < r.lowest <= r.highest for r in found)
    assert before > 10**7


def test_memory_is_judged() -> None:
    flat = Round(lowest=500, highest=600, pool=100)
    text = lines(100, 490, [flat, Round(lowest=500, highest=700, pool=100), Round(lowest=500, highest=600, pool=101)])
    assert [line.rsplit("| ", 1)[1] for line in text.splitlines()[2:5]] == ["kept |", "MISSED |", "MISSED |"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_large_models_in_small() -> None:
    found = experts_large.samples(experts_large.TINY, 0.0)
    assert [s.id for s, _, _ in found] == ["image-classification--vit", "text-generation--llama"]
    assert all(s.modules[0] == s.modules[1] > 10 for s, _, _ in found)
    assert all(speed > 0 and memory > 0 for _, speed, memory in found)


def test_a_cold_start_that_fails_is_not_a_measurement(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        experts_cold.seconds("raise SystemExit(3)", tmp_path)
    assert 0 < experts_cold.seconds("pass", tmp_path) < 60


def test_the_table_has_a_cell_for_each_head() -> None:
    sample = Sample(id="a--b", hand=2.0, ours=3.0, calls=1, modules=(7, 8))
    assert table(HEAD, [sample.row()]).splitlines()[2].count("|") == len(HEAD) + 1
    assert experts_turns.resident() > 10**6
