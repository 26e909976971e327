"""Whatever a language model writes becomes a plan or a PlanError, soon."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from langchain_hugginggpt.agent import Plan, PlanError, check
from langchain_hugginggpt.agent.planners.llm.drafts import draft
from langchain_hugginggpt.agent.planners.llm.parsing import TaskStream, find_plan
from langchain_hugginggpt.tools import HUB_TASKS
from tests.fakes import file

FILES = {f.name: f for f in (file("scan.png", "image/png"), file("talk.wav", "audio/wav"))}
TASKS: list[dict[str, Any]] = [
    {"id": "1", "task": "image-to-text", "arguments": {"image": "scan.png"}},
    {"id": "2", "task": "translation", "arguments": {"text": {"ref": "1"}, "target_language": "de"}},
    {"id": "3", "task": "text-to-speech", "arguments": {"text": {"ref": "2", "port": "text", "each": False}}},
    {"id": "4", "task": "visual-question-answering", "arguments": {"image": "scan.png", "question": 'Who\'s "he", {or} [it]?'}},
]
TASKBENCH = {
    "task_steps": ["Step 1: read", "Step 2: translate"],
    "task_nodes": [{"task": "Image-to-Text", "arguments": ["scan.png"]}, {"task": "Translation", "arguments": ["<node-0>"]}],
    "task_links": [{"source": "Image-to-Text", "target": "Translation"}],
}
SHAPE = [("image-to-text", ()), ("translation", (0,)), ("text-to-speech", (1,)), ("visual-question-answering", ())]
thorough = settings(
    max_examples=200, deadline=timedelta(seconds=3), database=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)


def read(text: str, *, salvage: bool) -> Plan:
    return check(draft(find_plan(text), HUB_TASKS, FILES, salvage=salvage), HUB_TASKS, FILES, salvage=salvage)


def tried(text: str) -> list[Plan]:
    """The plans that come out; each can be run, and written as JSON."""
    plans = []
    for salvage in (False, True):
        try:
            plan = read(text, salvage=salvage)
        except PlanError:
            continue
        plans.append(plan)
        ids = [t.id for t in plan.tasks]
        assert len(set(ids)) == len(ids)
        assert all(t.task in HUB_TASKS and set(t.parents) <= set(ids) for t in plan.tasks)
        assert all(p.name in t.arguments for t in plan.tasks for p in HUB_TASKS[t.task].inputs if p.required)
        json.dumps([plan.as_json(), plan.repairs, plan.question], ensure_ascii=False, allow_nan=False).encode()
        again = check(plan, HUB_TASKS, FILES)
        assert again == plan, "a checked plan needs no more repair"
    return plans


def shape(plan: Plan) -> list[tuple[str, tuple[int, ...]]]:
    place = {t.id: i for i, t in enumerate(plan.tasks)}
    return [(t.task, tuple(place[p] for p in t.parents)) for t in plan.tasks]


def spelt(ids: tuple[Any, ...], ref: Callable[[Any], Any], key: str, name: Callable[[str], str]) -> list[dict[str, Any]]:
    """The tasks with other ids, references, words and names."""

    def argument(value: Any) -> Any:
        return ref(ids[int(value["ref"]) - 1]) if isinstance(value, dict) else value

    return [{"id": ids[i], "task": name(t["task"]), key: {p: argument(v) for p, v in t["arguments"].items()}} for i, t in enumerate(TASKS)]


@thorough
@given(
    ids=st.sampled_from([(1, 2, 3, 4), ("0", "1", "2", "3"), ("a", "b", "c", "d"), ("t-1", "t-2", "t-3", "t-4"), (10, 7, 3, 1)]),
    ref=st.sampled_from([lambda i: f"<GENERATED>-{i}", lambda i: f"<GENERATED-{i}>", lambda i: {"ref": i}, lambda i: [{"ref": str(i)}]]),
    key=st.sampled_from(["arguments", "args", "parameters", "inputs"]),
    name=st.sampled_from([str, str.upper, lambda n: n.replace("-", "_"), lambda n: n.title().replace("-", " "), lambda n: n[:-2] + n[-1]]),
    wrap=st.sampled_from([lambda t: t, lambda t: {"tasks": t}, lambda t: {"plan": {"steps": t}}]),
    indent=st.sampled_from([None, 2]),
    quote=st.sampled_from([lambda s: s, lambda s: s.replace("]", ",]").replace("}", ",}"), lambda s: s.replace(", ", ", /* so */ ")]),
    around=st.sampled_from(
        ["{}", "Sure [1]!\n```json\n{}\n```\nDone {{really}}.", '<think>[{{"task": 1}}]</think>{}', "# plan\n{}\n// end"]
    ),
)
def test_other_spellings_of_a_plan_are_the_same_plan(
    ids: tuple[Any, ...], ref: Any, key: str, name: Any, wrap: Any, indent: int | None, quote: Any, around: str
) -> None:
    tasks = spelt(ids, ref, key, name)
    tasks[3][key]["question"] = "Who is it?"  # what is put into the text must not change a string
    text = around.format("\0").replace("\0", quote(json.dumps(wrap(tasks), indent=indent)))
    assert shape(read(text, salvage=False)) == SHAPE


JUNK = st.sampled_from(
    ["NaN", "-Infinity", "1e999", "9" * 50, "[" * 60, "\ud83d", "\ufffd", "\0", "\u2028", "/*", "//", "```", "<think>", "</think>"]
) | st.sampled_from(["<node-0>", "<GENERATED>-99", "<node-0>.x", '{"ref":"1"}', '"task":', '"id":"1",', *"\"'\\{}[],:<>#"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["<node-1>", "scan.png", "1", "{x}"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["ref", "port", "name", "value", "values", "each", "task", "text", "id", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)
PLANS = [json.dumps(TASKS), json.dumps({"tasks": TASKS}, indent=1), str(TASKS), json.dumps(TASKBENCH)]


@thorough
@given(
    text=st.sampled_from(PLANS),
    cuts=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 12), JUNK | st.text(max_size=3)), min_size=1, max_size=6),
    end=st.floats(0, 1) | st.none(),
)
def test_damaged_text_is_a_plan_or_an_error(text: str, cuts: list[tuple[float, int, str]], end: float | None) -> None:
    for where, gone, junk in cuts:
        at = int(where * len(text))
        text = text[:at] + junk + text[at + gone :]
    text = text if end is None else text[: int(end * len(text))]
    tried(text)
    stream = TaskStream()
    for i in range(0, len(text), 7):
        list(stream.feed(text[i : i + 7]))
    assert stream.text == text


@thorough
@given(data=st.data())
def test_odd_values_anywhere_are_a_plan_or_an_error(data: st.DataObject) -> None:
    tasks = json.loads(json.dumps(TASKS))
    for _ in range(data.draw(st.integers(1, 4))):
        task = data.draw(st.sampled_from(tasks))
        field = data.draw(st.sampled_from(["id", "task", "arguments", "argument", "extra"]))
        value = data.draw(VALUES)
        if field == "argument" and isinstance(task["arguments"], dict):
            task["arguments"][data.draw(st.sampled_from(["text", "image", "question", "colour", ""]))] = value
        else:
            task[field] = value
    links = data.draw(st.lists(st.fixed_dictionaries({"source": VALUES, "target": VALUES}), max_size=3))
    tried(json.dumps(data.draw(st.sampled_from([tasks, {"tasks": tasks, "task_links": links}]))))


LONG: dict[str, Callable[[], str]] = {
    "thoughts": lambda: "<think>" * 28_000,
    "unknown names": lambda: json.dumps([{"task": f"automatic speech x{i}"} for i in range(100)]),
    "one long name": lambda: json.dumps([{"task": "a" * 190_000}]),
    "one long port": lambda: json.dumps([{"task": "translation", "arguments": {"a" * 190_000: "x"}}]),
    "one long reference": lambda: json.dumps([{"task": "translation", "arguments": {"text": f"<node-{'1' * 190_000}>"}}]),
    "half references": lambda: json.dumps([{"task": "translation", "arguments": {"text": "<node-" * 30_000}}]),
    "many references": lambda: json.dumps([{"task": "translation", "arguments": {"text": "".join(f"<node-{i}>" for i in range(13_000))}}]),
    "a chain, backwards": lambda: json.dumps(
        [{"id": str(i), "task": "translation", "arguments": {"text": {"ref": str(i + 1)}}} for i in range(900)]
    ),
    "nothing given": lambda: json.dumps([{"task": "text-to-speech"}] * 900),
    "links": lambda: json.dumps(
        {
            "task_nodes": [{"task": "translation", "arguments": ["<node-1>"]}] * 900,
            "task_links": [{"source": "translation", "target": "translation"}] * 2000,
        }
    ),
    "too many tasks": lambda: json.dumps([{"task": "x"}] * 10_000),
    "a megabyte": lambda: PLANS[0] * 3000,
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_long_text_costs_little(text: Callable[[], str]) -> None:
    written = text()
    began = time.perf_counter()
    tried(written)
    assert time.perf_counter() - began < 8


@pytest.mark.parametrize("begin", ["", "<think>", '[{"task": "x", "arguments": {"text": "', "[ "])
@pytest.mark.parametrize("piece", ["}", "] ", "{}"])
def test_a_long_stream_costs_little(begin: str, piece: str) -> None:
    stream = TaskStream()
    began = time.perf_counter()
    assert list(stream.feed(begin)) == []
    for _ in range(1_000_000 // len(piece) // 4):
        list(stream.feed(piece * 4))
    assert time.perf_counter() - began < 8
    assert len(stream.text) > 900_000
