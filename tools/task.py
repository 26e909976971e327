"""What a task is: a name, a summary, and typed ports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from ..index.errors import CallerError, UnknownNameError


class Kind(StrEnum):
    """What may flow through a port."""

    TEXT = "text"
    LABELS = "labels"
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    TABLE = "table"
    NUMBER = "number"
    JSON = "json"
    OBJECT3D = "object3d"

    @property
    def is_media(self) -> bool:
        """Whether values are files (artifacts) rather than plain JSON."""
        return self in (Kind.IMAGE, Kind.AUDIO, Kind.VIDEO, Kind.OBJECT3D)

    @property
    def has_text_view(self) -> bool:
        """Whether a value can be read as text, and so may feed a text port."""
        return not self.is_media

    def accepts(self, given: Kind) -> bool:
        """Whether a value of kind `given` may feed a port of this kind."""
        if self is given:
            return True
        if self in (Kind.TEXT, Kind.JSON):
            return given.has_text_view
        return False


class Role(StrEnum):
    """Where the value of an input port comes from when a request is planned."""

    CONTENT = "content"  # what is worked on: a file, a text, an earlier output
    INSTRUCTION = "instruction"  # the words of the request: a question, a prompt, labels to choose from
    OPTION = "option"  # a setting that has a default


@dataclass(frozen=True, kw_only=True)
class Port:
    """One input or output of a task.

    Attributes:
        name: as the Hub's inference API calls it where it has a name for it; a Python identifier.
        kind: what flows through it.
        required: only for inputs.
        many: a list of values instead of one.
        description: one line, for people and for language models.
        role: only for inputs: where a planner takes the value from.
    """

    name: str
    kind: Kind
    required: bool = True
    many: bool = False
    description: str = ""
    role: Role = Role.CONTENT

    def __post_init__(self) -> None:
        if not self.name.isidentifier():
            raise CallerError(f"A port's name must be a Python identifier, not {self.name!r}.")


@dataclass(frozen=True, kw_only=True)
class HubTask:
    """A task: a pipeline tag of the Hub, or one that a user declares.

    Attributes:
        name: the Hub's own name, e.g. `automatic-speech-recognition`.
        summary: one sentence saying what it does, in a user's words. Planners read it.
        inputs: input ports; the first content port is the main one.
        outputs: output ports, at least one; the first is what a reference without a port name means.
        modality: the Hub's heading: text, vision, audio, video, multimodal, tabular, 3d, robotics, graph, other.
    """

    name: str
    summary: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    modality: str = "other"

    def __post_init__(self) -> None:
        if not self.outputs:
            raise CallerError(f"The task {self.name!r} declares no output port.")
        for ports in (self.inputs, self.outputs):
            names = [p.name for p in ports]
            if len(set(names)) != len(names):
                raise CallerError(f"The task {self.name!r} declares two ports of one name: {names}.")

    @property
    def output(self) -> Port:
        """The main output."""
        return self.outputs[0]

    def input_port(self, name: str) -> Port:
        """The input port of that name. Raises UnknownNameError."""
        return _named(f"input port of {self.name}", name, self.inputs)

    def output_port(self, name: str) -> Port:
        """The output port of that name; `output` always means the main one. Raises UnknownNameError."""
        if name == "output":
            return self.output
        return _named(f"output port of {self.name}", name, self.outputs)


def _named(what: str, name: str, ports: tuple[Port, ...]) -> Port:
    for port in ports:
        if port.name == name:
            return port
    raise UnknownNameError(what, name, [p.name for p in ports])


def hub_spelling(name: str) -> str:
    """A task's name as the Hub would spell it: `Image Classification`, `image_classification` and `image-classification` are one."""
    return "-".join(name.lower().replace("_", " ").replace("-", " ").split())


class TaskTable(Mapping[str, HubTask]):
    """Tasks by name, in the order given. What a planner may plan with.

    Raises:
        CallerError: two tasks have one name.
    """

    def __init__(self, tasks: Iterable[HubTask]) -> None:
        self._tasks: dict[str, HubTask] = {}
        for task in tasks:
            if task.name in self._tasks:
                raise CallerError(f"Two tasks are named {task.name!r}.")
            self._tasks[task.name] = task

    def __getitem__(self, name: str) -> HubTask:
        if name not in self._tasks:
            raise KeyError(name)
        return self._tasks[name]

    def find(self, name: str) -> HubTask:
        """The task of that name. Raises UnknownNameError, which suggests the nearest."""
        if name not in self._tasks:
            raise UnknownNameError("task", name, self._tasks)
        return self._tasks[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tasks)

    def __len__(self) -> int:
        return len(self._tasks)

    def plus(self, tasks: Iterable[HubTask]) -> TaskTable:
        """A new table that holds these as well."""
        return TaskTable([*self.values(), *tasks])
