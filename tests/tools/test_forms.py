"""One form for each output that is JSON, whoever gives it."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_hugginggpt.index.errors import ExpertError
from langchain_hugginggpt.tools.forms import FORMS
from langchain_hugginggpt.tools.hub_tasks import HUB_TASKS
from langchain_hugginggpt.tools.outputs import check_output
from langchain_hugginggpt.tools.task import Kind
from langchain_hugginggpt.tools.views import text_view
from tests.agent.stubs import SAMPLES

BOX = {"xmin": 1, "ymin": 2, "xmax": 30, "ymax": 40}


def test_forms_are_those_of_ports_that_exist() -> None:
    assert all(HUB_TASKS[task].output_port(port).kind is Kind.JSON for task, port in FORMS)
    assert set(SAMPLES) == set(FORMS)


@pytest.mark.parametrize("key", sorted(FORMS))
def test_a_value_of_the_form_passes_and_none_at_all_too(key: tuple[str, str]) -> None:
    port = HUB_TASKS[key[0]].output_port(key[1])
    check_output(key[0], port, SAMPLES[key])
    check_output(key[0], port, [])


@pytest.mark.parametrize(
    ("task", "value", "at"),
    [
        ("object-detection", [{"label": "cat", "score": 0.9}], "0.box"),
        ("object-detection", [{"label": "cat", "score": 0.9, "box": {**BOX, "xmax": None}}], "0.box.xmax"),
        ("object-detection", {"label": "cat"}, "it"),
        ("token-classification", [{"label": "PER", "score": "high", "start": 0, "end": 1, "text": "a"}], "0.score"),
        ("sentence-similarity", [0.5, "x"], "1"),
        ("keypoint-detection", [{"x": 1, "y": 2}], "0.label"),
        ("time-series-forecasting", [1.0, 2.0], "0"),
    ],
)
def test_another_form_is_the_experts_fault_and_says_where(task: str, value: Any, at: str) -> None:
    with pytest.raises(ExpertError, match=f"in another form than {task} has: {at}: "):
        check_output(task, HUB_TASKS[task].output, value)


def test_what_has_no_form_may_be_any_json() -> None:
    port = HUB_TASKS["graph-ml"].output
    check_output("graph-ml", port, {"anything": [1, None]})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (
            [{"label": label, "score": score, "box": BOX} for label, score in (("cat", 0.981), ("cat", 0.5), ("dog", 0.4))],
            "3 found: 2 × cat, 1 × dog\ncat (0.98) at 1, 2 to 30, 40\ncat (0.50) at 1, 2 to 30, 40\ndog (0.40) at 1, 2 to 30, 40",
        ),
        ([{"label": "PER", "score": 0.99, "start": 0, "end": 3, "text": "Ada"}], "Ada: PER (0.99)"),
        ([{"label": "nose", "x": 10.4, "y": 20.6, "score": 0.7, "figure": 0}], "nose (0.70) at 10, 21"),
        ([{"label": "sky", "score": None}, {"label": "sea", "score": 0.5}], "sky\nsea (0.50)"),
        ([{"text": "first", "index": 3, "score": 0.9}], "first (0.90)"),
        ([{"index": 1, "score": 23.421}, {"index": 0, "score": -0.5}], "number 2 (23.42)\nnumber 1 (-0.50)"),
        ([{"start": 0.5, "end": 2.0}, {"start": 3.0, "end": 4.0, "label": "A"}], "0.50 to 2.00 s\n3.00 to 4.00 s: A"),
        ([], "[]"),
        ([{"a": 1}], '[{"a": 1}]'),
        ([{"label": "x", "score": "odd"}], '[{"label": "x", "score": "odd"}]'),
        ([{"label": "cat", "score": 1, "box": {}}], '[{"label": "cat", "score": 1, "box": {}}]'),
    ],
)  # fmt: skip
def test_what_was_found_reads_as_text(value: Any, text: str) -> None:
    assert text_view(Kind.JSON, value) == text
