"""Arguments of a planned task turned into arguments of its tool: references become outputs, file names become artifacts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..tools.artifacts import Artifact, ArtifactStore
from ..tools.errors import InputError
from ..tools.media import load_text
from ..tools.parts import all_fitting, fitting, named_whole, page_count, picture_of, split_part, text_of
from ..tools.task import HubTask, Kind, Port, Role, TaskTable
from ..tools.views import text_view
from .plan import Argument, PlannedTask, Ref

if TYPE_CHECKING:
    from .trace import TaskResult


class Resolver:
    """Resolves the arguments of one plan's tasks.

    Args:
        tasks: the table.
        files: attached files, by every name that the plan may use.
        store: where parts of files are kept that tools without artifacts are to read.
    """

    def __init__(self, tasks: TaskTable, files: Mapping[str, Artifact], store: ArtifactStore) -> None:
        self._tasks = tasks
        self._files = files
        self._store = store

    def resolve(self, planned: PlannedTask, results: Mapping[str, TaskResult], *, as_paths: bool = False) -> list[dict[str, Any]]:
        """One dict of arguments for each call; more than one when a reference says `each`, when a port for one picture is given a PDF of
        several pages, and when one for a file is given what a task made that ran so.

        Args:
            planned: the task.
            results: finished tasks by id; those that it refers to are all there and ok.
            as_paths: files as paths and texts of files as text, for tools that know no artifacts.

        Raises:
            InputError: lists of different lengths are to be run through together, or an output is not there.
            MediaError: a PDF cannot be read, or has too many pages.
        """
        task = self._tasks[planned.task]
        single: dict[str, Any] = {}
        repeated: dict[str, list[Any]] = {}
        for name, argument in planned.arguments.items():
            port = task.input_port(name)
            if isinstance(argument, Ref) and argument.each:
                repeated[name] = [[v] if port.many else v for v in self._elements(port, argument, results, as_paths)]
            elif (several := self._several(port, argument, results, as_paths)) is not None:
                repeated[name] = several
            else:
                single[name] = self._value(port, argument, results, as_paths)
        if not repeated:
            return [single]
        lengths = {len(v) for v in repeated.values()}
        if len(lengths) != 1:
            raise InputError(f"{task.name} is to run once for each element of lists of different lengths ({sorted(lengths)}).")
        return [{**single, **{name: values[i] for name, values in repeated.items()}} for i in range(lengths.pop())]

    def _several(self, port: Port, argument: Argument, results: Mapping[str, TaskResult], as_paths: bool) -> list[Any] | None:
        """The values of a port for one file, where it is given several; else None."""
        if port.many or not port.kind.is_media:
            return None
        if isinstance(argument, Ref):
            elements = self._output(argument, results)[1]
            return self._elements(port, argument, results, as_paths) if isinstance(elements, list) else None
        file, part = self._file(argument)
        pages = page_count(file) if file is not None and port.kind is Kind.IMAGE and not part else 1
        return [self._of_file(port, file, f"page={n}", as_paths) for n in range(1, pages + 1)] if file is not None and pages > 1 else None

    def _file(self, argument: Argument) -> tuple[Artifact | None, str]:
        """The attached file that an argument names, and what part of it."""
        if not isinstance(argument, str):
            return None, ""
        if argument in self._files or named_whole(argument) not in self._files:
            return self._files.get(argument), ""
        whole, part = split_part(argument)
        return self._files[whole], part

    def _value(self, port: Port, argument: Argument, results: Mapping[str, TaskResult], as_paths: bool) -> Any:
        if isinstance(argument, list | tuple):
            values = [self._value(port, a, results, as_paths) for a in argument]
            return [x for v in values for x in (v if isinstance(v, list) and port.many else [v])]
        if isinstance(argument, Ref):
            source, value = self._output(argument, results)
            if port.many:
                return [self._converted(port, source, v, as_paths) for v in (value if isinstance(value, list) else [value])]
            return self._converted(port, source, value, as_paths)
        file, part = self._file(argument)
        return argument if file is None else self._of_file(port, file, part, as_paths)

    def _elements(self, port: Port, ref: Ref, results: Mapping[str, TaskResult], as_paths: bool) -> list[Any]:
        source, value = self._output(ref, results)
        elements = value if isinstance(value, list) else [value]
        return [self._converted(port, source, v, as_paths) for v in elements]

    def _output(self, ref: Ref, results: Mapping[str, TaskResult]) -> tuple[Kind, Any]:
        result = results[ref.task_id]
        port = self._tasks[result.task].output_port(ref.port)
        if port.name not in result.output:
            raise InputError(f"{result.task} gave no {port.name!r}.")
        return port.kind, result.output[port.name]

    def _converted(self, port: Port, source: Kind, value: Any, as_paths: bool) -> Any:
        if isinstance(value, dict) and "media_type" in value and "id" in value:
            return value["path"] if as_paths else value["id"]
        if port.kind is Kind.TEXT:
            return text_view(source, value)
        return value

    def _of_file(self, port: Port, file: Artifact, part: str, as_paths: bool) -> Any:
        if not as_paths:
            return f"{file.id}#{part}" if part else file.id
        if port.kind is Kind.TEXT:
            return load_text(text_of(self._store, file, part) if part else file)
        if not port.kind.is_media:
            return str(file.path)
        given = picture_of(self._store, file, part) if part else file
        if port.many:
            return [str(f.path) for f in all_fitting(self._store, given, port.kind)]
        return str(fitting(self._store, given, port.kind).path)


def surest(task: HubTask, outputs: Sequence[Mapping[str, Any] | None]) -> int | None:
    """Which of the calls of a task gave the best answer: for tasks that answer a question and tell a score, as of document pages.

    Args:
        task: the task.
        outputs: what each call gave; None for one that failed.

    Returns:
        The place of the output with the highest score, those with an empty answer last; None for other tasks, and where none has a score.
    """
    asks = any(p.role is Role.INSTRUCTION and p.kind is Kind.TEXT for p in task.inputs)
    scores = [p.name for p in task.outputs if p.name == "score" and p.kind is Kind.NUMBER]
    if not asks or not scores:
        return None
    rated = [
        (bool(output.get(task.output.name)), float(output[scores[0]]), -i)
        for i, output in enumerate(outputs)
        if output is not None and isinstance(output.get(scores[0]), int | float)
    ]
    return -max(rated)[2] if rated else None


def collected(task: HubTask, outputs: list[dict[str, Any]]) -> dict[str, Any]:
    """The outputs of several calls of one task as one: by port, the values in order; lists of lists become one list."""
    merged: dict[str, Any] = {}
    for port in task.outputs:
        values = [o[port.name] for o in outputs if port.name in o]
        merged[port.name] = [x for v in values for x in v] if port.many else values
    return merged
