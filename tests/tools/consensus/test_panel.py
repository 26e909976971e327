"""Several experts side by side: who is asked, who steps in, and what is said of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from langchain_hugginggpt.agent.trace import TaskResult
from langchain_hugginggpt.index import ModelCardIndex
from langchain_hugginggpt.index.errors import CallerError, ExpertError
from langchain_hugginggpt.tools import (
    HUB_TASKS,
    ArtifactStore,
    Candidate,
    Experts,
    HubTask,
    HubTaskTool,
    HubToolkit,
    Kind,
    NewMedia,
    Port,
    RunnerOutput,
)
from langchain_hugginggpt.tools.consensus import Agreement
from tests.fakes import ScriptedRunner, WordEncoder
from tests.tools.consensus.asking import NAMES, TASK, card, experts, label, no_index, run, tried


def test_the_agreed_answer_and_how_it_came_about() -> None:
    message = run({"first": label("dog", 0.9), "second": label("cat", 0.8), "third": label("Cat", 0.7), "fourth": label("bird")})
    assert message.artifact["output"] == {
        "labels": [{"label": "cat", "score": pytest.approx(0.5)}, {"label": "dog", "score": pytest.approx(0.3)}]
    }
    agreement = message.artifact["agreement"]
    assert agreement["score"] == pytest.approx(2 / 3 * (0.7 / 0.8) / 3, abs=1e-4)
    assert agreement["experts"] == {"lab/first": "dog (0.90)", "lab/second": "cat (0.80)", "lab/third": "cat (0.70)"}
    assert agreement["dissent"] == {"lab/first": "dog (0.90)"}
    assert agreement["failures"] == {}
    assert "divided by the larger sum" in agreement["definition"]
    assert tried(message) == [("first", True), ("third", True), ("second", True)]  # the nearest to what is agreed stands last
    assert message.content == (
        "labels: cat (0.50), dog (0.30)\n"
        "note: the experts disagree (agreement 0.19 of 1): lab/first says dog (0.90); lab/second says cat (0.80); "
        "lab/third says cat (0.70)\n"
        "agreement: 0.19 of 1 among 3 experts; lab/first says dog (0.90)\n"
        "made by: lab/first, lab/second, lab/third"
    )


def test_without_agree_one_expert_is_asked_and_nothing_is_said_of_agreement() -> None:
    message = run({"first": label("dog"), "second": label("cat")}, agree=None)
    assert message.artifact["agreement"] is None
    assert message.content == "labels: dog (1.00)\nmade by: lab/first"
    assert tried(message) == [("first", True)]


def test_experts_of_one_mind_get_no_note() -> None:
    message = run(dict.fromkeys(NAMES, label("dog", 0.6)))
    assert message.artifact["output"] == label("dog", 0.6)
    assert (message.artifact["agreement"]["score"], message.artifact["notes"]) == (1.0, [])
    assert message.content == "labels: dog (0.60)\nagreement: 1.00 of 1 among 3 experts\nmade by: lab/first, lab/second, lab/third"


@pytest.mark.parametrize("bad", [0, 1, -1, 17, 1.5, 3.0, "many", "3", True, [3]], ids=repr)
def test_a_number_of_experts_that_makes_no_sense_is_refused(bad: Any) -> None:
    message = run({"first": label("dog")}, agree=bad)
    assert (message.status, message.artifact["status"], tried(message)) == ("error", "failed", [])
    assert f"a whole number from 2 to 16, not {bad!r}. Leave it out to ask one expert." in str(message.content)


@pytest.mark.parametrize(
    "bad",
    [
        ExpertError("out of memory"),
        ValueError("odd"),
        {},
        {"labels": None},
        {"labels": [{"label": "dog", "score": float("nan")}]},
        {"labels": [{"label": "dog", "score": "high"}]},
        None,
    ],
    ids=lambda v: repr(v)[:40],
)
def test_an_expert_that_fails_is_replaced(bad: Any) -> None:
    message = run({"first": bad, "second": label("cat"), "third": label("cat"), "fourth": label("cat")})
    assert list(message.artifact["agreement"]["experts"]) == ["lab/second", "lab/third", "lab/fourth"]
    assert list(message.artifact["agreement"]["failures"]) == ["lab/first"]
    assert tried(message) == [("first", False), ("third", True), ("fourth", True), ("second", True)]
    assert message.artifact["output"] == label("cat")


def test_where_no_other_is_left_fewer_agree() -> None:
    message = run({"first": ExpertError("no"), "second": label("cat"), "third": label("cat")})
    assert list(message.artifact["agreement"]["experts"]) == ["lab/second", "lab/third"]
    assert message.artifact["agreement"]["failures"] == {"lab/first": "no"}


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ({"first": label("dog")}, "it was the only candidate"),
        ({"first": label("dog"), "second": ExpertError("it broke")}, "the others failed"),
    ],
)
def test_one_alone_stands_with_a_note(script: dict[str, Any], why: str) -> None:
    message = run(script)
    assert message.artifact["agreement"] is None
    assert message.artifact["output"] == label("dog")
    assert message.artifact["notes"] == [f"nobody could be asked to agree with lab/first: {why}"]
    assert tried(message)[-1] == ("first", True)


def test_the_same_model_twice_is_no_second_opinion() -> None:
    runner = ScriptedRunner({"lab/first": label("dog")}, name="one")
    other = ScriptedRunner({"lab/first": label("dog")}, name="other")
    message = run({}, candidates=[*experts(runner, "first", "first"), *experts(other, "first")])
    assert message.artifact["agreement"] is None
    assert len(runner.asked) == 2  # by invoke and by ainvoke
    assert other.asked == []


def test_all_failing_alike_points_at_what_they_share() -> None:
    script = {n: ExpertError(f"lab/{n} needs {i + 7}.5 GB at '/models/{n}' (0x7f{i}a2b4c)", remedy="Buy.") for i, n in enumerate(NAMES)}
    message = run(script)
    assert (message.status, message.artifact["status"], message.artifact["remedy"]) == ("error", "failed", "Buy.")
    assert message.artifact["error"] == (
        "lab/fourth needs 10.5 GB at '/models/fourth' (0x7f3a2b4c). 4 experts that should be independent failed in the same way "
        "(lab/first, lab/second, lab/third, lab/fourth): the input or what they share is likely at fault."
    )
    assert [ok for _, ok in tried(message)] == [False] * 4


def test_failing_each_in_its_own_way_says_nothing_of_it() -> None:
    message = run({"first": ExpertError("out of memory"), "second": ExpertError("no such file"), "third": ValueError("odd")})
    assert message.artifact["error"] == "ValueError: odd"


def test_some_failing_alike_is_noted() -> None:
    message = run({"first": ExpertError("row 3 is odd"), "second": ExpertError("row 4 is odd"), "third": label("a"), "fourth": label("a")})
    (note,) = message.artifact["notes"]
    assert note.startswith("2 experts that should be independent failed in the same way (lab/first, lab/second)")


def test_the_callers_fault_ends_it_and_is_told() -> None:
    fault = CallerError("the text is not English", remedy="Translate it.")
    message = run({"first": fault, "second": fault, "third": label("never asked")}, agree=2)
    assert message.artifact["status"] == "failed"
    assert str(message.content).startswith("text-classification gave no result. the text is not English. 2 experts that")
    assert message.artifact["remedy"] == "Translate it."
    assert tried(message) == [("first", False), ("second", False)]


def test_an_output_outweighs_the_fault_that_another_expert_finds() -> None:
    message = run({"first": CallerError("too long for me"), "second": label("cat"), "third": label("never asked")}, agree=2)
    assert message.artifact["status"] == "ok"
    assert message.artifact["output"] == label("cat")
    assert tried(message) == [("first", False), ("second", True)]


def test_bad_input_reaches_no_expert() -> None:
    message = run({"first": label("dog"), "second": label("cat")}, text=" ")
    assert (message.artifact["status"], tried(message)) == ("failed", [])


@pytest.mark.parametrize(
    ("facts", "note"),
    [
        ({"tags": ("base_model:big/base",)}, "both come from big/base"),
        ({"tags": ("base_model:finetune:Big/Base", "x")}, "both come from big/base"),
        ({"tags": ("base_model:", "base_model:nonsense")}, ""),
        ({}, ""),
    ],
    ids=str,
)
def test_models_of_one_family_are_named(facts: dict[str, Any], note: str) -> None:
    runner = ScriptedRunner(dict.fromkeys(("lab/first", "lab/second"), label("dog")))
    message = run({}, candidates=experts(runner, "first", "second", **facts))
    wanted = [f"lab/first and lab/second are not independent ({note}): they may err alike, and their agreement is worth less"]
    assert message.artifact["notes"] == (wanted if note else [])
    assert message.artifact["agreement"]["score"] == 1.0


def test_one_owner_and_series_is_a_family_and_so_is_a_model_with_its_base() -> None:
    names = ("bart-large", "bart-small", "other")
    runner = ScriptedRunner({f"lab/{n}": label("dog") for n in names})
    candidates = [*experts(runner, *names[:2]), *experts(runner, "other", tags=("base_model:lab/bart-large",))]
    notes = run({}, candidates=candidates).artifact["notes"]
    assert [n.split(":")[0] for n in notes] == [
        "lab/bart-large and lab/bart-small are not independent (both belong to lab/bart…)",
        "lab/bart-large and lab/other are not independent (both come from lab/bart-large)",
    ]


def test_notes_of_all_experts_are_kept_and_those_of_others_are_theirs() -> None:
    shared = "only the first minute was heard"
    script = {
        "first": RunnerOutput(values=label("dog"), notes=(shared,)),
        "second": RunnerOutput(values=label("dog"), notes=("mine alone", shared)),
    }
    assert run(script).artifact["notes"] == [shared, "lab/second: mine alone"]


def test_tries_and_usage_of_each_expert_are_in_the_trace() -> None:
    script = {
        "first": RunnerOutput(values=label("dog"), usage={"usd": 0.5}, tries=((0.0, "busy"),)),
        "second": RunnerOutput(values=label("cat"), usage={"usd": 0.25}),
        "third": label("cat"),
    }
    message = run(script)
    assert tried(message) == [("first", False), ("first", True), ("third", True), ("second", True)]
    assert [a.get("usage") for a in message.artifact["attempts"]] == [None, {"usd": 0.5}, None, {"usd": 0.25}]


PICTURE = {"image": NewMedia(data=b"\x89PNG\r\n\x1a\n" + bytes(32), media_type="image/png", name="made.png")}


@pytest.mark.parametrize(
    ("task", "value", "why"),
    [
        ("text-to-image", PICTURE, "files (image) are not compared"),
        ("feature-extraction", {"embedding": [0.5, 0.5]}, "vectors of different models lie in different spaces"),
    ],
)
def test_what_cannot_be_compared_is_asked_of_one_expert(task: str, value: Any, why: str) -> None:
    message = run({"first": ExpertError("no"), "second": value, "third": value}, task=task)
    assert message.artifact["status"] == "ok", message.content
    assert message.artifact["agreement"] is None
    assert message.artifact["notes"] == [f"nobody was asked to agree: {why}"]
    assert tried(message) == [("first", False), ("second", True)]


def test_an_encoder_that_fails_costs_the_agreement_and_not_the_answer() -> None:
    class Broken:
        name = "broken"

        def encode(self, texts: object) -> Any:
            raise RuntimeError(f"no {texts!r:.3}")

    long = "a summary that has more than five words in it, number {}"
    runner = ScriptedRunner({f"lab/{n}": {"summary": long.format(n)} for n in NAMES})
    tool = HubTaskTool(HUB_TASKS["summarization"], experts=Experts(no_index, [runner]), store=ArtifactStore(), encoder=Broken())
    arguments = {"text": "x", "candidates": experts(runner, *NAMES, task="summarization"), "agree": 2}
    message = tool.invoke({"type": "tool_call", "id": "1", "name": "summarization", "args": arguments})
    assert message.artifact["output"] == {"summary": long.format("first")}
    assert message.artifact["agreement"] is None
    assert "could not be compared (RuntimeError: no " in message.artifact["notes"][0]


def test_a_task_of_your_own_agrees_by_the_kind_of_its_port() -> None:
    task = HubTask(
        name="weigh", summary="Weigh it.", inputs=(Port(name="thing", kind=Kind.TEXT),), outputs=(Port(name="grams", kind=Kind.NUMBER),)
    )
    message = run({"first": {"grams": 10}, "second": {"grams": 500.0}, "third": {"grams": 11.0}}, task=task)
    assert message.artifact["output"] == {"grams": 11.0}
    assert list(message.artifact["agreement"]["dissent"]) == ["lab/second"]


def test_candidates_come_from_the_index_where_nobody_chose_any() -> None:
    cards = [card(f"n{i}x{i}", text="dog " * (9 - i)) for i in range(8)]
    index = ModelCardIndex.from_cards(cards, encoder=WordEncoder("dog"))
    bad = {c.id: ExpertError(f"broken {c.id[-1] * 2}") for c in cards[:4]}
    runner = ScriptedRunner({**bad, **{c.id: label("dog") for c in cards[4:]}})
    tool = HubToolkit(index=index, runners=[runner], encoder=None).tool(TASK)
    message = tool.invoke({"type": "tool_call", "id": "1", "name": TASK, "args": {"text": "dog", "agree": 3}})
    assert len(message.artifact["agreement"]["experts"]) + len(message.artifact["agreement"]["failures"]) <= 8
    assert len(message.artifact["agreement"]["experts"]) >= 2


def test_a_named_model_is_the_only_one() -> None:
    index = ModelCardIndex.from_cards([card(n) for n in NAMES], encoder=WordEncoder("dog"))
    runner = ScriptedRunner({f"lab/{n}": label("dog") for n in NAMES})
    tool = HubTaskTool(HUB_TASKS[TASK], experts=Experts(index, [runner]), store=ArtifactStore())
    arguments = {"text": "dog", "agree": 3, "model": "lab/second"}
    message = tool.invoke({"type": "tool_call", "id": "1", "name": TASK, "args": arguments})
    assert message.artifact["notes"] == ["nobody could be asked to agree with lab/second: it was the only candidate"]
    alone = HubTaskTool(
        HUB_TASKS[TASK],
        experts=Experts(ModelCardIndex.from_cards([card("first")], encoder=WordEncoder("dog")), [runner]),
        store=ArtifactStore(),
    )
    message = alone.invoke({"type": "tool_call", "id": "1", "name": TASK, "args": {"text": "dog", "agree": 3}})
    assert message.artifact["notes"] == ["nobody could be asked to agree with lab/first: no other can run here"]


def test_language_models_do_not_see_it() -> None:
    tool = HubTaskTool(HUB_TASKS[TASK], experts=Experts(no_index, []), store=ArtifactStore())
    assert set(tool.tool_call_schema.model_json_schema()["properties"]) == {"text"}  # type: ignore[union-attr]


def test_agreement_both_ways_in_json() -> None:
    made = Agreement(score=2 / 3, definition="as ever", experts={"a": "x", "b": "y"}, dissent={"b": "y"}, failures={"c": "z"})
    again = Agreement.from_json(json.loads(json.dumps(made.as_json())))
    assert again == Agreement(**{**made.__dict__, "score": 0.6667})
    result = TaskResult(task_id="t1", task=TASK, status="ok", agreement=again)
    assert TaskResult.from_json(json.loads(json.dumps(result.as_json()))) == result
    without = TaskResult(task_id="t1", task=TASK, status="ok")
    assert TaskResult.from_json({k: v for k, v in without.as_json().items() if k != "agreement"}) == without
    assert made.summary() == "0.67 of 1 among 2 experts; b says y"


def test_agreement_about_several_parts_is_the_lowest() -> None:
    one = Agreement(score=1.0, definition="As ever.", experts={"a": "x", "b": "x"})
    two = Agreement(score=0.25, definition="As ever.", experts={"b": "y", "c": "z"}, dissent={"c": "z"}, failures={"a": "late"})
    both = Agreement.together([one, None, two])
    assert both == Agreement(
        score=0.25,
        definition="The lowest over 2 of 3 parts, the others having one answer. Of each: As ever.",
        experts={"a": "1: x", "b": "1: x; 3: y", "c": "3: z"},
        dissent={"c": "3: z"},
        failures={"a": "3: late"},
    )
    assert Agreement.together([one]) is one
    assert Agreement.together([None, None]) is None
    assert Agreement.together([]) is None


def test_where_a_model_fails_with_one_runner_another_one_is_asked() -> None:
    broken, good = ExpertError("out of memory"), label("dog", 0.9)
    here = ScriptedRunner({"lab/first": broken, "lab/second": broken}, name="here")
    there = ScriptedRunner({"lab/first": good, "lab/second": good}, name="there")
    candidates = [Candidate(card=card(n), runner=r, score=0.0, why="") for r in (here, there) for n in ("first", "second")]
    tool = HubTaskTool(HUB_TASKS[TASK], experts=Experts(no_index, [here, there]), store=ArtifactStore(), encoder=WordEncoder())
    message = tool.invoke({"type": "tool_call", "id": "1", "name": TASK, "args": {"text": "x", "candidates": candidates, "agree": 2}})
    assert message.artifact["status"] == "ok", message.content
    assert message.artifact["agreement"]["experts"] == {"lab/first": "dog (0.90)", "lab/second": "dog (0.90)"}
    assert message.artifact["agreement"]["failures"] == {}
    assert message.artifact["notes"] == []
    assert [(a["runner"], bool(a["error"])) for a in message.artifact["attempts"]].count(("here", True)) == 2
