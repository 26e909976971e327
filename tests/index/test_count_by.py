"""How many cards there are for each value of a fact."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from langchain_hugginggpt.index import ModelCard, ModelCardIndex
from langchain_hugginggpt.index.errors import UnknownNameError
from tests.fakes import WordEncoder

DAY = "2026-01-02"
A = ModelCard(
    id="a", task="translation", license="mit", library="nemo", languages=("de", "en"), last_modified=DAY, flags=("odd", "gives-orders")
)
B = ModelCard(id="b", task="translation", license="mit", languages=("en",), last_modified=DAY, text='It says "flags" and [].')
C = ModelCard(id="c", task="summarization", flags=("odd",))
COUNTS = {
    "task": {"translation": 2, "summarization": 1},
    "license": {"mit": 2, "": 1},
    "library": {"": 2, "nemo": 1},
    "language": {"en": 2, "de": 1},
    "modified": {DAY: 2, "": 1},
    "flag": {"odd": 2, "gives-orders": 1},
}


@pytest.mark.parametrize("fact", COUNTS)
def test_in_memory_and_on_disk(fact: str, tmp_path: Path) -> None:
    for index in (
        ModelCardIndex.from_cards([A, B, C], encoder=WordEncoder("x")),
        ModelCardIndex.build([A, B, C], tmp_path, encoder=WordEncoder("x")),
    ):
        assert list(index.count_by(fact).items()) == list(COUNTS[fact].items())  # the commonest first


def test_it_follows_what_changes_and_goes(tmp_path: Path) -> None:
    index = ModelCardIndex.build([A, B, C], tmp_path, encoder=WordEncoder("x"))
    ModelCardIndex.build([replace(A, license="apache-2.0", languages=("fr",), flags=()), B], tmp_path, encoder=WordEncoder("x"))
    assert index.count_by("license") == {"apache-2.0": 1, "mit": 1}
    assert index.count_by("language") == {"en": 1, "fr": 1}
    assert index.count_by("flag") == {}
    assert index.count_by("task") == {"translation": 2}


def test_other_facts_are_unknown() -> None:
    index = ModelCardIndex.from_cards([A], encoder=WordEncoder("x"))
    with pytest.raises(UnknownNameError, match=r"no fact named 'licence'.*'license'"):
        index.count_by("licence")
