from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from langchain_hugginggpt.agent.checker import check
from langchain_hugginggpt.agent.errors import PlanError
from langchain_hugginggpt.agent.plan import Plan, PlannedTask, Ref
from langchain_hugginggpt.agent.planners.llm.drafts import draft, freeze
from langchain_hugginggpt.agent.planners.llm.parsing import Found
from langchain_hugginggpt.tools.artifacts import Artifact
from langchain_hugginggpt.tools.hub_tasks import HUB_TASKS
from tests.fakes import file

FILES: Mapping[str, Artifact] = {"scan.png": file("scan.png", "image/png"), "b.png": file("b.png", "image/png")}
READ = {"id": "1", "task": "image-to-text", "arguments": {"image": "scan.png"}}


def made(*entries: object, files: Mapping[str, Artifact] = FILES) -> Plan:
    return check(draft(Found(entries=entries), HUB_TASKS, files), HUB_TASKS, files)


def text_of(plan: Plan, i: int = 1) -> object:
    return plan.tasks[i].arguments["text"]


@pytest.mark.parametrize(
    "written",
    [
        "<GENERATED>-1",
        "<GENERATED-1>",
        "<generated>-1",
        "<resource>-1",
        " <node-1> ",
        "<GENERATED>-1.text",
        "<GENERATED-1.text>",
        {"ref": "1"},
        {"ref": 1},
        {"ref": "<GENERATED>-1"},
        {"ref": "1", "port": "text"},
        {"ref": "1", "port": "txt", "each": "false"},
        {"ref": "1", "ref_port": None, "value": None, "values": None, "each": False},
        {"ref": "1", "value": "", "values": []},
        {"ref": "image-to-text"},
        {"ref": "task_1"},
        ["<GENERATED>-1"],
        "Say <GENERATED>-1 aloud, please.",
    ],
)
def test_spellings_of_a_reference(written: object) -> None:
    plan = made(READ, {"id": "2", "task": "text-to-speech", "arguments": {"text": written}})
    assert text_of(plan) in (Ref(task_id="1"), Ref(task_id="1", port="text"))


@pytest.mark.parametrize(
    ("ids", "mentions", "parents"),
    [
        (("0", "1", "2"), ("0", "1"), ("0", "1")),
        ((0, 1, 2), (0, 1), ("0", "1")),
        (("1", "2", "3"), ("1", "2"), ("1", "2")),
        (("1", "2", "3"), ("0", "1"), ("1", "2")),
        (("0", "1", "2"), ("1", "2"), ("0", "1")),
        (("a", "b", "c"), ("a", "b"), ("a", "b")),
        (("t1", "t2", "t3"), ("1", "2"), ("t1", "t2")),
        ((None, None, None), ("0", "1"), ("0", "1")),
        ((None, None, None), ("1", "2"), ("1", "2")),
        (("10", "7", "3"), ("10", "7"), ("10", "7")),
    ],
)
@pytest.mark.parametrize("form", ["<GENERATED>-{}", "{}"])
def test_ids_count_from_0_or_1_or_are_words(ids: tuple[Any, ...], mentions: tuple[Any, ...], parents: tuple[str, ...], form: str) -> None:
    def ref(n: object) -> object:
        return form.format(n) if "<" in form else {"ref": n}

    entries: list[dict[str, Any]] = [
        {"task": "image-to-text", "args": {"image": "scan.png"}},
        {"task": "summarization", "args": {"text": ref(mentions[0])}},
        {"task": "text-to-speech", "args": {"text": ref(mentions[1])}},
    ]
    for entry, ident in zip(entries, ids, strict=True):
        if ident is not None:
            entry["id"] = ident
    plan = made(*entries)
    assert [t.parents for t in plan.tasks] == [(), (parents[0],), (parents[1],)]


def test_node_references_count_from_0() -> None:
    """TaskBench: tasks without ids, arguments as a bare list, `<node-1>` is the second task."""
    plan = made(
        {"task": "Image-to-Text", "arguments": ["scan.png"]},
        {"task": "Translation", "arguments": ["<node-0>", {"target_language": "de"}]},
        {"task": "Text-to-Speech", "arguments": ["<node-1>"]},
    )
    assert [t.task for t in plan.tasks] == ["image-to-text", "translation", "text-to-speech"]
    assert plan.tasks[2].parents == (plan.tasks[1].id,)
    assert plan.tasks[1].arguments["text"] == Ref(task_id=plan.tasks[0].id)


@pytest.mark.parametrize(
    "arguments",
    [
        {"image": "scan.png", "question": "Who?"},
        [{"port": "image", "value": "scan.png"}, {"port": "question", "value": "Who?", "values": [], "ref": ""}],
        [{"name": "question", "value": "Who?"}, {"name": "image", "value": "scan.png"}],
        [{"image": "scan.png"}, {"question": "Who?"}],
        ["scan.png", "Who?"],
        ["Who?", "scan.png"],
        {"image": ["scan.png"], "Question": "Who?"},
        {"image": "./in/Scan.PNG", "question": "Who?"},
        {"image": {"value": "scan.png"}, "question": {"value": "Who?", "ref": None}},
    ],
)
@pytest.mark.parametrize("key", ["arguments", "args", "parameters", "inputs"])
def test_forms_of_arguments(arguments: object, key: str) -> None:
    plan = made({"id": 1, "task": "visual_question_answering", key: arguments})
    assert plan.tasks == (PlannedTask(id="1", task="visual-question-answering", arguments={"image": "scan.png", "question": "Who?"}),)


