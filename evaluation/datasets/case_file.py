"""Reads the YAML of `cases.py`: every fault is found and told with its case and field."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictStr, ValidationError, field_validator, model_validator

from ...index.errors import UnknownNameError
from ...tools.task import Kind, TaskTable
from ..checks import NOT_PINNED, ArtifactCheck, OutputCheck, TextCheck
from ..errors import DatasetError
from .agent_case import AgentCase, Link, positions

_FILE_KINDS = (Kind.IMAGE, Kind.AUDIO, Kind.VIDEO, Kind.OBJECT3D, Kind.TEXT, Kind.TABLE, Kind.JSON)
_ARROW = re.compile(r"\s*(?:->|→)\s*")
Fault = tuple[str, str]
"""A field, and what is wrong with it."""


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _pair(value: object) -> object:
    return _ARROW.split(value.strip()) if isinstance(value, str) else value


Name = Annotated[StrictStr, Field(min_length=1)]
Texts = Annotated[list[Name], BeforeValidator(_listed)]
Pair = Annotated[list[Name], BeforeValidator(_pair), Field(min_length=2, max_length=2)]


class _Form(BaseModel):
    """A mapping with these fields and no others."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _known_fields(cls, data: object) -> object:
        if isinstance(data, dict):
            for name in data:
                if name not in cls.model_fields:
                    near = get_close_matches(str(name), cls.model_fields, n=1, cutoff=0.5)
                    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(cls.model_fields)}."
                    raise ValueError(f"there is no field {name!r}; {hint}")
        return data


class _Text(_Form):
    contains: Texts = []
    excludes: Texts = []
    matches: Texts = []

    @field_validator("matches")
    @classmethod
    def _compiles(cls, patterns: list[str]) -> list[str]:
        for pattern in patterns:
            try:
                re.compile(pattern)
            except re.error as e:
                raise ValueError(f"{pattern!r} is no regular expression: {e}") from e
        return patterns

    def check(self) -> TextCheck:
        return TextCheck(contains=tuple(self.contains), excludes=tuple(self.excludes), matches=tuple(self.matches))


class _Output(_Text):
    port: Name | None = None
    equals: Any = None
    min: float | None = None
    max: float | None = None


class _Artifact(_Form):
    kind: Name
    count: Annotated[int, Field(ge=0)] | None = None


class _Case(_Form):
    id: Name
    request: Name
    files: Texts = []
    tasks: Texts | None = None
    links: list[Pair] | None = None
    type: StrictStr = ""
    plan_only: bool = False
    reply: _Text = _Text()
    outputs: dict[Name, _Output] = {}
    artifacts: list[Annotated[_Artifact, BeforeValidator(lambda v: {"kind": v} if isinstance(v, str) else v)]] = []


class _UniqueKeys(yaml.SafeLoader):
    """`yaml.safe_load`, but a key that stands twice in a mapping is refused: the second would hide the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":  # `<<: *common`, whose keys may be overwritten
                continue
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, Hashable):
                if key in seen:
                    raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} stands here twice", key_node.start_mark)
                seen.add(key)
        return super().construct_mapping(node, deep)


def read_cases(path: Path, tasks: TaskTable) -> Iterator[tuple[str, AgentCase | list[Fault]]]:
    """Each case of a file, or what is wrong with it; with its id, or its place where it has none.

    Raises:
        DatasetError: the file cannot be read, is no YAML, or is not of the form `cases: [...]`.
    """
    for position, entry in enumerate(_entries(path), 1):
        named = entry.get("id") if isinstance(entry, dict) else None
        place = f"case {str(named)!r}" if named is not None else f"case {position} (no id)"
        try:
            read = _Case.model_validate(entry)
        except ValidationError as e:
            yield place, [_told(dict(error)) for error in e.errors()]
            continue
        faults = [*_faults(read, path.parent, tasks)]
        yield (read.id, _case(read, path.parent, tasks)) if not faults else (place, faults)


def _entries(path: Path) -> list[Any]:
    remedy = "The form is described in langchain_hugginggpt.evaluation.datasets.cases."
    try:
        data = yaml.load(path.read_bytes(), Loader=_UniqueKeys)  # noqa: S506  # a SafeLoader
    except OSError as e:
        raise DatasetError(f"{str(path)!r} cannot be read: {e.strerror}.", remedy="Check the path.") from e
    except (yaml.YAMLError, ValueError, RecursionError) as e:  # ValueError: a date that there is not
        raise DatasetError(f"{str(path)!r} is no YAML that can be read: {' '.join(str(e).split())}.", remedy=remedy) from e
    if not isinstance(data, dict) or not isinstance(data.get("cases"), list):
        raise DatasetError(f"{str(path)!r} has no list of cases.", remedy=f"Begin it with `cases:`. {remedy}")
    if others := [repr(k) for k in data if k != "cases"]:
        raise DatasetError(f"{str(path)!r} holds {', '.join(others)} beside `cases`.", remedy=remedy)
    found: list[Any] = data["cases"]
    return found


_WANTED = {
    "model_type": "a mapping, `field: value`", "dict_type": "a mapping, `task: …`", "list_type": "a list", "string_type": "text",
    "bool_type": "true or false", "bool_parsing": "true or false", "float_type": "a number", "float_parsing": "a number",
    "int_type": "a whole number", "int_parsing": "a whole number", "int_from_float": "a whole number",
}  # fmt: skip
"""What pydantic's types of errors mean, in the words of this format."""


