from __future__ import annotations

import datetime
import json
import os
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest

from langchain_hugginggpt.index.problems import Problems
from langchain_hugginggpt.index.sources import Parquet, SourceError
from tests.index.sources.shapes import card, ids, listed, resumed_anywhere


def write(path: Path, rows: list[dict[str, Any]], group: int = 3, schema: Any = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path, row_group_size=group)
    return path


def names(count: int, begin: int = 0) -> list[dict[str, Any]]:
    return [listed(f"org/m{i}", card=f"Model {i}.") for i in range(begin, begin + count)]


def read(path: Path) -> tuple[list[str], dict[str, int]]:
    problems = Problems()
    return ids(list(Parquet(path).read(problems))), dict(problems.counts)


def test_cards_in_the_order_of_the_rows(tmp_path: Path) -> None:
    path = write(tmp_path / "models.parquet", names(7))
    problems = Problems()
    found = list(Parquet(path).read(problems))
    assert [f.card for f in found] == [card(f"org/m{i}", text=f"Model {i}.", source="models.parquet") for i in range(7)]
    assert [f.share for f in found] == pytest.approx([n / 7 for n in range(1, 8)])
    assert not problems


def test_shards_at_any_depth_in_the_order_of_their_names(tmp_path: Path) -> None:
    write(tmp_path / "data" / "train-00001.parquet", names(4, 5))
    write(tmp_path / "data" / "train-00000.parquet", names(5))
    (tmp_path / "README.md").write_text("A data set.")
    assert read(tmp_path) == ([f"org/m{i}" for i in range(9)], {})
    resumed_anywhere(Parquet(tmp_path))
    assert [f.share for f in Parquet(tmp_path).read(Problems())] == pytest.approx([n / 9 for n in range(1, 10)])


def test_rows_of_a_batch_and_a_row_group_that_are_known_are_passed_by(tmp_path: Path) -> None:
    path = write(tmp_path / "models.parquet", names(1200), group=1100)
    whole = list(Parquet(path).read(Problems()))
    assert len(whole) == 1200
    for position in (1, 511, 512, 513, 1024, 1099, 1100, 1101, 1200):
        rest = Parquet(path).read(Problems(), after=whole[position - 1].cursor)
        assert ids(list(rest)) == [f"org/m{i}" for i in range(position, 1200)]


def test_a_dump_with_times_and_readmes(tmp_path: Path) -> None:
    time = datetime.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=datetime.UTC)
    row = {k: v for k, v in listed().items() if k in ("downloads", "likes", "library_name", "tags", "pipeline_tag")}
    row |= {"modelId": "org/name", "author": "org", "last_modified": time, "createdAt": time, "card": "---\nlicense: mit\n---\nProse."}
    unknown: dict[str, Any] = {"parameters": None, "bytes": None, "gated": None, "providers": ()}
    for unit in ("ns", "us", "s"):
        table = pa.Table.from_pylist([row])
        at = table.schema.get_field_index("last_modified")
        table = table.set_column(at, "last_modified", table.column(at).cast(pa.timestamp(unit, tz="UTC"), safe=False))
        pq.write_table(table, tmp_path / "cards.parquet")
        problems = Problems()
        (found,) = Parquet(tmp_path / "cards.parquet").read(problems)
        assert found.card == card(text="Prose.", source="cards.parquet", **unknown)
        assert not problems


@pytest.mark.parametrize("kind", [pa.timestamp("s"), pa.date32(), pa.date64()])
def test_a_date_beyond_the_years_that_python_has_is_left_out(tmp_path: Path, kind: Any) -> None:
    per_day = {pa.timestamp("s"): 86_400, pa.date32(): 1, pa.date64(): 86_400_000}[kind]
    days = pa.array([10**7 * per_day, 20_000 * per_day, -(10**7) * per_day]).cast(pa.int32() if kind == pa.date32() else pa.int64())
    table = pa.table({"id": ["a/1", "a/2", "a/3"], "pipeline_tag": ["translation"] * 3, "lastModified": days.cast(kind)})
    pq.write_table(table, tmp_path / "m.parquet")
    problems = Problems()
    found = list(Parquet(tmp_path / "m.parquet").read(problems))
    assert [f.card.last_modified for f in found] == [None, "2024-10-04", None]
    assert dict(problems.counts) == {"date out of range (left out)": 2}


def test_metadata_as_json_text(tmp_path: Path) -> None:
    facts = {"license": "mit", "language": "en", "pipeline_tag": "translation"}
    path = write(tmp_path / "m.parquet", [{"id": "a/b", "cardData": json.dumps(facts), "gated": "auto", "downloads": 5.0}])
    (found,) = Parquet(path).read(Problems())
    assert (found.card.license, found.card.languages, found.card.task) == ("mit", ("en",), "translation")
    assert (found.card.gated, found.card.downloads) == (True, 5)


