"""Arguments of tasks: how each kind is given, what is refused, and what a language model is told."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from langchain_core.tools import BaseTool
from PIL import Image
from pydantic import BaseModel, ValidationError

from langchain_hugginggpt.tools import HUB_TASKS, ArtifactStore, Experts, HubTask, HubTaskTool, Kind, Port
from langchain_hugginggpt.tools.errors import InputError, MediaError
from langchain_hugginggpt.tools.inputs import args_schema, read_inputs
from langchain_hugginggpt.tools.media import wav_bytes


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "store", allowed=[tmp_path])


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (2, 2)).save(out, "PNG")
    return out.getvalue()


def of(kind: Kind, **kwargs: Any) -> HubTask:
    port = Port(name="value", kind=kind, description="what is given", **kwargs)
    return HubTask(name="task", summary="Does it.", inputs=(port,), outputs=(Port(name="out", kind=Kind.TEXT),))


def read(kind: Kind, value: Any, store: ArtifactStore, **kwargs: Any) -> Any:
    return read_inputs(of(kind, **kwargs), {"value": value}, store)["value"]


def refused(kind: Kind, value: Any, store: ArtifactStore, said: str, **kwargs: Any) -> None:
    with pytest.raises((InputError, MediaError), match=said):
        read_inputs(of(kind, **kwargs), {"value": value}, store)


# --- values


@pytest.mark.parametrize("kind", Kind)
def test_a_required_port_must_have_a_value(store: ArtifactStore, kind: Kind) -> None:
    with pytest.raises(InputError, match=rf"task needs 'value' \({kind}\): what is given"):
        read_inputs(of(kind), {}, store)
    with pytest.raises(InputError, match="task needs 'value'"):
        read_inputs(of(kind), {"value": None}, store)
    assert read_inputs(of(kind, required=False), {"value": None}, store) == {}


def test_text(store: ArtifactStore) -> None:
    assert read(Kind.TEXT, " hello ", store) == " hello "
    assert read(Kind.TEXT, store.put(b"from a file").id, store) == "from a file"
    assert read(Kind.TEXT, store.put(b"from a file"), store) == "from a file"
    assert read(Kind.TEXT, {"type": "text-plain", "text": "from a block"}, store) == "from a block"
    assert read(Kind.TEXT, ["a", 1], store) == '["a", 1]'
    assert read(Kind.TEXT, "half \ud83d", store) == "half \ufffd"
    assert read(Kind.TEXT, "/etc/passwd", store) == "/etc/passwd"  # a text is a text, not a path


def test_text_that_cannot_be_used(store: ArtifactStore, monkeypatch: pytest.MonkeyPatch) -> None:
    refused(Kind.TEXT, "", store, r"'value' of task is empty\. Give a text\.")
    refused(Kind.TEXT, " \n", store, "is empty")
    refused(Kind.TEXT, store.put(picture(), name="cat.png"), store, r"'cat\.png' is an image file; 'value' of task takes text\.")
    refused(Kind.TEXT, store.put(wav_bytes(b"\0\0", rate=8000), name="a.wav").id, store, r"'a\.wav' is an audio file")
    refused(Kind.TEXT, store.put(b"PK\x03\x04", name="a.zip"), store, r"'value' of task: 'a\.zip' is not a text file \(application/zip\)")
    refused(Kind.TEXT, "artifact-0123456789abcdef", store, "There is no artifact")
    monkeypatch.setattr("langchain_hugginggpt.tools.inputs.MAX_TEXT", 10)
    assert read(Kind.TEXT, "x" * 10, store) == "x" * 10
    refused(Kind.TEXT, "x" * 11, store, "has 11 characters; at most 10 are read")


def test_a_list_of_texts(store: ArtifactStore) -> None:
    lines = store.put(b"first\n\n  second  \nthird\n")
    assert read(Kind.TEXT, ["a", "b\nc"], store, many=True) == ["a", "b\nc"]
    assert read(Kind.TEXT, ["a", lines.id], store, many=True) == ["a", "first", "second", "third"]
    refused(Kind.TEXT, [], store, r"needs a list with at least one text as 'value', not \[\]", many=True)
    refused(Kind.TEXT, "a", store, "needs a list with at least one text as 'value', not 'a'", many=True)
    refused(Kind.TEXT, ["a", ""], store, "is empty", many=True)


@pytest.mark.parametrize(
    "given",
    [
        "cat, dog",
        " cat ,dog,, cat",
        ["cat", "dog"],
        ["cat", "dog", "cat", " "],
        ("cat", "dog"),
        [{"label": "cat", "score": 0.9}, {"label": "dog", "score": 0.1}],
        ["cat", {"label": "dog"}],
    ],
)
def test_labels(store: ArtifactStore, given: Any) -> None:
    assert read(Kind.LABELS, given, store) == ["cat", "dog"]


def test_labels_from_a_file(store: ArtifactStore) -> None:
    file = store.put(b"cat\ndog, cat\n\n")
    for given in (file, file.id, [file.id]):
        assert read(Kind.LABELS, given, store) == ["cat", "dog"]


@pytest.mark.parametrize("given", ["", " , ", [], [""], [" "]])
def test_no_labels(store: ArtifactStore, given: Any) -> None:
    refused(Kind.LABELS, given, store, "needs at least one label, not")


ROWS = [{"a": "1", "b": "x"}, {"a": "2", "b": "y, z"}]
CSV = 'a,b\n1,x\n2,"y, z"\n'


def test_tables(store: ArtifactStore, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(CSV)
    assert read(Kind.TABLE, CSV, store) == ROWS
    assert read(Kind.TABLE, ROWS, store) == ROWS
    assert read(Kind.TABLE, json.dumps(ROWS), store) == ROWS
    assert read(Kind.TABLE, store.put(CSV.encode()).id, store) == ROWS
    assert read(Kind.TABLE, store.add_file(tmp_path / "t.csv"), store) == ROWS


@pytest.mark.parametrize(
    "given",
    ["", "hello", "a,b\n", "5", "[]", '["a"]', "{}", [], ["a"], 5, "[" * 100_000, 'a,b\n"' + "x" * 200_000 + '",1'],
    ids=lambda v: repr(v)[:12],
)
def test_what_is_no_table(store: ArtifactStore, given: Any) -> None:
    refused(Kind.TABLE, given, store, "must be a table: rows with named columns, as CSV or JSON")


def test_a_table_without_a_header_loses_no_row(store: ArtifactStore) -> None:
    assert read(Kind.TABLE, "1.5,2\n3,4\n", store) == [{"column 1": "1.5", "column 2": "2"}, {"column 1": "3", "column 2": "4"}]
    assert read(Kind.TABLE, "10\n20", store) == [{"column 1": "10"}, {"column 1": "20"}]
    assert read(Kind.TABLE, "2019,2020\n3,4", store) == [{"2019": "3", "2020": "4"}]


def test_a_table_without_columns(store: ArtifactStore) -> None:
    refused(Kind.TABLE, [{}, {}], store, "'value' of task has 2 rows and no column")


@pytest.mark.parametrize("kind", [Kind.TABLE, Kind.LABELS, Kind.JSON])
def test_a_picture_where_a_text_file_is_wanted_is_told_with_the_port(store: ArtifactStore, kind: Kind) -> None:
    given = store.put(picture(), name="a.png").id
    refused(kind, given, store, rf"'a.png' is an image file; 'value' of task takes a text file of {kind}")


def test_a_file_of_another_kind_is_told_with_the_port(store: ArtifactStore) -> None:
    refused(Kind.AUDIO, store.put(picture(), name="a.png").id, store, "'value' of task: 'a.png' is an image file")


def test_numbers(store: ArtifactStore) -> None:
    assert read(Kind.NUMBER, 3, store) == 3.0
    assert read(Kind.NUMBER, "3.5", store) == 3.5
    values: tuple[Any, ...] = ("three", [], {})
    for given in values:
        refused(Kind.NUMBER, given, store, "'value' of task must be a number, not")


def test_json(store: ArtifactStore, tmp_path: Path) -> None:
    (tmp_path / "g.json").write_text('{"nodes": [1]}')
    assert read(Kind.JSON, {"nodes": [1]}, store) == {"nodes": [1]}
    assert read(Kind.JSON, [1, 2], store) == [1, 2]
    assert read(Kind.JSON, store.add_file(tmp_path / "g.json").id, store) == {"nodes": [1]}
    refused(Kind.JSON, store.put(b"{not json", name="a.txt"), store, r"'a\.txt' is not JSON: ")
    refused(Kind.JSON, store.put(b"[" * 100_000, name="deep"), store, "'deep' is not JSON")
    refused(Kind.JSON, store.put(picture(), name="a.png"), store, r"'a\.png' is an image file; 'value' of task")


def test_json_with_a_type_of_its_own_is_no_content_block(store: ArtifactStore) -> None:
    graph = {"type": "molecule", "nodes": []}
    assert read(Kind.JSON, graph, store) == graph


def test_media(store: ArtifactStore, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(picture())
    artifact = store.put(picture())
    for given in (artifact, artifact.id, str(tmp_path / "a.png"), {"type": "image", "file_id": artifact.id}):
        assert read(Kind.IMAGE, given, store).id == artifact.id
    assert [a.id for a in read(Kind.IMAGE, [artifact.id], store, many=True)] == [artifact.id]


@pytest.mark.parametrize("kind", [k for k in Kind if k.is_media])
def test_media_of_another_kind(store: ArtifactStore, kind: Kind) -> None:
    article = "an" if kind[0] in "aeio" else "a"
    refused(
        kind, store.put(b"words", name="a.txt"), store, rf"'a\.txt' is a text file \(text/plain\); {article} {kind} file is wanted\. Give"
    )
    refused(kind, "not/a/file.png", store, "lies in no folder that may be read")


# --- schema


def tool(task: str) -> BaseTool:
    return HubTaskTool(HUB_TASKS[task], experts=Experts(lambda: pytest.fail("no index is needed"), ()), store=ArtifactStore())


@pytest.mark.parametrize("task", HUB_TASKS.values(), ids=lambda t: t.name)
def test_a_language_model_sees_the_ports_and_nothing_else(task: HubTask) -> None:
    seen = tool(task.name).tool_call_schema
    assert isinstance(seen, type)
    assert issubclass(seen, BaseModel)
    schema = seen.model_json_schema()
    assert list(schema["properties"]) == [p.name for p in task.inputs]
    assert schema.get("required", []) == [p.name for p in task.inputs if p.required]
    for port in task.inputs:
        described = schema["properties"][port.name]["description"]
        assert described.startswith(port.description)
        assert ("an artifact id such as artifact-" in described) == port.kind.is_media
        assert ("the text itself, or an artifact id" in described) == (port.kind is Kind.TEXT)


def test_the_schema_itself_takes_candidates_and_a_model() -> None:
    fields = args_schema(HUB_TASKS["translation"]).model_fields
    assert list(fields) == ["text", "source_language", "target_language", "candidates", "model", "agree", "patience"]


def test_the_schema_refuses_what_is_not_a_port() -> None:
    schema = args_schema(HUB_TASKS["translation"])
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        schema(text="a", colour="red")
    with pytest.raises(ValidationError, match="Field required"):
        schema()
    assert schema(text="a").model_dump()["source_language"] is None


@pytest.mark.parametrize("given", ["cat, dog", ["cat", "dog"], [{"label": "cat", "score": 1}, {"label": "dog", "score": 0}]])
def test_the_schema_takes_labels_in_every_form(given: Any) -> None:
    schema = args_schema(HUB_TASKS["zero-shot-classification"])
    assert schema(text="a", candidate_labels=given).model_dump()["candidate_labels"] == ["cat", "dog"]
    assert schema.model_json_schema()["properties"]["candidate_labels"]["items"] == {"type": "string"}


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_cells_may_be_parted_by_commas_semicolons_or_tabs(store: ArtifactStore, mark: str) -> None:
    text = 'name,price\npear,"1;5"\n'.replace(",", mark) if mark != ";" else 'name;price\npear;"1,5"\n'
    rows = read_inputs(HUB_TASKS["table-to-text"], {"table": text}, store)["table"]
    assert rows == [{"name": "pear", "price": "1,5" if mark == ";" else "1;5"}]


def test_two_columns_of_one_name_are_refused_rather_than_one_of_them_lost(store: ArtifactStore) -> None:
    with pytest.raises(InputError, match="The table has 2 columns named 'price'"):
        read_inputs(HUB_TASKS["table-to-text"], {"table": "price,price\n1,2\n"}, store)


def test_columns_of_csv_without_names_are_named_and_none_is_lost() -> None:
    def read(text: str) -> object:
        return read_inputs(HUB_TASKS["tabular-classification"], {"table": text}, ArtifactStore())["table"]

    assert read(",a,\n1,2,3\n") == [{"column 1": "1", "a": "2", "column 3": "3"}]
    assert read("column 2,,b\n1,2,3\n") == [{"column 2": "1", "column 2'": "2", "b": "3"}]
