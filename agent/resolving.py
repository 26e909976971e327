"""Arguments of a planned task turned into arguments of its tool: references become outputs, file names become artifacts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..tools.artifacts import Artifact
from ..tools.errors import InputError
from ..tools.media import load_text
from ..tools.task import HubTask, Kind, Port, TaskTable
from ..tools.views import text_view
from .plan import Argument, PlannedTask, Ref

if TYPE_CHECKING:
    from .trace import TaskResult


class Resolver:
    """Resolves the arguments of one plan's tasks.

    Args:
        tasks: the table.
        files: attached files, by every name that the plan may use.
    """

    def __init__(self, tasks: TaskTable, files: Mapping[str, Artifact]) -> None:
        self._tasks = tasks
        self._files = files

    def resolve(self, planned: PlannedTask, results: Mapping[str, TaskResult], *, as_paths: bool = False) -> list[dict[str, Any]]:
        """One dict of arguments for each call; more than one when a reference says `each`.

        Args:
            planned: the task.
            results: finished tasks by id; those that it refers to are all there and ok.
            as_paths: files as paths and texts of files as text, for tools that know no artifacts.

        Raises:
            InputError: lists of different lengths are to be run through together, or an output is not there.
        """
        task = self._tasks[planned.task]
        single: dict[str, Any] = {}
        repeated: dict[str, list[Any]] = {}
        for name, argument in planned.arguments.items():
            port = task.input_port(name)
            if isinstance(argument, Ref) and argument.each:
                repeated[name] = [[v] if port.many else v for v in self._elements(port, argument, results, as_paths)]
            else:
                single[name] = self._value(port, argument, results, as_paths)
        if not repeated:
            return [single]
        lengths = {len(v) for v in repeated.values()}
        if len(lengths) != 1:
            raise InputError(f"{task.name} is to run once for each element of lists of different lengths ({sorted(lengths)}).")
        return [{**single, **{name: values[i] for name, values in repeated.items()}} for i in range(lengths.pop())]

    def _value(self, port: Port, argument: Argument, results: Mapping[str, TaskResult], as_paths: bool) -> Any:
        if isinstance(argument, list | tuple):
            values = [self._value(port, a, results, as_paths) for a in argument]
            return [x for v in values for x in (v if isinstance(v, list) and port.many else [v])]
        if isinstance(argument, Ref):
            source, value = self._output(argument, results)
            if port.many:
                return [self._converted(port, source, v, as_paths) for v in (value if isinstance(value, list) else [value])]
            return self._converted(port, source, value, as_paths)
        file = self._files.get(argument) if isinstance(argument, str) else None
        return argument if file is None else self._of_file(port, file, as_paths)

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

    def _of_file(self, port: Port, file: Artifact, as_paths: bool) -> Any:
        if not as_paths:
            return file.id
        return load_text(file) if port.kind is Kind.TEXT else str(file.path)


def collected(task: HubTask, outputs: list[dict[str, Any]]) -> dict[str, Any]:
    """The outputs of several calls of one task as one: by port, the values in order; lists of lists become one list."""
    merged: dict[str, Any] = {}
    for port in task.outputs:
        values = [o[port.name] for o in outputs if port.name in o]
        merged[port.name] = [x for v in values for x in v] if port.many else values
    return merged
