"""What the planner makes of scores: with weights that ask for tasks by a number each, so that nothing here hangs on a training."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from langchain_hugginggpt.agent import EmbeddedPlanner, Made, Plan, Ref, Request, Turn
from langchain_hugginggpt.agent.planners.embedded.weights import Decoding
from langchain_hugginggpt.index.minilm import MiniLM
from langchain_hugginggpt.tools import HUB_TASKS, Kind, Port, TaskTable
from langchain_hugginggpt.tools.task import Role
from tests.agent.planners.embedded.blank import TASKS, weights
from tests.fakes import file

TABLE = TaskTable([HUB_TASKS[n] for n in TASKS])
ENCODER = MiniLM()
CHAT, ASK = [-5.0, 5.0, -5.0], [-5.0, -5.0, 5.0]
SPOKEN = Decoding(spoken=True)


def planner(*asked: float, decoding: Decoding | None = None, **own: Any) -> EmbeddedPlanner:
    """One that asks for recognition, a summary, speech and sorting of pictures by the bias of each."""
    return EmbeddedPlanner(ENCODER, weights(decoding=decoding, own_bias=asked or (0, 0, 0, 0), **own))


def names(plan: Plan) -> list[str]:
    return [t.task for t in plan.tasks]


@pytest.mark.parametrize("decoding", [None, SPOKEN])
def test_a_plan_with_files_and_quotes(decoding: Decoding | None) -> None:
    request = Request(text="Say 'Good morning' and write down talk.wav", files=(file("talk.wav", "audio/wav"),))
    plan = planner(3, -9, 3, -9, decoding=decoding).plan(request, TABLE)
    assert {t.task: dict(t.arguments) for t in plan.tasks} == {
        "automatic-speech-recognition": {"audio": "talk.wav"},
        "text-to-speech": {"text": "Good morning"},
    }
    assert plan.confidence == 0.95  # of the less likely: 1 / (1 + e^-3)


def test_what_flows_and_what_is_asked_for_twice() -> None:
    """A bias lets everything flow that may; the second logit of every task says that it is asked for twice."""
    talks = tuple(file(f"{x}.wav", "audio/wav") for x in "ab")
    flows = planner(3, 3, -9, -9, links=[3.0])
    plan = flows.plan(Request(text="Sum up a.wav", files=talks[:1]), TABLE)
    assert [(t.task, t.arguments) for t in plan.tasks] == [
        ("automatic-speech-recognition", {"audio": "a.wav"}),
        ("summarization", {"text": Ref(task_id="1", port="text")}),
    ]
    twice = planner(3, -9, -9, -9, logit_bias=[0.0, 3.0])
    plan = twice.plan(Request(text="Write down both", files=talks), TABLE)
    assert [t.arguments for t in plan.tasks] == [{"audio": "a.wav"}, {"audio": "b.wav"}]
    spoken = planner(3, -9, -9, -9, decoding=SPOKEN, logit_bias=[0.0, 3.0])
    assert len(spoken.plan(Request(text="Write down both", files=talks), TABLE).tasks) == 1


def test_one_text_said_twice_is_the_same_task() -> None:
    plan = planner(-9, -9, 3, -9, logit_bias=[0.0, 3.0]).plan(Request(text="Say 'Hello' and say it again"), TABLE)
    assert [t.arguments for t in plan.tasks] == [{"text": "Hello"}]
    plan = planner(-9, -9, 3, -9, logit_bias=[0.0, 3.0]).plan(Request(text="Say 'Hello' and 'Bye'"), TABLE)
    assert [t.arguments for t in plan.tasks] == [{"text": "Hello"}, {"text": "Bye"}]


def test_what_a_task_lacks_leaves_it_out_or_is_asked_for() -> None:
    plan = planner(-9, 3, -9, 3).plan(Request(text="Shorten 'A long story about a dog.' and sort the picture"), TABLE)
    assert names(plan) == ["summarization"]
    assert plan.repairs == ("image-classification was left out: nothing in the request feeds its image",)
    for decoding in (None, SPOKEN):
        alone = planner(-9, -9, -9, 3, decoding=decoding).plan(Request(text="Sort the picture"), TABLE)
        assert alone.tasks == ()
        assert alone.question.startswith("For image-classification I need ")
        assert alone.question.endswith("(image). Please attach it.")


def test_small_talk_gives_an_empty_plan_and_what_is_unclear_a_question() -> None:
    chat = planner(1, 1, 1, 1, mode_bias=CHAT).plan(Request(text="Good day to you"), TABLE)
    assert (chat.tasks, chat.question) == ((), "")
    assert chat.confidence == 1.0
    wish = planner(-9, 9, -9, -9, mode_bias=CHAT).plan(Request(text="Shorten 'A long story about a dog.'"), TABLE)
    assert names(wish) == ["summarization"]  # a task that is this likely is no small talk, but that is in doubt
    assert wish.confidence == 0.3
    ask = planner(-9, 3, -9, -9, mode_bias=ASK).plan(Request(text="Do it"), TABLE)
    assert ask.tasks == ()
    assert "Did you mean summarization?" in ask.question
    nobody = planner(-9, -9, -9, -9, mode_bias=ASK).plan(Request(text="Do it"), TABLE)
    assert nobody.question
    assert "Did you mean" not in nobody.question
    spoken = planner(-9, 3, -9, -9, decoding=SPOKEN, mode_bias=CHAT)  # there every request asks for something
    assert names(spoken.plan(Request(text="Good day to you"), TABLE)) == ["summarization"]


def test_doubt_is_asked_back() -> None:
    for text in ("Hello", "", " ", "\n"):
        plan = planner(-5, -5, -5, -5).plan(Request(text=text), TABLE)
        assert plan.tasks == ()
        assert plan.question
        assert planner(3, 3, 3, 3, mode_bias=CHAT).plan(Request(text=""), TABLE).question
    unsure = Request(text="Shorten 'A long story.'")
    assert planner(-9, -1, -9, -9).plan(unsure, TABLE).confidence == 0.27
    assert names(planner(-9, -1, -9, -9).plan(unsure, TABLE)) == ["summarization"]
    assert planner(-9, -1, -9, -9, decoding=Decoding(ask_below=0.3)).plan(unsure, TABLE).tasks == ()


def test_how_sure_a_plan_is() -> None:
    """By what was learnt of margins: here that of the task that was nearly taken counts, with a slope of 2 and a shift of 1."""
    request = Request(text="Shorten 'A long story.'")
    learnt = Decoding(node=0.5, slope=2.0, shift=1.0)
    assert planner(-9, 3, 0.25, -9, decoding=learnt).plan(request, TABLE).confidence == 0.62  # 1 / (1 + e^-(2 * -0.25 + 1))
    half = planner(-9, 3, 0.25, -9, decoding=learnt, mode_bias=[0.0, 0.0, -9.0]).plan(request, TABLE)
    assert half.confidence == 0.31  # as likely as not it asks for nothing


def test_ports_for_languages_may_be_called_anything() -> None:
    speaks = replace(HUB_TASKS["text-to-speech"], name="dub")
    options = (*speaks.inputs, Port(name="spoken_language", kind=Kind.TEXT, required=False, role=Role.OPTION))
    table = TaskTable([replace(speaks, inputs=options)])
    for decoding in (None, SPOKEN):
        made = EmbeddedPlanner(ENCODER, weights(["dub"], decoding, own_bias=[3]))
        (task,) = made.plan(Request(text="Say 'Hello' in French"), table).tasks
        assert task.arguments["text"] == "Hello"
        assert str(task.arguments["spoken_language"]).casefold() in ("french", "fr")


def test_how_likely_each_task_is() -> None:
    found = planner(0, 3, -3, -9, mode_bias=[0.0, 0.0, 0.0]).plausible(Request(text="Shorten it"), TABLE)
    assert list(found) == list(TASKS)
    third = 1 / 3  # of what a request may be: something to run, talk, unclear
    assert list(found.values()) == pytest.approx([third * 0.5, third * 0.9526, third * 0.0474, third * 0.0001], abs=1e-4)
    spoken = planner(0, 3, -3, -9, decoding=SPOKEN).plausible(Request(text="Shorten it"), TABLE)
    assert list(spoken.values()) == pytest.approx([0.5, 0.9526, 0.0474, 0.0001], abs=1e-4)


def test_another_table_is_another_scorer() -> None:
    made, request = planner(-9, -9, 3, -9), Request(text="Say 'Good morning'")
    assert names(made.plan(request, TABLE)) == ["text-to-speech"]
    turned = TaskTable([HUB_TASKS[n] for n in ("image-classification", "text-to-speech")])
    assert list(made.plausible(request, turned).values()) == pytest.approx([0, 0.9526], abs=1e-3)
    assert names(made.plan(request, TABLE)) == ["text-to-speech"]


def test_a_file_of_an_earlier_turn_is_meant() -> None:
    talk = file("talk.wav", "audio/wav")
    history = (Turn(role="user", text="", made=(Made(artifact=talk),)),)
    plan = planner(3, -9, -9, -9).plan(Request(text="Write it down", history=history), TABLE)
    assert [t.arguments for t in plan.tasks] == [{"audio": talk.id}]


@pytest.mark.parametrize(
    "text", ["x" * 100_000, "'" * 5_000, '"a' * 5_000, " 'a" * 33_000, "\ud800", "你好" * 500, "a.b?" * 20_000, "- a\n" * 25_000]
)
@pytest.mark.parametrize("decoding", [None, SPOKEN])
def test_odd_requests_give_a_plan_or_a_question(text: str, decoding: Decoding | None) -> None:
    plan = planner(3, 3, 3, 3, decoding=decoding, logit_bias=[0.0, 3.0]).plan(Request(text=text), TABLE)
    assert plan.tasks or plan.question


async def test_async_is_the_same() -> None:
    asked, made = Request(text="Shorten 'A long story.'"), planner(-9, 3, -9, -9)
    plan = await made.aplan(asked, TABLE)
    assert names(plan) == ["summarization"]
    assert plan == made.plan(asked, TABLE)
    assert [t async for t in made.astream(asked, TABLE)] == list(plan.tasks)


def test_weights_from_a_file(tmp_path: Any) -> None:
    path = tmp_path / "planner.safetensors"
    replace(weights(own_bias=[-9, 3, -9, -9])).save(path)
    for where in (path, str(path)):
        assert names(EmbeddedPlanner(ENCODER, where).plan(Request(text="Shorten 'A story.'"), TABLE)) == ["summarization"]
