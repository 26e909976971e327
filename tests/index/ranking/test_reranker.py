"""The re-ranker: what it does to an order, what it refuses to read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from langchain_hugginggpt.index import MiniLM
from langchain_hugginggpt.index.errors import IndexFileError
from langchain_hugginggpt.index.ranking import Evidence, Query, Reranker, shipped_reranker
from langchain_hugginggpt.index.ranking.features import FEATURES
from langchain_hugginggpt.index.ranking.reranker import SHIPPED
from tests.index.ranking.evidences import evidence, query

TASKS = ("text-generation", "translation")


def made(**given: Any) -> Reranker:
    """Knows two tasks by the first two coordinates of a query, and adds all features up."""
    linear = np.zeros((4, 2), np.float32)
    linear[0, 0] = linear[1, 1] = 5
    weights = {
        "tasks.weight": linear,
        "tasks.bias": np.zeros(2, np.float32),
        "direct": np.ones(len(FEATURES), np.float32),
        "hidden.weight": np.zeros((len(FEATURES), 3), np.float32),
        "hidden.bias": np.zeros(3, np.float32),
        "out": np.zeros(3, np.float32),
    }
    return Reranker(**{"encoder": "test", "tasks": TASKS, "spread": 0.1, "weights": weights, "seen": ("abc",), **given})


def order(*found: Evidence, ranker: Reranker | None = None, **asked: Any) -> list[int]:
    scores = (ranker or shipped_reranker()).scores(query(**asked), found)
    return [int(i) for i in np.argsort(-scores, kind="stable")]


def test_scores_are_shares() -> None:
    scores = made().scores(query(), [evidence(0.5), evidence(0.4), evidence(0.4)])
    assert scores.sum() == pytest.approx(1)
    assert scores[1] == scores[2]
    assert scores[0] / scores[1] == pytest.approx(np.e, rel=1e-3)  # a spread apart
    assert made().scores(query(), []).shape == (0,)


def test_without_a_task_the_task_of_the_query_counts() -> None:
    cards = evidence(task="translation"), evidence(task="text-generation"), evidence(task="robotics")
    assert order(*cards, ranker=made(), task=None) == [1, 2, 0]  # a task that nobody knows is in between
    asked = made().scores(query(task="translation"), cards)
    assert asked.tolist() == pytest.approx([1 / 3] * 3)


def test_another_encoder_is_served_without_the_classifier() -> None:
    cards = evidence(0.9, task="translation"), evidence(0.1)
    scores = made().scores(query(task=None, encoder="other"), cards)
    same = made().scores(query(task=None, encoder="other"), (evidence(0.52, task="translation"), evidence(0.48)))
    assert scores.tolist() == pytest.approx(same.tolist())  # whatever its cosines look like
    assert scores[0] > scores[1]
    longer = replace(query(task=None, encoder="other"), vector=np.zeros(1024, np.float32))
    assert made().scores(longer, cards).tolist() == pytest.approx(scores.tolist())


def test_it_is_saved_and_read(tmp_path: Path) -> None:
    made().save(tmp_path / "r.safetensors")
    read = Reranker.load(tmp_path / "r.safetensors")
    assert (read.encoder, read.tasks, read.spread, read.seen) == ("test", TASKS, 0.1, ("abc",))
    cards = evidence(0.9, task="translation"), evidence(0.1)
    assert read.scores(query(task=None), cards).tolist() == made().scores(query(task=None), cards).tolist()


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.safetensors"
    with pytest.raises(IndexFileError, match="cannot be read"):
        Reranker.load(path)
    path.write_bytes(b"no weights")
    with pytest.raises(IndexFileError, match="cannot be read"):
        Reranker.load(path)
    save_file({"x": np.zeros(1, np.float32)}, path, metadata={"format": "7"})
    with pytest.raises(IndexFileError, match="format '7'"):
        Reranker.load(path)
    for broken in ({"out": np.zeros(4, np.float32)}, {"direct": np.zeros(2, np.float32)}):
        made(weights=made().weights | broken).save(path)
        with pytest.raises(IndexFileError, match="wrong shape"):
            Reranker.load(path)
    made(weights={k: v for k, v in made().weights.items() if k != "out"}).save(path)
    with pytest.raises(IndexFileError, match="lacks weights"):
        Reranker.load(path)


def test_weights_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.safetensors"
    made(weights=made().weights | {"out": np.full(3, np.nan, np.float32)}).save(path)
    with pytest.raises(IndexFileError, match="no numbers"):
        Reranker.load(path)


class TestShipped:
    """The one that ships."""

    def test_it_says_what_it_has_seen(self) -> None:
        assert len(shipped_reranker().seen) == 1
        assert shipped_reranker().encoder == MiniLM.name
        card = SHIPPED.with_suffix(".md").read_text("utf-8")
        assert "It has seen every one of these requests" in card
        assert "hugginggpt train reranker" in card
        assert sum(w.size for w in load_file(SHIPPED).values()) < 30_000

    def test_nearer_and_better_worded_cards_come_first(self) -> None:
        assert order(evidence(0.4, dense=2), evidence(0.6, dense=1)) == [1, 0]
        assert order(evidence(bm25=1.0, lexical=9), evidence(bm25=9.0, lexical=1)) == [1, 0]

    def test_popular_cards_come_first_among_equals_only(self) -> None:
        known, unknown = evidence(downloads=5_000_000), evidence(downloads=5)
        assert order(unknown, known) == [1, 0]
        far = evidence(0.2, bm25=None, dense=50, downloads=5_000_000)
        assert order(far, evidence(0.6, downloads=5)) == [1, 0]

    def test_new_and_small_ones_come_first_among_equals_only(self) -> None:
        old, new = evidence(last_modified="2020-01-01"), evidence(last_modified="2026-06-01")
        assert order(old, new) == [1, 0]
        assert order(evidence(parameters=10**11), evidence(parameters=10**8)) == [1, 0]
        assert order(evidence(0.6, last_modified="2020-01-01"), evidence(0.45, dense=5, last_modified="2026-06-01")) == [0, 1]

    def test_cards_for_the_language_come_first(self) -> None:
        french, german = evidence(languages=("fr",)), evidence(languages=("de",))
        assert order(french, german, text="transcribe German speech") == [1, 0]
        assert order(evidence(ident="zoo/en-fr"), evidence(ident="zoo/en-de"), text="English to German") == [1, 0]

    @pytest.mark.parametrize(
        ("text", "task"),
        [
            ("Write down what is said in this recording", "automatic-speech-recognition"),
            ("Make a picture of a red house", "text-to-image"),
            ("Put this letter into French", "translation"),
        ],
    )
    def test_it_finds_the_task_of_a_request(self, text: str, task: str) -> None:
        encoder = MiniLM()
        asked = Query(text=text, vector=encoder.encode([text])[0], task=None, encoder=encoder.name)
        cards = [evidence(task="tabular-regression"), evidence(task=task), evidence(task="depth-estimation")]
        scores = shipped_reranker().scores(asked, cards)
        assert scores.argmax() == 1
        assert scores[1] > 0.5
