"""Requests that people wrote down for training, with the plan that each wants: one a line, `request || files || plan`.

    Read me this letter, my eyes are bad. || letter.jpg || image-to-text; text-to-speech < 1

Files are told by their endings (`^image`: one of an earlier turn). In the plan `< 1,2` names the earlier steps that a step takes from;
`-` means that nothing is to be run, `?` that asking back is right.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...agent.request import Made, Request, Turn
from ...tools.artifacts import Artifact
from ...tools.task import Kind, TaskTable
from ..errors import DatasetError

_ENDINGS = {
    Kind.IMAGE: "jpg jpeg png webp gif heic tif tiff bmp",
    Kind.AUDIO: "wav mp3 m4a ogg flac",
    Kind.VIDEO: "mp4 mov webm avi mkv",
    Kind.TABLE: "csv xlsx tsv parquet",
    Kind.TEXT: "txt md docx html srt log eml",
    Kind.JSON: "json",
}
_KINDS = {ending: kind for kind, endings in _ENDINGS.items() for ending in endings.split()}
_MODES = {"-": "chat", "?": "ask"}


@dataclass(frozen=True, kw_only=True)
class Written:
    """A request with the plan that it wants.

    Attributes:
        text: the words.
        files: (name, kind); a name that begins with `^` is a file of an earlier turn.
        tasks: names, in order; the same may stand there again.
        links: (from, to) positions in `tasks`.
        mode: `run`, `chat` (nothing is to be run) or `ask` (asking back is right).
        spans: for the first of the tasks, where the words that ask for them stand, (start, end) in characters; None where nobody knows.
    """

    text: str
    files: tuple[tuple[str, Kind], ...] = ()
    tasks: tuple[str, ...] = ()
    links: tuple[tuple[int, int], ...] = ()
    mode: str = "run"
    spans: tuple[tuple[int, int] | None, ...] = ()

    @property
    def request(self) -> Request:
        """As a planner gets it; the files need not exist."""
        made = [(name, artifact(name, kind, i)) for i, (name, kind) in enumerate(self.files)]
        earlier = tuple(Made(artifact=a) for name, a in made if name.startswith("^"))
        history = (Turn(role="user", text="", made=earlier),) if earlier else ()
        return Request(text=self.text, files=tuple(a for name, a in made if not name.startswith("^")), history=history)


def artifact(name: str, kind: Kind, number: int) -> Artifact:
    """A file that is only spoken of."""
    media = {Kind.TEXT: "text/plain", Kind.TABLE: "text/csv", Kind.JSON: "application/json", Kind.OBJECT3D: "model/gltf-binary"}
    return Artifact(id=f"artifact-{number:016x}", path=Path(name), media_type=media.get(kind, f"{kind}/x"), name=name, size=1)


def read_written(paths: Sequence[Path], tasks: TaskTable) -> Iterator[Written]:
    """The requests of some files, in order.

    Raises:
        DatasetError: a line is not of the form; its place is told.
    """
    for path in paths:
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if line.strip() and not line.startswith("#"):
                try:
                    yield parse_written(line, tasks)
                except ValueError as e:
                    raise DatasetError(f"{path.name}, line {number}: {e}.", remedy="See evaluation/training/written.py.") from e


def parse_written(line: str, tasks: Mapping[str, object]) -> Written:
    """One line. Raises ValueError."""
    fields = [f.strip() for f in line.split("||")]
    if len(fields) != 3:
        raise ValueError(f"three fields separated by || are needed, not {len(fields)}")
    text, names, plan = fields
    files = tuple(parse_file(f.strip()) for f in names.split(";") if f.strip())
    text = text.replace("\\n", "\n")
    if plan in _MODES:
        return Written(text=text, files=files, mode=_MODES[plan])
    steps: list[str] = []
    links: list[tuple[int, int]] = []
    for step in plan.split(";"):
        name, _, parents = step.partition("<")
        if name.strip() not in tasks:
            raise ValueError(f"there is no task {name.strip()!r}")
        for parent in filter(None, (p.strip() for p in parents.split(","))):
            if not (parent.isdigit() and 0 < int(parent) <= len(steps)):
                raise ValueError(f"{name.strip()} takes from {parent!r}, which is no earlier step")
            links.append((int(parent) - 1, len(steps)))
        steps.append(name.strip())
    return Written(text=text, files=files, tasks=tuple(steps), links=tuple(links))


def parse_file(name: str) -> tuple[str, Kind]:
    """A file's name and its kind, by its ending. Raises ValueError."""
    if name.startswith("^"):
        return name, Kind(name[1:])
    ending = name.rpartition(".")[2].lower()
    if ending not in _KINDS:
        raise ValueError(f"the file {name!r} has an ending that tells no kind")
    return name, _KINDS[ending]
