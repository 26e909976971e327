"""Loading TaskBench: its layouts, and what is wrong with files in the wild."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from langchain_hugginggpt.evaluation import DatasetError, PlanningCase, Problems, load_taskbench
from langchain_hugginggpt.evaluation.datasets.taskbench import mentioned_files
from langchain_hugginggpt.evaluation.jsonl import LinesById, read_objects
from langchain_hugginggpt.tools import Kind, Role
from tests.evaluation.taskbench_files import TOOLS, case, link, node, write_lines, write_set

SHARED = Path(__file__).parents[3] / "shared" / "data" / "taskbench"
ASR = "Automatic Speech Recognition"


def read(path: Path) -> tuple[list[PlanningCase], Problems]:
    problems = Problems()
    return list(load_taskbench(path).read(problems)), problems


def test_the_official_folder(tmp_path: Path) -> None:
    write_set(tmp_path, [case("1", node(ASR, "example.wav")), case("2", node("Summarization", "x"), type="chain")])
    data = load_taskbench(tmp_path)
    cases, problems = read(tmp_path)
    assert data.size == 2
    assert list(data.tasks) == list(TOOLS)
    assert [(c.id, c.type) for c in cases] == [("1", "single"), ("2", "chain")]
    assert cases[0].request is not None
    assert [f.name for f in cases[0].request.files] == ["example.wav"]
    assert not problems


def test_ports_are_those_of_the_hub_task_where_it_takes_the_same_kinds() -> None:
    found = load_taskbench(SHARED).tasks if SHARED.exists() else None
    if found is None:
        pytest.skip("needs ../shared/data/taskbench")
    assert len(found) == 23
    question = found["Visual Question Answering"].input_port("question")
    assert (question.kind, question.role) == (Kind.TEXT, Role.INSTRUCTION)
    assert [p.kind for p in found["Tabular Classification"].inputs] == [Kind.IMAGE]  # the Hub's takes a table
    editing = found["Image Editing"]  # no Hub task: ports by kind
    assert [(p.name, p.role) for p in editing.inputs] == [("text", Role.INSTRUCTION), ("image", Role.CONTENT)]
    assert found["Sentence Similarity"].output.kind is Kind.NUMBER  # declares no output


def test_requests_in_a_file_of_their_own_and_the_spelling_of_the_hub(tmp_path: Path) -> None:
    first = {"id": 1, "type": "single", "tool_nodes": json.dumps([node(ASR, "a.wav")]), "tool_links": "[]"}
    second = {"id": "2", "instruction": "Say it.", "tool_nodes": [node("Text-to-Speech", "x")], "tool_links": []}
    write_set(tmp_path, [first, second])
    write_lines(tmp_path / "user_requests.json", [{"id": "1", "user_request": "Write down a.wav"}, {"id": "9", "user_request": "?"}])
    cases, problems = read(tmp_path)
    assert [c.request.text if c.request else None for c in cases] == ["Write down a.wav", "Say it."]
    assert [c.label.task_nodes if c.label else None for c in cases] == [[node(ASR, "a.wav")], [node("Text-to-Speech", "x")]]
    assert cases[1].type == "single"  # not said: read off the label
    assert not problems


def test_requests_alone(tmp_path: Path) -> None:
    write_set(tmp_path, [{"id": "1", "user_request": "Write down a.wav"}], name="user_requests.json")
    cases, problems = read(tmp_path)
    assert cases[0].label is None
    assert cases[0].type == ""
    assert not problems


def test_labels_of_names_and_positions(tmp_path: Path) -> None:
    entry = {"id": "1", "user_request": "x", "tasks": [ASR, "(unknown)", "Summarization"], "links": [[0, 2], [1, 9], "?"]}
    write_set(tmp_path, [entry])
    (one,), problems = read(tmp_path)
    assert one.label is not None
    assert one.without_arguments
    assert one.label.task_nodes == [node(ASR), node("(unknown)"), node("Summarization", "<node-0>")]
    assert one.label.task_links == [link(ASR, "Summarization")]
    assert problems.counts == {"labelled task is not in the tool list": 1}


def test_a_json_array(tmp_path: Path) -> None:
    write_set(tmp_path, [])
    (tmp_path / "data.json").write_text(json.dumps([case("1", node(ASR, "a.wav")), 7, case("2", node(ASR, "a.wav"))], indent=1))
    cases, problems = read(tmp_path)
    assert [c.id for c in cases] == ["1", "2"]
    assert load_taskbench(tmp_path).size == 2
    assert problems.counts == {"entry is not an object": 1}


def test_everything_that_may_be_wrong_is_counted_and_the_rest_is_read(tmp_path: Path) -> None:
    good = case("good", node(ASR, "a.wav"))
    lines = [
        '{"id": "torn", "user_req',
        "[1, 2]",
        {"user_request": "no id"},
        {"id": "no-request", "task_nodes": [node(ASR, "a.wav")], "task_links": []},
        case("unknown", node("Time Travel", "x"), node("Speech_to Text", "y")),
        case("no-arguments", {"task": ASR}),
        case("nameless", {"name": ASR}),
        case("empty"),
        good,
        good,
    ]
    write_set(tmp_path, lines)
    cases, problems = read(tmp_path)
    assert [c.id for c in cases] == ["no-request", "unknown", "no-arguments", "nameless", "empty", "good", "good"]
    assert problems.counts == {
        "line is not JSON": 1,
        "line is not an object": 1,
        "line has no id": 1,
        "case has no request (only recorded predictions can be scored on it)": 1,
        "labelled task is not in the tool list": 2,
        "labelled task has no arguments (the official scorer drops the case)": 1,
        "label cannot be read": 1,
        "label is an empty plan": 1,
    }
    assert problems.places["line is not JSON"] == ["""data.json:1: '{"id": "torn", "user_req'"""]


def test_what_is_no_data_set_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="There is no data set"):
        load_taskbench(tmp_path / "nowhere")
    with pytest.raises(DatasetError, match=r"no tool list in .* Put TaskBench's tool_desc.json there"):
        load_taskbench(tmp_path)
    write_set(tmp_path, [])
    (tmp_path / "data.json").unlink()
    with pytest.raises(DatasetError, match="neither labels nor requests"):
        load_taskbench(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not a list of TaskBench tools"),
        ('{"nodes": []}', "nodes: List should have at least 1 item"),
        ('{"nodes": [{"id": "a", "input-type": ["smell"], "output-type": []}]}', "nodes.0.input-type.0"),
        ('{"nodes": [{"id": "send_sms", "parameters": []}]}', "nodes.0.input-type: Field required"),
    ],
)
def test_a_broken_tool_list_is_refused(tmp_path: Path, text: str, message: str) -> None:
    write_set(tmp_path, [case("1", node(ASR, "a.wav"))])
    (tmp_path / "tool_desc.json").write_text(text)
    with pytest.raises(DatasetError, match=message):
        load_taskbench(tmp_path)


def test_files_that_a_request_names() -> None:
    found = mentioned_files("Compare 'example.jpg' with my-scan.v2.png (see e.g. Fig.2), then example.jpg and talk.wav.")
    assert [(f.name, f.kind) for f in found] == [("example.jpg", "image"), ("my-scan.v2.png", "image"), ("talk.wav", "audio")]


def test_a_huge_word_costs_no_square() -> None:
    began = time.perf_counter()
    assert mentioned_files("x" * 200_000 + " talk.wav")[0].name == "talk.wav"
    assert time.perf_counter() - began < 5  # it took minutes


def test_an_array_behind_a_byte_order_mark(tmp_path: Path) -> None:
    write_set(tmp_path, [])
    (tmp_path / "data.json").write_text(json.dumps([case("1", node(ASR, "a.wav")), case("2", node(ASR, "a.wav"))]), encoding="utf-8-sig")
    data = load_taskbench(tmp_path)
    assert data.size == len(list(data.read(Problems()))) == 2


def test_what_is_nested_too_deeply_is_no_json(tmp_path: Path) -> None:
    problems = Problems()
    assert list(read_objects(write_lines(tmp_path / "a.json", ["[" * 100_000]), problems)) == []
    assert problems.counts == {"file is not JSON": 1}


def test_lines_by_id_reads_again_and_the_last_holds(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", [{"id": "1", "n": 1}, {"id": 2}, "nonsense", {"id": "1", "n": 2}, {"x": 1}])
    problems = Problems()
    lines = LinesById(path, problems)
    assert lines.get("1") == {"id": "1", "n": 2}
    assert lines.get("2") == {"id": 2}
    assert lines.get("3") is None
    assert list(lines) == ["1", "2"]
    assert problems.counts == {"line is not JSON": 1, "id occurs twice in a.jsonl (the last holds)": 1, "line has no id": 1}
    with pytest.raises(DatasetError, match="There is no file"):
        LinesById(tmp_path / "b.jsonl", problems)


def test_lines_are_read_one_by_one(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", [{"id": 1}, {"id": 2}])
    reading = read_objects(path, Problems())
    assert next(reading) == ("a.jsonl:1", {"id": 1})
    with pytest.raises(DatasetError, match="cannot be read"):
        next(read_objects(tmp_path / "b.jsonl", Problems()))


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared/data/taskbench")
def test_all_of_the_shared_files_are_taken() -> None:
    for name, size in {"dev.jsonl": 626, "train.jsonl": 3043, "train_arguments.jsonl": 307, "requests.jsonl": 7546}.items():
        cases, problems = read(SHARED / name)
        assert len(cases) == size
        assert all(c.request is not None for c in cases)
        assert all((c.label is not None) == (name != "requests.jsonl") for c in cases)
        if name == "dev.jsonl":
            assert problems.counts["labelled task is not in the tool list"] == 117