def test_lists_of_references_and_repeated_ports() -> None:
    refs = [Ref(task_id="1"), Ref(task_id="2")]
    both = [READ, {"id": "2", "task": "image-to-text", "arguments": {"image": "b.png"}}]
    for sentences in (["<GENERATED>-1", "<GENERATED>-2"], "<GENERATED>-1 and <GENERATED>-2", [{"ref": "1"}, {"ref": "2"}]):
        plan = made(*both, {"id": "3", "task": "sentence-similarity", "arguments": {"source_sentence": "a dog", "sentences": sentences}})
        assert plan.tasks[2].arguments["sentences"] == refs
    arguments = [{"port": "source_sentence", "value": "a dog"}, {"port": "sentences", "ref": "1"}, {"port": "sentences", "ref": "2"}]
    assert made(*both, {"id": "3", "task": "sentence-similarity", "arguments": arguments}).tasks[2].arguments["sentences"] == refs


def test_each_and_output_ports_are_kept() -> None:
    plan = made(
        {"id": "1", "task": "image-segmentation", "arguments": {"image": "scan.png"}},
        {"id": "2", "task": "image-classification", "arguments": [{"port": "image", "ref": "1", "ref_port": "masks", "each": True}]},
        {"id": "3", "task": "text-to-speech", "arguments": {"text": {"ref": "1", "port": "regions"}}},
    )
    assert plan.tasks[1].arguments["image"] == Ref(task_id="1", port="masks", each=True)
    assert text_of(plan, 2) == Ref(task_id="1", port="regions")


def test_a_reference_to_a_file_and_a_value_that_is_an_id() -> None:
    plan = made(
        {"id": "1", "task": "depth-estimation", "arguments": {"image": {"ref": "scan.png"}}},
        {"id": "2", "task": "image-to-text", "arguments": {"image": "1"}},
    )
    assert plan.tasks[0].arguments["image"] == "scan.png"
    assert plan.tasks[1].arguments["image"] == Ref(task_id="1")
    assert any("reference to task 1" in r for r in plan.repairs)


def test_json_in_text_and_apostrophes_survive() -> None:
    plan = made(
        {
            "id": "1",
            "task": "mask-generation",
            "arguments": [{"port": "image", "value": "scan.png"}, {"port": "points", "value": "[[1, 2]]"}],
        },
        {"id": "2", "task": "text-to-speech", "arguments": {"text": 'It\'s an "error" in C:\\Users, {{task}} <b>-1'}},
    )
    assert plan.tasks[0].arguments["points"] == [[1, 2]]
    assert text_of(plan) == 'It\'s an "error" in C:\\Users, {{task}} <b>-1'


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ({"id": "2", "task": "text-generation", "arguments": {"prompt": "Write a poem about <GENERATED>-1"}}, "stands among words"),
        ({"id": "2", "task": "text-to-speech", "arguments": {"text": "<GENERATED>-1 and <GENERATED>-1"}}, "stands among words"),
        ({"id": "2", "task": "image-to-image", "arguments": {"image": "make <GENERATED>-1 nice"}}, "stands among words"),
        ({"id": "2", "task": "text-to-speech", "arguments": {"text": "<GENERATED>-9"}}, "refers to a task '9' that is not in the plan"),
        ({"id": "2", "task": "translation", "arguments": {"text": "<GENERATED>-2"}}, "wait for each other"),
        ({"id": "2", "task": "image-to-text", "arguments": {"image": "<GENERATED>-1"}}, "takes image, and image-to-text gives text"),
        ({"id": "2", "task": "text-to-speech", "arguments": 3.5j}, "neither an object nor a list"),
        ({"id": "2", "task": "text-to-speech", "arguments": ["hello", "again", "more"]}, "no port takes"),
        ({"id": "2", "task": "sing-a-song", "arguments": {"text": "la"}}, "there is no task 'sing-a-song'"),
        ({"id": "1", "task": "text-to-speech", "arguments": {"text": "la"}}, "two tasks have the id '1'"),
        ({"id": "2", "tool": 3}, "task 2 is not an object with a 'task' name"),
        ("text-to-speech", "task 2 is not an object with a 'task' name"),
        ({"id": "2", "task": "image-to-text", "arguments": {"image": "/etc/passwd"}}, "no attached file"),
    ],
)
def test_what_has_no_single_reading_is_a_problem(entry: object, problem: str) -> None:
    with pytest.raises(PlanError, match=problem):
        made(READ, entry)


