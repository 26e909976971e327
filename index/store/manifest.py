"""`manifest.json`: which generation of an index counts, and how it was made. Replaced in one step."""

from __future__ import annotations

import json
import os
import shlex
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from ..errors import IndexFileError

FORMAT = 2
FILE = "manifest.json"


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """How an index was made.

    Attributes:
        generation: name of the folder that holds its files; empty for an index in memory.
        encoder: name of the encoder of its cards, which encodes its queries as well.
        dimension: length of its vectors.
        template: how a card's text is put together.
        counts: cards of each task.
        source: where the cards come from.
        created: when this generation was begun, ISO 8601 in UTC: a delta of what changed since then brings it up to date.
        skipped: what could not be used of the source, by kind.
        format: of the files.
    """

    generation: str
    encoder: str
    dimension: int
    template: str
    counts: dict[str, int]
    source: str
    created: str
    skipped: dict[str, int] = field(default_factory=dict)
    format: int = FORMAT

    @property
    def cards(self) -> int:
        """How many cards there are."""
        return sum(self.counts.values())

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)

    def write(self, root: Path) -> None:
        """Replace the manifest of a folder, in one step that a loss of power does not break."""
        temporary = root / f"{FILE}.tmp"
        with temporary.open("w", encoding="utf-8") as f:
            json.dump(self.as_json(), f, indent=1, ensure_ascii=False)
            f.flush()
            os.fsync(f.fileno())
        temporary.replace(root / FILE)


def read_manifest(root: Path) -> Manifest:
    """The manifest of a folder.

    Raises:
        IndexFileError: there is no index, a manifest that cannot be read, or one of another format.
    """
    remedy = f"Build it again: hugginggpt index build --from SOURCE --out {shlex.quote(str(root))}"
    try:
        data = json.loads((root / FILE).read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError) as e:
        raise IndexFileError(f"There is no index in {str(root)!r}.", remedy="Check the path (--index, HUGGINGGPT_INDEX).") from e
    except (OSError, ValueError, RecursionError) as e:
        raise IndexFileError(f"The manifest of the index {str(root)!r} cannot be read: {e}.", remedy=remedy) from e
    found = data.get("format") if isinstance(data, dict) else None
    if found != FORMAT:
        raise IndexFileError(f"The index {str(root)!r} has format {found!r}; this version reads {FORMAT}.", remedy=remedy)
    try:
        manifest = Manifest(**{f.name: data[f.name] for f in fields(Manifest) if f.name in data})
        _check(manifest)
    except (TypeError, ValueError) as e:
        raise IndexFileError(f"The manifest of the index {str(root)!r} is incomplete: {e}.", remedy=remedy) from e
    return manifest


def _check(manifest: Manifest) -> None:
    name = manifest.generation
    if not isinstance(name, str) or not name.startswith("g-") or Path(name).name != name:
        raise ValueError(f"{name!r:.80} is no generation of it")
    for what in ("encoder", "template", "source", "created"):
        if not isinstance(getattr(manifest, what), str):
            raise ValueError(f"it has no {what}")
    if not isinstance(manifest.counts, dict) or not all(isinstance(n, int) for n in manifest.counts.values()):
        raise ValueError("it has no counts")
    if type(manifest.dimension) is not int or manifest.dimension < 1:
        raise ValueError("it has no dimension")
