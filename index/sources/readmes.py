"""Cards in a folder of README.md files, as on the Hub: YAML front matter, then text."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from ..errors import CardError
from ..problems import Problems
from ..text import well_formed
from . import front_matter
from ._state import digest_of, named
from .errors import SourceError
from .rows import Rows
from .source import SourceCard

LONGEST = 2**20
"""Bytes of a README that are read."""

_NAME = "README.md"
_DEEPEST = 8
_CACHED = "models--"  # a model's folder in the cache of huggingface_hub: models--org--name/snapshots/<commit>/


class ReadmeFolder:
    """`org/name/README.md` and `name/README.md`, in the order of their paths. The id is the path in the folder, unless the front matter
    has a `model_id`; the folders of a cache of huggingface_hub are understood as well. A README right in the folder has the folder's name.

    Hidden folders, those behind symbolic links and those more than 8 levels down are not entered; files behind links are read only if they
    lie in the folder.

    Args:
        path: the folder.
        complete: False when others than these cards stay.
        untagged: keep cards without a task, under `other`.

    Raises:
        SourceError: there is no such folder.
    """

    def __init__(self, path: Path, *, complete: bool = True, untagged: bool = False) -> None:
        if not path.is_dir():
            raise SourceError(f"There is no folder {str(path)!r}.", remedy="Check the path.")
        self.path = path.resolve()
        self.complete = complete
        self._rows = Rows(source=well_formed(self.path.name), untagged=untagged)

    @cached_property
    def name(self) -> str:
        """The folder, and the state of its READMEs when it was asked for first: a folder that has changed is another source."""
        walk = ReadmeFolder(self.path)._files((), (), 0.0, 1.0, Problems())
        return named(
            self.path, f"READMEs, state {digest_of(self.path, (self.path.joinpath(*p) for p, _ in walk))}", untagged=self._rows.untagged
        )

    def read(self, problems: Problems, after: str | None = None) -> Iterator[SourceCard]:
        """The cards in the order of the paths; see `CardSource`. The share goes by folders, not by files."""
        behind = tuple(after.split("/")) if after else ()
        for parts, share in self._files((), behind, 0.0, 1.0, problems):
            place = "/".join(parts)
            row = self._row(parts, place, problems)
            if row is not None and (card := self._rows.card(row, place, problems)) is not None:
                yield SourceCard(card=card, cursor=place, share=share)

    def _files(
        self, folder: tuple[str, ...], behind: tuple[str, ...], low: float, high: float, problems: Problems
    ) -> Iterator[tuple[tuple[str, ...], float]]:
        """Paths of READMEs behind a path, sorted, each with its share of low..high. Only one branch's names are held."""
        try:
            with os.scandir(self.path.joinpath(*folder)) as found:
                entries = sorted((e.name, e.is_dir(follow_symlinks=False)) for e in found)
        except OSError as e:
            self.complete = False
            problems.add("folder cannot be read", f"{'/'.join(folder)}: {e.strerror}")
            return
        entries = [(n, is_folder) for n, is_folder in entries if n == _NAME or (is_folder and n[0] != "." and len(folder) < _DEEPEST)]
        for i, (name, is_folder) in enumerate(entries):
            parts = (*folder, name)
            if parts < behind[: len(parts)]:
                continue
            step = (high - low) / len(entries)
            if not is_folder and parts > behind:
                yield parts, low + (i + 1) * step
            elif is_folder and name == _NAME:
                problems.add(f"{_NAME} is not a file", "/".join(parts))
            elif is_folder:
                yield from self._files(parts, behind, low + i * step, low + (i + 1) * step, problems)

    def _row(self, parts: tuple[str, ...], place: str, problems: Problems) -> dict[str, object] | None:
        path = self.path.joinpath(*parts)
        if place != well_formed(place):
            problems.add("path is not UTF-8", place)
            return None
        try:
            if not path.resolve(strict=True).is_relative_to(self.path) or not path.is_file():
                problems.add(f"{_NAME} is not a file of the folder", place)
                return None
            with path.open("rb") as f:
                data = f.read(LONGEST + 1)
        except (OSError, RuntimeError) as e:  # RuntimeError: a circle of links
            self.complete = False
            problems.add(f"{_NAME} cannot be read", f"{place}: {e}")
            return None
        if len(data) > LONGEST:
            problems.add(f"{_NAME} longer than {LONGEST // 2**20} MB (cut)", place)
        text = data[:LONGEST].decode("utf-8-sig", errors="replace")
        if len(data) <= LONGEST and "\ufffd" in text and "\ufffd".encode() not in data:
            problems.add(f"{_NAME} is not UTF-8 (mended)", place)
        front, text = front_matter.split(text)
        facts: dict[str, object] = {}
        try:
            facts = front_matter.read(front)
        except CardError as e:
            problems.add(front_matter.NOT_YAML, f"{place}: {e.message}")
        return {"id": facts.get("model_id") or self._id(parts[:-1]), "cardData": facts, "text": text}

    def _id(self, folders: tuple[str, ...]) -> str:
        cached = [f for f in folders if f.startswith(_CACHED)]
        if cached:
            return cached[0].removeprefix(_CACHED).replace("--", "/")
        return "/".join(folders) or self.path.name
