"""What the re-ranker looks at, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from langchain_hugginggpt.index.ranking import Evidence
from langchain_hugginggpt.index.ranking.features import FEATURES, features, newness, smallness
from tests.index.ranking.evidences import evidence, query


def column(name: str, *found: Evidence, text: str = "write code", spread: float | None = 0.1) -> list[float]:
    table = features(query(text), found, spread=spread, task_logs=[0.0] * len(found))
    assert table.shape == (len(found), len(FEATURES))
    return [round(float(x), 4) for x in table[:, FEATURES.index(name)]]


def test_meaning_is_told_as_the_distance_to_the_best_passage() -> None:
    found = evidence(0.7), evidence(0.6), evidence(0.4)
    assert column("meaning", *found) == pytest.approx([0, -1, -3], abs=1e-3)
    deviation = float(np.std([0.7, 0.6, 0.4]))
    assert column("meaning", *found, spread=None) == pytest.approx([0, -0.1 / deviation, -0.3 / deviation], abs=1e-3)
    assert column("meaning", evidence(0.5), evidence(0.5), spread=None) == [0, 0]


def test_words_and_ranks() -> None:
    found = evidence(bm25=8.0, dense=10, lexical=1), evidence(bm25=2.0, dense=None, lexical=30), evidence(bm25=None, dense=1)
    assert column("words", *found) == [1, 0.25, 0]
    assert column("meaning rank", *found) == [0.5, 0, round(10 / 11, 4)]
    assert column("words rank", *found) == [round(10 / 11, 4), 0.25, 0]
    assert column("words", evidence(bm25=None)) == [0]


def test_a_language_that_the_query_names() -> None:
    found = (
        evidence(ident="zoo/asr-de", languages=()),
        evidence(languages=("fr", "de")),
        evidence(languages=("fr",)),
        evidence(ident="zoo/model"),
    )
    text = "Transcribe German speech"
    assert column("language", *found, text=text) == [0, 1, 0, 0]
    assert column("other language", *found, text=text) == [0, 0, 1, 0]
    assert column("language in id", *found, text=text) == [1, 0, 0, 0]
    assert column("language", *found, text="From German to French, or English to French") == [0, round(2 / 3, 4), round(1 / 3, 4), 0]
    for name in ("language", "other language", "language in id"):
        assert column(name, *found, text="Transcribe speech, as it is in de Haan's clip") == [0, 0, 0, 0]


def test_popularity_is_told_among_those_found() -> None:
    thousand, million = evidence(downloads=999), evidence(downloads=999_999)
    low, high = column("popularity", thousand, million)
    assert high == pytest.approx(np.log(1000) / 2 / 4, abs=1e-3)
    assert low == -high
    assert column("popularity", evidence(downloads=0), evidence(downloads=10**9)) == [-1, 1]


def test_unknown_downloads_are_neither_good_nor_bad() -> None:
    known = evidence(downloads=0), evidence(downloads=10**9)
    assert column("popularity", *known, evidence(), evidence()) == [-0.5, 0.5, 0, 0]  # and count less, the fewer are known
    assert column("popularity", evidence(), evidence()) == [0, 0]


def test_newness_and_smallness() -> None:
    found = [evidence(last_modified="2026-01-01", parameters=10**6), evidence(last_modified="2020-01-01T10:00:00Z", parameters=10**12)]
    assert newness(found).tolist() == [1, -1]
    assert smallness(found).tolist() == [1, -1]
    assert newness([evidence(last_modified="soon"), evidence()]).tolist() == [0, 0]
    assert smallness([evidence(parameters=5)]).tolist() == [0]