def test_what_was_read_otherwise_is_recorded() -> None:
    plan = made(READ, {"id": "2", "task": "text-to-speech", "arguments": {"text": "Say <GENERATED>-0 aloud"}})
    assert len(plan.repairs) == 2
    assert "references counted from 0" in plan.repairs[0]
    assert "was read as the output that it mentions" in plan.repairs[1]


def test_started_tasks_stay_as_they_are() -> None:
    a, b, other = (PlannedTask(id=i, task=t) for i, t in (("1", "x"), ("2", "y"), ("1", "z")))
    assert freeze(Plan(tasks=(other, b)), [a]).tasks == (a, b)
    assert freeze(Plan(tasks=(b, b)), [a]).tasks == (b, b)


def salvaged(*entries: object, links: tuple[tuple[str, str], ...] = ()) -> Plan:
    return check(draft(Found(entries=entries, links=links), HUB_TASKS, FILES, salvage=True), HUB_TASKS, FILES, salvage=True)


VQA = {"image": "scan.png", "question": "Who?"}


@pytest.mark.parametrize(
    "arguments",
    [
        [{"name": "document_image", "value": "scan.png"}, {"name": "what", "value": "Who?"}],
        [{"name": "scan.png", "value": ""}, {"name": "question", "value": "Who?"}],
        [{"name": "scan.png"}, "Who?"],
        ["'scan.png'", "Who?"],
        {"input": "scan.png", "question": "Who?"},
    ],
)
def test_arguments_under_names_that_are_no_ports(arguments: Any) -> None:
    plan = salvaged({"id": "1", "task": "visual-question-answering", "arguments": arguments})
    assert plan.tasks[0].arguments["image"] == "scan.png"
    assert str(plan.tasks[0].arguments["question"]).endswith("Who?")


def test_words_of_an_instruction_are_put_together() -> None:
    plan = made({"id": "1", "task": "visual-question-answering", "arguments": ["scan.png", "Who?", "Where?"]})
    assert plan.tasks[0].arguments == {"image": "scan.png", "question": "Who?, Where?"}


def test_an_option_without_its_name_is_not_guessed() -> None:
    with pytest.raises(PlanError, match="no port takes 'de'"):
        made(READ, {"id": "2", "task": "translation", "arguments": ["<GENERATED>-1", "de"]})
    assert made({"id": "1", "task": "text-to-speech", "arguments": ["hello", "de"]}).tasks[0].arguments == {
        "text": "hello",
        "language": "de",
    }


def test_a_reference_and_quoted_words_are_two_arguments() -> None:
    plan = made(READ, {"id": "2", "task": "question-answering", "arguments": ["<GENERATED>-1 'Who wrote it?'"]})
    assert plan.tasks[1].arguments == {"context": Ref(task_id="1"), "question": "Who wrote it?"}


def test_links_feed_a_task_without_arguments() -> None:
    entries = ({"task": "image-to-text", "arguments": ["scan.png"]}, {"task": "translation", "arguments": None})
    plan = salvaged(*entries, {"task": "image-classification", "arguments": ["b.png"]}, links=(("Image-to-Text", "Translation"),))
    assert plan.tasks[1].arguments == {"text": Ref(task_id="1")}
    assert "what the plan's links say" in " ".join(plan.repairs)


@pytest.mark.parametrize(
    ("entry", "arguments", "says"),
    [
        (
            {"task": "text-generation", "arguments": {"prompt": "A poem on <GENERATED>-1"}},
            {"prompt": Ref(task_id="1")},
            "words were left out",
        ),
        ({"task": "translation", "arguments": ["<GENERATED>-1", "de"]}, {"text": Ref(task_id="1")}, "no port takes 'de'.*left out"),
        (
            {"task": "text-to-speech", "arguments": ["hello", "<GENERATED>-1"]},
            {"text": Ref(task_id="1")},
            "no port takes 'hello'.*left out",
        ),
        ({"task": "translation", "arguments": {"text": "<GENERATED>-7"}}, {"text": Ref(task_id="1")}, "filled with the only text"),
        ({"task": "translation", "arguments": {"text": "<GENERATED>-2"}}, {"text": Ref(task_id="1")}, "is this one"),
        ({"task": "translation", "arguments": {"text": {}}}, {"text": Ref(task_id="1")}, "filled with the only text"),
    ],
)
def test_the_last_attempt_keeps_what_can_be_used(entry: dict[str, Any], arguments: dict[str, Any], says: str) -> None:
    plan = salvaged(READ, {"id": "2", **entry})
    assert plan.tasks[1].arguments == arguments
    assert re.search(says, " ".join(plan.repairs))


def test_the_last_attempt_keeps_the_tasks_that_are_tasks() -> None:
    assert salvaged(READ, "read it aloud", {"tool": 3}).tasks == (
        PlannedTask(id="1", task="image-to-text", arguments={"image": "scan.png"}),
    )
    with pytest.raises(PlanError, match="not an object with a 'task' name"):
        salvaged("read it aloud")


def test_more_tasks_than_can_be_run() -> None:
    with pytest.raises(PlanError, match="the plan has 1,001 tasks"):
        salvaged(*[READ] * 1001)
