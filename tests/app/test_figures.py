"""How figures look in a terminal."""

from __future__ import annotations

import io

from rich.console import Console

from langchain_hugginggpt.app.figures import show_evaluation
from langchain_hugginggpt.evaluation.selection import evaluate_selection
from tests.evaluation.selection_sets import popular_is_right, word_encoder


def test_gains_over_the_baselines_are_told_with_their_intervals() -> None:
    data = popular_is_right(8)
    evaluation = evaluate_selection(data, baselines=["minilm"], encoder=word_encoder(8))
    out = io.StringIO()
    show_evaluation(Console(file=out, width=200), evaluation)
    shown = out.getvalue()
    assert "Above the baselines, with the 95 % interval of the paired difference" in shown
    assert "The re-ranker that ships has not seen these requests." in shown
    row = next(line for line in shown.split("Above the baselines")[1].splitlines() if "minilm/filtered" in line)
    assert "+50.0 (+" in row
    assert " … +" in row
