"""Which models may run a task: those of the index that some runner can run, best first; and runners that are absent."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from langchain_hugginggpt.index import ModelCard, ModelCardIndex
from langchain_hugginggpt.index.errors import CallerError
from langchain_hugginggpt.tools import HUB_TASKS, Candidate, Experts, Runner
from langchain_hugginggpt.tools.runners.absent import AbsentRunner
from langchain_hugginggpt.tools.runners.runner import Availability
from tests.fakes import ScriptedRunner, WordEncoder

TASK = "summarization"
CARDS = [ModelCard(id=f"lab/{n}", task=TASK, text="cats " * k + "dogs") for k, n in ((3, "first"), (2, "second"), (1, "third"))]
INDEX = ModelCardIndex.from_cards(CARDS, encoder=WordEncoder("cats", "dogs"))
GOOD = {"summary": "short"}


def ids(candidates: Sequence[Candidate]) -> list[str]:
    return [c.card.id for c in candidates]


def test_candidates_are_those_that_can_run_best_first() -> None:
    experts = Experts(INDEX, [ScriptedRunner({"lab/third": GOOD, "lab/second": GOOD})])
    found = experts.candidates(HUB_TASKS[TASK], "cats")
    assert ids(found) == ["lab/second", "lab/third"]
    assert found[0].score > found[1].score > 0
    assert "by meaning" in found[0].why
    assert experts.candidates(HUB_TASKS[TASK], "cats") is found  # remembered
    assert ids(experts.candidates(HUB_TASKS[TASK], "cats", limit=1)) == ["lab/second"]


def test_the_first_runner_that_can_run_a_card_runs_it() -> None:
    one, two = ScriptedRunner({"lab/second": GOOD}, name="one"), ScriptedRunner({"lab/first": GOOD, "lab/second": GOOD}, name="two")
    found = Experts(INDEX, [one, two]).candidates(HUB_TASKS[TASK], "cats")
    assert [(c.card.id, c.runner.name) for c in found] == [("lab/first", "two"), ("lab/second", "one")]


def test_shipped_experts_step_in_where_an_index_lacks_them() -> None:
    runner = ScriptedRunner({"embedded/extractive-summary": GOOD})
    experts = Experts(INDEX, [runner])
    (found,) = experts.candidates(HUB_TASKS[TASK], "cats")
    assert (found.card.id, found.why, found.score) == ("embedded/extractive-summary", "ships with the toolkit", 0.0)
    (named,) = experts.candidates(HUB_TASKS[TASK], model="embedded/extractive-summary")
    assert named.why == "named by the caller"


def test_the_index_is_opened_once_and_only_when_it_is_needed() -> None:
    opened: list[int] = []

    def opening() -> ModelCardIndex:
        opened.append(1)
        return INDEX

    experts = Experts(opening, [ScriptedRunner({"lab/first": GOOD})])
    assert experts.availability(HUB_TASKS[TASK])["scripted"].ok
    assert opened == []
    experts.candidates(HUB_TASKS[TASK], "a")
    experts.candidates(HUB_TASKS[TASK], "b")
    assert opened == [1]


def test_an_absent_runner_says_why() -> None:
    absent = AbsentRunner("cloud", why="there is no key", remedy="Set a key.")
    assert isinstance(absent, Runner)
    for card in (None, CARDS[0]):
        assert absent.availability(HUB_TASKS[TASK], card) == Availability(
            supported=False, ok=False, why="there is no key", remedy="Set a key."
        )
    with pytest.raises(CallerError, match=r"runner 'cloud' cannot run summarization: there is no key\. Set a key\."):
        absent.run(HUB_TASKS[TASK], CARDS[0], {})


async def test_an_absent_runner_says_why_async() -> None:
    with pytest.raises(CallerError, match="cannot run summarization"):
        await AbsentRunner("cloud", why="there is no key", remedy="").arun(HUB_TASKS[TASK], CARDS[0], {})
