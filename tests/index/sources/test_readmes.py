from __future__ import annotations

import os
from pathlib import Path

import pytest

from langchain_hugginggpt.index.card import ModelCard
from langchain_hugginggpt.index.problems import Problems
from langchain_hugginggpt.index.sources import ReadmeFolder, SourceError
from langchain_hugginggpt.index.sources.rows import TEXT_LIMIT
from tests.index.sources.shapes import ids, resumed_anywhere

FRONT = """---
language: [en, no]
license: apache-2.0
library_name: transformers
pipeline_tag: translation
tags: [marian, translation]
datasets:
- wmt14
base_model: org/base
model-index:
- name: x
---
"""


def put(folder: Path, name: str, text: str | bytes = FRONT) -> Path:
    path = folder / name / "README.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read(folder: Path) -> tuple[list[str], dict[str, int]]:
    problems = Problems()
    return ids(list(ReadmeFolder(folder).read(problems))), dict(problems.counts)


def test_a_card(tmp_path: Path) -> None:
    put(tmp_path / "cards", "org/name", FRONT + "# Name\n\nTranslates.\n")
    problems = Problems()
    (found,) = ReadmeFolder(tmp_path / "cards").read(problems)
    assert found.card == ModelCard(
        id="org/name", task="translation", library="transformers", license="apache-2.0", languages=("en", "no"), tags=("marian",),
        datasets=("wmt14",), source="cards", text="# Name\n\nTranslates.",
    )  # fmt: skip
    assert (found.cursor, found.share) == ("org/name/README.md", 1.0)
    assert not problems


def test_ids_by_path_in_the_order_of_the_paths(tmp_path: Path) -> None:
    for name in ("b/2", "b/1", "single", "a/x", "a-b/x", "a.b/x"):
        put(tmp_path, name)
    assert read(tmp_path) == (["a/x", "a-b/x", "a.b/x", "b/1", "b/2", "single"], {})
    resumed_anywhere(ReadmeFolder(tmp_path))


def test_shares_grow(tmp_path: Path) -> None:
    for name in ("a/1", "a/2", "b/1", "c/1"):  # a third for each folder
        put(tmp_path, name)
    assert [f.share for f in ReadmeFolder(tmp_path).read(Problems())] == pytest.approx([1 / 6, 2 / 6, 4 / 6, 1.0])


def test_the_front_matter_may_name_the_model(tmp_path: Path) -> None:
    put(tmp_path, "some/where/deep/down", "---\nmodel_id: org/name\npipeline_tag: translation\n---\n")
    put(tmp_path, "some/where/else", "---\npipeline_tag: translation\n---\n")
    assert read(tmp_path) == (["org/name"], {"id is missing or no model id": 1})


def test_a_cache_of_huggingface_hub(tmp_path: Path) -> None:
    blob = tmp_path / "models--org--na-me" / "blobs" / "abc"
    blob.parent.mkdir(parents=True)
    blob.write_text(FRONT)
    snapshot = tmp_path / "models--org--na-me" / "snapshots" / "0123"
    snapshot.mkdir(parents=True)
    (snapshot / "README.md").symlink_to(Path("..") / ".." / "blobs" / "abc")
    put(tmp_path, "models--gpt2/snapshots/4567")
    assert read(tmp_path) == (["gpt2", "org/na-me"], {})


def test_a_folder_of_one_model(tmp_path: Path) -> None:
    put(tmp_path, "name")
    put(tmp_path, "name/.git/x")
    assert read(tmp_path / "name") == (["name"], {})


def test_nothing_outside_of_the_folder_is_read(tmp_path: Path) -> None:
    secret = put(tmp_path, "outside", FRONT + "secret")
    folder = tmp_path / "cards"
    put(folder, "org/good")
    (folder / "org" / "link").mkdir()
    (folder / "org" / "link" / "README.md").symlink_to(secret)
    (folder / "org" / "folder").symlink_to(secret.parent)
    (folder / "org" / "round").mkdir()
    (folder / "org" / "round" / "README.md").symlink_to("README.md")
    (folder / "loop").symlink_to(folder)
    (folder / "gone").mkdir()
    (folder / "gone" / "README.md").symlink_to("nowhere")
    assert read(folder) == (["org/good"], {"README.md is not a file of the folder": 1, "README.md cannot be read": 2})


