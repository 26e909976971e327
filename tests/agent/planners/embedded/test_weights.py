"""The file that holds a trained planner: both ways, in 8 bits, and files that cannot be used."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from langchain_hugginggpt.agent import EmbeddedPlanner, WeightsError
from langchain_hugginggpt.agent.planners.embedded.weights import FORMAT, SHIPPED, Decoding, Known, Weights, as_stored, stored
from langchain_hugginggpt.index.minilm import MiniLM
from langchain_hugginggpt.tools import HUB_TASKS
from tests.agent.planners.embedded.blank import weights

MATRIX, NORM = "encoder.layer.5.output.dense.weight", "encoder.layer.5.output.LayerNorm.weight"
DECODING = Decoding(node=-0.5, parent=0.25, twice=1.5, spoken=True)


def test_both_ways(tmp_path: Path) -> None:
    path = tmp_path / "planner.safetensors"
    chance = np.random.default_rng(1)
    layers = {MATRIX: chance.normal(size=(3, 8)).astype(np.float32), NORM: chance.normal(size=8).astype(np.float32)}
    made = replace(weights(decoding=DECODING, own_bias=[0.5, -0.25, 0, 1]), layers=layers, card={"seed": 3, "über": [1.5]})
    made.save(path)
    read = Weights.load(path)
    assert (read.tables, read.card) == (made.tables, made.card)
    assert read.head.keys() == made.head.keys()
    assert all(np.array_equal(read.head[k], made.head[k]) for k in made.head)
    assert read.head["own_bias"].tolist() == [0.5, -0.25, 0, 1]
    assert read.layers.keys() == layers.keys()
    assert all(np.array_equal(read.layers[k], v) for k, v in as_stored(layers).items())
    assert list(tmp_path.iterdir()) == [path]
    made.save(path)  # over the old one
    assert list(tmp_path.iterdir()) == [path]


def test_the_encoders_matrices_take_one_byte_a_number_and_all_else_two() -> None:
    kept = stored({MATRIX: np.ones((4, 10), np.float32), NORM: np.ones(10, np.float32), "ask.weight": np.ones((4, 10), np.float32)})
    sizes = {name: value.nbytes for name, value in kept.items()}
    assert sizes == {MATRIX: 40, MATRIX + ".scale": 8, NORM: 20, "ask.weight": 80}


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(-4, 2))
def test_a_number_in_8_bits_is_off_by_no_more_than_half_a_step_of_its_row(seed: int, size: float) -> None:
    """A step is a 127th of the largest number of the row; the scale is kept in 16 bits, which costs the largest a little more."""
    rows = (
        np.random.default_rng(seed).normal(size=(5, 16)).astype(np.float32)
        * np.float32(10) ** np.linspace(size, 2, 5, dtype=np.float32)[:, None]
    )
    kept = as_stored({MATRIX: rows})[MATRIX]
    step = np.abs(rows).max(1, keepdims=True) / 127
    assert (np.abs(kept - rows) <= 0.6 * step + 2.0**-18).all()


def test_a_row_of_zeros_stays_one() -> None:
    rows = np.zeros((2, 4), np.float32)
    rows[1] = [1, -1, 0.5, 0]
    kept = as_stored({MATRIX: rows})[MATRIX]
    assert kept[0].tolist() == [0, 0, 0, 0]
    assert kept[1] == pytest.approx(rows[1], abs=0.005)


HUB = Known(name="hub", tasks=("summarization", "text-to-speech", "image-classification"), first=0, decoding=Decoding())
BENCH = Known(name="taskbench", tasks=("Summarization", "Text-to-Speech", "Tabular Classification"), first=3, decoding=DECODING)


@pytest.mark.parametrize(
    ("names", "table", "rows"),
    [
        (["summarization", "text-to-speech"], "hub", [0, 1]),  # as many in both: the first table
        (["Text-to-Speech", "Summarization", "Tabular Classification"], "taskbench", [4, 3, 5]),
        (["tabular_classification", "Text To Speech", "time-travel"], "taskbench", [5, 4, -1]),
        (["image classification", "time-travel", "summarization"], "hub", [2, -1, 0]),
        (["time-travel"], "hub", [-1]),
        ([], "hub", []),
    ],
)
def test_which_table_of_training_a_table_is_like(names: list[str], table: str, rows: list[int]) -> None:
    made = replace(weights(), tables=(HUB, BENCH))
    assert made.known(names).name == table
    assert made.rows(names) == rows


def test_the_weights_in_the_package() -> None:
    shipped = Weights.load(SHIPPED)
    assert shipped.known(HUB_TASKS).name == "hub"
    assert -1 not in shipped.rows(HUB_TASKS)
    assert not shipped.known(HUB_TASKS).decoding.spoken
    assert SHIPPED.stat().st_size < 8_000_000


ARRAYS = {"own_bias": np.zeros(3, np.float16), "described": np.zeros((3, 384), np.float16)}


def write(path: Path, **facts: str) -> None:
    known = {"format": FORMAT, "encoder": MiniLM.name, "tables": json.dumps([asdict(HUB)]), "card": "{}"}
    save_file(ARRAYS, path, metadata=known | facts)


def test_what_is_written_by_hand_for_these_tests_can_be_read(tmp_path: Path) -> None:
    write(tmp_path / "w.safetensors")
    assert Weights.load(tmp_path / "w.safetensors").tables == (HUB,)


def torn(path: Path) -> None:
    weights().save(path)
    path.write_bytes(path.read_bytes()[:-1000])


def no_tables(path: Path) -> None:
    save_file(ARRAYS, path, metadata={"format": FORMAT, "encoder": MiniLM.name, "card": "{}"})


def without(name: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        whole = weights()
        replace(whole, head={k: v for k, v in whole.head.items() if k != name}).save(path)

    return make


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: None, "cannot be read"),
        (lambda p: p.mkdir(), "cannot be read"),
        (lambda p: p.write_bytes(b""), "cannot be read"),
        (lambda p: p.write_bytes(b"\x08\0\0\0\0\0\0\0{torn"), "cannot be read"),
        (torn, "cannot be read"),
        (lambda p: save_file({"x": np.zeros(3, np.float32)}, p), r"holds 'no planner' for None; 'hugginggpt-planner/2' for .* is needed"),
        (lambda p: write(p, format="hugginggpt-planner/1"), r"holds 'hugginggpt-planner/1' for .*; 'hugginggpt-planner/2' for"),
        (lambda p: write(p, encoder="other"), r"for 'other'; .* for 'sentence-transformers/all-MiniLM-L6-v2' is needed"),
        (lambda p: write(p, tables="{"), "what it says of itself is broken"),
        (lambda p: write(p, tables='[{"name": "hub"}]'), "what it says of itself is broken"),
        (lambda p: write(p, card="[]"), "what it says of itself is broken"),
        (without("described"), "is broken: 0 tasks have weights"),
        (without("own_bias"), "is broken: 0 tasks have weights"),
        (no_tables, "what it says of itself is broken"),
        (lambda p: write(p, tables="[]"), "what it says of itself is broken"),
        (lambda p: write(p, tables=json.dumps([asdict(replace(HUB, first=1))])), "is broken: 3 tasks have weights"),
        (lambda p: write(p, tables=json.dumps([asdict(replace(HUB, first=-1))])), "is broken: 3 tasks have weights"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, make: Callable[[Path], object], message: str) -> None:
    path = tmp_path / "planner.safetensors"
    make(path)
    for read in (Weights.load, lambda p: EmbeddedPlanner(weights=p)):
        with pytest.raises(WeightsError, match=message):
            read(path)
