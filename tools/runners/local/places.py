"""Where models lie: in folders that the user named, in the Hub's cache on this machine, and on the Hub."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ....index.errors import CallerError
from ...errors import ModelAbsentError, ModelRefusedError
from ..runner import Availability
from .model_files import ModelFiles, read_model_files
from .row import StandsOnBase

if TYPE_CHECKING:
    from ....index.card import ModelCard
    from .row import LocalRow

_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
_CACHED = "models--"
_LOOKED_AT = ("config.json", "model_index.json", "README.md")
_ALLOW = "Fetch it (hf download {id}), or let models be downloaded (--max-download {size})."


class ModelPlaces:
    """Finds the folder of a model.

    Args:
        folders: each holds models as `NAME/` or `ORG/NAME/`; that path is the model's id.
        max_download: bytes that may be downloaded for one model.
        cache: the Hub's cache; default: where huggingface_hub has it.
        endpoint: address of the Hub; default: the one that huggingface_hub uses.

    Raises:
        CallerError: a folder is not there.
    """

    def __init__(
        self,
        folders: Sequence[Path | str] = (),
        *,
        max_download: int = 0,
        cache: Path | None = None,
        endpoint: str | None = None,
    ) -> None:
        self._folders = tuple(Path(f) for f in folders)
        for folder in self._folders:
            if not folder.is_dir():
                raise CallerError(f"There is no folder of models {str(folder)!r}.", remedy="Check the path.")
        self._max_download = max_download
        self._given_cache = cache
        self._endpoint = endpoint
        self._known: dict[Path, tuple[tuple[int, ...], ModelFiles | ModelRefusedError]] = {}

    def availability(self, row: LocalRow, card: ModelCard | None) -> Availability:
        """Whether the model of a card can be used for a task, or, without a card, any model. Looks at folders only."""
        if card is None:
            return self._any(row)
        files = self._here(card.id)
        if isinstance(files, ModelRefusedError):
            return Availability(supported=False, ok=False, why=files.message.rstrip("."), remedy=files.remedy)
        if files is not None:
            return self._of_files(row, files)
        if card.library is not None and card.library not in row.libraries:
            return Availability(supported=False, ok=False, why=f"models of the library {card.library} are not run here")
        if card.formats and not {"safetensors", "skops"} & set(card.formats):
            return Availability(supported=False, ok=False, why=f"{card.id} has no weights in safetensors form")
        if (card.bytes is not None and card.bytes > self._max_download) or not self._max_download:
            size = f" ({_size(card.bytes)})" if card.bytes else ""
            remedy = _ALLOW.format(id=card.id, size=_size(card.bytes * 5 // 4) if card.bytes else "2GB")
            allowed = f", and {_size(self._max_download)} may be downloaded" if self._max_download else ""
            return Availability(supported=True, ok=False, why=f"{card.id}{size} is not on this machine{allowed}", remedy=remedy)
        return Availability(supported=True, ok=True)

    def _of_files(self, row: LocalRow, files: ModelFiles) -> Availability:
        """Whether a model that is here can be used: it does the task, and what it stands on is here, too, or may be downloaded."""
        loader = row.loader_for(files)
        if loader is None:
            made = ", ".join(files.architectures) or f"a model of {files.layout}"
            return Availability(supported=False, ok=False, why=f"{files.id} is made for something else ({made})")
        if isinstance(loader, StandsOnBase):
            try:
                bases = loader.base_of(files)
            except ModelRefusedError as e:
                return Availability(supported=False, ok=False, why=e.message.rstrip("."), remedy=e.remedy)
            if not self._max_download and not any(self._folder(b) for b in bases):
                why = f"{files.id} stands on {bases[0]}, which is not on this machine"
                return Availability(supported=True, ok=False, why=why, remedy=_ALLOW.format(id=bases[0], size="8GB"))
        return Availability(supported=True, ok=True)

    def here(self, row: LocalRow) -> tuple[str, ...]:
        """Ids of the models on this machine that do a task."""
        return tuple(f.id for f in self.all() if self._of_files(row, f).ok)

    def _any(self, row: LocalRow) -> Availability:
        if self._max_download:
            return Availability(supported=True, ok=True)
        models = self.here(row)
        if models:
            return Availability(supported=True, ok=True, models=models)
        why = "no model that does it is on this machine"
        return Availability(supported=True, ok=False, why=why, remedy=_ALLOW.format(id="ID", size="2GB"))

    def files(self, ident: str) -> ModelFiles | None:
        """The files of a model that is on this machine and can be looked at; None for others."""
        files = self._here(ident)
        return files if isinstance(files, ModelFiles) else None

    def find(self, row: LocalRow, card: ModelCard) -> ModelFiles:
        """The files of a model, with those of the one that it stands on; downloaded if they are not here and may be. Blocks.

        Raises:
            ModelAbsentError: it is not here, and cannot or may not be fetched.
            ModelRefusedError: what is here cannot be used.
        """
        files = self._got(card.id, size="2GB")
        loader = row.loader_for(files)
        if not isinstance(loader, StandsOnBase):
            return files
        bases = loader.base_of(files)
        try:
            return replace(files, base=self._got(next((b for b in bases if self._folder(b)), bases[0]), size="8GB"))
        except (ModelAbsentError, ModelRefusedError) as e:
            raise type(e)(f"{card.id!r} works only together with {bases[0]!r}: {e.message}", remedy=e.remedy) from e

    def _got(self, ident: str, *, size: str) -> ModelFiles:
        """The files of a model, fetched if need be. `size` is the limit that is proposed where nothing may be downloaded."""
        folder = self._folder(ident)
        if folder is None:
            from .download import download

            if not self._max_download:
                raise ModelAbsentError(f"{ident!r} is not on this machine.", remedy=_ALLOW.format(id=ident, size=size))
            folder = download(ident, max_bytes=self._max_download, cache=self._cache, endpoint=self._endpoint)
        return read_model_files(folder, ident)

    @property
    def _cache(self) -> Path | None:
        if self._given_cache is not None or find_spec("huggingface_hub") is None:
            return self._given_cache
        from huggingface_hub import constants

        return Path(constants.HF_HUB_CACHE)

    def _here(self, ident: str) -> ModelFiles | ModelRefusedError | None:
        """The files of a model that lies on this machine, or why they cannot be used."""
        folder = self._folder(ident)
        return self._read(folder, ident) if folder is not None else None

    def _read(self, folder: Path, ident: str) -> ModelFiles | ModelRefusedError:
        try:
            state = tuple(s.st_mtime_ns for p in (folder, *(folder / n for n in _LOOKED_AT)) if (s := _stat(p)))
            known = self._known.get(folder)
            if known is None or known[0] != state:
                known = (state, _looked_at(folder, ident))
                if isinstance(known[1], ModelFiles):  # what is refused may be on its way still, part by part in folders of their own
                    self._known[folder] = known
        except OSError as e:
            return ModelRefusedError(f"The folder of {ident!r} cannot be read: {e.strerror}.")
        return known[1]

    def _folder(self, ident: str) -> Path | None:
        if not _ID.fullmatch(ident) or ".." in ident:
            return None
        for root in self._folders:
            if (root / ident).is_dir():
                return root / ident
        return self._snapshot(ident)

    def _snapshot(self, ident: str) -> Path | None:
        """The newest whole snapshot of a model in the Hub's cache."""
        cache = self._cache
        if cache is None:
            return None
        of_model = cache / f"{_CACHED}{ident.replace('/', '--')}"
        try:
            commit = (of_model / "refs" / "main").read_text("ascii").strip()
        except (OSError, ValueError):
            return None
        snapshot = of_model / "snapshots" / commit
        return snapshot if snapshot.is_dir() and isinstance(self._read(snapshot, ident), ModelFiles) else None

    def all(self) -> Iterator[ModelFiles]:
        """Every model on this machine that can be looked at."""
        for ident, folder in self._named():
            files = self._read(folder, ident)
            if isinstance(files, ModelFiles):
                yield files

    def _named(self) -> Iterator[tuple[str, Path]]:
        for root in self._folders:
            for name in _folders_in(root):
                if any((root / name / f).is_file() for f in ("config.json", "model_index.json", "modules.json")) or any(
                    (root / name).glob("*.skops")
                ):
                    yield name, root / name
                    continue
                for inner in _folders_in(root / name):
                    yield f"{name}/{inner}", root / name / inner
        for name in _folders_in(self._cache) if self._cache is not None else ():
            if name.startswith(_CACHED):
                ident = name.removeprefix(_CACHED).replace("--", "/", 1)
                snapshot = self._snapshot(ident)
                if snapshot is not None:
                    yield ident, snapshot


def _looked_at(folder: Path, ident: str) -> ModelFiles | ModelRefusedError:
    try:
        return read_model_files(folder, ident)
    except ModelRefusedError as e:
        return e


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _folders_in(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as found:
            return sorted(e.name for e in found if e.is_dir() and not e.name.startswith("."))
    except OSError:
        return []


def _size(count: int) -> str:
    """`268MB`, `1.3GB`."""
    return f"{count / 1e9:.1f}GB" if count >= 10**9 else f"{max(1, -(-count // 10**6))}MB"
