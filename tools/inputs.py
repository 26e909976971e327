"""Arguments of a task: their schema for language models, and their values for runners."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Annotated, Any

from langchain_core.tools import InjectedToolArg
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, create_model

from ..index.text import well_formed
from .artifacts import Artifact, ArtifactStore, is_artifact_id
from .documents.office import first_sheet
from .errors import InputError, MediaError
from .media import load_text
from .parts import named_whole, split_part, text_of
from .sniff import PDF, XLSX
from .task import HubTask, Kind, Port

MAX_TEXT = 5_000_000
_SEPARATORS = ",;\t"  # the first of those that make the most columns
_MEDIA_HINT = (
    "an artifact id such as artifact-0123456789abcdef, the path of an allowed file, an http(s) address, a data URL or a content block"
)
_TEXT_HINT = "the text itself, or an artifact id of a text"


def _as_labels(value: Any) -> Any:
    """Labels in every form in which they come: a list, one text with commas between them, or labels with scores."""
    if isinstance(value, str):
        return [value] if is_artifact_id(value) else [part.strip() for part in value.split(",")]
    if isinstance(value, list | tuple):
        return [entry["label"] if isinstance(entry, dict) and "label" in entry else entry for entry in value]
    return value


_Labels = Annotated[list[str], BeforeValidator(_as_labels)]


def args_schema(task: HubTask) -> type[BaseModel]:
    """A pydantic model: a field for each input port, and the injected `candidates`, `model`, `agree` and `patience` that no LLM sees."""
    fields: dict[str, Any] = {p.name: _field(p) for p in task.inputs}
    fields["candidates"] = (Annotated[Any, InjectedToolArg], Field(default=None, description="candidates, best first"))
    fields["model"] = (Annotated[str | None, InjectedToolArg], Field(default=None, description="id of the one model to use"))
    fields["agree"] = (Annotated[Any, InjectedToolArg], Field(default=None, description="how many experts are asked side by side, 2 to 16"))
    fields["patience"] = (Annotated[Any, InjectedToolArg], Field(default=None, description="seconds after which one expert is enough"))
    name = "".join(part.title() for part in task.name.split("-")) + "Input"
    return create_model(name, __config__=ConfigDict(extra="forbid"), __doc__=task.summary, **fields)


def _field(port: Port) -> tuple[Any, Any]:
    kinds: dict[Kind, Any] = {Kind.LABELS: _Labels, Kind.NUMBER: float, Kind.JSON: Any, Kind.TABLE: str | list[dict[str, Any]]}
    one = kinds.get(port.kind, str | dict[str, Any] if port.kind.is_media else str)
    kind = list[one] if port.many else one  # type: ignore[valid-type]
    hint = _MEDIA_HINT if port.kind.is_media else _TEXT_HINT if port.kind is Kind.TEXT else ""
    description = f"{port.description} ({hint})" if hint else port.description
    if port.required:
        return kind, Field(..., description=description)
    return kind | None, Field(default=None, description=description)


def read_inputs(task: HubTask, given: Mapping[str, Any], store: ArtifactStore) -> dict[str, Any]:
    """Values in the form that runners take. Ports without a value are left out.

    Raises:
        InputError: a required port has no value, or a value is of the wrong kind or empty.
        MediaError: a file cannot be used.
    """
    values: dict[str, Any] = {}
    for port in task.inputs:
        value = given.get(port.name)
        if value is None:
            if port.required:
                raise InputError(f"{task.name} needs {port.name!r} ({port.kind}): {port.description}.")
            continue
        if port.many:
            if not isinstance(value, list | tuple) or not value:
                raise InputError(f"{task.name} needs a list with at least one {port.kind} as {port.name!r}, not {value!r:.80}.")
            values[port.name] = [read for v in value for read in _read_entry(task, port, v, store)]
        else:
            values[port.name] = _read(task, port, value, store)
    return values


def _read_entry(task: HubTask, port: Port, value: Any, store: ArtifactStore) -> list[Any]:
    """One entry of a list; a text file given where a list of texts is wanted gives its lines."""
    if port.kind.is_media:
        with _naming(task, port):
            return store.resolve_all(value, kind=port.kind)
    read = _read(task, port, value, store)
    if port.kind is Kind.TEXT and _attached(value, store) is not None:
        return [line.strip() for line in read.splitlines() if line.strip()]
    return [read]


def _read(task: HubTask, port: Port, value: Any, store: ArtifactStore) -> Any:
    if port.kind.is_media:
        with _naming(task, port):
            return store.resolve(value, kind=port.kind)
    alone = port.kind is Kind.LABELS and isinstance(value, list) and len(value) == 1  # a file of labels passes the schema as a list of one
    file = _attached(value[0] if alone else value, store)
    if port.kind is Kind.TEXT:
        return _text(task, port, value, file)
    if port.kind is Kind.LABELS:
        return _labels(task, port, value if file is None else _text_of(task, port, file).replace("\n", ","))
    if port.kind is Kind.TABLE:
        return _table(task, port, value, file)
    if port.kind is Kind.NUMBER:
        try:
            return float(value)
        except (TypeError, ValueError) as e:
            raise InputError(f"{port.name!r} of {task.name} must be a number, not {value!r:.80}.") from e
    if file is not None:
        try:
            return json.loads(_text_of(task, port, file))
        except (ValueError, RecursionError) as e:
            raise InputError(f"{file.name!r} is not JSON: {e}.") from e
    return value


@contextmanager
def _naming(task: HubTask, port: Port) -> Iterator[None]:
    """Errors of files told with the port that these were given to."""
    try:
        yield
    except MediaError as e:
        raise MediaError(f"{port.name!r} of {task.name}: {e.message}", remedy=e.remedy) from e


def _attached(value: Any, store: ArtifactStore) -> Artifact | None:
    if isinstance(value, dict):
        is_block = "type" in value and any(isinstance(value.get(k), str) for k in ("base64", "file_id", "text", "url"))
        return store.resolve(value) if is_block else None
    if isinstance(value, Artifact):
        return value
    if not isinstance(value, str) or not is_artifact_id(named_whole(value)):
        return None
    whole, part = split_part(value)
    file = store.get(whole)
    return text_of(store, file, part) if part else file


def _text_of(task: HubTask, port: Port, file: Artifact) -> str:
    """The text of a file; one that is a picture, a recording or a video is told with the port that it was given to."""
    try:
        return load_text(file)
    except MediaError as e:
        if file.kind.is_media and file.media_type != PDF:
            article = "an" if file.kind[0] in "aeiou" else "a"
            takes = "text" if port.kind is Kind.TEXT else f"a text file of {port.kind}"
            raise InputError(f"{file.name!r} is {article} {file.kind} file; {port.name!r} of {task.name} takes {takes}.") from e
        raise MediaError(f"{port.name!r} of {task.name}: {e.message}", remedy=e.remedy) from e


def _text(task: HubTask, port: Port, value: Any, file: Artifact | None) -> str:
    if file is not None:
        return _text_of(task, port, file)
    text = well_formed(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    if not text.strip():
        raise InputError(f"{port.name!r} of {task.name} is empty.", remedy="Give a text.")
    if len(text) > MAX_TEXT:
        raise InputError(f"{port.name!r} of {task.name} has {len(text):,} characters; at most {MAX_TEXT:,} are read.")
    return text


def _labels(task: HubTask, port: Port, value: Any) -> list[str]:
    labels = _as_labels(value)
    labels = labels if isinstance(labels, list) else [labels]
    out = list(dict.fromkeys(str(label).strip() for label in labels if str(label).strip()))
    if not out:
        raise InputError(f"{port.name!r} of {task.name} needs at least one label, not {value!r:.80}.")
    return out


def _table(task: HubTask, port: Port, value: Any, file: Artifact | None) -> list[dict[str, Any]]:
    if file is not None and file.media_type == XLSX:
        with _naming(task, port):
            value = _records(first_sheet(file))
    elif file is not None:
        value = _text_of(task, port, file)
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            value = _rows(value)
    if not isinstance(value, list) or not value or not all(isinstance(row, dict) for row in value):
        raise InputError(f"{port.name!r} of {task.name} must be a table: rows with named columns, as CSV or JSON.")
    if not any(value):
        raise InputError(f"{port.name!r} of {task.name} has {len(value):,} row{'s' if len(value) > 1 else ''} and no column.")
    return value


def _rows(text: str) -> list[dict[str, Any]] | None:
    """The rows of a CSV text, with commas, semicolons or tabs between the cells, or None when it is not one. Columns without a name are
    called `column 1`, `column 2`, …

    Raises:
        InputError: two columns have the same name; all but the last would be lost.
    """
    try:
        mark = max(_SEPARATORS, key=lambda c: len(next(csv.reader(io.StringIO(text), delimiter=c), [])))
        first = next(csv.reader(io.StringIO(text), delimiter=mark), [])
        if _are_names(first):
            return list(csv.DictReader(io.StringIO(text), fieldnames=_named(first), delimiter=mark))[1:]
        return list(csv.DictReader(io.StringIO(text), fieldnames=_numbered(first), delimiter=mark))
    except csv.Error:
        return None


def _records(rows: list[list[Any]]) -> list[dict[str, Any]]:
    """The rows of a sheet by the names in the first of them; as with CSV, one that holds values already names no columns."""
    if not rows:
        return []
    first = ["" if cell is None else str(cell).strip() for cell in rows[0]]
    if not _are_names(first):
        return [dict(zip(_numbered(first), row, strict=True)) for row in rows]
    return [dict(zip(_named(first), row, strict=True)) for row in rows[1:]]


def _named(first: list[str]) -> list[str]:
    """Names of columns, with those that are missing made: none is made twice, or is that of another column."""
    names: list[str] = []
    for cell, number in zip(first, _numbered(first), strict=True):
        made = cell or number
        while not cell and (made in first or made in names):
            made += "'"
        names.append(made)
    return names


def _numbered(cells: Sequence[str]) -> list[str]:
    return [f"column {n}" for n in range(1, len(cells) + 1)]


def _are_names(first: list[str]) -> bool:
    """Whether the first row names the columns. Raises InputError when two have the same name: all but the last would be lost."""
    named = [cell for cell in first if cell]
    if _is_data(named):
        return False
    name, count = next(iter(Counter(named).most_common(1)), ("", 0))
    if count > 1:
        raise InputError(f"The table has {count} columns named {name!r:.80}.", remedy="Give each column a name of its own.")
    return True


def _is_data(first: list[str]) -> bool:
    """Whether the first row holds values and not names: numbers alone, unless they count up by one, as years and bare column numbers do."""
    try:
        numbers = [float(cell) for cell in first]
    except ValueError:
        return False
    counted = len(numbers) > 1 and all(b - a == 1 for a, b in pairwise(numbers))
    return bool(numbers) and not counted
