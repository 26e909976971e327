"""Which models may run a task: those of the index that some runner can run, best first; and runners that are absent."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from langchain_hugginggpt.index import ModelCard, ModelCardIndex
from langchain_hugginggpt.index.errors import CallerError
from langchain_hugginggpt.tools import HUB_TASKS, Candidate, Experts, HubTask, Runner
from langchain_hugginggpt.tools.errors import NoExpertError
from langchain_hugginggpt.tools.runners.absent import AbsentRunner
from langchain_hugginggpt.tools.runners.embedded import EmbeddedRunner
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


class Counting(ScriptedRunner):
    """Counts the cards that it is asked about, and may name its models beforehand."""

    def __init__(self, *models: str, told: bool) -> None:
        super().__init__(dict.fromkeys(models, GOOD), name="counting")
        self.told = told
        self.asked_about: list[ModelCard] = []

    def availability(self, task: HubTask, card: ModelCard | None = None) -> Availability:
        if card is None and self.told:
            return Availability(supported=True, ok=True, models=tuple(self.script))
        if card is not None:
            self.asked_about.append(card)
        return super().availability(task, card)


def many(count: int) -> ModelCardIndex:
    """An index in which a task has `count` models that cannot run, all of them better than the one that can."""
    cards = [ModelCard(id=f"lab/{i}", task=TASK, text="cats cats") for i in range(count)]
    return ModelCardIndex.from_cards([*cards, ModelCard(id="lab/able", task=TASK, text="cats dogs")], encoder=WordEncoder("cats", "dogs"))


def test_where_runners_name_their_models_no_other_card_is_looked_at() -> None:
    runner = Counting("lab/able", "lab/elsewhere", told=True)
    found = Experts(many(5000), [runner, AbsentRunner("none", why="no", remedy="")]).candidates(HUB_TASKS[TASK], "cats")
    assert ids(found) == ["lab/able"]
    assert {c.id for c in runner.asked_about} == {"lab/able"}
    assert len(runner.asked_about) < 5


def test_one_runner_that_runs_anything_opens_the_search_to_all_cards() -> None:
    named, anything = Counting("lab/able", told=True), Counting("lab/7", told=False)
    found = Experts(many(80), [named, anything]).candidates(HUB_TASKS[TASK], "cats")
    assert ids(found) == ["lab/7", "lab/able"]


def test_the_embedded_runner_names_its_models() -> None:
    runner = EmbeddedRunner()
    assert runner.availability(HUB_TASKS[TASK]).models == ("embedded/extractive-summary",)
    assert runner.availability(HUB_TASKS["text-to-image"]).models is None


def test_what_cannot_be_fetched_is_not_told_as_a_choice() -> None:
    """Of an embedded expert one cannot say "fetch it"; it is told where a runner has such."""
    index = ModelCardIndex.from_cards([*CARDS, ModelCard(id="embedded/x", task=TASK, text="cats")], encoder=WordEncoder("cats", "dogs"))
    local, embedded = Counting("lab/nothing", told=False), Counting("embedded/x", told=False)
    assert "embedded/x" not in Experts(index, [local]).considered(HUB_TASKS[TASK], "cats")
    assert Experts(index, [local, embedded]).considered(HUB_TASKS[TASK], "cats")[0] == "embedded/x"


def test_an_index_without_the_task_gives_no_models_of_other_tasks() -> None:
    """Its search falls back to tasks that are near; here such a model could not be used."""
    runner = Counting("lab/7", "embedded/extractive-summary", told=False)
    experts = Experts(INDEX, [runner])
    near = HUB_TASKS["text-generation"]
    assert INDEX.search("cats", task=near.name)
    assert experts.considered(near, "cats") == ()
    with pytest.raises(NoExpertError):
        experts.candidates(near, "cats")
    other = ModelCardIndex.from_cards([ModelCard(id="lab/7", task="translation", text="cats")], encoder=WordEncoder("cats", "dogs"))
    assert ids(Experts(other, [runner]).candidates(HUB_TASKS[TASK], "cats")) == ["embedded/extractive-summary"]


class Addressed(ScriptedRunner):
    """Has models that the user named by an address, without a task, and may have any other as well."""

    def __init__(self, *models: str, others: bool = False) -> None:
        super().__init__(dict.fromkeys([*models, *(c.id for c in CARDS if others)], GOOD), name="addressed")
        self._told = Availability(supported=True, ok=True, models=None if others else (), unbound=models)

    def availability(self, task: HubTask, card: ModelCard | None = None) -> Availability:
        return self._told if card is None else super().availability(task, card)


@pytest.mark.parametrize("others", [True, False])
def test_a_model_that_was_named_without_a_task_is_first_where_the_index_knows_it(others: bool) -> None:
    experts = Experts(INDEX, [ScriptedRunner({"lab/first": GOOD}), Addressed("lab/third", others=others)])
    found = experts.candidates(HUB_TASKS[TASK], "cats")
    assert (found[0].card.id, found[0].runner.name, found[0].why) == ("lab/third", "addressed", "named for this task")
    assert ids(found) == ["lab/third", "lab/first"] if not others else ["lab/third", "lab/first", "lab/second"]
    assert experts.availability(HUB_TASKS[TASK])["addressed"].named == ("lab/third",)
    assert ids(experts.candidates(HUB_TASKS[TASK], "cats", limit=2)) == ["lab/third", "lab/first"]


@pytest.mark.parametrize(("task", "model"), [("translation", "lab/third"), (TASK, "lab/unknown"), ("translation", "lab/unknown")])
def test_it_does_no_task_for_which_the_index_does_not_know_it(task: str, model: str) -> None:
    index = ModelCardIndex.from_cards([*CARDS, ModelCard(id="lab/x", task="translation", text="cats")], encoder=WordEncoder("cats", "dogs"))
    experts = Experts(index, [Addressed(model)])
    told = experts.availability(HUB_TASKS[task])["addressed"]
    assert not told.ok
    assert told.remedy == f"Name the address by the task: --endpoint {task}=URL."
    with pytest.raises(NoExpertError, match="do other tasks, as far as the index knows"):
        experts.candidates(HUB_TASKS[task], "cats")
    assert ids(Experts(index, [Addressed(model, others=True)]).candidates(HUB_TASKS[TASK], "cats", limit=1)) != ["lab/unknown"]
    (asked_for,) = Experts(index, [Addressed("lab/unknown")]).candidates(HUB_TASKS[task], model="lab/unknown")
    assert asked_for.card.id == "lab/unknown"


class Refusing(ScriptedRunner):
    """Can do the task in general, and says of each model why it cannot run it."""

    def availability(self, task: HubTask, card: ModelCard | None = None) -> Availability:
        if card is None:
            return Availability(supported=True, ok=True)
        return Availability(supported=True, ok=False, why=f"{card.id} is asleep", remedy="Wake it.")


def test_that_none_can_run_is_said_with_why_the_best_cannot() -> None:
    with pytest.raises(NoExpertError, match=r"lab/first is asleep \(lab/first\)") as caught:
        Experts(INDEX, [Refusing({})]).candidates(HUB_TASKS[TASK], "cats")
    assert caught.value.remedy == "Wake it."


def test_only_embedded_experts_ship_with_the_toolkit() -> None:
    """The catalogue has other cards, too; an index of one's own that lacks them lacks them on purpose."""
    anything = AnyModel({})
    other = ModelCardIndex.from_cards([ModelCard(id="lab/7", task="translation", text="cats")], encoder=WordEncoder("cats", "dogs"))
    assert ids(Experts(other, [anything]).candidates(HUB_TASKS[TASK], "cats")) == ["embedded/extractive-summary"]


class AnyModel(ScriptedRunner):
    """Runs whatever it is given."""

    def availability(self, task: HubTask, card: ModelCard | None = None) -> Availability:
        return Availability(supported=True, ok=True)
