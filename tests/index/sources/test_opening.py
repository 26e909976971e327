from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest

from langchain_hugginggpt.index.problems import Problems
from langchain_hugginggpt.index.sources import (
    CardSource,
    HubAccess,
    HubSource,
    JsonLines,
    Parquet,
    ReadmeFolder,
    SourceError,
    open_source,
)
from tests.index.sources.shapes import ids, listed

LINE = json.dumps(listed()).encode() + b"\n"


def write(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def parquet(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist([listed()]), path)
    return path


def cards(source: CardSource) -> list[str]:
    return ids(list(source.read(Problems())))


@pytest.mark.parametrize("name", ["cards.jsonl", "cards.ndjson", "cards.json", "cards", "cards.jsonl.gz"])
def test_json_lines(tmp_path: Path, name: str) -> None:
    source = open_source(write(tmp_path / name, gzip.compress(LINE) if name.endswith("gz") else b"\xef\xbb\xbf \n" + LINE))
    assert isinstance(source, JsonLines)
    assert source.complete


def test_an_empty_file_of_json_lines(tmp_path: Path) -> None:
    assert cards(open_source(write(tmp_path / "cards.jsonl", b""))) == []


def test_parquet_by_content_and_a_folder_of_it_even_beside_a_readme(tmp_path: Path) -> None:
    assert isinstance(open_source(parquet(tmp_path / "models.bin")), Parquet)
    parquet(tmp_path / "set" / "data" / "train.parquet")
    write(tmp_path / "set" / "README.md", b"A data set.")
    assert isinstance(open_source(tmp_path / "set"), Parquet)


def test_a_folder_of_readmes(tmp_path: Path) -> None:
    write(tmp_path / "org" / "name" / "README.md", b"---\npipeline_tag: translation\n---\n")
    source = open_source(str(tmp_path))
    assert isinstance(source, ReadmeFolder)
    assert cards(source) == ["org/name"]


def test_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = open_source("hub", tasks=("translation",), authors=("org",), hub=HubAccess(endpoint="http://127.0.0.1:9", readmes=False))
    assert isinstance(source, HubSource)
    assert source.name.startswith("http://127.0.0.1:9 without READMEs: author=org&pipeline_tag=translation&sort=lastModified&expand=")
    write(tmp_path / "hub" / "org" / "name" / "README.md", b"")
    monkeypatch.chdir(tmp_path)
    assert isinstance(open_source("./hub/"), ReadmeFolder)


def test_what_is_asked_for_reaches_the_source(tmp_path: Path) -> None:
    rows = [
        listed("a/1", pipeline_tag="translation"),
        listed("b/2", pipeline_tag="translation"),
        listed("a/3"),
        listed("a/4", pipeline_tag=None),
    ]
    path = write(tmp_path / "cards.jsonl", b"".join(json.dumps(r).encode() + b"\n" for r in rows))
    assert cards(open_source(path)) == ["a/1", "b/2", "a/3"]
    assert cards(open_source(path, tasks=("translation",))) == ["a/1", "b/2"]
    assert cards(open_source(path, authors=("a",), untagged=True)) == ["a/1", "a/3", "a/4"]
    assert cards(open_source(path, authors=("a",), limit=1)) == ["a/1"]
    assert cards(open_source(path, tasks=("other",), untagged=True)) == ["a/4"]
    assert not open_source(path, tasks=("translation",), limit=1, delta=True).complete


def test_what_is_not_there_names_the_nearest(tmp_path: Path) -> None:
    write(tmp_path / "models.jsonl", LINE)
    for where, said in (
        (tmp_path / "model.jsonl", rf"There is no .*model\.jsonl'\. Did you mean '{tmp_path}/models\.jsonl'\?"),
        (Path("hubb"), r"There is no 'hubb'\. Did you mean 'hub'\?"),
        (tmp_path / "no" / "such" / "thing", r"Give a \.jsonl, \.jsonl\.gz or \.parquet file"),
        ("https://huggingface.co/x.jsonl", "Download it"),
    ):
        with pytest.raises(SourceError, match=said):
            open_source(where)


def test_what_is_of_another_form_says_what_to_do(tmp_path: Path) -> None:
    write(tmp_path / "some" / "cards.jsonl", LINE)
    write(tmp_path / "index" / "manifest.json", b"{}")
    (tmp_path / "empty").mkdir()
    for where, said in (
        (write(tmp_path / "array.json", b' [{"id": 1}]'), r"one JSON array.*jq -c '\.\[\]'"),
        (write(tmp_path / "README.md", b"# x"), "single README.*Give the folder"),
        (write(tmp_path / "cards.csv", b"id,task\n"), "neither JSON lines nor parquet"),
        (write(tmp_path / "nothing", b""), "neither JSON lines nor parquet"),
        (tmp_path / "some", r"neither parquet files nor README\.md.*by its own name: .*some/cards\.jsonl"),
        (tmp_path / "index", "is an index.*hugginggpt index use"),
        (tmp_path / "empty", "Give a folder that does"),
    ):
        with pytest.raises(SourceError, match=said):
            open_source(where)
