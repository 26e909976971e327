"""Calls that are made again: after which errors, after which waits, how often, and what the trace says of them."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from langchain_core.messages import ToolMessage

from langchain_hugginggpt.index import ModelCard, ModelCardIndex
from langchain_hugginggpt.index.errors import ExpertError, HuggingGPTError
from langchain_hugginggpt.tools import HUB_TASKS, ArtifactStore, Experts, HubTask, HubTaskTool, RunnerOutput
from langchain_hugginggpt.tools.errors import ExpertTimeoutError, InputError, MediaError, ModelRefusedError
from langchain_hugginggpt.tools.runners.retrying import RetryingRunner
from langchain_hugginggpt.tools.runners.runner import Availability, Runner
from tests.fakes import ScriptedRunner, WordEncoder

TASK = HUB_TASKS["summarization"]
CARD = ModelCard(id="lab/first", task=TASK.name, text="cats cats dogs")
OTHER = ModelCard(id="lab/second", task=TASK.name, text="cats dogs")
GOOD = RunnerOutput(values={"summary": "short"}, notes=("a note",), usage={"usd": 0.1})
Made = Callable[[], Exception]


def busy(retry_after: float | None = None, text: str = "busy") -> Made:
    return lambda: ExpertError(text, retryable=True, retry_after=retry_after)


class Timed:
    """A runner whose calls take, on a clock of its own, given seconds and then give or raise something; waits move the clock as well."""

    name = "timed"

    def __init__(self, *calls: tuple[float, RunnerOutput | Made]) -> None:
        self.calls = list(calls)
        self.now = 1000.0
        self.made = 0
        self.waits: list[float] = []

    def availability(self, task: HubTask, card: ModelCard | None = None) -> Availability:
        return Availability(supported=True, ok=card is None or card.id == CARD.id, why="it is another", models=(CARD.id,))

    def run(self, task: HubTask, card: ModelCard, inputs: Mapping[str, Any]) -> RunnerOutput:
        assert (task, card.id, dict(inputs)) == (TASK, CARD.id, {"text": "cats"})
        seconds, outcome = self.calls[self.made]
        self.made += 1
        self.now += seconds
        if isinstance(outcome, RunnerOutput):
            return outcome
        raise outcome()

    async def arun(self, task: HubTask, card: ModelCard, inputs: Mapping[str, Any]) -> RunnerOutput:
        return self.run(task, card, inputs)

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    async def await_wait(self, seconds: float) -> None:
        self.wait(seconds)


def retrying(runner: Timed, *, jitter: Callable[[float], float] = lambda most: most, **settings: Any) -> RetryingRunner:
    return RetryingRunner(
        runner, jitter=jitter, wait=runner.wait, await_wait=runner.await_wait, clock=lambda: runner.now, **{"patience": 1e9, **settings}
    )


async def outcome(sync: bool, runner: Runner) -> RunnerOutput | Exception:
    try:
        if sync:
            return runner.run(TASK, CARD, {"text": "cats"})
        return await runner.arun(TASK, CARD, {"text": "cats"})
    except Exception as e:
        return e


@pytest.fixture(params=[True, False], ids=["run", "arun"])
def sync(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def test_it_is_a_runner_and_speaks_for_the_one_it_wraps() -> None:
    inner = Timed()
    runner = RetryingRunner(inner)
    assert isinstance(runner, Runner)
    assert runner.name == "timed"
    assert runner.runner is inner
    assert runner.availability(TASK, OTHER) == inner.availability(TASK, OTHER)
    assert runner.availability(TASK) == inner.availability(TASK)
    assert RetryingRunner(ScriptedRunner({}, name="mine")).name == "mine"


async def test_a_call_that_succeeds_is_made_once_and_its_output_is_handed_on_as_it_is(sync: bool) -> None:
    runner = Timed((1.0, GOOD))
    assert await outcome(sync, retrying(runner)) is GOOD
    assert runner.waits == []


async def test_a_retryable_error_is_followed_by_another_call_and_told_in_tries(sync: bool) -> None:
    runner = Timed((1.0, busy()), (2.0, busy(text="busy again")), (4.0, GOOD))
    found = await outcome(sync, retrying(runner))
    assert isinstance(found, RunnerOutput)
    assert found.tries == ((1.0, "busy"), (2.0, "busy again"))
    assert (found.values, found.notes, found.usage) == (GOOD.values, GOOD.notes, GOOD.usage)
    assert runner.waits == [0.5, 1.0]


async def test_when_all_calls_fail_the_last_error_goes_up_with_the_tries_before_it(sync: bool) -> None:
    runner = Timed(*[(s, busy(text=f"call {s:g}")) for s in (1.0, 2.0, 3.0, 4.0, 5.0)])
    found = await outcome(sync, retrying(runner))
    assert isinstance(found, ExpertError)
    assert found.message == "call 4"
    assert found.tries == ((1.0, "call 1"), (2.0, "call 2"), (3.0, "call 3"))
    assert runner.made == 4


FINAL: list[Made] = [
    lambda: ExpertError("no"),
    lambda: ModelRefusedError("pickled"),
    lambda: InputError("no text"),
    lambda: MediaError("no picture"),
    lambda: HuggingGPTError("some other"),
    lambda: RuntimeError("a fault of ours"),
    lambda: TimeoutError("of a library"),
]


@pytest.mark.parametrize("error", FINAL, ids=lambda e: type(e()).__name__)
async def test_any_other_error_ends_it_at_once(sync: bool, error: Made) -> None:
    runner = Timed((1.0, error), (1.0, GOOD))
    found = await outcome(sync, retrying(runner))
    assert (type(found), str(found)) == (type(error()), str(error()))
    assert (runner.made, runner.waits) == (1, [])


@pytest.mark.parametrize("error", FINAL[:5], ids=lambda e: type(e()).__name__)
async def test_any_other_error_after_a_retryable_one_tells_the_try_before(sync: bool, error: Made) -> None:
    runner = Timed((1.0, busy()), (1.0, error), (1.0, GOOD))
    found = await outcome(sync, retrying(runner))
    assert isinstance(found, HuggingGPTError)
    assert found.tries == ((1.0, "busy"),)
    assert (type(found), runner.made) == (type(error()), 2)


@pytest.mark.parametrize("attempts", [1, 2, 7])
async def test_no_more_calls_are_made_than_attempts_says(sync: bool, attempts: int) -> None:
    runner = Timed(*[(0.0, busy())] * 10)
    assert isinstance(await outcome(sync, retrying(runner, attempts=attempts)), ExpertError)
    assert (runner.made, len(runner.waits)) == (attempts, attempts - 1)


async def test_waits_double_up_to_the_longest_and_are_drawn_below_that(sync: bool) -> None:
    runner = Timed(*[(0.0, busy())] * 7, (0.0, GOOD))
    assert isinstance(await outcome(sync, retrying(runner, attempts=9, first_wait=1.0, longest_wait=10.0)), RunnerOutput)
    assert runner.waits == [1, 2, 4, 8, 10, 10, 10]
    drawn = Timed(*[(0.0, busy())] * 2, (0.0, GOOD))
    await outcome(sync, retrying(drawn, jitter=lambda most: most / 4))
    assert drawn.waits == [0.125, 0.25]


async def test_a_thousand_attempts_do_not_overflow_the_wait(sync: bool) -> None:
    runner = Timed(*[(0.0, busy())] * 1500)
    assert isinstance(await outcome(sync, retrying(runner, attempts=1500)), ExpertError)
    assert max(runner.waits) == 20.0


async def test_the_jitter_that_comes_with_it_is_full(sync: bool) -> None:
    waits = []
    for _ in range(40):
        runner = Timed((0.0, busy()), (0.0, GOOD))
        again = RetryingRunner(runner, first_wait=8.0, wait=runner.wait, await_wait=runner.await_wait)
        assert isinstance(await outcome(sync, again), RunnerOutput)
        waits += runner.waits
    assert 0 <= min(waits) < 2
    assert 6 < max(waits) <= 8
    assert len(set(waits)) == 40


async def test_it_waits_as_long_as_the_other_side_asks_and_spreads_the_callers(sync: bool) -> None:
    runner = Timed((0.0, busy(7.0)), (0.0, busy(0.0)), (0.0, busy()), (0.0, GOOD))
    await outcome(sync, retrying(runner))
    assert runner.waits == [7.5, 1.0, 2.0]


@pytest.mark.parametrize("asked", [20.1, 3600.0, float("inf"), float("nan")])
async def test_a_longer_wait_than_the_longest_is_not_waited(sync: bool, asked: float) -> None:
    runner = Timed((1.0, busy()), (1.0, busy(asked, "come back tomorrow")), (0.0, GOOD))
    found = await outcome(sync, retrying(runner))
    assert isinstance(found, ExpertError)
    assert found.message == "come back tomorrow"
    assert found.tries == ((1.0, "busy"),)
    assert (runner.made, len(runner.waits)) == (2, 1)


async def test_a_wait_asked_for_that_is_just_the_longest_is_waited_and_one_in_the_past_is_none(sync: bool) -> None:
    runner = Timed((0.0, busy(20.0)), (0.0, busy(-5.0)), (0.0, GOOD))
    assert isinstance(await outcome(sync, retrying(runner, jitter=lambda most: 0.0)), RunnerOutput)
    assert runner.waits == [20.0, 0.0]


async def test_what_took_long_and_did_not_end_is_not_given_as_long_again(sync: bool) -> None:
    def late() -> Exception:
        return ExpertTimeoutError(CARD.id, 40)

    runner = Timed((40.0, late), (1.0, GOOD))
    found = await outcome(sync, retrying(runner, patience=60))
    assert isinstance(found, ExpertTimeoutError)
    assert (runner.made, runner.waits) == (1, [])


@pytest.mark.parametrize(("patience", "made"), [(20.4, 1), (20.5, 2), (31.4, 2), (31.5, 3), (1e9, 4)])
async def test_no_call_is_begun_that_would_end_too_late(sync: bool, patience: float, made: int) -> None:
    # calls of 10 s, waits of 0.5, 1, 2 s: the second would end at 20.5 s, the third at 31.5 s
    runner = Timed(*[(10.0, busy())] * 5)
    assert isinstance(await outcome(sync, retrying(runner, patience=patience)), ExpertError)
    assert runner.made == made


async def test_every_run_begins_anew(sync: bool) -> None:
    runner = Timed((30.0, busy()), (0.0, GOOD), (30.0, busy()), (0.0, GOOD))
    again = retrying(runner, patience=61, attempts=2)
    for _ in range(2):
        found = await outcome(sync, again)
        assert isinstance(found, RunnerOutput)
        assert found.tries == ((30.0, "busy"),)
    assert runner.waits == [0.5, 0.5]


async def test_tries_of_the_runner_itself_stand_in_order(sync: bool) -> None:
    def failed() -> Exception:
        error = ExpertError("both failed", retryable=True)
        error.tries = ((1.0, "inner"),)
        return error

    found = await outcome(sync, retrying(Timed((3.0, failed), (1.0, RunnerOutput(values=GOOD.values, tries=((0.5, "later"),))))))
    assert isinstance(found, RunnerOutput)
    assert found.tries == ((1.0, "inner"), (2.0, "both failed"), (0.5, "later"))
    last = await outcome(sync, retrying(Timed((1.0, busy()), (3.0, failed)), attempts=2))
    assert isinstance(last, ExpertError)
    assert last.tries == ((1.0, "busy"), (1.0, "inner"))


@pytest.mark.parametrize(
    "settings", [{"attempts": 0}, {"attempts": -1}, {"first_wait": -0.1}, {"longest_wait": float("nan")}, {"patience": -1.0}]
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any]) -> None:
    (name,) = settings
    with pytest.raises(ValueError, match=f"{name} must be"):
        RetryingRunner(Timed(), **settings)


async def test_a_caller_that_is_cancelled_while_it_waits_is_so_at_once_and_no_call_follows() -> None:
    waiting = asyncio.Event()

    async def wait(seconds: float) -> None:
        waiting.set()
        await asyncio.Event().wait()

    runner = Timed((0.0, busy()), (0.0, GOOD))
    call = asyncio.ensure_future(RetryingRunner(runner, await_wait=wait).arun(TASK, CARD, {"text": "cats"}))
    await asyncio.wait_for(waiting.wait(), 10)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(call, 10)
    assert runner.made == 1


async def test_a_call_that_is_cancelled_is_not_made_again() -> None:
    class Hanging(Timed):
        async def arun(self, task: HubTask, card: ModelCard, inputs: Mapping[str, Any]) -> RunnerOutput:
            self.made += 1
            begun.set()
            await asyncio.Event().wait()
            raise AssertionError

    begun = asyncio.Event()
    runner = Hanging()
    call = asyncio.ensure_future(retrying(runner).arun(TASK, CARD, {}))
    await asyncio.wait_for(begun.wait(), 10)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(call, 10)
    assert (runner.made, runner.waits) == (1, [])


async def test_waits_do_not_hold_the_event_loop() -> None:
    runner = Timed((0.0, busy()), (0.0, GOOD))
    done: list[str] = []

    async def wait(seconds: float) -> None:
        await turn.wait()

    async def other() -> None:
        done.append("other")
        turn.set()

    turn = asyncio.Event()
    found, _ = await asyncio.wait_for(
        asyncio.gather(RetryingRunner(runner, await_wait=wait).arun(TASK, CARD, {"text": "cats"}), other()), 10
    )
    assert found.values == GOOD.values
    assert done == ["other"]


def test_ctrl_c_ends_a_wait_of_run() -> None:
    """With the wait that comes with it, which would take a minute."""

    class Interrupted(Timed):
        def run(self, task: HubTask, card: ModelCard, inputs: Mapping[str, Any]) -> RunnerOutput:
            timer.start()
            return super().run(task, card, inputs)

    runner = Interrupted((0.0, busy()), (0.0, GOOD))
    timer = threading.Timer(0.2, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT))
    begun = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            RetryingRunner(runner, first_wait=60.0, longest_wait=60.0, patience=1e9, jitter=lambda most: most).run(
                TASK, CARD, {"text": "cats"}
            )
    finally:
        timer.join()
    assert time.monotonic() - begun < 30
    assert runner.made == 1


async def test_many_callers_share_one_runner_and_each_has_its_own_tries() -> None:
    def failing(inputs: Mapping[str, Any]) -> Any:
        name = inputs["text"]
        seen[name] = seen.get(name, 0) + 1
        if seen[name] <= int(name) % 4:
            return ExpertError(f"busy {name} {seen[name]}", retryable=True)
        return {"summary": name}

    async def none(seconds: float) -> None:
        await asyncio.sleep(0)

    seen: dict[str, int] = {}
    again = RetryingRunner(ScriptedRunner({CARD.id: failing}), await_wait=none, wait=lambda seconds: None)
    calls = await asyncio.gather(*[again.arun(TASK, CARD, {"text": str(i)}) for i in range(100)])
    threaded = await asyncio.gather(*[asyncio.to_thread(again.run, TASK, CARD, {"text": str(i)}) for i in range(100, 150)])
    for i, output in enumerate([*calls, *threaded]):
        assert output.values == {"summary": str(i)}
        assert [text for _, text in output.tries] == [f"busy {i} {n}" for n in range(1, i % 4 + 1)]


# through the tool


class Slept(RetryingRunner):
    """Waits are none, and the seconds are real."""

    def __init__(self, runner: Runner) -> None:
        super().__init__(runner, wait=lambda seconds: None, await_wait=self._none)

    async def _none(self, seconds: float) -> None:
        return


async def called(sync: bool, *runners: Runner) -> ToolMessage:
    index = ModelCardIndex.from_cards([CARD, OTHER], encoder=WordEncoder("cats", "dogs"))
    tool = HubTaskTool(TASK, experts=Experts(index, runners), store=ArtifactStore())
    call = {"type": "tool_call", "id": "call_1", "name": TASK.name, "args": {"text": "cats"}}
    message = await asyncio.to_thread(tool.invoke, call) if sync else await tool.ainvoke(call)
    assert isinstance(message, ToolMessage)
    return message


def script(*outcomes: Any) -> Callable[[Any], Any]:
    """What the calls do, in order: an exception is made anew."""
    left = list(outcomes)

    def act(inputs: Any) -> Any:
        item = left.pop(0)
        return item() if callable(item) else item

    return act


def attempts(message: ToolMessage) -> list[tuple[str, str, str | None]]:
    return [(a["model"], a["runner"], a["error"]) for a in message.artifact["attempts"]]


async def test_the_trace_of_the_tool_shows_every_call_in_order(sync: bool) -> None:
    first = script(busy(text="one"), busy(text="two"), GOOD)
    message = await called(sync, Slept(ScriptedRunner({CARD.id: first}, seconds=0.02)))
    assert attempts(message) == [(CARD.id, "scripted", "one"), (CARD.id, "scripted", "two"), (CARD.id, "scripted", None)]
    seconds = [a["seconds"] for a in message.artifact["attempts"]]
    assert all(0.02 <= s < 10 for s in seconds)
    assert [a.get("usage") for a in message.artifact["attempts"]] == [None, None, {"usd": 0.1}]


async def test_the_last_attempt_holds_the_waiting_and_the_sum_is_the_whole_time(sync: bool) -> None:
    runner = Timed((5.0, busy(text="one")), (7.0, busy(text="two")), (0.0, GOOD))
    message = await called(sync, retrying(runner))
    one, two, last = [a["seconds"] for a in message.artifact["attempts"]]
    assert (one, two) == (5.0, 7.0)
    assert 0 <= last < 5  # the tool's own clock: nothing took really long


async def test_when_all_calls_of_the_best_fail_the_next_candidate_takes_over(sync: bool) -> None:
    first = script(*[busy(text=f"call {n}") for n in range(1, 5)])
    message = await called(sync, Slept(ScriptedRunner({CARD.id: first}, name="a")), Slept(ScriptedRunner({OTHER.id: GOOD}, name="b")))
    assert message.status == "success"
    assert attempts(message) == [*[(CARD.id, "a", f"call {n}") for n in range(1, 5)], (OTHER.id, "b", None)]


async def test_a_callers_fault_after_a_failed_call_is_shown_with_it_and_ends_it(sync: bool) -> None:
    first = script(busy(text="busy"), lambda: InputError("The text is not text.", remedy="Give a text."))
    second = ScriptedRunner({OTHER.id: GOOD}, name="b")
    message = await called(sync, Slept(ScriptedRunner({CARD.id: first}, name="a")), second)
    assert message.status == "error"
    assert message.content == "summarization gave no result. The text is not text. Give a text."
    assert attempts(message) == [(CARD.id, "a", "busy"), (CARD.id, "a", "The text is not text. Give a text.")]
    assert second.asked == []


async def test_an_output_that_cannot_be_used_does_not_hide_the_calls_before_it(sync: bool) -> None:
    first = script(busy(text="busy"), RunnerOutput(values={}))
    message = await called(sync, Slept(ScriptedRunner({CARD.id: first}, name="a")), Slept(ScriptedRunner({OTHER.id: GOOD}, name="b")))
    assert attempts(message) == [(CARD.id, "a", "busy"), (CARD.id, "a", "the expert gave no 'summary'"), (OTHER.id, "b", None)]
