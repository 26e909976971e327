from __future__ import annotations

from pathlib import Path

import pytest

from langchain_hugginggpt.evaluation.errors import DatasetError
from langchain_hugginggpt.evaluation.metrics.runs import Price
from langchain_hugginggpt.evaluation.prices import load_prices


def test_prices(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("gpt-5-mini: {input: 0.25, output: 2}\nfree: {input: 0, output: 0}\n")
    assert load_prices(tmp_path / "p.yaml") == {"gpt-5-mini": Price(input=0.25, output=2.0), "free": Price(input=0.0, output=0.0)}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "holds no prices: all of it: "),
        ("gpt: 3", "holds no prices: gpt: "),
        ("gpt: {input: 1}", r"holds no prices: gpt\.output: Field required"),
        ("gpt: {input: -1, output: 1}", r"holds no prices: gpt\.input: .*, not -1"),
        ("gpt: {input: .inf, output: 1}", r"holds no prices: gpt\.input: "),
        ("gpt: {input: 1, output: 1, cached: 1}", r"holds no prices: gpt\.cached: "),
        ("gpt: [", "is no YAML that can be read"),
        ("gpt: 2026-02-30", "is no YAML that can be read: day is out of range"),
        ("[" * 20_000, "is no YAML that can be read"),
    ],
)
def test_what_are_no_prices(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "p.yaml").write_text(text)
    with pytest.raises(DatasetError, match=told) as caught:
        load_prices(tmp_path / "p.yaml")
    assert "Write `MODEL: {input: 0.25, output: 2.00}`" in caught.value.remedy


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="cannot be read: No such file"):
        load_prices(tmp_path / "none.yaml")
