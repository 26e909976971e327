"""Files that tasks read and make: content-addressed, typed by their bytes, confined to folders the caller allowed."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
import shutil
import tempfile
import threading
import weakref
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..index.text import well_formed
from .errors import MediaError
from .fetching.addresses import read_address, shown
from .fetching.charsets import is_page, utf_8
from .fetching.once import Once
from .parts import all_fitting, fitting, part_of, pdf_kind, picture_of, split_part
from .sniff import HTML, OLE, PDF, claimed_type, extension_of, kind_of, media_type_of, same_container
from .task import Kind

if TYPE_CHECKING:
    from .fetching import Fetcher

MAX_BYTES = 200 * 2**20
MAX_RECORDING_BYTES = 4 * 2**30
"""Of recordings and videos in files, which are read bit by bit: four hours of sound on two channels at 48,000 Hz take 2.6 of them."""
_HEAD = 2**20
_ID = re.compile(r"artifact-[0-9a-f]{16}")
_ADDRESS = re.compile(r"\s*[a-z][a-z0-9+.-]*://", re.I)


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """A stored file.

    Attributes:
        id: `artifact-` and the first 16 hex digits of the content's SHA-256: the same content, the same id.
        path: absolute path of the stored file.
        media_type: MIME type, read from the bytes.
        name: what people call it; never used as a path.
        size: in bytes.
    """

    id: str
    path: Path
    media_type: str
    name: str
    size: int

    @property
    def kind(self) -> Kind:
        """The kind of port that it fits: of a PDF text, or image for a scan (looked into once, and json where nothing can read it)."""
        return pdf_kind(self) if self.media_type == PDF else kind_of(self.media_type)

    def fits(self, kind: Kind) -> bool:
        """Whether a port of that kind takes it: pages of a PDF are pictures too, and a video may have sound."""
        if kind.accepts(self.kind):
            return True
        return (kind is Kind.IMAGE and self.media_type == PDF) or (kind is Kind.AUDIO and self.kind is Kind.VIDEO)

    def read_bytes(self) -> bytes:
        """The content. Raises MediaError if the file has gone."""
        try:
            return self.path.read_bytes()
        except OSError as e:
            raise MediaError(f"The file of {self.id} ({self.name!r}) cannot be read: {e.strerror}.") from e

    def as_json(self) -> dict[str, Any]:
        """`{"id", "path", "media_type", "name", "size"}`."""
        return {"id": self.id, "path": str(self.path), "media_type": self.media_type, "name": self.name, "size": self.size}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Artifact:
        """Read what `as_json` wrote; the file need not exist any more."""
        return cls(id=data["id"], path=Path(data["path"]), media_type=data["media_type"], name=data["name"], size=data["size"])


class ArtifactStore:
    """Keeps artifacts in one folder.

    Args:
        folder: where files are written; made on the first write. Default: a temporary folder that goes with the store.
        allowed: folders from which a path may be read by `resolve`. Paths elsewhere are refused, since they may come from a
            language model. Files that the caller names are taken in with `add`, from anywhere.
        fetcher: fetches http(s) addresses, each of them once for a store; None: addresses are refused.

    Raises:
        MediaError: from any method, when a file cannot be read or written or is larger than 200 MiB.
    """

    def __init__(self, folder: Path | str | None = None, *, allowed: Iterable[Path | str] = (), fetcher: Fetcher | None = None) -> None:
        self._folder = Path(folder) if folder is not None else None
        self._allowed = tuple(Path(a).resolve() for a in allowed)
        self._known: dict[str, Artifact] = {}
        self._lock = threading.Lock()
        self._fetcher = fetcher
        self._fetched = Once[Artifact](holds=lambda a: a.path.exists())

    @property
    def folder(self) -> Path:
        """Where files are written."""
        with self._lock:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="hugginggpt-"))
                weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
            return self._folder

    @property
    def fetches(self) -> bool:
        """Whether http(s) addresses are fetched."""
        return self._fetcher is not None

    def prepare(self) -> None:
        """Make the folder now. Raises MediaError when it cannot be written to, before any work is done for it."""
        folder = self.folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        except OSError as e:
            raise MediaError(
                f"{str(folder)!r} cannot be written to: {e.strerror}.", remedy="Choose another folder for results (--out DIR)."
            ) from e

    def put(self, data: bytes, *, name: str = "", media_type: str | None = None) -> Artifact:
        """Store bytes. The media type is read from them; `media_type` is believed only where bytes do not tell.

        Bytes that are there already are not written again; what is given back has the name and the type that were given now.
        """
        if not data:
            raise MediaError(f"{_called(name)} is empty (0 bytes).", remedy="Give a file that has content.")
        if len(data) > MAX_BYTES:
            raise MediaError(f"{_called(name)} has {len(data):,} bytes; at most {MAX_BYTES:,} are taken.", remedy="Give a smaller file.")
        found = _honest_type(data, name, media_type)
        digest = hashlib.sha256(data).hexdigest()[:16]
        ident = f"artifact-{digest}"
        before = self._known.get(ident)
        if before is not None and before.path.exists():
            artifact = replace(before, name=name, media_type=found) if name else before  # a file of its name; its bytes are there
        else:
            path = self.folder / f"{digest}{extension_of(found)}"
            self._write(path, data)
            artifact = Artifact(id=ident, path=path.resolve(), media_type=found, name=name or path.name, size=len(data))
        self._known[ident] = artifact
        return artifact

    def add(self, value: Path | str) -> Artifact:
        """Take in what the *caller* named: a file, wherever it lies, or an http(s) address; or a part of one (`#page=2`, `#t=12.5`): a page
        of a PDF as a PDF, a frame of a video as a picture. A file whose very name ends so comes first."""
        if (is_address := isinstance(value, str) and _ADDRESS.match(value) is not None) or not _is_file(value):
            whole, part = split_part(str(value))
            if part:
                return part_of(self, self.add(whole), part)
        return self._from_address(str(value)) if is_address else self.add_file(value)

    def add_file(self, path: Path | str) -> Artifact:
        """Take in a file that the *caller* named; it may lie anywhere. It is read where it lies, not copied."""
        p = Path(path)
        try:
            size = p.stat().st_size
            if p.is_dir():
                raise MediaError(f"{str(path)!r} is a folder.", remedy="Name the files in it one by one.")
            if not p.is_file():
                raise MediaError(f"{str(path)!r} is not a regular file.")
            with p.open("rb") as f:
                data = f.read(_HEAD if size > MAX_BYTES else MAX_BYTES)
                most = MAX_RECORDING_BYTES if kind_of(media_type_of(data)) in (Kind.AUDIO, Kind.VIDEO) else MAX_BYTES
                if size > most:
                    raise MediaError(f"{str(path)!r} has {size:,} bytes; at most {most:,} are taken.", remedy="Give a smaller file.")
                f.seek(0)
                digest = hashlib.file_digest(f, "sha256").hexdigest()[:16]
        except FileNotFoundError as e:
            raise MediaError(f"There is no file {str(path)!r}.", remedy="Check the path.") from e
        except (OSError, ValueError) as e:
            raise MediaError(f"{str(path)!r} cannot be read: {getattr(e, 'strerror', None) or e}.") from e
        if not data:
            raise MediaError(f"The file {str(path)!r} is empty (0 bytes).", remedy="Give a file that has content.")
        ident = f"artifact-{digest}"
        artifact = Artifact(id=ident, path=p.resolve(), media_type=_honest_type(data, p.name, None), name=p.name, size=size)
        self._known[ident] = artifact
        return artifact

    def get(self, ident: str) -> Artifact:
        """The artifact of that id. Raises MediaError when it is not in this store."""
        if ident in self._known:
            return self._known[ident]
        digest = ident.removeprefix("artifact-")
        if self._folder is not None and _ID.fullmatch(ident):
            for path in self._folder.glob(f"{digest}.*"):
                data = path.read_bytes()
                found = Artifact(id=ident, path=path.resolve(), media_type=media_type_of(data), name=path.name, size=len(data))
                self._known[ident] = found
                return found
        raise MediaError(f"There is no artifact {ident[:60]!r}.", remedy="Use an id that an earlier task gave, or attach the file again.")

    def known(self, artifact: Artifact) -> Artifact:
        """Take in an artifact that an earlier run of this store made; its file may be gone, which shows when it is read."""
        return self._known.setdefault(artifact.id, artifact)

    def resolve(self, value: object, *, kind: Kind | None = None) -> Artifact:
        """The artifact that `value` means: an Artifact, an artifact id, a path in an allowed folder, an http(s) address, a data URL or
        a content block. What an id, a path or an address is followed by may name a part (`#page=2`, `#t=12.5`): a page of a PDF, which is a
        picture where one is wanted and else a PDF, or a frame of a video.

        Args:
            value: what was given.
            kind: the kind that is wanted; another kind is refused (`parts.fitting`).
        """
        artifact = self._resolve(value, kind)
        return artifact if kind is None else fitting(self, artifact, kind)

    def resolve_all(self, value: object, *, kind: Kind) -> list[Artifact]:
        """As `resolve`, for a port that takes several: all pages of a PDF, where pictures are wanted."""
        return all_fitting(self, self._resolve(value, kind), kind)

    def _resolve(self, value: object, kind: Kind | None = None) -> Artifact:
        if isinstance(value, Artifact):
            return value
        if isinstance(value, dict):
            return self._from_block(value, kind)
        if not isinstance(value, str) or not value.strip():
            raise MediaError(f"A file is wanted, not {value!r:.80}.", remedy="Give an artifact id, a path or a content block.")
        if is_artifact_id(value):
            return self.get(value)
        if value[:5].lower() == "data:":
            return self._from_data_url(value)
        whole, part = (value, "") if _is_file(value) else split_part(value)
        if part:
            return (picture_of if kind is Kind.IMAGE else part_of)(self, self._resolve(whole), part)
        return self._from_address(value) if _ADDRESS.match(value) else self._from_path(value)

    def _from_address(self, value: str) -> Artifact:
        url = value.strip()
        read_address(url)
        fetcher = self._fetcher
        if fetcher is None:
            raise MediaError(f"Addresses are not fetched here: {shown(url)}.", remedy="Download the file and attach it.")

        def take() -> Artifact:
            fetched = fetcher.fetch(url)
            name = fetched.name
            if is_page(fetched) and (claimed_type(name) or "").startswith("text/") and claimed_type(name) != HTML:
                name += ".html"  # the page on which a website shows a file of that name
            return self.put(utf_8(fetched), name=name, media_type=fetched.media_type)

        return self._fetched.get(url, take)

    def _from_path(self, value: str) -> Artifact:
        try:
            path = Path(value).resolve()
        except (OSError, ValueError, RuntimeError) as e:  # RuntimeError: links that go round in a circle
            raise MediaError(f"{value[:80]!r} is not a usable path: {e}.") from e
        if not any(path.is_relative_to(a) for a in self._allowed):
            raise MediaError(
                f"{value[:80]!r} is not an attached file and lies in no folder that may be read.",
                remedy="Attach the file, use an artifact id, or allow its folder.",
            )
        return self.add_file(path)

    def _from_data_url(self, value: str) -> Artifact:
        head, _, body = value.partition(",")
        if not head.lower().endswith(";base64"):
            raise MediaError(f"A data URL must be base64: {value[:60]!r}.")
        return self._from_base64(body, head[5:].split(";")[0] or None, "")

    def _from_block(self, block: dict[str, Any], kind: Kind | None) -> Artifact:
        extras = block.get("extras")
        name = str((extras.get("filename") if isinstance(extras, dict) else None) or block.get("title") or "")
        if isinstance(block.get("base64"), str):
            declared = block.get("mime_type")
            return self._from_base64(block["base64"], declared if isinstance(declared, str) else None, name)
        if isinstance(block.get("file_id"), str):
            return self.get(block["file_id"])
        if isinstance(block.get("text"), str):
            return self.put(well_formed(block["text"]).encode(), name=name or "text.txt", media_type="text/plain")
        if isinstance(block.get("url"), str):
            return self._resolve(block["url"], kind)
        raise MediaError(f"A content block of type {block.get('type')!r} holds neither base64, file_id, text nor url.")

    def _from_base64(self, body: str, media_type: str | None, name: str) -> Artifact:
        if len(body) > MAX_BYTES // 3 * 4 + 8:  # four characters for three bytes
            raise MediaError(f"{_called(name)} has more than {MAX_BYTES:,} bytes.", remedy="Give a smaller file.")
        try:
            data = base64.b64decode(body, validate=True)
        except (binascii.Error, ValueError) as e:
            raise MediaError(f"A file was given as base64 that cannot be decoded: {e}.") from e
        return self.put(data, name=Path(name).name, media_type=media_type)

    def _write(self, path: Path, data: bytes) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
            try:
                with os.fdopen(handle, "wb") as f:
                    f.write(data)
                Path(temporary).replace(path)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
        except OSError as e:
            raise MediaError(
                f"{str(path.parent)!r} cannot be written to: {e.strerror}.", remedy="Choose another folder for results (--out DIR)."
            ) from e


def _is_file(path: Path | str) -> bool:
    try:
        return Path(path).is_file()
    except (OSError, ValueError):
        return False


def is_artifact_id(value: str) -> bool:
    """Whether a text has the form of an artifact id."""
    return _ID.fullmatch(value) is not None


def _honest_type(data: bytes, name: str, declared: str | None) -> str:
    """The type by the bytes. Raises MediaError when the name claims another kind of file."""
    claim = claimed_type(name)
    found = media_type_of(data, hint=claim or declared)
    if claim is not None and kind_of(claim) is not kind_of(found) and not same_container(claim, found):
        if found == OLE:
            raise old_office(name, data)
        held = "text" if found.startswith("text/") else found
        remedy = "Save it as UTF-8 text." if claim.startswith("text/") else "Give it its right name, or the right file."
        raise MediaError(f"The file {name!r} is named like {claim} but holds {held}.", remedy=remedy)
    return found


def old_office(name: str, data: bytes) -> MediaError:
    """What to say of an Office file that is no zip archive."""
    if "EncryptedPackage".encode("utf-16-le") in data:
        return MediaError(f"The file {name!r} is protected by a password.", remedy="Save it without one.")
    return MediaError(f"The file {name!r} is of Office 97 to 2003, which is not read.", remedy="Save it as .docx, .xlsx, .pptx or PDF.")


def _called(name: str) -> str:
    return f"The file {name!r}" if name else "The file"
