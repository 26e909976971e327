from __future__ import annotations

import json
from pathlib import Path

import pytest

from langchain_hugginggpt.index.problems import Problems
from langchain_hugginggpt.index.sources import CardSource, Chosen, First, JsonLines, SourceError
from tests.index.sources.shapes import ids, listed, resumed_anywhere


@pytest.fixture
def source(tmp_path: Path) -> JsonLines:
    rows = [listed(f"{'ab'[i % 2]}/m{i}", pipeline_tag=("translation", "summarization", "fill-mask")[i % 3]) for i in range(9)]
    (tmp_path / "cards.jsonl").write_text("".join(json.dumps(r) + "\n" for r in [*rows, listed("plain")]))
    return JsonLines(tmp_path / "cards.jsonl")


def test_tasks_and_authors_are_chosen(source: JsonLines) -> None:
    assert ids(list(Chosen(source, tasks=["translation"]).read(Problems()))) == ["a/m0", "b/m3", "a/m6"]
    assert ids(list(Chosen(source, authors=["b", "plain"]).read(Problems()))) == ["b/m1", "b/m3", "b/m5", "b/m7"]
    assert ids(list(Chosen(source, tasks=["translation", "fill-mask"], authors=["a"]).read(Problems()))) == ["a/m0", "a/m2", "a/m6", "a/m8"]
    assert len(list(Chosen(source).read(Problems()))) == 10
    resumed_anywhere(Chosen(source, tasks=["translation"]))


def test_the_first_are_taken(source: JsonLines) -> None:
    assert ids(list(First(source, 2).read(Problems()))) == ["a/m0", "b/m1"]
    assert len(list(First(source, 100).read(Problems()))) == 10
    assert list(First(source, 0).read(Problems())) == []


def test_the_first_are_counted_over_several_readings(source: JsonLines) -> None:
    few = First(Chosen(source, authors=["a"]), 4)
    resumed_anywhere(few)
    last = list(few.read(Problems()))[-1]
    assert last.share == 1.0
    assert list(few.read(Problems(), after=last.cursor)) == []


def test_no_more_is_read_than_is_wanted(tmp_path: Path) -> None:
    (tmp_path / "cards.jsonl").write_text("".join(json.dumps(r) + "\n" for r in (listed("a/1"), listed("a/2"))) + "broken\n")
    problems = Problems()
    assert ids(list(First(JsonLines(tmp_path / "cards.jsonl"), 2).read(problems))) == ["a/1", "a/2"]
    assert not problems


def test_what_is_left_out_makes_another_source(source: JsonLines) -> None:
    parts: list[CardSource] = [source, Chosen(source, tasks=["b", "a"]), Chosen(source, authors=["a"]), First(source, 2), First(source, 3)]
    assert len({p.name for p in parts}) == len(parts)
    assert Chosen(source, tasks=["b", "a"]).name == Chosen(source, tasks=("a", "b")).name
    assert First(source, 2).name == f"{source.name}; limit=2"
    assert Chosen(source, tasks=["b", "a"], authors=["x, y; z"]).name == f"{source.name}; tasks=a,b; authors=x%2C%20y%3B%20z"


def test_a_part_is_as_complete_as_its_source(tmp_path: Path, source: JsonLines) -> None:
    delta = JsonLines(source.path, complete=False)
    assert (Chosen(source).complete, First(source, 1).complete) == (True, True)
    assert (Chosen(delta).complete, First(delta, 1).complete) == (False, False)


def test_a_cursor_of_another_source_is_refused(source: JsonLines) -> None:
    with pytest.raises(SourceError, match="is no place"):
        list(First(source, 2).read(Problems(), after="x 1:2"))