@pytest.mark.parametrize("link", ["README.md", "nowhere"])
def test_a_readme_that_cannot_be_read_makes_it_incomplete(tmp_path: Path, link: str) -> None:
    put(tmp_path, "org/good")
    (tmp_path / "org" / "bad").mkdir()
    (tmp_path / "org" / "bad" / "README.md").symlink_to(link)
    source = ReadmeFolder(tmp_path)
    assert source.name
    assert source.complete
    assert [f.card.id for f in source.read(Problems())] == ["org/good"]
    assert not source.complete


def test_a_folder_that_has_changed_is_another_source(tmp_path: Path) -> None:
    path = put(tmp_path, "org/one")
    os.utime(path, ns=(0, 5))
    before = ReadmeFolder(tmp_path).name
    assert ReadmeFolder(tmp_path).name == before
    assert ReadmeFolder(tmp_path, untagged=True).name == f"{before}; untagged"
    names = {before}
    os.utime(path, ns=(0, 6))
    names.add(ReadmeFolder(tmp_path).name)
    put(tmp_path, "org/two")
    names.add(ReadmeFolder(tmp_path).name)
    (tmp_path / "org" / "two").rename(tmp_path / "org" / "three")
    names.add(ReadmeFolder(tmp_path).name)
    assert len(names) == 4


def test_a_path_that_is_not_utf8(tmp_path: Path) -> None:
    put(tmp_path, "org/good")
    put(tmp_path, os.fsdecode(b"models--org--name/\xff"))
    problems = Problems()
    source = ReadmeFolder(tmp_path)
    assert [f.card.id for f in source.read(problems)] == ["org/good"]
    assert problems.places == {"path is not UTF-8": ["models--org--name/\ufffd/README.md"]}
    source.name.encode()


def test_a_folder_or_a_pipe_of_that_name(tmp_path: Path) -> None:
    put(tmp_path, "org/good")
    put(tmp_path, "org/folder/README.md")
    (tmp_path / "org" / "pipe").mkdir()
    os.mkfifo(tmp_path / "org" / "pipe" / "README.md")
    assert read(tmp_path) == (["org/good"], {"README.md is not a file": 1, "README.md is not a file of the folder": 1})


def test_what_is_odd_is_counted_and_what_can_be_kept_is(tmp_path: Path) -> None:
    put(tmp_path, "a/bad-yaml", "---\npipeline_tag: [translation\n---\nText.")
    put(tmp_path, "a/bytes", FRONT.encode() + b"Caf\xe9")
    put(tmp_path, "a/empty", "")
    put(tmp_path, "a/huge", FRONT.encode() + b"x" * 50_000_000)
    put(tmp_path, "a/mark", b"\xef\xbb\xbf" + FRONT.encode())
    put(tmp_path, "a/task", "---\npipeline_tag: Mind Reading\n---\n")
    problems = Problems()
    found = {f.card.id: f.card for f in ReadmeFolder(tmp_path, untagged=True).read(problems)}
    assert {i: c.task for i, c in found.items()} == {
        "a/bad-yaml": "other", "a/bytes": "translation", "a/empty": "other", "a/huge": "translation", "a/mark": "translation",
        "a/task": "mind-reading",
    }  # fmt: skip
    assert (found["a/bad-yaml"].text, found["a/bytes"].text, len(found["a/huge"].text)) == ("Text.", "Caf\ufffd", TEXT_LIMIT)
    assert problems.as_json() == {
        "front matter is not YAML (the text is kept)": {
            "count": 1,
            "places": problems.places["front matter is not YAML (the text is kept)"],
        },
        "README.md is not UTF-8 (mended)": {"count": 1, "places": ["a/bytes/README.md"]},
        "README.md longer than 1 MB (cut)": {"count": 1, "places": ["a/huge/README.md"]},
        "task that the Hub does not know (kept)": {"count": 1, "places": ["a/task/README.md: a/task mind-reading"]},
    }
    assert read(tmp_path)[1]["no task"] == 2


def test_a_folder_that_goes_while_it_is_read_makes_it_incomplete(tmp_path: Path) -> None:
    put(tmp_path, "a/good")
    put(tmp_path, "b/gone").unlink()
    source, problems = ReadmeFolder(tmp_path), Problems()
    reading = source.read(problems)
    assert (next(reading).card.id, source.complete) == ("a/good", True)
    (tmp_path / "b" / "gone").rmdir()
    (tmp_path / "b").rmdir()
    assert list(reading) == []
    assert problems.places == {"folder cannot be read": ["b: No such file or directory"]}
    assert not source.complete


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="There is no folder"):
        ReadmeFolder(tmp_path / "none")
