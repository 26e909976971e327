"""From tasks as a language model wrote them to planned tasks: names, ids, references and arguments in their many spellings."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from ....tools.task import HubTask, Kind, Port, Role, TaskTable
from ...checker import MAX_TASKS
from ...checking.names import TaskNames
from ...errors import PlanError
from ...plan import Argument, Plan, PlannedTask, Ref
from .parsing import ARGUMENT_KEYS, Found, is_task, name_of
from .placing import Placing, flat, known_port
from .references import REFERENCE, References, parts

if TYPE_CHECKING:
    from ....tools.artifacts import Artifact

_ARGUMENT_NAMES = ("port", "name")
_QUOTED = ("''", '""', "``", "‘’", "“”")


def draft(found: Found, tasks: TaskTable, files: Mapping[str, Artifact], *, salvage: bool = False) -> Plan:
    """A plan that still has to be checked; what was read otherwise than it was written stands in its `repairs`.

    Args:
        found: what the model wrote.
        tasks: the table of tasks: says where an argument without a port's name belongs.
        files: attached files by every name that the plan may use.
        salvage: for the last attempt: what has no single reading is left out and said so. The checker must salvage as well.

    Raises:
        PlanError: with one entry in `problems` for each part that has no single reading.
    """
    if len(found.entries) > MAX_TASKS:
        raise PlanError([f"the plan has {len(found.entries):,} tasks, at most {MAX_TASKS:,} are run"])
    try:
        work = _Draft(found, tasks, files, salvage)
        planned = [work.planned(i) for i in range(len(work.entries))]
        repairs = (*work.refs.repairs, *work.repairs)
    except RecursionError as e:
        raise PlanError(["the plan is nested too deep"]) from e
    if work.problems or (found.entries and not planned):
        raise PlanError(work.problems or repairs)
    return Plan(tasks=tuple(planned), repairs=repairs, question=found.question if not planned else "")


class _Draft:
    def __init__(self, found: Found, tasks: TaskTable, files: Mapping[str, Artifact], salvage: bool) -> None:
        self.problems: list[str] = []
        self.repairs: list[str] = []
        self._salvage = salvage
        for i, entry in enumerate(found.entries):
            if not is_task(entry):
                self._refuse(f"task {i + 1} is not an object with a 'task' name: {entry!r:.120}")
        self.entries: list[dict[str, Any]] = [] if self.problems else [e for e in found.entries if is_task(e)]
        self._files = files
        self._arguments: list[Any] = [next((e[k] for k in ARGUMENT_KEYS if e.get(k) is not None), {}) for e in self.entries]
        self._written = [name_of(e) for e in self.entries]
        self.refs = References([_own_id(e) for e in self.entries], self._written, self._arguments, found.links)
        names = TaskNames(tasks)
        self._names = [names.read(w, self._media(a)) for w, a in zip(self._written, self._arguments, strict=True)]
        self._hub = [tasks[n] if n is not None else None for n in self._names]
        if self.refs.shift:
            low, high = ("0", "1") if self.refs.shift > 0 else ("1", "0")
            self.repairs.append(f"references counted from {low}, ids from {high}: aligned")

    def planned(self, i: int) -> PlannedTask:
        """The task at position `i`."""
        hub = self._hub[i]
        if self._names[i] not in (None, self._written[i]):
            self.repairs.append(f"task {self.refs.ids[i]}: {self._written[i]!r:.80} was read as {self._names[i]}")
        arguments: dict[str, list[Argument]] = {}
        loose: list[tuple[str | None, Argument]] = []
        for port, value in self._pairs(i):
            known = known_port(hub, port) if port is not None else None
            read = self._value(i, known, value)
            if read is None:
                continue
            if port is None or (hub is not None and known is None):
                loose.extend((port, v) for v in (read if port is None and isinstance(read, list) and not _takes_lists(hub) else [read]))
            else:
                if known is not None and known.name != port:
                    self.repairs.append(f"{self._where(i)}: the port {port[:60]!r} was read as {known.name}")
                arguments.setdefault(port if known is None else known.name, []).append(read)
        merged: dict[str, Argument] = {port: values[0] if len(values) == 1 else flat(values) for port, values in arguments.items()}
        if hub is not None:
            linked = [Ref(task_id=d) for d in self.refs.linked(i)]
            placing = Placing(hub, self._kind, merged)
            placing.place(loose, first=self._salvage)
            placing.place_linked(linked)
            self.repairs += [f"{self._where(i)}: {text}" for text in placing.repairs]
            for text in placing.unplaced:
                self._refuse(f"{self._where(i)}: {text}")
        else:  # the checker says that there is no such task; what it was to work on may still tell what others can do
            merged |= {f"argument_{n}": value for n, (_, value) in enumerate(loose, 1)}
        self._check_refs(i, merged)
        return PlannedTask(id=self.refs.ids[i], task=self._names[i] or self._written[i], arguments=merged)

    def _check_refs(self, i: int, arguments: Mapping[str, Argument]) -> None:
        """A reference to nothing is a problem as long as the model can be asked what it meant."""
        for port, ref in PlannedTask(id="", task="", arguments=arguments).refs():
            if ref.task_id not in self.refs.place and not self._salvage:
                self.problems.append(f"{self._where(i)}, port {port}: refers to a task {ref.task_id[:60]!r} that is not in the plan")

    def _media(self, arguments: Any) -> list[Kind]:
        """Kinds of the files that are named in a task's arguments and are no texts."""
        return [f.kind for t in _texts(arguments) if (f := self._files.get(_unquoted(t))) is not None and f.kind.is_media]

    def _refuse(self, text: str) -> None:
        if self._salvage:
            self.repairs.append(f"{text}; left out")
        else:
            self.problems.append(text)

    def _pairs(self, i: int) -> Iterator[tuple[str | None, Any]]:
        """Arguments as (port, value); the port is None where the model gave none."""
        given = self._arguments[i]
        if isinstance(given, dict) and any(isinstance(given.get(k), str) for k in _ARGUMENT_NAMES) and _is_argument(given):
            given = [given]
        if isinstance(given, dict):
            yield from ((str(port), value) for port, value in given.items())
        elif isinstance(given, list):
            for item in given:
                yield from self._item(item)
        elif isinstance(given, str | int | float):
            yield None, given
        else:
            self.problems.append(f"the arguments of {self._where(i)} are neither an object nor a list: {given!r:.120}")

    def _item(self, item: Any) -> Iterator[tuple[str | None, Any]]:
        """One argument of a list: a value, `{port: value}`, or `{"name" or "port", "value", …}`, where the name may be the value."""
        key = next((k for k in _ARGUMENT_NAMES if isinstance(item.get(k), str)), None) if isinstance(item, dict) else None
        if key is not None and (_is_argument(item) or len(item) == 1):
            rest = {k: v for k, v in item.items() if k != key}
            empty = all(v in (None, "", [], False) for v in rest.values())
            named = item[key].strip()
            if REFERENCE.fullmatch(named) or named in self._files:
                yield None, named
                if not empty:
                    yield None, rest
            elif empty and " " in named:
                yield None, named
            else:
                yield named, rest
        elif isinstance(item, dict) and not _is_argument(item):
            yield from ((str(port), value) for port, value in item.items())
        else:
            yield None, item

    def _value(self, i: int, port: Port | None, value: Any) -> Argument:
        if isinstance(value, list):
            return [read for v in value if (read := self._value(i, port, v)) is not None]
        if isinstance(value, dict):
            return self._object(i, port, value)
        if isinstance(value, float) and not math.isfinite(value):
            return str(value)
        if not isinstance(value, str) or value in self._files:
            return value
        if whole := REFERENCE.fullmatch(value.strip()):
            return self._ref(i, *parts(whole), each=False)
        if REFERENCE.search(value):
            return self._sentence(i, port, value)
        if (named := self.refs.placeholder(i, value)) is not None:
            self.repairs.append(f"{self._where(i)}: {value!r:.80} was read as the output of task {named}")
            return Ref(task_id=named)
        if _unquoted(value) in self._files:
            return _unquoted(value)
        if port is None:
            return value
        if port.kind in (Kind.JSON, Kind.TABLE) and value.lstrip()[:1] in ("[", "{"):
            return _json_or_text(value)
        return self._file(i, port, value) if port.kind.is_media else value

    def _object(self, i: int, port: Port | None, value: dict[str, Any]) -> Argument:
        """`{"ref", "port", "each"}`, `{"port", "value", "values", "ref", "ref_port", "each"}`, or a JSON literal."""
        if not _is_argument(value):
            return None if not value and (port is None or port.kind is not Kind.JSON) else value
        ref, one, many = value.get("ref"), value.get("value"), value.get("values")
        literal = many if many or one is None else one
        if ref is None or ref == "":
            return None if literal is None else self._value(i, port, literal)
        written = str(ref).strip()
        if literal not in (None, "", []):
            self.repairs.append(f"{self._where(i)}: has a reference and a value {literal!r:.60}; the reference was taken")
        if written in self._files and written not in self.refs.place:
            return written
        inner = REFERENCE.fullmatch(written)
        to, port_in_ref = parts(inner) if inner else (written, "")
        named = value.get("ref_port") or value.get("port")
        return self._ref(i, to, str(named or port_in_ref or "output"), each=str(value.get("each")).lower() == "true")

    def _ref(self, i: int, to: str, port: str, *, each: bool) -> Ref | None:
        task_id = self.refs.resolve(i, to)
        if task_id is None:
            self._refuse(f"{self._where(i)}: the reference to {to[:60]!r} runs in a circle, and the plan's links do not list it")
            return None
        source = self._source(task_id)
        port = port or "output"
        if source is not None and port != "output" and port not in [p.name for p in source.outputs]:
            near = get_close_matches(port[:100].lower(), [p.name for p in source.outputs], n=1, cutoff=0.6)
            if near or len(source.outputs) == 1:
                name = near[0] if near else source.output.name
                self.repairs.append(f"{self._where(i)}: the output {port[:60]!r} of {source.name} was read as {name}")
                port = name
        return Ref(task_id=task_id, port=port, each=each)

    def _source(self, task_id: str) -> HubTask | None:
        return self._hub[self.refs.place[task_id]] if task_id in self.refs.place else None

    def _sentence(self, i: int, port: Port | None, value: str) -> Argument:
        """References among words: taken whole where the port is for content and the words can only say what the task does anyway;
        apart where the words are in quotation marks."""
        refs = [ref for found in REFERENCE.finditer(value) if (ref := self._ref(i, *parts(found), each=False)) is not None]
        if not refs:
            return None
        where = f"{self._where(i)}, port {port.name if port else '?'}"
        words = REFERENCE.sub(" ", value).strip(" ,;:+&")
        if port is None and _unquoted(words) != words:
            self.repairs.append(f"{where}: {value!r:.80} was read as {len(refs)} references and the words {words!r:.60}")
            return [*refs, _unquoted(words)]
        sources = [self._source(r.task_id) for r in refs]
        if (
            port is not None
            and port.role is Role.CONTENT
            and (len(refs) == 1 or port.many)
            and all(s is None or port.kind.accepts(s.output.kind) for s in sources)
        ):
            self.repairs.append(f"{where}: {value!r:.80} was read as the output that it mentions")
            return refs if len(refs) > 1 else refs[0]
        if self._salvage:
            self.repairs.append(f"{where}: of {value!r:.120} the words were left out")
            return refs if len(refs) > 1 else refs[0]
        self.problems.append(
            f"{where}: a reference stands among words in {value!r:.120}; "
            "give the reference alone in a port of its own, and the words in another"
        )
        return None

    def _file(self, i: int, port: Port, value: str) -> Argument:
        """A file by a path or in another spelling, where only one file can be meant; or an id of a task without the word `ref`."""
        if value in self.refs.place:
            self.repairs.append(f"{self._where(i)}, port {port.name}: {value!r} was read as a reference to task {value}")
            return Ref(task_id=value)
        last = PurePosixPath(_unquoted(value).replace("\\", "/")).name.lower()
        meant = [name for name in self._files if name.lower() == last]
        if len(meant) != 1 or value.startswith("data:"):
            return value
        self.repairs.append(f"{self._where(i)}, port {port.name}: {value!r:.80} was read as {meant[0]!r}")
        return meant[0]

    def _kind(self, value: Argument) -> Kind | None:
        """The kind of a value; None where it refers to nothing known."""
        first = value[0] if isinstance(value, list) and value else value
        if isinstance(first, Ref):
            source = self._source(first.task_id)
            return source.output_port(first.port).kind if source and first.port in ("output", *(p.name for p in source.outputs)) else None
        if isinstance(first, str):
            return self._files[first].kind if first in self._files else Kind.TEXT
        return Kind.NUMBER if isinstance(first, int | float) and not isinstance(first, bool) else Kind.JSON

    def _where(self, i: int) -> str:
        return f"task {self.refs.ids[i][:60]} ({self._written[i][:60]})"


def freeze(plan: Plan, started: Sequence[PlannedTask]) -> Plan:
    """The plan with tasks that have started as they were: they come first, and another version of the same id is dropped.

    A plan in which two tasks have one id comes back as it is, for the checker to refuse.
    """
    ids = {t.id for t in started}
    if len({t.id for t in plan.tasks}) != len(plan.tasks):
        return plan
    return replace(plan, tasks=(*started, *(t for t in plan.tasks if t.id not in ids)))


def _own_id(entry: Mapping[str, Any]) -> str | None:
    own = entry.get("id")
    return str(own).strip() or None if isinstance(own, str | int) and not isinstance(own, bool) else None


def _is_argument(entry: Mapping[str, Any]) -> bool:
    return any(k in entry for k in ("ref", "value", "values"))


def _takes_lists(hub: HubTask | None) -> bool:
    return hub is None or any(p.many or p.kind in (Kind.LABELS, Kind.JSON, Kind.TABLE) for p in hub.inputs)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


def _unquoted(text: str) -> str:
    """The text without one pair of quotation marks around it."""
    return text[1:-1] if len(text) > 2 and text[0] + text[-1] in _QUOTED else text


def _json_or_text(value: str) -> Any:
    try:
        return json.loads(value, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return value


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no JSON")
