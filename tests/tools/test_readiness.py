"""The order of candidates where several kinds of runners can do a task."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import pytest

from langchain_hugginggpt.index import ModelCard, ModelCardIndex
from langchain_hugginggpt.tools import HUB_TASKS, Candidate, Experts, HubTask
from langchain_hugginggpt.tools.readiness import Order, most_ready
from langchain_hugginggpt.tools.runners.runner import Availability, Place, RunnerOutput
from tests.fakes import WordEncoder

TASK = HUB_TASKS["summarization"]
CARDS = [ModelCard(id=f"lab/{n}", task=TASK.name, text="cats " * k + "dogs") for k, n in ((4, "a"), (3, "b"), (2, "c"), (1, "d"))]
INDEX = ModelCardIndex.from_cards(CARDS, encoder=WordEncoder("cats", "dogs"))


class PlacedRunner:
    """Says of its models where they are, and runs none."""

    def __init__(self, name: str, models: Mapping[str, Availability], *, any_model: bool = False, named: tuple[str, ...] = ()) -> None:
        self.name = name
        self._models = models
        self._told = Availability(supported=True, ok=True, models=None if any_model else tuple(models), named=named)
        self._any = any_model

    def availability(self, task: HubTask, card: ModelCard | None = None) -> Availability:
        if card is None:
            return self._told
        if card.id in self._models:
            return self._models[card.id]
        return at(Place.HOSTED) if self._any else Availability(supported=True, ok=False, why="not one of its models")

    def run(self, task: HubTask, card: ModelCard, inputs: Mapping[str, Any]) -> RunnerOutput:
        raise AssertionError

    async def arun(self, task: HubTask, card: ModelCard, inputs: Mapping[str, Any]) -> RunnerOutput:
        raise AssertionError


def at(place: Place | None, *, seconds: float | None = None, cost: float | None = None) -> Availability:
    return Availability(supported=True, ok=True, place=place, seconds=seconds, cost=cost)


def ordered(*runners: PlacedRunner, limit: int = 5) -> list[str]:
    found = Experts(INDEX, runners, order=Order.READINESS).candidates(TASK, "cats", limit=limit)
    return [f"{c.card.id.removeprefix('lab/')}:{c.runner.name}" for c in found]


def test_what_is_more_ready_comes_first() -> None:
    local = PlacedRunner("local", {"lab/c": at(Place.LOADED), "lab/d": at(Place.HERE), "lab/a": at(Place.ABSENT), "lab/b": at(Place.TIGHT)})
    hosted = PlacedRunner("hosted", {"lab/b": at(Place.REACHED), "lab/a": at(Place.HOSTED)})
    assert ordered(local, hosted, limit=9) == ["c:local", "d:local", "b:hosted", "a:hosted", "a:local", "b:local"]


def test_among_equally_ready_ones_cost_counts_before_speed_and_speed_before_relevance() -> None:
    cards = {
        "lab/a": at(Place.REACHED, seconds=9.0, cost=0.01),
        "lab/b": at(Place.REACHED, seconds=9.0),
        "lab/c": at(Place.REACHED, seconds=1.0),
        "lab/d": at(Place.REACHED, seconds=0.9, cost=0.02),
    }
    quick = PlacedRunner("here", {"lab/d": at(Place.LOADED)})
    assert ordered(PlacedRunner("hosted", cards), quick) == ["d:here", "c:hosted", "b:hosted", "a:hosted", "d:hosted"]


def test_a_little_slower_is_as_good() -> None:
    """Times waver: only who takes twice as long is put behind a less relevant one."""
    cards = {"lab/c": at(Place.REACHED, seconds=1.1), "lab/d": at(Place.REACHED, seconds=1.9)}
    other = PlacedRunner("here", {"lab/a": at(Place.LOADED)})
    relevant_first = ordered(PlacedRunner("hosted", {"lab/c": cards["lab/d"], "lab/d": cards["lab/c"]}), other)
    assert relevant_first[1:] == ordered(PlacedRunner("hosted", cards), other)[1:]


def test_another_kind_of_runner_is_kept_for_when_all_before_it_fail() -> None:
    local = PlacedRunner("local", {c.id: at(Place.HERE) for c in CARDS})
    hosted = PlacedRunner("hosted", {}, any_model=True)
    found = ordered(local, hosted, limit=2)
    assert [f.split(":")[1] for f in found] == ["local", "hosted"]
    assert [f.split(":")[1] for f in ordered(local, hosted, limit=1)] == ["local"]


def test_models_that_no_index_knows_are_among_them_though_a_hosted_runner_can_run_any_card() -> None:
    mine = PlacedRunner("local", {"mine/own": at(Place.HERE)})
    assert ordered(mine, PlacedRunner("hosted", {}, any_model=True))[0] == "mine/own:local"


@pytest.mark.parametrize("order", Order)
def test_what_the_user_named_for_the_task_is_before_everything(order: Order) -> None:
    ident = "http://127.0.0.1:8080/"
    hosted = PlacedRunner("hosted", {ident: at(Place.NAMED)}, named=(ident,))
    local = PlacedRunner("local", {"lab/a": at(Place.LOADED)})
    first, second = Experts(INDEX, [local, hosted], order=order).candidates(TASK, "cats")
    assert (first.card.id, first.runner.name, first.why) == (ident, "hosted", "named for this task")
    assert second.card.id == "lab/a"


def test_relevance_leaves_places_alone() -> None:
    local = PlacedRunner("local", {"lab/d": at(Place.LOADED), "lab/c": at(Place.ABSENT)})
    found = Experts(INDEX, [local, PlacedRunner("hosted", {"lab/b": at(Place.HOSTED)})]).candidates(TASK, "cats")
    assert [c.score for c in found] == sorted((c.score for c in found), reverse=True)
    assert {c.card.id for c in found} == {"lab/b", "lab/c", "lab/d"}


def test_the_order_does_not_depend_on_the_order_in_which_runners_were_asked() -> None:
    one, two = (PlacedRunner(n, {}) for n in ("one", "two"))
    given = [
        (Candidate(card=CARDS[i], runner=r, score=0.0, why=""), at(place))
        for r, places in ((one, (Place.HERE, Place.ABSENT)), (two, (Place.LOADED, Place.REACHED)))
        for i, place in enumerate(places)
    ]
    chosen = {tuple((c.card.id, c.runner.name) for c in most_ready([*a, *b], 3)) for a, b in itertools.permutations([given[:2], given[2:]])}
    assert chosen == {(("lab/a", "two"), ("lab/a", "one"), ("lab/b", "two"))}


def test_the_models_of_one_runner_alone_are_put_in_order_too() -> None:
    cards = {"lab/a": at(Place.REACHED, cost=0.5), "lab/b": at(Place.HOSTED), "lab/c": at(Place.REACHED, seconds=0.1)}
    assert ordered(PlacedRunner("hosted", cards)) == ["c:hosted", "a:hosted", "b:hosted"]
