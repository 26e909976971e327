"""The table of Hub tasks, and what a table, a task and a port promise."""

from __future__ import annotations

import keyword
from itertools import product

import pytest

from langchain_hugginggpt.index.errors import CallerError, UnknownNameError
from langchain_hugginggpt.tools import HUB_TASKS, HubTask, Kind, Port, Role, TaskTable

# https://huggingface.co/docs/hub/models-tasks and the Hub's pipeline tags; text2text-generation has gone from the Hub.
PIPELINE_TAGS = set(
    """
    text-classification token-classification table-question-answering question-answering zero-shot-classification translation
    summarization feature-extraction text-generation fill-mask sentence-similarity text-ranking text-retrieval multiple-choice
    table-to-text
    text-to-speech text-to-audio automatic-speech-recognition audio-to-audio audio-classification voice-activity-detection
    depth-estimation image-classification object-detection image-segmentation text-to-image image-to-text image-to-image
    image-to-video unconditional-image-generation video-classification text-to-video video-to-video zero-shot-image-classification
    mask-generation zero-shot-object-detection image-feature-extraction keypoint-detection
    audio-text-to-text image-text-to-text image-text-to-image image-text-to-video visual-question-answering
    document-question-answering visual-document-retrieval video-text-to-text any-to-any
    tabular-classification tabular-regression tabular-to-text time-series-forecasting
    text-to-3d image-to-3d robotics reinforcement-learning graph-ml
    """.split()
)
RESERVED = {"config", "run_manager", "self", "candidates", "model", "json", "schema", "copy", "dict", "construct", "validate"}
MODALITIES = {"text", "vision", "audio", "video", "multimodal", "tabular", "3d", "robotics", "graph", "other"}


def test_the_tasks_are_the_hubs() -> None:
    assert len(PIPELINE_TAGS) == 56
    assert set(HUB_TASKS) == PIPELINE_TAGS
    assert "text2text-generation" not in HUB_TASKS


@pytest.mark.parametrize("task", HUB_TASKS.values(), ids=lambda t: t.name)
def test_a_row_is_well_formed(task: HubTask) -> None:
    ports = [*task.inputs, *task.outputs]
    assert task.modality in MODALITIES
    assert task.summary.endswith(".")
    assert 20 <= len(task.summary) <= 120
    assert all(p.description for p in ports)
    assert not {p.name for p in task.inputs} & RESERVED  # names that LangChain or pydantic keeps for itself
    assert not any(keyword.iskeyword(p.name) or p.name.startswith("_") for p in ports)
    assert all(not p.required for p in task.inputs if p.role is Role.OPTION)
    assert task.inputs == () or any(p.required for p in task.inputs)
    assert "output" not in {p.name for p in task.outputs[1:]}  # `output` means the first one


def test_summaries_tell_tasks_apart() -> None:
    assert len({t.summary for t in HUB_TASKS.values()}) == 56


TEXT_VIEWS = {Kind.TEXT, Kind.LABELS, Kind.TABLE, Kind.NUMBER, Kind.JSON}


@pytest.mark.parametrize(("port", "given"), list(product(Kind, Kind)), ids=str)
def test_what_may_flow_into_what(port: Kind, given: Kind) -> None:
    expected = port is given or (port in (Kind.TEXT, Kind.JSON) and given in TEXT_VIEWS)
    assert port.accepts(given) is expected


def test_media_kinds() -> None:
    assert {k for k in Kind if k.is_media} == {Kind.IMAGE, Kind.AUDIO, Kind.VIDEO, Kind.OBJECT3D}
    assert {k for k in Kind if k.has_text_view} == TEXT_VIEWS


def test_ports_are_found_by_name() -> None:
    task = HUB_TASKS["question-answering"]
    assert task.output.name == "answer"
    assert task.output_port("output") is task.output
    assert task.output_port("score").kind is Kind.NUMBER
    assert task.input_port("context").kind is Kind.TEXT
    with pytest.raises(UnknownNameError, match=r"no input port of question-answering named 'contex'.* Did you mean 'context'\?"):
        task.input_port("contex")
    with pytest.raises(UnknownNameError, match=r"no output port of question-answering named 'x'.* Known: answer, score"):
        task.output_port("x")


@pytest.mark.parametrize("name", ["", "a b", "1a", "a-b", "a.b"])
def test_a_port_must_have_a_usable_name(name: str) -> None:
    with pytest.raises(CallerError, match="must be a Python identifier"):
        Port(name=name, kind=Kind.TEXT)


A, B = Port(name="a", kind=Kind.TEXT), Port(name="b", kind=Kind.TEXT)


def test_a_task_must_have_an_output() -> None:
    with pytest.raises(CallerError, match="'t' declares no output port"):
        HubTask(name="t", summary="s", inputs=(A,), outputs=())


def test_two_ports_may_not_share_a_name() -> None:
    with pytest.raises(CallerError, match="'t' declares two ports of one name"):
        HubTask(name="t", summary="s", inputs=(A, A), outputs=(B,))
    with pytest.raises(CallerError, match="two ports of one name"):
        HubTask(name="t", summary="s", inputs=(), outputs=(B, B))
    HubTask(name="t", summary="s", inputs=(A,), outputs=(A,))  # one in, one out: two different ports


def test_a_table() -> None:
    one, two = (HubTask(name=n, summary="s", inputs=(), outputs=(A,)) for n in ("one", "two"))
    table = TaskTable([one])
    bigger = table.plus([two])
    assert (list(table), list(bigger), len(bigger)) == (["one"], ["one", "two"], 2)
    assert bigger["two"] is bigger.find("two") is two
    assert table.get("two") is None
    with pytest.raises(KeyError):
        table["two"]
    with pytest.raises(UnknownNameError, match=r"There is no task named 'onne'\. Did you mean 'one'\?"):
        table.find("onne")
    with pytest.raises(CallerError, match="Two tasks are named 'one'"):
        bigger.plus([one])
