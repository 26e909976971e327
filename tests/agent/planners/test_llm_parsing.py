from __future__ import annotations

import json
import time

import pytest

from langchain_hugginggpt.agent.errors import PlanError
from langchain_hugginggpt.agent.planners.llm.parsing import BadError, Found, ShortError, TaskStream, find_plan, read_value

TASK = {"id": "1", "task": "image-to-text", "arguments": {"image": "scan.png"}}
OTHER = {"id": "2", "task": "text-to-speech", "arguments": {"text": {"ref": "1"}}}
PLAN = json.dumps([TASK, OTHER])


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        -1.5e3,
        12,
        "",
        'a "quoted" \\ / \n\t\u00e9 \U0001f600',
        [],
        {},
        {"a": [1, {"b": None}], "c,}": ": ]"},
        ["// no comment", "# none", "/* none */"],
        "it's",
        "C:\\Users\\new\\d+",
    ],
)
@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_json_reads_as_json(value: object, indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert read_value(text) == (value, len(text))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{'a': 'It's a dog', 'b': 'x'}", {"a": "It's a dog", "b": "x"}),
        ('{"a": "He said "hi" to me", "b": 1}', {"a": 'He said "hi" to me', "b": 1}),
        ('{"a": "It\'s", }', {"a": "It's"}),
        ("[1, 2, 3,]", [1, 2, 3]),
        ('{"a": 1\n "b": 2}', {"a": 1, "b": 2}),
        ("{a: True, b: None, c: False}", {"a": True, "b": None, "c": False}),
        ('{"a": 1, // one\n # two\n "b": /* three */ 2}', {"a": 1, "b": 2}),
        (r'{"path": "C:\Users\dora", "re": "\d+"}', {"path": r"C:\Users\dora", "re": r"\d+"}),
        ('{"a": "two\nlines"}', {"a": "two\nlines"}),
        ("{“a”: “b”}", {"a": "b"}),
        ('{"a": <GENERATED>-0, "b": [<node-1>]}', {"a": "<GENERATED>-0", "b": ["<node-1>"]}),
        ('{"a": "\\ud83d\\ude00 \\ud83d"}', {"a": "\U0001f600 \ufffd"}),
        ('{"a": "https://example.org/x"}', {"a": "https://example.org/x"}),
    ],
)
def test_nearly_json_reads_too(text: str, value: object) -> None:
    assert read_value(text)[0] == value


@pytest.mark.parametrize("text", ["[1, 2", '{"a": "b', '{"a"', '{"a": tru', '["\\', "", "{'a': 'b'"])
def test_text_that_ends_early_is_told_from_text_that_is_wrong(text: str) -> None:
    with pytest.raises(ShortError):
        read_value(text)


@pytest.mark.parametrize("text", ["[see below]", "{braces: here}", "1e9999", "[" * 60, "}", '{"a" 1}'])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises((BadError, ShortError)):
        read_value(text)


@pytest.mark.parametrize(
    "text",
    [
        PLAN,
        json.dumps([TASK, OTHER], indent=4),
        f"Sure! Here is the plan:\n```json\n{PLAN}\n```\nIt reads [the] letter {{first}}.",
        json.dumps({"tasks": [TASK, OTHER]}),
        json.dumps({"plan": {"steps": [TASK, OTHER]}}),
        json.dumps({"name": "plan", "arguments": {"tasks": [TASK, OTHER]}}),
        f"{json.dumps(TASK)}\n{json.dumps(OTHER)}",
        f"<think>Perhaps [{json.dumps(OTHER)}]? Or {{</think>{PLAN}",
        f'First I thought of {json.dumps([OTHER])}, but this is right: {PLAN}. It gives {{"text": "…"}}.',
        f"{PLAN}\n[]",
        str([TASK, OTHER]),
    ],
)
def test_a_plan_is_found(text: str) -> None:
    assert find_plan(text) == Found(entries=(TASK, OTHER))


@pytest.mark.parametrize("text", ["[]", '{"tasks": []}', "No task is needed: []", "```\n{'tasks': [], 'question': None}\n```"])
def test_no_tasks_is_a_plan(text: str) -> None:
    assert find_plan(text) == Found()


def test_a_question_is_kept() -> None:
    assert find_plan('{"tasks": [], "question": " Which file? "}').question == "Which file?"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "the answer is empty"),
        ("I cannot help with that.", "holds no plan"),
        ('{"answer": "Paris", "sources": []}', "holds no plan"),
        (PLAN[:-20], "breaks off"),
        (json.dumps({"tasks": [TASK, OTHER]})[:-40], "breaks off"),
        ('[{"id": 1, "task": "a", "arguments": {"x" "y"}}, {"id": 2, "task": "b", "arguments": []}]', "is broken"),
        ("x" * 200_001, "at most 200,000"),
    ],
)
def test_an_answer_without_a_plan_is_an_error_that_says_why(text: str, problem: str) -> None:
    with pytest.raises(PlanError, match=problem):
        find_plan(text)


@pytest.mark.parametrize("text", ['["' * 90_000, "[" * 190_000, "{a:" * 60_000, "/*" * 90_000 + "[", "{'" * 90_000, '[{"task":"' * 15_000])
def test_hostile_text_costs_little(text: str) -> None:
    began = time.perf_counter()
    with pytest.raises(PlanError):
        find_plan(text)
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize("piece", [1, 3, 1000])
@pytest.mark.parametrize("before", ["", "Sure! [I plan]\n```json\n", '{"tasks": ', '<think>[{"task": "x"}]</think>'])
def test_tasks_of_a_stream_come_once_they_are_complete(piece: int, before: str) -> None:
    text = before + PLAN + "]} and so on"
    stream = TaskStream()
    seen: list[tuple[object, int]] = []
    for i in range(0, len(text), piece):
        for entry in stream.feed(text[i : i + piece]):
            seen.append((entry, len(stream.text)))
    assert [entry for entry, _ in seen] == [TASK, OTHER]
    assert stream.closed
    assert stream.text == text
    if piece == 1:
        assert seen[0][1] == len(before) + 1 + len(json.dumps(TASK))


@pytest.mark.parametrize("text", ["[]", "no plan", '[{"port": "text"}, {"task": "x"}]', '[{"task": bad}]', "<think>[{'task': 'x'}]"])
def test_a_stream_of_something_else_gives_nothing(text: str) -> None:
    assert list(TaskStream().feed(text)) == []
