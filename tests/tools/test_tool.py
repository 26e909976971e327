"""How a task is run: the best candidate, then the next, and what is said when there is no result."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import ToolMessage

from langchain_hugginggpt.index import EmbeddingsEncoder, ModelCard, ModelCardIndex
from langchain_hugginggpt.index.errors import CallerError, ExpertError, IndexFileError
from langchain_hugginggpt.tools import (
    HUB_TASKS,
    ArtifactStore,
    Candidate,
    Experts,
    HubTask,
    HubTaskTool,
    Kind,
    NewMedia,
    Port,
    Runner,
    RunnerOutput,
)
from langchain_hugginggpt.tools.runners.absent import AbsentRunner
from langchain_hugginggpt.tools.runners.runner import Availability
from tests.fakes import ScriptedRunner, WordEncoder
from tests.index.test_encoders import Down

TASK = "summarization"
CARDS = [ModelCard(id=f"lab/{n}", task=TASK, text="cats " * k + "dogs") for k, n in ((3, "first"), (2, "second"), (1, "third"))]
INDEX = ModelCardIndex.from_cards(CARDS, encoder=WordEncoder("cats", "dogs"))
GOOD = {"summary": "short"}
ARGS = {"text": "cats cats"}


def made(*runners: Runner, task: HubTask | str = TASK, index: Any = INDEX, store: ArtifactStore | None = None) -> HubTaskTool:
    chosen = HUB_TASKS[task] if isinstance(task, str) else task
    return HubTaskTool(chosen, experts=Experts(index, runners), store=store or ArtifactStore())


def call(args: dict[str, Any]) -> dict[str, Any]:
    return {"type": "tool_call", "id": "call_1", "name": TASK, "args": args}


def run(tool: HubTaskTool, **args: Any) -> ToolMessage:
    """The same by `invoke` and by `ainvoke`, apart from the seconds."""
    message, other = tool.invoke(call(args)), asyncio.run(tool.ainvoke(call(args)))
    assert isinstance(message, ToolMessage)
    assert without_seconds(message) == without_seconds(other)
    assert json.loads(json.dumps(message.artifact)) == message.artifact
    return message


def without_seconds(message: ToolMessage) -> dict[str, Any]:
    data = json.loads(message.model_dump_json(exclude={"id"}))
    for attempt in data["artifact"]["attempts"]:
        attempt.pop("seconds")
    return dict(data)


def tried(message: ToolMessage) -> list[tuple[str, str | None]]:
    return [(a["model"], a["error"]) for a in message.artifact["attempts"]]


def test_a_tool_call_gives_a_message_with_content_and_artifact() -> None:
    runner = ScriptedRunner({"lab/first": RunnerOutput(values=GOOD, notes=("a note",)), "lab/second": GOOD})
    message = run(made(runner), **ARGS)
    assert message.content == "summary: short\nnote: a note\nmade by: lab/first"
    assert (message.status, message.tool_call_id, message.name) == ("success", "call_1", TASK)
    artifact = {**message.artifact, "attempts": None}
    assert artifact == {
        "task": TASK,
        "status": "ok",
        "output": GOOD,
        "artifacts": [],
        "notes": ["a note"],
        "candidates": ["lab/first", "lab/second"],
        "attempts": None,
        "error": None,
        "remedy": None,
        "agreement": None,
    }
    assert tried(message) == [("lab/first", None)]
    assert message.artifact["attempts"][0]["runner"] == "scripted"
    assert runner.asked == [("lab/first", ARGS)] * 2


def test_plain_arguments_give_the_content() -> None:
    tool = made(ScriptedRunner({"lab/first": GOOD}))
    assert tool.invoke(ARGS) == "summary: short\nmade by: lab/first"
    assert made(ScriptedRunner({"lab/first": ExpertError("it broke")})).invoke(ARGS) == "summarization gave no result. it broke"


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (ExpertError("out of memory", remedy="Buy some."), "out of memory Buy some."),
        (ValueError("odd"), "ValueError: odd"),
        (TimeoutError(), "TimeoutError:"),
        ({}, "the expert gave no 'summary'"),
        ({"other": "x"}, "the expert gave no 'summary'"),
        ({"summary": None}, "the expert gave no text as 'summary' but None"),
        ({"summary": b"bytes"}, "the expert gave no text as 'summary' but b'bytes'"),
        (None, "AttributeError: 'NoneType' object has no attribute 'values'"),
    ],
    ids=lambda v: repr(v)[:30],
)
def test_when_an_expert_fails_the_next_one_is_tried(bad: Any, said: str) -> None:
    message = run(made(ScriptedRunner({"lab/first": bad, "lab/second": bad, "lab/third": GOOD})), **ARGS)
    assert message.artifact["status"] == "ok"
    assert message.content == "summary: short\nmade by: lab/third"
    (one, error), (two, again), last = tried(message)
    assert (one, two, last) == ("lab/first", "lab/second", ("lab/third", None))
    assert error is not None
    assert error == again
    assert error.startswith(said)


def test_when_all_fail_the_last_failure_is_said() -> None:
    script = {"lab/first": ExpertError("one"), "lab/second": RuntimeError("two"), "lab/third": ExpertError("three", remedy="Try later.")}
    message = run(made(ScriptedRunner(script)), **ARGS)
    assert (message.status, message.artifact["status"]) == ("error", "failed")
    assert message.content == "summarization gave no result. three Try later."
    assert (message.artifact["error"], message.artifact["remedy"], message.artifact["output"]) == ("three", "Try later.", {})
    assert tried(message) == [("lab/first", "one"), ("lab/second", "RuntimeError: two"), ("lab/third", "three Try later.")]


def test_the_callers_fault_stops_at_once() -> None:
    runner = ScriptedRunner({"lab/first": CallerError("the text is not English", remedy="Translate it."), "lab/second": GOOD})
    message = run(made(runner), **ARGS)
    assert message.artifact["status"] == "failed"
    assert message.content == "summarization gave no result. the text is not English Translate it."
    assert [m for m, _ in tried(message)] == ["lab/first"]
    assert {m for m, _ in runner.asked} == {"lab/first"}


@pytest.mark.parametrize(
    ("args", "said"), [({"text": " "}, "'text' of summarization is empty"), ({"text": "artifact-0123456789abcdef"}, "no artifact")]
)
def test_bad_input_is_not_given_to_an_expert(args: dict[str, Any], said: str) -> None:
    runner = ScriptedRunner({"lab/first": GOOD})
    message = run(made(runner), **args)
    assert (message.status, message.artifact["status"], runner.asked) == ("error", "failed", [])
    assert said in str(message.content)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({}, "text: Field required"),
        ({"text": "a", "max_sentences": "many"}, "max_sentences: Input should be a valid number"),
        ({"text": "a", "colour": "red"}, "colour: Extra inputs are not permitted"),
        ({"text": 5, "colour": "red"}, "text: Input should be a valid string; colour: Extra"),
    ],
)
def test_arguments_that_do_not_fit_are_explained(args: dict[str, Any], said: str) -> None:
    message = made(ScriptedRunner({})).invoke(call(args))
    assert str(message.content).startswith("The arguments do not fit. ")
    assert said in str(message.content)
    assert message.status == "error"


def test_when_nothing_can_run_it_says_why_and_what_would_help() -> None:
    absent = AbsentRunner("cloud", why="there is no key", remedy="Set a key.")
    message = run(made(absent, ScriptedRunner({}), AbsentRunner("other", why="x", remedy="Set a key.")), **ARGS)
    assert (message.status, message.artifact["status"]) == ("error", "unavailable")
    assert message.artifact["error"].startswith(
        "No expert can run summarization here (cloud: there is no key; scripted: it can run none of the models known;"
    )
    assert message.artifact["remedy"] == "Set a key."
    assert set(message.artifact["candidates"]) == {"lab/first", "lab/second", "lab/third"}
    assert message.artifact["attempts"] == []


def test_without_any_runner() -> None:
    message = run(made(), **ARGS)
    assert message.content == "summarization gave no result. No expert can run summarization here (there is no runner at all)."


def test_an_index_that_cannot_be_opened_is_said() -> None:
    def broken() -> ModelCardIndex:
        raise IndexFileError("There is no index in 'x'.", remedy="Check the path.")

    message = run(made(ScriptedRunner({"lab/first": GOOD}), index=broken), **ARGS)
    assert message.content == "summarization gave no result. There is no index in 'x'. Check the path."
    message = run(made(AbsentRunner("cloud", why="no key", remedy="Set one."), index=broken), **ARGS)
    assert message.artifact["status"] == "unavailable"
    assert message.artifact["candidates"] == []


def test_embeddings_that_fail_are_said() -> None:
    index = ModelCardIndex.from_cards(CARDS, encoder=WordEncoder("a"))
    index._opened.encoding.encoder = EmbeddingsEncoder(Down(), name="down")
    message = run(made(ScriptedRunner({"lab/first": GOOD}), index=index), **ARGS)
    assert message.content == "summarization gave no result. The embeddings 'down' failed: ConnectionResetError: peer went away."


class Broken(ScriptedRunner):
    def availability(self, task: HubTask, card: ModelCard | None = None) -> Availability:
        raise ZeroDivisionError("somebody's bug")


def test_a_runner_that_breaks_when_asked_does_not_stop_the_others() -> None:
    message = run(made(Broken({}, name="broken"), ScriptedRunner({"lab/first": GOOD})), **ARGS)
    assert message.artifact["status"] == "ok"
    message = run(made(Broken({}, name="broken")), **ARGS)
    assert "broken: it could not tell: ZeroDivisionError: somebody's bug" in str(message.content)


def test_one_model_may_be_named() -> None:
    runner = ScriptedRunner({"lab/first": GOOD, "lab/third": {"summary": "third"}})
    assert run(made(runner), **ARGS, model="lab/third").artifact["candidates"] == ["lab/third"]
    message = run(made(runner), **ARGS, model="lab/thirt")
    assert message.artifact["status"] == "failed"
    assert "no model for summarization named 'lab/thirt'. Did you mean 'lab/third'?" in str(message.content)
    message = run(made(runner), **ARGS, model="lab/second")
    assert message.artifact["status"] == "unavailable"
    assert message.artifact["remedy"] == "Write it into the script."


def test_candidates_may_be_chosen() -> None:
    runner = ScriptedRunner({"lab/third": ExpertError("no"), "lab/first": GOOD})
    chosen = [Candidate(card=c, runner=runner, score=1.0, why="chosen") for c in (CARDS[2], CARDS[0])]
    message = run(made(ScriptedRunner({}), index=lambda: pytest.fail("the index is not needed")), **ARGS, candidates=chosen)
    assert tried(message) == [("lab/third", "no"), ("lab/first", None)]


async def test_a_cancelled_run_is_cancelled() -> None:
    runner = ScriptedRunner({"lab/first": GOOD, "lab/second": GOOD}, seconds=60)
    running = asyncio.create_task(made(runner).ainvoke(call(ARGS)))
    await asyncio.sleep(0.2)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert runner.asked == []


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3)])
def test_an_interrupt_goes_through(error: BaseException) -> None:
    with pytest.raises(type(error)):
        made(ScriptedRunner({"lab/first": error, "lab/second": GOOD})).invoke(call(ARGS))


async def test_messages_of_tools_that_fail_at_once_keep_their_call_ids() -> None:
    tool = made(ScriptedRunner({"lab/first": ExpertError("no")}, seconds=0.01))
    messages = await asyncio.gather(*(tool.ainvoke({**call(ARGS), "id": f"call_{i}"}) for i in range(8)))
    assert [m.tool_call_id for m in messages] == [f"call_{i}" for i in range(8)]
    assert {m.status for m in messages} == {"error"}


def test_a_long_text_is_cut_for_a_language_model_and_kept_whole() -> None:
    text = "word " * 5_000
    store = ArtifactStore()
    message = run(made(ScriptedRunner({"lab/first": {"summary": text}}), store=store), **ARGS)
    assert message.artifact["output"]["summary"] == text
    content = str(message.content)
    assert len(content) < 6_200
    ident = content.split("(cut; the whole text is ")[1].split(")")[0]
    assert store.get(ident).read_bytes().decode() == text


def test_a_long_text_is_shown_even_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    message = run(made(ScriptedRunner({"lab/first": {"summary": "x" * 7_000}}), store=ArtifactStore(tmp_path / "file")), **ARGS)
    assert message.artifact["status"] == "ok"
    assert "(cut; the whole text is not kept: " in str(message.content)


# --- outputs of every kind


def out(kind: Kind, *, many: bool = False) -> HubTask:
    return HubTask(name=TASK, summary="Does it.", inputs=HUB_TASKS[TASK].inputs, outputs=(Port(name="out", kind=kind, many=many),))


def gave(kind: Kind, value: Any, *, many: bool = False, store: ArtifactStore | None = None) -> ToolMessage:
    return run(made(ScriptedRunner({"lab/first": {"out": value}}), task=out(kind, many=many), store=store), **ARGS)


PICTURE = NewMedia(data=b"\x89PNG\r\n\x1a\nrest", media_type="image/png", name="../../a.png")
SOUND = NewMedia(data=b"RIFF\x04\x00\x00\x00WAVE", media_type="audio/wav", name="a.wav")


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        (Kind.TEXT, "", "out: "),
        (Kind.LABELS, [{"label": "good", "score": 0.9}, {"label": "bad", "score": 0.1}], "out: good (0.90), bad (0.10)"),
        (Kind.LABELS, [], "out: "),
        (Kind.NUMBER, 0.5, "out: 0.5"),
        (Kind.NUMBER, 3, "out: 3"),
        (Kind.JSON, {"a": ["ä", None]}, 'out: {"a": ["ä", null]}'),
        (Kind.JSON, None, "out: null"),
        (Kind.TABLE, [{"a": 1}], 'out: [{"a": 1}]'),
    ],
)
def test_what_is_shown(kind: Kind, value: Any, shown: str) -> None:
    message = gave(kind, value)
    assert message.content == f"{shown}\nmade by: lab/first"
    assert message.artifact["output"] == {"out": value}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Kind.TEXT, 5),
        (Kind.TEXT, ["a"]),
        (Kind.LABELS, "good"),
        (Kind.LABELS, [{"label": "good"}]),
        (Kind.LABELS, [{"score": 1.0}]),
        (Kind.LABELS, [5]),
        (Kind.NUMBER, "5"),
        (Kind.NUMBER, True),
        (Kind.NUMBER, float("nan")),
        (Kind.JSON, {1, 2}),
        (Kind.JSON, [float("inf")]),
        (Kind.JSON, {"a": object()}),
        (Kind.IMAGE, "a path"),
        (Kind.IMAGE, []),
        (Kind.IMAGE, NewMedia(data=b"", media_type="image/png", name="a.png")),
    ],
)
def test_what_does_not_fit_its_port_is_the_experts_failure(kind: Kind, value: Any) -> None:
    message = gave(kind, value)
    assert message.artifact["status"] == "failed"
    assert "the expert gave" in str(message.content)
    assert [m for m, _ in tried(message)] == ["lab/first"]


def test_a_port_with_many_values_takes_a_list() -> None:
    assert gave(Kind.TEXT, ["a", "b"], many=True).content == "out: a\nb\nmade by: lab/first"
    assert "gave no list as 'out' but 'a'" in str(gave(Kind.TEXT, "a", many=True).content)
    assert "gave no text as 'out' but 5" in str(gave(Kind.TEXT, ["a", 5], many=True).content)


def test_files_are_stored_and_shown_by_id(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path / "out")
    message = gave(Kind.IMAGE, [PICTURE, NewMedia(data=PICTURE.data + b"2", media_type="image/png", name="b.png")], many=True, store=store)
    first, second = message.artifact["artifacts"]
    assert message.artifact["output"]["out"] == [first, second]
    assert message.content == f"out: {first['id']} (image/png, 12 bytes)\nout: {second['id']} (image/png, 13 bytes)\nmade by: lab/first"
    assert store.get(first["id"]).read_bytes() == PICTURE.data
    assert {p.name for p in tmp_path.iterdir()} == {"out"}
    assert gave(Kind.AUDIO, SOUND).artifact["output"]["out"]["media_type"] == "audio/wav"


def test_an_unwritable_folder_is_the_callers_fault_and_stops_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    runner = ScriptedRunner({"lab/first": {"out": PICTURE}, "lab/second": {"out": PICTURE}})
    message = run(made(runner, task=out(Kind.IMAGE), store=ArtifactStore(tmp_path / "file")), **ARGS)
    assert message.artifact["status"] == "failed"
    assert "cannot be written to" in str(message.content)
    assert [m for m, _ in tried(message)] == ["lab/first"]


def test_seconds_are_measured() -> None:
    message = made(ScriptedRunner({"lab/first": GOOD}, seconds=0.05)).invoke(call(ARGS))
    assert 0.05 <= message.artifact["attempts"][0]["seconds"] < 1
