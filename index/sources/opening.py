"""What `--from` means: a file, a folder, or the Hub."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from difflib import get_close_matches
from itertools import islice
from pathlib import Path

from .choosing import Chosen, First
from .errors import SourceError
from .hub import HubAccess, HubSource
from .jsonl import JsonLines
from .parquet import Parquet
from .readmes import ReadmeFolder
from .source import CardSource

HUB = "hub"
"""The word for the live Hub; a folder of that name is `./hub`."""

_LOOKED_AT = 10_000  # files of a folder, until it is clear what it holds


def open_source(
    where: str | Path,
    *,
    tasks: tuple[str, ...] = (),
    authors: tuple[str, ...] = (),
    limit: int | None = None,
    untagged: bool = False,
    delta: bool = False,
    hub: HubAccess | None = None,
) -> CardSource:
    """The source that a person means, by suffix and content: `hub`, a file of JSON lines (.jsonl, .jsonl.gz) or parquet, or a folder of
    parquet files or README.md files. Nothing is read yet but the first bytes.

    Args:
        where: `hub`, or a path.
        tasks: only cards of these Hub tasks; none for all.
        authors: only models of these users and organisations; none for all.
        limit: how many cards at most; None for all.
        untagged: keep cards without a task, under `other`.
        delta: other cards than those of this source stay (`complete` is False); for the Hub, `HubAccess.since` says so.
        hub: how the Hub is asked.

    Raises:
        SourceError: there is nothing of the kind there; the message names the nearest thing that there is.
    """
    source: CardSource
    if where == HUB:
        source = HubSource(tasks=tasks, authors=authors, untagged=untagged, access=hub)
    else:
        source = _local(Path(where), complete=not delta, untagged=untagged)
        if tasks or authors:
            source = Chosen(source, tasks=tasks, authors=authors)
    return source if limit is None else First(source, limit)


def _local(path: Path, *, complete: bool, untagged: bool) -> CardSource:
    if path.is_dir():
        kind: type[Parquet] | type[ReadmeFolder] | type[JsonLines] = _kind_of_folder(path)
    elif path.is_file():
        kind = _kind_of_file(path)
    else:
        raise _missing(path)
    return kind(path, complete=complete, untagged=untagged)


def _kind_of_folder(path: Path) -> type[Parquet] | type[ReadmeFolder]:
    """Parquet before READMEs: a data set of the Hub has one of these itself."""
    found = list(islice(_files(path), _LOOKED_AT))
    if (path / "manifest.json").is_file() and not any(f.endswith(".parquet") for f in found):
        raise SourceError(
            f"{str(path)!r} is an index, not a source of model cards.", remedy=f"To use it: hugginggpt index use {shlex.quote(str(path))}"
        )
    for suffix, kind in ((".parquet", Parquet), ("README.md", ReadmeFolder)):
        if any(f.endswith(suffix) for f in found):
            return kind
    lines = next((f for f in found if f.endswith((".jsonl", ".jsonl.gz"))), None)
    raise SourceError(
        f"The folder {str(path)!r} holds neither parquet files nor README.md files.",
        remedy=f"Give a file of JSON lines by its own name: {lines}" if lines else "Give a folder that does, a file, or hub.",
    )


def _kind_of_file(path: Path) -> type[Parquet] | type[JsonLines]:
    try:
        with path.open("rb") as f:
            head = f.read(4096)
    except OSError as e:
        raise SourceError(f"{str(path)!r} cannot be read: {e.strerror}.", remedy="Check the path.") from e
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"PAR1"):
        return Parquet
    if head.startswith(b"\x1f\x8b") or start.startswith(b"{") or path.name.endswith((".jsonl", ".ndjson")):
        return JsonLines
    if start.startswith(b"["):
        raise SourceError(
            f"{str(path)!r} is one JSON array.",
            remedy=f"Make JSON lines of it: jq -c '.[]' {shlex.quote(str(path))} > {shlex.quote(path.stem + '.jsonl')}",
        )
    if path.name == "README.md":
        raise SourceError(f"{str(path)!r} is a single README.", remedy=f"Give the folder that it lies in: {path.parent}")
    raise SourceError(
        f"{str(path)!r} holds neither JSON lines nor parquet.", remedy="Give a .jsonl, .jsonl.gz or .parquet file, a folder, or hub."
    )


def _files(path: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(path):
        folders.sort()
        yield from (str(Path(folder, name)) for name in sorted(names))


def _missing(path: Path) -> SourceError:
    """Nothing has that name: what nearly has?"""
    there = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    near = get_close_matches(path.name, [*there, HUB], n=1)
    if ":/" in str(path):  # an address; a path has lost the second stroke
        remedy = "Download it and give the file, or say hub for the Hub itself."
    elif near:
        remedy = f"Did you mean {near[0] if near[0] == HUB else str(path.parent / near[0])!r}?"
    else:
        remedy = "Give a .jsonl, .jsonl.gz or .parquet file, a folder with README.md files, or hub."
    return SourceError(f"There is no {str(path)!r}.", remedy=remedy)
