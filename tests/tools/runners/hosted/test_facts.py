"""What calls told: for how long it counts, what clears it, and that processes share it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from langchain_hugginggpt.index import ModelCard, ModelCardIndex
from langchain_hugginggpt.index.errors import ExpertError
from langchain_hugginggpt.tools import HUB_TASKS, Experts
from langchain_hugginggpt.tools.errors import NoExpertError
from langchain_hugginggpt.tools.runners.hosted import Facts, HostedRunner
from tests.fakes import WordEncoder
from tests.hosted_server import Fault, HostedServer

_TASK = HUB_TASKS["text-classification"]
_TOKEN = "hf_" + "x" * 34
_TEXT = {"text": "good"}
_CARDS = [ModelCard(id=f"lab/{n}", task=_TASK.name, text="cats") for n in ("one", "two")]
_INDEX = ModelCardIndex.from_cards(_CARDS, encoder=WordEncoder("cats"))


class Clock:
    """Stands still."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def hub(server: HostedServer, monkeypatch: pytest.MonkeyPatch) -> HostedServer:
    """Plays the Hub, with two models."""
    server.hub(monkeypatch)
    server.models |= {card.id: _TASK.name for card in _CARDS}
    return server


def _fails(runner: HostedRunner, card: ModelCard) -> None:
    with pytest.raises(ExpertError):
        runner.run(_TASK, card, _TEXT)


@pytest.mark.parametrize(("status", "why", "remedy"), [(402, "credits", "Buy credits"), (401, "not accepted", "valid token")])
def test_a_refused_account_is_said_of_the_task_until_it_counts_no_more(
    hub: HostedServer, clock: Clock, status: int, why: str, remedy: str
) -> None:
    runner = HostedRunner(token=_TOKEN, facts=Facts(clock=clock))
    hub.faults.append(Fault(status=status, body={"error": "no"}))
    _fails(runner, _CARDS[0])
    told = runner.availability(_TASK)
    assert not told.ok
    assert why in told.why
    assert remedy in told.remedy
    assert told.remedy.endswith("It may be called again in 60 seconds.")
    with pytest.raises(NoExpertError, match=why) as caught:
        Experts(_INDEX, [runner]).candidates(_TASK, "cats")
    assert remedy in caught.value.remedy
    assert not runner.availability(HUB_TASKS["translation"]).ok
    assert HostedRunner(token="hf_other", facts=runner.facts).availability(_TASK).ok, "it is about this token alone"
    clock.now += 61
    assert runner.availability(_TASK).ok


@pytest.mark.parametrize("status", [401, 402])
def test_a_call_that_is_answered_clears_what_was_known_of_the_account(hub: HostedServer, clock: Clock, status: int) -> None:
    runner = HostedRunner(token=_TOKEN, facts=Facts(clock=clock))
    hub.faults.append(Fault(status=status, body={"error": "no"}))
    _fails(runner, _CARDS[0])
    assert not runner.availability(_TASK).ok
    runner.run(_TASK, _CARDS[1], _TEXT)
    assert runner.availability(_TASK).ok
    assert len(Experts(_INDEX, [runner]).candidates(_TASK, "cats")) == 2


def test_what_blocks_the_hub_leaves_endpoints_alone(hub: HostedServer, clock: Clock) -> None:
    url = hub.url(_TASK.name)
    runner = HostedRunner(token=_TOKEN, endpoints={_TASK.name: url}, facts=Facts(clock=clock))
    hub.faults.append(Fault(status=402, body={"error": "no"}))
    _fails(runner, _CARDS[0])
    told = runner.availability(_TASK)
    assert (told.ok, told.models, told.named) == (True, (url,), (url,))
    assert not runner.availability(HUB_TASKS["translation"]).ok


def test_why_none_of_the_best_models_can_run_is_said(hub: HostedServer, clock: Clock) -> None:
    runner = HostedRunner(token=_TOKEN, provider="hf-inference", facts=Facts(clock=clock))
    hub.models.clear()
    for card in _CARDS:
        _fails(runner, card)
    assert runner.availability(_TASK).ok, "another model may be served"
    with pytest.raises(NoExpertError, match=r"not served .*\(lab/one\)") as caught:
        Experts(_INDEX, [runner]).candidates(_TASK, "cats")
    assert "Choose another model" in caught.value.remedy
    assert "in 15 minutes" in caught.value.remedy


# the file


def test_two_processes_keep_each_others_facts(tmp_path: Path, clock: Clock) -> None:
    one, two = (Facts(tmp_path / "facts.json", clock=clock) for _ in range(2))
    one.failed("a", "it is gone", "")
    two.failed("b", "it is gone", "")
    again = Facts(tmp_path / "facts.json", clock=clock)
    assert set(again.all()) == {"a", "b"}


def test_what_another_process_learnt_is_known_within_a_second_or_so(tmp_path: Path, clock: Clock) -> None:
    one, two = (Facts(tmp_path / "facts.json", clock=clock) for _ in range(2))
    one.failed("a", "it is gone", "")
    clock.now += 1.5
    known = two.about("a")
    assert known is not None
    assert known.why == "it is gone"
    two.clear("a")
    clock.now += 1.5
    cleared = one.about("a")
    assert cleared is not None
    assert cleared.why == ""


def test_of_two_facts_the_newer_counts(tmp_path: Path, clock: Clock) -> None:
    one, two = (Facts(tmp_path / "facts.json", clock=clock) for _ in range(2))
    one.failed("a", "old", "")
    clock.now += 1
    two.failed("a", "new", "")
    one.failed("b", "other", "")
    clock.now += 2
    assert [f.why for facts in (one, two) if (f := facts.about("a"))] == ["new", "new"]


def test_a_success_after_a_failure_is_written_at_once(tmp_path: Path, clock: Clock) -> None:
    facts = Facts(tmp_path / "facts.json", clock=clock)
    facts.failed("a", "it is gone", "")
    facts.answered("a", 1.0)
    known = Facts(tmp_path / "facts.json", clock=clock).about("a")
    assert known is not None
    assert known.why == ""


def test_a_fact_of_the_far_future_is_not_taken_over(tmp_path: Path, clock: Clock) -> None:
    """A machine whose clock was wrong would hold for ever."""
    path = tmp_path / "facts.json"
    ahead = Facts(path, clock=lambda: 1e9)
    ahead.failed("a", "it is gone", "")
    facts = Facts(path, clock=clock)
    facts.answered("a", 1.0)
    clock.now += 2
    ahead.failed("b", "it is gone", "")
    known: Any = facts.about("a")
    assert known.took == (1.0,)


@pytest.mark.parametrize("name", ["a", "unknown"])
def test_clearing_what_is_not_held_up_writes_nothing(name: str, tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "facts.json"
    facts = Facts(path, clock=clock)
    facts.answered("a", 1.0)
    path.unlink()
    facts.clear(name)
    assert not path.exists()
