"""`hugginggpt index build` and `index update`: from options to a source, a build with a progress bar, and what came of it."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from ..agent.settings import Settings, data_folder
from ..index.building import BuildOptions, BuildReport, build_index
from ..index.encoders import RayEncoder, load_encoder
from ..index.errors import IndexFileError
from ..index.model_card_index import ModelCardIndex
from ..index.store.manifest import read_manifest
from .foreign import as_json_line, foreign
from .index_bar import IndexBar
from .index_info import counted
from .index_sources import Wanted, to_update
from .options import with_index_in_use

if TYPE_CHECKING:
    from ..index.minilm import Encoder
    from ..index.sources import CardSource

_PLACES = 2
_MINILM = "minilm"


@dataclass(frozen=True, kw_only=True)
class How:
    """The options that building and updating share."""

    engine: str
    resume: bool
    as_json: bool


def run_build(wanted: Wanted, out: Path | None, encoder: str | None, how: How) -> None:
    """`hugginggpt index build`. An index that is there keeps its encoder, unless another one is named."""
    wanted.check()
    root = out or data_folder() / "index"
    _run(wanted.open(), root, encoder or _encoder_of(root) or _MINILM, how)


def _encoder_of(root: Path) -> str | None:
    try:
        return read_manifest(root).encoder
    except IndexFileError:  # none is there, or one that is about to be replaced
        return None


def run_update(folder: Path | None, wanted: Wanted, how: How) -> None:
    """`hugginggpt index update`."""
    root = folder or with_index_in_use(Settings.from_environment()).index or data_folder() / "index"
    try:
        manifest = read_manifest(root)
    except IndexFileError as e:
        remedy = f"Build it first: hugginggpt index build --from SOURCE --out {shlex.quote(str(root))}"
        raise IndexFileError(e.message, remedy=remedy) from e
    _run(to_update(wanted, manifest, root), root, manifest.encoder, how)


def _run(source: CardSource, root: Path, encoder: str, how: How) -> None:
    with IndexBar() as bar:
        encoding: Encoder
        if how.engine == "ray":
            encoding = RayEncoder(encoder, progress=bar.encoding)
            options = BuildOptions(resume=how.resume, on_progress=bar.show, window=encoding.texts_at_once, slice=encoding.texts_at_once)
        else:
            encoding = load_encoder(encoder)
            options = BuildOptions(resume=how.resume, on_progress=bar.show)
        try:
            report = build_index(source, root, encoding, options)
        except KeyboardInterrupt:
            sys.stderr.write(f"{counted(bar.cards, 'card')} read; the same command goes on where it was.\n")
            raise
    flagged = ModelCardIndex.open(root, encoder=encoding).count_by("flag")
    use = _use(root)
    if how.as_json:
        sys.stdout.write(as_json_line(_as_json(report, root, flagged, use)))
    else:
        _show(Console(highlight=False, emoji=False), report, root, flagged, use)


def _use(root: Path) -> str | None:
    """The command that makes the index the one in use; None where it is."""
    used = with_index_in_use(Settings.from_environment()).index
    return None if used is not None and used.resolve() == root.resolve() else f"hugginggpt index use {shlex.quote(str(root))}"


def _as_json(report: BuildReport, root: Path, flagged: dict[str, int], use: str | None) -> dict[str, Any]:
    kept = ("read", "added", "changed", "unchanged", "deleted", "encoded", "resumed", "seconds")
    return {
        "index": str(root.resolve()),
        "cards": report.manifest.cards,
        "tasks": report.manifest.counts,
        **{name: getattr(report, name) for name in kept},
        "noted": report.problems.as_json(),
        "flagged": flagged,
        "encoder": report.manifest.encoder,
        "source": report.manifest.source,
        "next": use,
    }


def _show(console: Console, report: BuildReport, root: Path, flagged: dict[str, int], use: str | None) -> None:
    def line(text: str) -> None:
        console.print(text, soft_wrap=True)

    manifest = report.manifest
    resumed = ", taken up where it was broken off" if report.resumed else ""
    line(f"[bold]{counted(manifest.cards, 'card')} for {counted(len(manifest.counts), 'task')}[/] in {report.seconds:.2f} s{resumed}")
    parts = ("added", "changed", "unchanged", "deleted")
    line("  " + ", ".join(f"{getattr(report, p):,} {p}" for p in parts))
    line(f"  {counted(report.encoded, 'text')} encoded by {foreign(manifest.encoder)}")
    if report.problems:
        line("Noted in the source:")
    for kind, n in report.problems.counts.most_common():
        places = "; ".join(foreign(p, 80) for p in report.problems.places[kind][:_PLACES])
        line(f"  {n:,} × {foreign(kind)}" + (f"  [dim]{places}{' …' if n > _PLACES else ''}[/]" if places else ""))
    for flag, n in flagged.items():
        line(f"Flagged {foreign(flag)}: {counted(n, 'card')} (kept as data)")
    line(f"Index: {foreign(str(root), 1000)}" + (" (the one in use)" if use is None else ""))
    if use is not None:
        line(f"Use it: {foreign(use, 1000)}")