def test_gaps_are_unknown(tmp_path: Path) -> None:
    rows = [listed("a/1", downloads=1.0), listed("a/2", downloads=float("nan"), likes=None, safetensors=None, tags=None)]
    problems = Problems()
    first, second = Parquet(write(tmp_path / "m.parquet", rows)).read(problems)
    assert (first.card.downloads, first.card.likes, first.card.parameters) == (1, 3, 102)
    assert (second.card.downloads, second.card.likes, second.card.parameters, second.card.tags) == (None, None, None, ())
    assert not problems


def test_columns_that_no_card_needs_are_not_read(tmp_path: Path) -> None:
    path = write(tmp_path / "m.parquet", [listed(config=["x" * 1000] * 100, cardData={"license": "other"}) for _ in range(50)])
    assert read(path)[0] == ["org/name"] * 50
    (tmp_path / "few.parquet").write_bytes(path.read_bytes())
    data = bytearray((tmp_path / "few.parquet").read_bytes())
    at = pq.ParquetFile(path).metadata.row_group(0)
    (config,) = [at.column(i) for i in range(at.num_columns) if at.column(i).path_in_schema.startswith("config")]
    begin = config.dictionary_page_offset
    data[begin : begin + config.total_compressed_size] = b"\xff" * config.total_compressed_size
    (tmp_path / "few.parquet").write_bytes(data)
    assert read(tmp_path / "few.parquet") == (["org/name"] * 50, {})


def test_rows_that_cannot_be_read_are_counted_with_their_number(tmp_path: Path) -> None:
    rows = [*names(2), listed("a/1", pipeline_tag=None), listed("../x"), *names(1, 2)]
    problems = Problems()
    assert ids(list(Parquet(write(tmp_path / "m.parquet", rows)).read(problems))) == ["org/m0", "org/m1", "org/m2"]
    assert problems.places == {"no task": ["m.parquet:3: a/1"], "id is missing or no model id": ["m.parquet:4: '../x'"]}


def test_text_that_is_not_utf8_is_mended(tmp_path: Path) -> None:
    broken = pa.Array.from_buffers(pa.string(), 2, pa.array([b"ok", b"a\xffb"], pa.binary()).buffers())
    tags = pa.array([["en"], ["fr"]])
    table = pa.table({"id": ["a/1", "a/2"], "pipeline_tag": ["translation"] * 2, "tags": tags, "card": broken})
    pq.write_table(table, tmp_path / "m.parquet")
    problems = Problems()
    found = list(Parquet(tmp_path / "m.parquet").read(problems))
    assert [f.card.text for f in found] == ["ok", "a\ufffdb"]
    assert problems.places == {"text is not UTF-8 (mended)": ["m.parquet: card"]}


def test_a_shard_that_is_none_is_counted_and_the_rest_read(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", names(2))
    (tmp_path / "b.parquet").write_bytes(b"PAR1 but no more")
    (tmp_path / "c.parquet").write_bytes(b"")
    whole = write(tmp_path / "d.parquet", names(4, 2)).read_bytes()
    (tmp_path / "d.parquet").write_bytes(whole[:40] + b"\xff" * 300 + whole[340:])
    write(tmp_path / "e.parquet", names(1, 6))
    source, problems = Parquet(tmp_path), Problems()
    assert source.complete
    found = ids(list(source.read(problems)))
    assert (found[:2], found[-1]) == (["org/m0", "org/m1"], "org/m6")
    assert problems.counts["parquet that cannot be read"] == 3
    assert not source.complete


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"There is no parquet file .*x\.parquet"):
        Parquet(tmp_path / "x.parquet")
    with pytest.raises(SourceError, match="There is no parquet file in "):
        Parquet(tmp_path)


def test_a_cursor_of_another_source_is_refused(tmp_path: Path) -> None:
    source = Parquet(write(tmp_path / "m.parquet", names(1)))
    for cursor in ("x", "1", "1:2:3"):
        with pytest.raises(SourceError, match="is no place"):
            list(source.read(Problems(), after=cursor))


def test_shards_that_have_changed_are_another_source(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", names(2))
    before = Parquet(tmp_path).name
    write(tmp_path / "b.parquet", names(2))
    after = Parquet(tmp_path).name
    assert after != before
    os.utime(tmp_path / "a.parquet", ns=(0, 5))
    assert Parquet(tmp_path).name not in (before, after)
    assert Parquet(tmp_path).name == Parquet(tmp_path).name


def test_without_pyarrow_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(SourceError, match=r"pyarrow' is not installed.*langchain-hugginggpt\[parquet\]"):
        Parquet(write(tmp_path / "m.parquet", names(1)))
