"""benchmarks/evaluation.py: its data set is read without a fault, and its planner is right where it should be."""

from __future__ import annotations

from pathlib import Path

from benchmarks.evaluation import NoTime, most_memory, run_once, write_data
from langchain_hugginggpt.evaluation import evaluate_planning, load_taskbench


def test_the_data_set_holds_what_it_says(tmp_path: Path) -> None:
    write_data(tmp_path, 30)
    evaluation = evaluate_planning(load_taskbench(tmp_path), NoTime())
    assert evaluation.n == 30
    assert not evaluation.problems
    two = evaluation.summary.groups["number of tasks"]["2"]  # the requests that the one plan is made for
    assert (two.n, two.figures["official.n_f1"].value, two.figures["strict.e_f1"].value) == (10, 1.0, 1.0)
    assert evaluation.summary.groups["number of tasks"]["1"].figures["official.n_f1"].value == 0.0


def test_one_measurement() -> None:
    seconds, megabytes = run_once(20)
    assert seconds > 0
    assert 20 < megabytes <= most_memory() + 1
