"""`hugginggpt index update`: from where an index came from, from another source, and from the live Hub."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest

from langchain_hugginggpt.app.index_sources import Wanted, remembered, to_update
from langchain_hugginggpt.index import ModelCardIndex
from langchain_hugginggpt.index.building import build_index
from langchain_hugginggpt.index.errors import CallerError
from langchain_hugginggpt.index.sources import HubAccess, open_source
from langchain_hugginggpt.index.sources.given import GivenCards
from langchain_hugginggpt.index.store.manifest import read_manifest
from tests.app.test_index_command import Run, cards, data, failure, process, readme, run
from tests.index.building.made_cards import CountingEncoder, card
from tests.index.sources.hub_server import HubServer
from tests.index.sources.shapes import listed

__all__ = ["cards", "run"]  # fixtures


def test_from_where_it_came_from(run: Run, cards: Path) -> None:
    run("build", "--from", cards, "--out", "i")
    readme(cards, "lab/new", "Sums up news.")
    (cards / "lab/laws/README.md").unlink()
    found = data(run("update", "i", "--json"))
    assert {k: found[k] for k in ("cards", "added", "deleted", "encoded")} == {"cards": 3, "added": 1, "deleted": 1, "encoded": 1}


def test_the_one_in_use_is_updated_else_the_one_in_the_data_folder(run: Run, cards: Path, tmp_path: Path) -> None:
    run("build", "--from", cards)
    run("build", "--from", cards, "--out", "i")
    readme(cards, "lab/new", "Sums up news.")
    assert data(run("update", "--json"))["index"] == str(tmp_path / "data" / "hugginggpt" / "index")
    run("use", "i")
    assert data(run("update", "--json"))["index"] == str(tmp_path / "i")


def test_from_another_source(run: Run, cards: Path, tmp_path: Path) -> None:
    run("build", "--from", cards, "--out", "i")
    (tmp_path / "rows.jsonl").write_text(json.dumps(listed("org/other")) + "\n")
    assert data(run("update", "i", "--from", "rows.jsonl", "--json"))["tasks"] == {"text-classification": 1}


def test_updates_that_cannot_be(run: Run, cards: Path, tmp_path: Path) -> None:
    assert "Build it first: hugginggpt index build --from SOURCE --out nowhere" in failure(run("update", "nowhere"))
    build_index(GivenCards([card(1)]), tmp_path / "given", CountingEncoder())
    assert "'cards'. Say it: --from FILE, FOLDER or hub." in failure(run("update", "given"))
    run("build", "--from", cards, "--out", "i")
    assert "--task and --author choose from a source" in failure(run("update", "i", "--task", "translation"))
    run("build", "--from", cards, "--out", "i")
    assert "tell no dates" in failure(run("update", "i", "--from", "hub"))
    cards.rename(tmp_path / "elsewhere")
    assert "Say it: --from" in failure(run("update", "i"))


ROWS: list[dict[str, Any]] = [
    listed(f"org/m{i}", lastModified=f"2026-03-{day:02}T10:00:00.000Z", inferenceProviderMapping=[])
    for i, day in enumerate((9, 8, 7, 6, 5))
]


def test_the_hub_is_asked_only_for_what_changed_since(tmp_path: Path) -> None:
    def hugginggpt(*args: str) -> dict[str, Any]:
        done = process("index", *args, "--json", place=tmp_path, HF_ENDPOINT=hub.url, HF_HOME=str(tmp_path / "hf"), HF_TOKEN="secret")
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    with HubServer(ROWS, page=1) as hub:
        built = hugginggpt("build", "--from", "hub", "--task", "text-classification", "--out", "i")
        assert (built["cards"], len(hub.listings)) == (5, 5)
        hub.rows = [
            listed("org/new", lastModified="2026-03-20T10:00:00.000Z"),
            listed("org/m1", lastModified="2026-03-19T10:00:00.000Z", downloads=999_999),
            listed("org/image", lastModified="2026-03-18T10:00:00.000Z", pipeline_tag="text-to-image"),
            *(r for r in ROWS if r["id"] != "org/m1"),
        ]
        for args in (("update", "i"), ("update", "i", "--from", "hub")):  # both ask for the tasks of the build
            hub.seen.clear()
            updated = hugginggpt(*args)
            assert updated["tasks"] == {"text-classification": 6}
            assert len(hub.listings) <= 4  # new, m1, m0 and the first that is too old
            assert {tuple(s.query["pipeline_tag"]) for s in hub.listings} == {("text-classification",)}
    assert ModelCardIndex.open(tmp_path / "i").get("org/m1").downloads == 999_999


def test_a_dump_goes_on_from_its_newest_card(tmp_path: Path) -> None:
    """Not from when it was built: a dump is older than the index that is made of it."""
    (tmp_path / "dump.jsonl").write_text("".join(json.dumps(r) + "\n" for r in ROWS))
    build_index(open_source(tmp_path / "dump.jsonl"), tmp_path / "i", CountingEncoder())
    source = to_update(Wanted(where="hub"), read_manifest(tmp_path / "i"), tmp_path / "i")
    assert not source.complete
    assert source.name.endswith(", since 2026-03-09 00:00:00+00:00")


def test_the_first_n_of_the_hub_are_listed_again(tmp_path: Path) -> None:
    with HubServer(ROWS, page=2) as hub:
        access = HubAccess(endpoint=hub.url, readmes=False)
        build_index(open_source("hub", limit=2, hub=access), tmp_path / "i", CountingEncoder())
    manifest = read_manifest(tmp_path / "i")
    before = remembered(manifest.source)
    assert before == Wanted(where="hub", limit=2, readmes=False)
    assert before.open().complete


def test_another_hub_than_the_one_that_it_came_from_gets_no_token(tmp_path: Path) -> None:
    with HubServer(ROWS) as hub:
        build_index(open_source("hub", hub=HubAccess(endpoint=hub.url, readmes=False)), tmp_path / "i", CountingEncoder())
        hub.seen.clear()
        with pytest.raises(CallerError, match=rf"came from {hub.url}, and the Hub is https://huggingface\.co here\. Set HF_ENDPOINT"):
            to_update(Wanted(where=None), read_manifest(tmp_path / "i"), tmp_path / "i")
        assert hub.seen == []


@pytest.mark.parametrize(
    "asked",
    [
        Wanted(where="hub"),
        Wanted(where="hub", tasks=("translation", "text-to-image"), authors=("org", "lab; limit=3")),
        Wanted(where="hub", authors=("org",), limit=7, search="bert, since", readmes=False),
    ],
)
def test_a_source_on_the_hub_is_read_out_of_its_name(asked: Wanted) -> None:
    assert remembered(asked.open().name) == asked


@pytest.mark.parametrize("name", ["cards.parquet", "set/a.parquet", "models; limit=3/a/b/README.md"])
def test_other_sources_are_read_out_of_their_names(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if name.endswith(".md"):
        path.write_text("---\npipeline_tag: translation\n---\n")
    else:
        pq.write_table(pa.Table.from_pylist([listed()]), path)
    where = str(tmp_path / name.split("/")[0])
    assert remembered(open_source(where, authors=("x",)).name) == Wanted(where=where, authors=("x",))


def test_a_part_of_a_source_is_updated_to_the_same_part(run: Run, cards: Path) -> None:
    run("build", "--from", cards, "--author", "lab", "--task", "summarization", "--out", "i")
    readme(cards, "lab/new", "Sums up news.")
    readme(cards, "other/news", "Sums up news.")
    found = data(run("update", "i", "--json"))
    assert {k: found[k] for k in ("cards", "added", "deleted")} == {"cards": 3, "added": 1, "deleted": 0}


def test_of_a_part_of_a_dump_the_hub_is_asked_for_that_part_only(tmp_path: Path) -> None:
    (tmp_path / "dump.jsonl").write_text("".join(json.dumps(r) + "\n" for r in ROWS))
    source = open_source(tmp_path / "dump.jsonl", tasks=("text-classification",), authors=("org",))
    build_index(source, tmp_path / "i", CountingEncoder())
    (tmp_path / "dump.jsonl").unlink()
    asked = to_update(Wanted(where="hub"), read_manifest(tmp_path / "i"), tmp_path / "i").name
    assert "READMEs: author=org&pipeline_tag=text-classification&" in asked
    assert ", since 2026-03-09" in asked


def test_days_that_do_not_exist_or_lie_ahead_do_not_count(tmp_path: Path) -> None:
    days = ("2099-01-01", "yesterday", "2023-99-99", "2026-03-01", None)
    build_index(GivenCards([replace(card(n), last_modified=day) for n, day in enumerate(days)]), tmp_path / "i", CountingEncoder())
    source = to_update(Wanted(where="hub"), read_manifest(tmp_path / "i"), tmp_path / "i")
    assert source.name.endswith(", since 2026-03-01 00:00:00+00:00")


def test_a_file_is_read_out_of_its_name(tmp_path: Path) -> None:
    path = tmp_path / "x (5 bytes)" / "rows (1).jsonl"
    path.parent.mkdir()
    path.write_text(json.dumps(listed()) + "\n")
    assert remembered(open_source(path).name) == Wanted(where=str(path))
    assert remembered(open_source(path, limit=3).name) == Wanted(where=str(path), limit=3)
    chosen = Wanted(where=str(path), tasks=("a b", "translation"), authors=("lab; limit=3", "x,y"), limit=3, untagged=True)
    assert remembered(chosen.open().name) == chosen
    assert remembered(GivenCards([card(1)], name="cards").name) is None