def _told(error: Mapping[str, Any]) -> Fault:
    field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error["loc"]).lstrip(".")
    value, kind = error["input"], error["type"]
    if kind == "missing":
        return field, "is missing"
    if kind in ("string_type", "list_type") and isinstance(value, bool | int | float | date):
        return field, f"must be text: write it in quotes, '{value}'"
    if kind in ("string_too_short", "too_short") and not value:
        return field, "is empty"
    if kind in ("too_short", "too_long"):
        return field, f"is {value!r:.80}, not two names of tasks: write [a, b] or a -> b"
    if kind == "value_error":
        return field, str(error["msg"]).removeprefix("Value error, ")
    if kind in _WANTED:
        return field, f"must be {_WANTED[kind]}, not {value!r:.80}"
    return field, f"{error['msg']}, not {value!r:.80}"


def _faults(case: _Case, folder: Path, tasks: TaskTable) -> Iterator[Fault]:
    """What pydantic cannot know: names of tasks, ports, kinds and files, and fields that contradict each other."""
    if not case.request.strip():
        yield "request", "is empty"
    for i, file in enumerate(case.files):
        if not (folder / file).is_file():
            yield f"files[{i}]", f"there is no file {str(folder / file)!r}"
    for i, name in enumerate(case.tasks or ()):
        yield from _unknown(f"tasks[{i}]", "task", name, tasks)
    yield from _link_faults(case)
    for name, output in case.outputs.items():
        yield from _output_faults(name, output, case, tasks)
    for i, artifact in enumerate(case.artifacts):
        yield from _unknown(f"artifacts[{i}].kind", "kind of file", artifact.kind, _FILE_KINDS)
    if case.plan_only and (case.outputs or case.artifacts):
        yield "plan_only", "contradicts outputs and artifacts: a case of its plan only pins neither"


def _unknown(field: str, what: str, name: str, known: Any) -> Iterator[Fault]:
    if name not in known:
        yield field, str(UnknownNameError(what, name, known))


def _link_faults(case: _Case) -> Iterator[Fault]:
    if case.links and case.tasks is None:
        yield "links", "need the tasks: write them under tasks"
        return
    for i, link in enumerate(case.links or ()):
        try:
            positions(case.tasks or (), [(link[0], link[1])])
        except ValueError:
            yield f"links[{i}]", f"is {' -> '.join(link)}, but the tasks are {', '.join(case.tasks or ()) or 'none'}"


def _output_faults(name: str, output: _Output, case: _Case, tasks: TaskTable) -> Iterator[Fault]:
    field = f"outputs.{name}"
    if name not in tasks:
        yield from _unknown(field, "task", name, tasks)
        return
    if case.tasks is not None and name not in case.tasks:
        yield field, f"is not among the tasks of the case: {', '.join(case.tasks) or 'none'}"
    task = tasks[name]
    try:
        port = task.output_port(output.port or "output")
    except UnknownNameError as e:
        yield f"{field}.port", str(e)
        return
    if port.kind.is_media and output.model_fields_set - {"port"}:
        yield field, f"makes a file ({port.name}): pin it under artifacts"


def _case(case: _Case, folder: Path, tasks: TaskTable) -> AgentCase:
    return AgentCase(
        id=case.id,
        request=case.request,
        files=tuple((folder / f).resolve() for f in case.files),
        tasks=None if case.tasks is None else tuple(case.tasks),
        links=None if case.links is None else tuple(_link(link) for link in case.links),
        type=case.type,
        plan_only=case.plan_only,
        reply=case.reply.check(),
        outputs=tuple(_output(name, output, tasks) for name, output in case.outputs.items()),
        artifacts=tuple(ArtifactCheck(kind=Kind(a.kind), count=a.count) for a in case.artifacts),
    )


def _link(pair: list[str]) -> Link:
    return pair[0], pair[1]


def _output(name: str, output: _Output, tasks: TaskTable) -> OutputCheck:
    port = tasks[name].output_port(output.port or "output")
    return OutputCheck(
        task=name,
        port=port.name,
        kind=port.kind,
        text=output.check(),
        equals=output.equals if "equals" in output.model_fields_set else NOT_PINNED,
        least=output.min,
        most=output.max,
    )
