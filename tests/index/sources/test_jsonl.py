from __future__ import annotations

import gzip
import json
import os
import tracemalloc
from collections.abc import Iterable
from pathlib import Path

import pytest

from langchain_hugginggpt.index.problems import Problems
from langchain_hugginggpt.index.sources import JsonLines, SourceError
from langchain_hugginggpt.index.sources.jsonl import LONGEST
from tests.index.sources.shapes import card, ids, listed, resumed_anywhere


def lines(*rows: object) -> bytes:
    return b"".join(r if isinstance(r, bytes) else json.dumps(r).encode() + b"\n" for r in rows)


def read(path: Path) -> tuple[list[str], dict[str, int]]:
    problems = Problems()
    return ids(list(JsonLines(path).read(problems))), dict(problems.counts)


@pytest.fixture(params=["cards.jsonl", "cards.jsonl.gz"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / str(request.param)


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def names(count: int) -> Iterable[dict[str, object]]:
    return (listed(f"org/m{i}", card=f"Model {i}.") for i in range(count))


def test_cards_in_the_order_of_the_lines(path: Path) -> None:
    found = list(JsonLines(write(path, lines(*names(3)))).read(Problems()))
    assert [f.card for f in found] == [card(f"org/m{i}", text=f"Model {i}.", source=path.name) for i in range(3)]


def test_reading_goes_on_behind_any_card(path: Path) -> None:
    rows = [b"\xef\xbb\xbf", *list(names(3)), b"\n", b"{broken\n", *names(2), listed("x/y")]
    resumed_anywhere(JsonLines(write(path, lines(*rows))))


def test_the_share_grows_to_the_whole(path: Path) -> None:
    shares = [f.share for f in JsonLines(write(path, lines(*names(50)))).read(Problems())]
    assert shares == sorted(shares, key=lambda s: s or 0.0)
    assert shares[-1] == 1.0
    if path.suffix == ".jsonl":
        assert shares[24] == pytest.approx(0.5, abs=0.02)


def test_what_cannot_be_read_is_counted_with_its_line(path: Path) -> None:
    rows = [
        listed("a/1"),
        b"\n",
        b'{"id": "a/2", "pipeline_tag": "transl\n',
        b"[1, 2]\n",
        b'"text"\n',
        b'{"id": "a/\xff"}\n',
        b"[" * 100_000 + b"\n",
        b'{"id": "a/3", "n": ' + b"9" * 5000 + b"}\n",
        listed("a/4", pipeline_tag=None),
        b'{"id": "a/5", "pipeline_tag": "translation", "downloads": NaN, "likes": -Infinity}\n',
        listed("a/1"),
        listed("../6"),
        b'{"id": "a/7", "pipeline_tag": "translation"',
    ]
    problems = Problems()
    source = JsonLines(write(path, lines(*rows)))
    assert ids(list(source.read(problems))) == ["a/1", "a/5", "a/1"]
    assert dict(problems.counts) == {
        "line is not JSON": 3,
        "file ends early": 1,
        "row is not an object": 2,
        "line is not UTF-8": 1,
        "no task": 1,
        "likes has the wrong type (left out)": 1,
        "id is missing or no model id": 1,
    }
    assert [p.split(": ")[0] for p in problems.places["line is not JSON"]] == [f"{path.name}:{n}" for n in (3, 7, 8)]
    assert problems.places["file ends early"] == [f'{path.name}:13: \'{{"id": "a/7", "pipeline_tag": "translation"\'']
    assert problems.places["no task"] == [f"{path.name}:9: a/4"]
    assert not source.complete


def test_a_line_that_is_too_long_is_passed_by_without_holding_it(path: Path) -> None:
    huge = b'{"id": "a/2", "pipeline_tag": "translation", "text": "' + b"x" * 60_000_000 + b'"}\n'
    write(path, lines(listed("a/1"), huge, listed("a/3")))
    del huge
    tracemalloc.start()
    assert read(path) == (["a/1", "a/3"], {f"line longer than {LONGEST // 2**20} MB (skipped)": 1})
    assert tracemalloc.get_traced_memory()[1] < 2.2 * LONGEST
    tracemalloc.stop()
    resumed_anywhere(JsonLines(path))


def test_a_line_of_the_longest_length_is_read(tmp_path: Path) -> None:
    row = lines(listed("a/1", card=""))
    exact = row.replace(b'"card": ""', b'"card": "' + b"x" * (LONGEST - len(row)) + b'"')
    assert len(exact) == LONGEST
    assert read(write(tmp_path / "c.jsonl", exact + lines(listed("a/2"))))[0] == ["a/1", "a/2"]


def test_half_a_gzip_file_gives_what_it_holds_and_is_not_complete(tmp_path: Path) -> None:
    path = tmp_path / "cards.jsonl.gz"
    packed = gzip.compress(lines(*names(2000)), compresslevel=1)
    for data in (packed[: len(packed) // 2], packed[: len(packed) // 2] + b"\0" * 200):
        path.write_bytes(data)
        source, problems = JsonLines(path), Problems()
        assert source.complete
        assert 100 < len(list(source.read(problems))) < 2000
        assert problems.counts["file ends early"] == 1
        assert not source.complete


def test_an_empty_file_holds_no_cards(path: Path) -> None:
    assert read(write(path, b"")) == ([], {})
    path.write_bytes(b"")
    assert read(path) == ([], {})


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"There is no file .*none\.jsonl"):
        JsonLines(tmp_path / "none.jsonl")


def test_a_cursor_of_another_source_is_refused(tmp_path: Path) -> None:
    source = JsonLines(write(tmp_path / "c.jsonl", lines(*names(1))))
    for cursor in ("org/name/README.md", "1:2:3", "-5:1", ""):
        with pytest.raises(SourceError, match="is no place"):
            list(source.read(Problems(), after=cursor))


def test_a_file_that_has_changed_is_another_source(tmp_path: Path) -> None:
    path = write(tmp_path / "c.jsonl", lines(*names(1)))
    before = JsonLines(path).name
    assert JsonLines(path).name == before
    write(path, lines(*names(2)))
    assert JsonLines(path).name != before


def test_a_file_of_the_same_size_that_was_written_again_is_another_source(tmp_path: Path) -> None:
    path = write(tmp_path / "c.jsonl", lines(*names(1)))
    os.utime(path, ns=(0, 1_700_000_000_123_456_789))
    assert JsonLines(path).name == f"{path} ({path.stat().st_size} bytes, 2023-11-14T22:13:20.123456789Z)"
    os.utime(path, ns=(0, 1_700_000_000_123_456_788))
    assert JsonLines(path).name.endswith(".123456788Z)")
    assert JsonLines(path, untagged=True).name == f"{JsonLines(path).name}; untagged"


@pytest.mark.parametrize(
    ("end", "complete"), [(b"", True), (b"\n", True), (b'{"id": "a/b', False), (b'{"id": "\xc3', False), (b'{"id"\n', True)]
)
def test_a_file_that_ends_within_a_line_is_not_complete(path: Path, end: bytes, complete: bool) -> None:
    source, problems = JsonLines(write(path, lines(*names(2)) + end)), Problems()
    assert len(list(source.read(problems))) == 2
    assert (source.complete, problems.counts["file ends early"]) == (complete, 0 if complete else 1)


def test_a_last_line_without_an_end_is_read(path: Path) -> None:
    source = JsonLines(write(path, lines(*names(2)).rstrip()))
    assert len(list(source.read(Problems()))) == 2
    assert source.complete


def test_memory_does_not_grow_with_the_number_of_cards(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        path = write(tmp_path / f"{count}.jsonl", lines(*names(count)))
        tracemalloc.start()
        for _ in JsonLines(path).read(Problems()):
            pass
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(10)  # tables that are made once
    assert peak(4000) < peak(400) + 50_000
