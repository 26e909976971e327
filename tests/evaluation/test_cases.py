"""A team's own cases: the form of the file, its faults, and what a case says of a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from langchain_hugginggpt.agent import Plan, Reply
from langchain_hugginggpt.evaluation.checks import ArtifactCheck, OutputCheck, TextCheck
from langchain_hugginggpt.evaluation.datasets.agent_case import AgentCase, links_of, positions, shape, shape_of
from langchain_hugginggpt.evaluation.datasets.cases import digest, label_of, load_cases, planning_data, type_of
from langchain_hugginggpt.evaluation.errors import DatasetError
from langchain_hugginggpt.index.problems import Problems
from langchain_hugginggpt.tools import HUB_TASKS, HubTask, Kind, Port
from tests.evaluation.traces import PLAN, reply, results

FULL = """
cases:
  - id: letter
    request: Is it a complaint? Read me a summary.
    files: [in/scan.png, ../notes.txt]
    tasks: [image-to-text, zero-shot-classification, summarization, text-to-speech]
    links:
      - image-to-text -> zero-shot-classification
      - [image-to-text, summarization]
      - summarization→text-to-speech
    reply: {contains: complaint, excludes: [praise, sorry], matches: '^The'}
    outputs:
      image-to-text: {contains: [49 euros]}
      zero-shot-classification: {equals: complaint, min: 0.5, max: 1}
      question-answering: {port: score, min: 0.1}
    artifacts: [audio, {kind: image, count: 0}]
  - id: '2'
    request: Hello
