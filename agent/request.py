"""What the user asks for: text, files, and what was said and made before."""

from __future__ import annotations

from dataclasses import dataclass

from ..tools.artifacts import Artifact

MAX_CHARACTERS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Made:
    """Something that an earlier turn made or was given, and that may be meant again ("now read it aloud").

    Attributes:
        artifact: the file; a text is kept as a text file.
        task: the task that made it; empty for a file that the user attached.
    """

    artifact: Artifact
    task: str = ""


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One earlier message.

    Attributes:
        role: `user` or `assistant`.
        text: its words.
        made: its files and outputs, in order.
    """

    role: str
    text: str
    made: tuple[Made, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is to be planned.

    Attributes:
        text: the user's words.
        files: attached files, in order; a plan names a file by `Artifact.name`, or by its id where two share a name.
        history: earlier turns, oldest first.
    """

    text: str
    files: tuple[Artifact, ...] = ()
    history: tuple[Turn, ...] = ()

    def file_names(self) -> dict[str, Artifact]:
        """Every name that a plan may use for a file: names of this request's files, and ids of these and of earlier ones."""
        names: dict[str, Artifact] = {}
        for turn in self.history:
            for made in turn.made:
                names[made.artifact.id] = made.artifact
        for file in self.files:
            names[file.id] = file
        counts = [f.name for f in self.files]
        for file in self.files:
            if counts.count(file.name) == 1:
                names[file.name] = file
        return names

    def name_of(self, file: Artifact) -> str:
        """The name by which a plan means this file."""
        return file.name if self.file_names().get(file.name) is file else file.id
