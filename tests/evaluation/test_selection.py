"""Selection, from requests to figures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from langchain_hugginggpt.evaluation.errors import RunFolderError
from langchain_hugginggpt.evaluation.evaluating import Evaluation, RunOptions
from langchain_hugginggpt.evaluation.record import Record
from langchain_hugginggpt.evaluation.run_folder import RunFolder
from langchain_hugginggpt.evaluation.selection import (
    SelectionCase,
    SelectionData,
    aevaluate_selection,
    evaluate_selection,
    selection_json,
)
from langchain_hugginggpt.index import ModelCard, ModelCardIndex
from langchain_hugginggpt.index.errors import UnknownNameError
from langchain_hugginggpt.index.problems import Problems
from tests.fakes import WordEncoder

WORDS = ("cats", "dogs", "birds")
FIGURES = ("n", "filtered", "unfiltered", "baselines", "intervals")


def card(name: str, text: str, task: str, downloads: int | None = None) -> ModelCard:
    return ModelCard(id=f"zoo/{name}", task=task, text=text, downloads=downloads)


SEES, READS = "image-classification", "image-to-text"
CARDS = (
    card("a", "cats", SEES, 1),
    card("b", "cats dogs", SEES, 9),
    card("c", "birds", SEES),
    card("d", "cats cats dogs", READS, 5),
    card("e", "dogs", READS, 3),
)
CASES = (
    SelectionCase(id="1", query="cats", model="zoo/a", task=SEES),
    SelectionCase(id="2", query="dogs", model="zoo/b", task=SEES),
    SelectionCase(id="3", query="cats", model="zoo/d", task=READS),
    SelectionCase(id="4", query="dogs", model="zoo/d", task=READS),
)


def data(*cases: SelectionCase, cards: tuple[ModelCard, ...] = CARDS) -> SelectionData:
    def read(problems: Problems) -> Iterator[SelectionCase]:
        problems.add("read", "by the test")
        yield from cases

    return SelectionData(name="zoo", cards=cards, read=read, size=len(cases), notes=("A note.",), settings={"data": "zoo"})


def evaluate(*cases: SelectionCase, index: ModelCardIndex | None = None, **given: Any) -> Evaluation:
    return evaluate_selection(data(*cases), index, encoder=WordEncoder(*WORDS), **given)


def test_figures_by_hand() -> None:
    told = selection_json(evaluate(*CASES, baselines=["minilm", "most-downloads"]))
    # cosines by meaning (cats, dogs): a (1, 0), b (1, 1), c none, d (2, 1), e (0, 1)
    # "cats" in its task: a, b of three; d, e. "dogs": b, then a, c; e, d.
    # all cards, "cats": a, d, b; "dogs": e, b, d.
    minilm = told["baselines"]["minilm"]
    assert told["n"] == 4
    assert minilm["filtered"] == {"r1": 75.0, "r5": 100.0, "r10": 100.0, "mrr": 87.5}
    assert minilm["unfiltered"] == {
        "r1": 25.0,
        "r5": 100.0,
        "r10": 100.0,
        "mrr": pytest.approx(100 * (1 + 1 / 2 + 1 / 2 + 1 / 3) / 4, abs=1e-4),
        "task1": 50.0,  # a (right), e (wrong), a (wrong), e (right)
    }
    # most downloads: in SEES b, a; in READS d, e; of all b, d, e, a. c has none.
    downloads = told["baselines"]["most-downloads"]
    assert downloads["filtered"] == {"r1": 75.0, "r5": 100.0, "r10": 100.0, "mrr": 87.5}
    assert downloads["unfiltered"]["mrr"] == pytest.approx(100 * (1 / 4 + 1 + 1 / 2 + 1 / 2) / 4)
    assert downloads["unfiltered"]["task1"] == 50.0


def test_the_index_is_judged_by_both_searches() -> None:
    evaluation = evaluate(*CASES[:2], baselines=[])
    told = selection_json(evaluation)
    assert told["baselines"] == {}
    assert told["filtered"] == {"r1": 100.0, "r5": 100.0, "r10": 100.0, "mrr": 100.0}
    assert told["unfiltered"]["r1"] == 50.0  # "dogs" finds e, which is for the other task
    assert told["unfiltered"]["task1"] == 50.0
    assert "filtered.r1" not in told["intervals"]  # all cases agree
    assert told["latency_ms"]["p50"] > 0
    assert evaluation.summary.confusion == {(SEES, SEES): 1, (SEES, READS): 1}
    assert evaluation.summary.groups["task"][SEES].n == 2
    assert "A note." in told["notes"]
    assert told["problems"]["read"]["count"] == 1


def test_a_record_says_what_was_found() -> None:
    seen: list[Record] = []
    told = data(CASES[1], cards=tuple(c for c in CARDS if c.id != "zoo/c"))  # without c no two cards are equally near
    evaluate_selection(told, baselines=["minilm"], options=RunOptions(on_record=seen.append), encoder=WordEncoder(*WORDS))
    (record,) = seen
    assert record.detail == {
        "query": "dogs",
        "model": "zoo/b",
        "task": SEES,
        "ranks": {"index": {"filtered": 1, "unfiltered": 2}, "minilm": {"filtered": 1, "unfiltered": 2}},
        "filtered": ["zoo/b", "zoo/a"],
        "unfiltered": [{"id": f"zoo/{n}", "task": t} for n, t in (("e", READS), ("b", SEES), ("d", READS), ("a", SEES))],
    }
    assert (record.gold, record.predicted, record.groups) == ((SEES,), (READS,), {"task": SEES})


def test_a_model_that_the_given_index_lacks_is_not_found_and_not_dropped() -> None:
    others = (CARDS[0], card("b", "cats dogs", READS))
    index = ModelCardIndex.from_cards(others, encoder=WordEncoder(*WORDS), source="two cards")
    evaluation = evaluate(*CASES, index=index, baselines=["minilm"])
    told = selection_json(evaluation)
    assert told["n"] == 4
    assert told["filtered"]["r10"] == 25.0  # case 1 alone: b is there for another task only, d not at all
    assert told["unfiltered"]["r10"] == 50.0
    assert told["problems"]["right model is not in the index (counts as not found)"] == {"count": 2, "places": ["3: zoo/d", "4: zoo/d"]}
    other = "right model is in the index for another task (not found with the filter)"
    assert told["problems"][other] == {"count": 1, "places": [f"2: zoo/b: {SEES}"]}
    assert told["baselines"]["minilm"]["filtered"]["r10"] == 100.0
    assert any("not the cards of the index that was given" in n for n in told["notes"])


def test_what_is_left_out_is_said() -> None:
    without = tuple(ModelCard(id=c.id, task=c.task, text=c.text) for c in CARDS)
    evaluation = evaluate_selection(data(CASES[0], cards=without), baselines=["most-downloads"], encoder=WordEncoder(*WORDS))
    assert selection_json(evaluation)["baselines"] == {}
    assert any(n.startswith("Baseline most-downloads is left out: Downloads are known for none") for n in evaluation.notes)
    with_some = evaluate(CASES[0], baselines=["most-downloads"])
    assert any("never finds the 1 of 5 cards" in n for n in with_some.notes)


def test_an_unknown_baseline_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'bm25'"):
        evaluate(CASES[0], baselines=["bm-25"])


async def test_every_baseline_runs_and_the_cards_are_encoded_once() -> None:
    seen: list[tuple[int, int]] = []
    given: dict[str, Any] = {"encoder": WordEncoder(*WORDS), "on_encoded": lambda done, of: seen.append((done, of))}
    evaluation = await aevaluate_selection(data(*CASES), options=RunOptions(workers=3), **given)
    assert list(selection_json(evaluation)["baselines"]) == ["most-downloads", "bm25", "minilm", "langchain-faiss"]
    assert seen == [(5, 5)]


def test_a_run_is_resumed_and_another_one_refused(tmp_path: Path) -> None:
    whole = evaluate(*CASES, baselines=["minilm"], options=RunOptions(out=tmp_path / "whole"))
    part = tmp_path / "part"
    evaluate(*CASES[:2], baselines=["minilm"], options=RunOptions(out=part))
    resumed = evaluate(*CASES, baselines=["minilm"], options=RunOptions(out=part, resume=True, workers=4))
    assert sorted(r.id for r in RunFolder.open(part).records()) == ["1", "2", "3", "4"]
    told, expected = selection_json(resumed), selection_json(whole)
    assert {k: told[k] for k in FIGURES} == {k: expected[k] for k in FIGURES}
    with pytest.raises(RunFolderError, match=r"another run.*baselines"):
        evaluate(*CASES, baselines=[], options=RunOptions(out=part, resume=True))
    index = ModelCardIndex.from_cards(CARDS, encoder=WordEncoder(*WORDS))
    with pytest.raises(RunFolderError, match=r"another run.*index"):
        evaluate(*CASES, index=index, baselines=["minilm"], options=RunOptions(out=part, resume=True))


def test_an_index_that_breaks_is_recorded_as_failures(tmp_path: Path) -> None:
    ModelCardIndex.build(CARDS, tmp_path, encoder=WordEncoder(*WORDS))
    (lost,) = tmp_path.glob(f"g-*/{READS}.faiss")
    lost.unlink()
    evaluation = evaluate(*CASES, index=ModelCardIndex.open(tmp_path, encoder=WordEncoder(*WORDS)), baselines=["minilm"])
    told = selection_json(evaluation)
    assert told["filtered"]["r10"] == 0.0
    assert told["baselines"]["minilm"]["filtered"]["r10"] == 100.0
    assert sum(told["errors"].values()) == 4
    assert "has lost the vectors of image-to-text" in next(iter(told["errors"]))