""".replace("      question-answering: {port: score, min: 0.1}\n", "")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "team" / "in").mkdir(parents=True)
    (tmp_path / "team" / "in" / "scan.png").write_bytes(b"\x89PNG\r\n\x1a\n-a picture")
    (tmp_path / "notes.txt").write_text("notes")
    return tmp_path / "team"


def written(place: Path, text: str, name: str = "cases.yaml") -> Path:
    (place / name).write_text(text, "utf-8")
    return place / name


def case(place: Path, fields: str) -> AgentCase:
    """A case with these fields beside id and request."""
    return load_cases(written(place, f"cases: [{{id: a, request: r, {fields}}}]"))[0]


def faults(place: Path, text: str) -> list[str]:
    with pytest.raises(DatasetError, match="Faults in the cases") as caught:
        load_cases(written(place, text))
    return [line.removeprefix("- ") for line in caught.value.message.splitlines()[1:]]


def fault(place: Path, fields: str) -> str:
    found = faults(place, f"cases: [{{id: a, request: r, {fields}}}]")
    assert len(found) == 1
    return found[0].removeprefix("cases.yaml, case 'a', ")


def test_every_field(place: Path) -> None:
    letter, hello = load_cases(written(place, FULL))
    assert letter == AgentCase(
        id="letter",
        request="Is it a complaint? Read me a summary.",
        files=((place / "in" / "scan.png").resolve(), (place.parent / "notes.txt").resolve()),
        tasks=("image-to-text", "zero-shot-classification", "summarization", "text-to-speech"),
        links=(
            ("image-to-text", "zero-shot-classification"),
            ("image-to-text", "summarization"),
            ("summarization", "text-to-speech"),
        ),
        reply=TextCheck(contains=("complaint",), excludes=("praise", "sorry"), matches=("^The",)),
        outputs=(
            OutputCheck(task="image-to-text", port="text", kind=Kind.TEXT, text=TextCheck(contains=("49 euros",))),
            OutputCheck(task="zero-shot-classification", port="labels", kind=Kind.LABELS, equals="complaint", least=0.5, most=1.0),
        ),
        artifacts=(ArtifactCheck(kind=Kind.AUDIO), ArtifactCheck(kind=Kind.IMAGE, count=0)),
    )
    assert hello == AgentCase(id="2", request="Hello")


def test_another_port_and_a_value_of_null(place: Path) -> None:
    found = case(place, "outputs: {question-answering: {port: score, min: 0.1, equals: null}}").outputs
    assert found == (OutputCheck(task="question-answering", port="score", kind=Kind.NUMBER, least=0.1, equals=None),)


def test_what_cases_share_can_be_merged(place: Path) -> None:
    text = "cases:\n- &common {id: a, request: r, tasks: [summarization]}\n- {<<: *common, id: b}"
    assert [(c.id, c.tasks) for c in load_cases(written(place, text))] == [("a", ("summarization",)), ("b", ("summarization",))]


def test_a_folder_of_files(place: Path) -> None:
    written(place, "cases: [{id: b, request: r}]", "b.yml")
    written(place, "cases: [{id: a, request: r}]", "a.yaml")
    written(place, "not a case", "readme.txt")
    assert [c.id for c in load_cases(place)] == ["a", "b"]
    written(place, "cases: [{id: b, request: r}]", "c.yaml")
    with pytest.raises(DatasetError, match=r"c\.yaml, case 'b', id: stands twice"):
        load_cases(place)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ("taks: [summarization]", "all of it: there is no field 'taks'; did you mean 'tasks'?"),
        ("reply: {contain: x}", "reply: there is no field 'contain'; did you mean 'contains'?"),
        ("tasks: [image-to-txt]", "tasks[0]: There is no task named 'image-to-txt'. Did you mean 'image-to-text'?"),
        ("tasks: [summarization], links: [a -> b]", "links[0]: is a -> b, but the tasks are summarization"),
        (
            "tasks: [summarization], links: [summarization -> summarization]",
            "links[0]: is summarization -> summarization, but the tasks are summarization",
        ),
        ("links: [summarization -> translation]", "links: need the tasks: write them under tasks"),
        ("tasks: [summarization], links: [a]", "links[0]: is 'a', not two names of tasks: write [a, b] or a -> b"),
        ("files: [in/scam.png]", "files[0]: there is no file"),
        ("files: [in]", "files[0]: there is no file"),
        ("reply: {contains: 25.70}", "reply.contains: must be text: write it in quotes, '25.7'"),
        ("reply: {contains: [25.70]}", "reply.contains[0]: must be text: write it in quotes, '25.7'"),
        ("reply: {contains: ['']}", "reply.contains[0]: is empty"),
        ("reply: {matches: '('}", "reply.matches: '(' is no regular expression: "),
        ("reply: Hello", "reply: must be a mapping, `field: value`, not 'Hello'"),
        ("outputs: {sumarization: {}}", "outputs.sumarization: There is no task named 'sumarization'. Did you mean 'summarization'?"),
        ("outputs: {summarization: {port: text}}", "outputs.summarization.port: There is no output port of summarization named 'text'."),
        ("tasks: [], outputs: {summarization: {}}", "outputs.summarization: is not among the tasks of the case: none"),
        ("outputs: {text-to-speech: {contains: x}}", "outputs.text-to-speech: makes a file (audio): pin it under artifacts"),
        ("artifacts: [sound]", "artifacts[0].kind: There is no kind of file named 'sound'."),
        ("artifacts: [{kind: audio, count: -1}]", "artifacts[0].count: Input should be greater than or equal to 0, not -1"),
        ("plan_only: true, artifacts: [audio]", "plan_only: contradicts outputs and artifacts"),
        ("plan_only: perhaps", "plan_only: must be true or false, not 'perhaps'"),
    ],
)
def test_faults(place: Path, fields: str, told: str) -> None:
    assert fault(place, fields).startswith(told)


def test_every_fault_is_told_at_once(place: Path) -> None:
    ids = ("id: a", "id: a", "type: x", "id: 12", "id: no", "id: 2025-01-01")
    found = faults(place, "cases:\n" + "".join(f"- {{request: r, {i}}}\n" for i in ids) + "- nonsense\n- {id: b, request: ' '}")
    assert found == [
        "cases.yaml, case 'a', id: stands twice",
        "cases.yaml, case 3 (no id), id: is missing",
        "cases.yaml, case '12', id: must be text: write it in quotes, '12'",
        "cases.yaml, case 'False', id: must be text: write it in quotes, 'False'",
        "cases.yaml, case '2025-01-01', id: must be text: write it in quotes, '2025-01-01'",
        "cases.yaml, case 7 (no id), all of it: must be a mapping, `field: value`, not 'nonsense'",
        "cases.yaml, case 'b', request: is empty",
    ]


def test_many_faults_are_cut(place: Path) -> None:
    found = faults(place, "cases:\n" + "- {id: a}\n" * 30)
    assert len(found) == 21
    assert found[-1] == "… and 10 more"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "has no list of cases"),
        ("cases:", "has no list of cases"),
        ("- id: a", "has no list of cases"),
        ("cases: []", "There is no case in"),
        ("cases: [{id: a, request: r}]\nmore: 1", "holds 'more' beside `cases`"),
        ("cases: [", "is no YAML that can be read"),
        ("cases: [{id: a, id: b, request: r}]", "the key 'id' stands here twice"),
        ("cases: [{id: a, request: r, when: 2025-13-45}]", "is no YAML that can be read"),
        ("cases: !!python/object/apply:os.getcwd []", "is no YAML that can be read"),
        ("cases: \x00", "is no YAML that can be read"),
    ],
)
def test_files_that_are_no_cases(place: Path, text: str, told: str) -> None:
    with pytest.raises(DatasetError, match=told):
        load_cases(written(place, text))


def test_files_that_are_not_there(place: Path) -> None:
    with pytest.raises(DatasetError, match="cannot be read: No such file"):
        load_cases(place / "none.yaml")
    with pytest.raises(DatasetError, match=r"There is no \*\.yaml file"):
        load_cases(place)


def test_tasks_of_ones_own(place: Path) -> None:
    own = HubTask(
        name="reading-level", summary="s", inputs=(Port(name="text", kind=Kind.TEXT),), outputs=(Port(name="years", kind=Kind.NUMBER),)
    )
    text = "cases: [{id: a, request: r, tasks: [reading-level], outputs: {reading-level: {max: 9}}}]"
    (found,) = load_cases(written(place, text), HUB_TASKS.plus([own]))
    assert found.outputs[0].kind is Kind.NUMBER


NAMES = ("image-to-text", "zero-shot-classification", "summarization", "text-to-speech")
LINKS = (("image-to-text", "zero-shot-classification"), ("image-to-text", "summarization"), ("summarization", "text-to-speech"))


def test_a_run_that_is_as_expected() -> None:
    wanted = AgentCase(id="a", request="r", tasks=NAMES[::-1], links=LINKS[::-1], artifacts=(ArtifactCheck(kind=Kind.AUDIO),))
    assert wanted.problems(reply("fine")) == []


def test_what_differs_is_told() -> None:
    wanted = AgentCase(
        id="a",
        request="r",
        tasks=("image-to-text", "text-to-speech", "text-to-speech", "translation"),
        links=(("image-to-text", "translation"), *LINKS),
        reply=TextCheck(contains=("49",)),
        outputs=(OutputCheck(task="image-to-text", port="text", kind=Kind.TEXT, text=TextCheck(contains=("50 euros",))),),
        artifacts=(ArtifactCheck(kind=Kind.IMAGE),),
    )
    assert wanted.problems(reply("nothing")) == [
        "the plan lacks text-to-speech, translation and has zero-shot-classification, summarization too much: its tasks are "
        "image-to-text, zero-shot-classification, summarization, text-to-speech.",
        "the plan lacks image-to-text -> translation: its links are image-to-text -> zero-shot-classification, "
        "image-to-text -> summarization, summarization -> text-to-speech.",
        "the reply does not contain '49': 'nothing'.",
        "text of image-to-text does not contain '50 euros': 'Dear Brightwater Kettles, please refund the price of 49 euros. "
        "The kettle cost 1,340 crowns “in all”.'.",
        "at least one image file had to be made; made: 1 audio.",
    ]


def failed() -> Reply:
    one, two, three, four = results()
    three = replace(three, status="failed", error="The text is\nempty.", output={})
    four = replace(four, status="skipped", error="its input never came", output={}, artifacts=())
    return reply("sorry", ran=(one, two, three, four))


def test_what_did_not_run_is_told_unless_only_the_plan_is_pinned() -> None:
    wanted = AgentCase(id="a", request="r", tasks=NAMES)
    assert wanted.problems(failed()) == [
        "summarization (task 3) failed: The text is empty.",
        "text-to-speech (task 4) was skipped: its input never came.",
    ]
    assert replace(wanted, plan_only=True).problems(failed()) == []
    assert wanted.problems(reply(ran=results()[:3])) == ["text-to-speech (task 4) was planned and has no result."]


def test_a_chat_must_plan_nothing() -> None:
    hello = AgentCase(id="a", request="r", tasks=())
    assert hello.problems(reply("Hello!", made=Plan(), ran=())) == []
    assert hello.problems(reply())[0].startswith("the plan has image-to-text")
    assert AgentCase(id="a", request="r").problems(reply()) == []


def test_shapes_and_links() -> None:
    assert links_of(PLAN) == list(LINKS)
    assert shape_of(PLAN) == "dag"
    assert shape_of(Plan()) == "chat"
    assert shape_of(Plan(tasks=PLAN.tasks[:1])) == "single"
    assert shape_of(Plan(tasks=PLAN.tasks[:2])) == "chain"
    assert shape(3, [(0, 1), (1, 2)]) == "chain"
    assert shape(3, [(0, 1), (0, 2)]) == "dag"
    assert shape(2, []) == "dag"
    assert positions(("a", "b", "a", "b"), (("a", "b"), ("a", "b"))) == [(0, 1), (2, 3)]
    assert positions(("a", "a"), (("a", "a"),)) == [(0, 1)]
    with pytest.raises(ValueError, match="empty"):
        positions(("a",), (("a", "a"),))


def test_the_type_of_a_case() -> None:
    assert type_of(AgentCase(id="a", request="r", tasks=NAMES, links=LINKS)) == "dag"
    assert type_of(AgentCase(id="a", request="r", tasks=NAMES[:1])) == "single"
    assert type_of(AgentCase(id="a", request="r", tasks=NAMES[:2])) == ""
    assert type_of(AgentCase(id="a", request="r", tasks=NAMES[:2], type="ours")) == "ours"


def test_the_digest_tells_cases_and_files_apart(place: Path) -> None:
    cases = load_cases(written(place, FULL))
    before = digest(cases)
    assert digest(load_cases(place / "cases.yaml")) == before
    assert digest(cases[:1]) != before
    (place.parent / "notes.txt").write_text("other notes")
    assert digest(cases) != before
    (place.parent / "notes.txt").unlink()
    assert len(digest(cases)) == 64


def test_as_a_planning_data_set(place: Path) -> None:
    text = f"{FULL}    tasks: []\n  - {{id: c, request: r, tasks: [summarization, translation]}}\n  - {{id: d, request: r, type: odd}}"
    data = planning_data(written(place, text))
    problems = Problems()
    letter, hello, *others = data.read(problems)
    assert (data.name, data.size, data.tasks) == ("team/cases.yaml", 4, HUB_TASKS)
    assert data.output_types["text-to-speech"] == "audio"
    assert letter.request is not None
    assert [(f.name, f.kind) for f in letter.request.files] == [("scan.png", Kind.IMAGE), ("notes.txt", Kind.TEXT)]
    assert (letter.type, letter.without_arguments) == ("dag", True)
    assert letter.label is not None
    assert letter.label.as_json() == {
        "task_steps": [],
        "task_nodes": [
            {"task": "image-to-text", "arguments": []},
            {"task": "zero-shot-classification", "arguments": ["<node-0>"]},
            {"task": "summarization", "arguments": ["<node-0>"]},
            {"task": "text-to-speech", "arguments": ["<node-2>"]},
        ],
        "task_links": [{"source": a, "target": b} for a, b in LINKS],
    }
    assert hello.label is not None
    assert (hello.type, hello.label.task_nodes) == ("chat", [])
    assert [(c.id, c.label, c.type) for c in others] == [("c", None, ""), ("d", None, "")]
    assert list(problems.counts.values()) == [2]


def test_labels_stand_in_the_order_in_which_they_run() -> None:
    links = (("b", "c"), ("c", "a"))
    label = label_of(AgentCase(id="x", request="r", tasks=("a", "b", "c"), links=links))
    assert label is not None
    assert [n["task"] for n in label.task_nodes] == ["b", "c", "a"]
    assert [n["arguments"] for n in label.task_nodes] == [[], ["<node-0>"], ["<node-1>"]]
    circle = label_of(AgentCase(id="x", request="r", tasks=("a", "b"), links=(("a", "b"), ("b", "a"))))
    assert circle is not None
    assert [n["task"] for n in circle.task_nodes] == ["a", "b"]


def test_a_type_of_ones_own_is_for_whole_runs(place: Path) -> None:
    data = planning_data(written(place, "cases: [{id: a, request: r, tasks: [summarization], type: ours}]"))
    assert [c.type for c in data.read(Problems())] == ["single"]


def test_a_file_that_has_gone_or_is_not_what_it_says_costs_its_case_only(place: Path) -> None:
    data = planning_data(written(place, FULL))
    (place / "in" / "scan.png").write_bytes(b"RIFF....WAVE")
    problems = Problems()
    assert [c.id for c in data.read(problems)] == ["2"]
    assert dict(problems.counts)["a file of the case cannot be used"] == 1
