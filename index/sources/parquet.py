"""Cards in parquet: one file, or a folder of shards. One row a model, in any of the forms that `rows` knows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..problems import Problems
from ..text import well_formed
from ._state import digest_of, named
from .errors import SourceError
from .rows import COLUMNS, WITHOUT_TAGS, Rows
from .source import SourceCard, two_numbers

_BATCH = 512  # rows that are in memory at once


class Parquet:
    """Parquet files, read in batches of rows; row groups that were read already are passed by. Only the columns that are needed are read.

    Args:
        path: a file, or a folder with `*.parquet` files at any depth, which are read in the order of their names.
        complete: False when others than these cards stay.
        untagged: keep cards without a task, under `other`.

    Raises:
        SourceError: there is no such file, or pyarrow is not installed.
    """

    def __init__(self, path: Path, *, complete: bool = True, untagged: bool = False) -> None:
        try:
            import pyarrow.parquet  # type: ignore[import-untyped]  # noqa: F401
        except ImportError as e:
            raise SourceError("The package 'pyarrow' is not installed.", remedy='Run: pip install "langchain-hugginggpt[parquet]"') from e
        self.path = path
        self.complete = complete
        self._shards = sorted(p for p in path.rglob("*.parquet") if p.is_file()) if path.is_dir() else [path]
        if not self._shards or not self._shards[0].is_file():
            raise SourceError(f"There is no parquet file {'in ' if path.is_dir() else ''}{str(path)!r}.", remedy="Check the path.")
        self._rows = Rows(source=well_formed(path.name), untagged=untagged)
        size = sum(p.stat().st_size for p in self._shards)
        state = f"{len(self._shards)} parquet files, {size} bytes, state {digest_of(path, self._shards)}"
        self._name = named(path, state, untagged=untagged)

    @property
    def name(self) -> str:
        """Path, number of files, size and state: what has changed is another source, since cursors into it are worth nothing."""
        return self._name

    def read(self, problems: Problems, after: str | None = None) -> Iterator[SourceCard]:
        """The cards in the order of the rows; see `CardSource`. A shard that is no parquet is noted and left out."""
        first, done = two_numbers(after)  # number of the shard, and how many of its rows are known
        sizes = [self._size(shard, problems) for shard in self._shards]
        total = max(sum(sizes), 1)
        for number, shard in enumerate(self._shards):
            if number < first or not sizes[number]:
                continue
            before = sum(sizes[:number])
            for row, found in self._read(shard, done if number == first else 0, problems):
                card = self._rows.card(found, f"{shard.name}:{row}", problems)
                if card is not None:
                    yield SourceCard(card=card, cursor=f"{number}:{row}", share=(before + row) / total)

    def _size(self, shard: Path, problems: Problems) -> int:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            return int(pq.read_metadata(shard).num_rows)
        except (pa.ArrowException, OSError) as e:
            self._broken(shard, e, problems)
            return 0

    def _read(self, shard: Path, done: int, problems: Problems) -> Iterator[tuple[int, dict[str, Any]]]:
        """Rows behind the first `done`, each with its number, which counts from 1."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        row = 0
        try:
            # without pre_buffer and with a buffer, pages are read as they are needed: not a whole row group, which may be the whole file
            with pq.ParquetFile(shard, pre_buffer=False, buffer_size=2**20) as file:
                columns = _needed(file.schema_arrow.names)
                for group in range(file.num_row_groups):
                    size = file.metadata.row_group(group).num_rows
                    if row + size <= done:
                        row += size
                        continue
                    for batch in file.iter_batches(_BATCH, row_groups=[group], columns=columns):
                        known = min(max(done - row, 0), len(batch))
                        yield from enumerate(_dicts(batch.slice(known), shard, problems), row + known + 1)
                        row += len(batch)
        except (pa.ArrowException, OSError) as e:
            self._broken(shard, e, problems)

    def _broken(self, shard: Path, error: Exception, problems: Problems) -> None:
        self.complete = False
        problems.add("parquet that cannot be read", f"{shard.name}: {error}")


def _needed(names: list[str]) -> list[str]:
    wanted = COLUMNS if "tags" in names else (*COLUMNS, *WITHOUT_TAGS)
    return [n for n in wanted if n in names]


def _dicts(batch: Any, shard: Path, problems: Problems) -> Iterator[dict[str, Any]]:
    names = batch.schema.names
    columns = [_values(batch.column(i), f"{shard.name}: {name}", problems) for i, name in enumerate(names)]
    for values in zip(*columns, strict=True):
        yield dict(zip(names, values, strict=True))


def _values(column: Any, place: str, problems: Problems) -> list[Any]:
    """A column as Python has it: times as dates, since nanoseconds have no Python type."""
    import pyarrow as pa

    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.date32(), safe=False)
    try:
        return list(column.to_pylist())
    except UnicodeDecodeError:
        problems.add("text is not UTF-8 (mended)", place)
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            return [v if v is None else v.decode(errors="replace") for v in column.cast(pa.large_binary()).to_pylist()]
        return [None] * len(column)
    except (ValueError, OverflowError):
        return [_value(v, place, problems) for v in column]


def _value(value: Any, place: str, problems: Problems) -> Any:
    try:
        return value.as_py()
    except (ValueError, OverflowError) as e:  # Python's years end at 9999
        problems.add("date out of range (left out)", f"{place}: {e}")
        return None
