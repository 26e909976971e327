"""From tasks as a language model wrote them to planned tasks: ids, references and arguments in their many spellings.

Spellings of a reference that are met in the wild: `{"ref": "1"}`, `<GENERATED>-0` and `<resource>-0` (HuggingGPT's prompts,
arXiv 2303.17580), `<GENERATED-0>` (its demonstrations), `<node-0>` (TaskBench, arXiv 2311.18760), each with ids that count from
0 or from 1, or that are words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from ....tools.task import HubTask, Kind, Port, Role, TaskTable
from ...errors import PlanError
from ...plan import Argument, Plan, PlannedTask, Ref
from .parsing import ARGUMENT_KEYS, Found, is_task, name_of

if TYPE_CHECKING:
    from ....tools.artifacts import Artifact

_MARK = r"(GENERATED|RESOURCE|NODE|OUTPUT|RESULT|TASK)"
REFERENCE = re.compile(rf"<{_MARK}>\s?[-_]\s?(\w+)(?:\.([A-Za-z_]\w*))?|<{_MARK}[-_ ](\w+)(?:\.([A-Za-z_]\w*))?>", re.I)
_ARGUMENT_NAMES = ("port", "name")


@dataclass(frozen=True, kw_only=True)
class _Mention:
    """A reference as it was written: by whom (position of the task), to what, and whether its spelling counts from 0."""

    by: int
    to: str
    from_zero: bool


def draft(found: Found, tasks: TaskTable, files: Mapping[str, Artifact]) -> Plan:
    """A plan that still has to be checked; what was read otherwise than it was written stands in its `repairs`.

    Args:
        found: what the model wrote.
        tasks: the table of tasks: says where an argument without a port's name belongs.
        files: attached files by every name that the plan may use.

    Raises:
        PlanError: with one entry in `problems` for each part that has no single reading.
    """
    work = _Draft(found.entries, tasks, files)
    planned = [work.planned(i) for i in range(len(work.entries))]
    if work.problems:
        raise PlanError(work.problems)
    return Plan(tasks=tuple(planned), repairs=tuple(work.repairs), question=found.question if not planned else "")


class _Draft:
    def __init__(self, entries: Sequence[Any], tasks: TaskTable, files: Mapping[str, Artifact]) -> None:
        self.problems = [f"task {i + 1} is not an object with a 'task' name: {e!r:.120}" for i, e in enumerate(entries) if not is_task(e)]
        self.repairs: list[str] = []
        self.entries: list[dict[str, Any]] = [] if self.problems else list(entries)
        self._files = files
        self._hub = [_known(name_of(e), tasks) for e in self.entries]
        self._arguments: list[Any] = [next((e[k] for k in ARGUMENT_KEYS if e.get(k) is not None), {}) for e in self.entries]
        mentions = [m for i, a in enumerate(self._arguments) for m in _mentions(i, a)]
        self._ids = _ids(self.entries, mentions)
        self._shift = _shift(self._ids, mentions)
        if self._shift:
            self.repairs.append(
                f"references counted from {'0' if self._shift > 0 else '1'}, ids from {'1' if self._shift > 0 else '0'}: aligned"
            )

    def planned(self, i: int) -> PlannedTask:
        """The task at position `i`."""
        hub = self._hub[i]
        arguments: dict[str, list[Argument]] = {}
        loose: list[Argument] = []
        for port, value in self._pairs(i):
            known = _port(hub, port) if port is not None else None
            read = self._value(i, known, value)
            if read is None:
                continue
            if port is None:
                loose.append(read)
            else:
                arguments.setdefault(port, []).append(read)
        merged = {port: values[0] if len(values) == 1 else _flat(values) for port, values in arguments.items()}
        self._place(i, loose, merged)
        return PlannedTask(id=self._ids[i], task=name_of(self.entries[i]), arguments=merged)

    def _pairs(self, i: int) -> Iterator[tuple[str | None, Any]]:
        """Arguments as (port, value); the port is None where the model gave none."""
        given = self._arguments[i]
        if isinstance(given, dict) and any(isinstance(given.get(k), str) for k in _ARGUMENT_NAMES) and _is_argument(given):
            given = [given]
        if isinstance(given, dict):
            yield from ((str(port), value) for port, value in given.items())
        elif isinstance(given, list):
            for item in given:
                key = next((k for k in _ARGUMENT_NAMES if isinstance(item.get(k), str)), None) if isinstance(item, dict) else None
                if key is not None:
                    yield item[key], {k: v for k, v in item.items() if k != key}
                elif isinstance(item, dict) and not _is_argument(item):
                    yield from ((str(port), value) for port, value in item.items())
                else:
                    yield None, item
        elif isinstance(given, str | int | float):
            yield None, given
        else:
            self.problems.append(f"the arguments of {self._where(i)} are neither an object nor a list: {given!r:.120}")

    def _value(self, i: int, port: Port | None, value: Any) -> Argument:
        if isinstance(value, list):
            return [read for v in value if (read := self._value(i, port, v)) is not None]
        if isinstance(value, dict):
            return self._object(i, port, value)
        if not isinstance(value, str) or value in self._files:
            return value
        if whole := REFERENCE.fullmatch(value.strip()):
            return self._ref(i, *_parts(whole), each=False)
        if REFERENCE.search(value):
            return self._sentence(i, port, value)
        if port is None:
            return value
        if port.kind in (Kind.JSON, Kind.TABLE) and value.lstrip()[:1] in ("[", "{"):
            return _json_or_text(value)
        return self._file(i, port, value) if port.kind.is_media else value

    def _object(self, i: int, port: Port | None, value: dict[str, Any]) -> Argument:
        """`{"ref", "port", "each"}`, `{"port", "value", "values", "ref", "ref_port", "each"}`, or a JSON literal."""
        if not _is_argument(value):
            return value
        ref, one, many = value.get("ref"), value.get("value"), value.get("values")
        literal = many if many or one is None else one
        if ref is None or ref == "":
            return None if literal is None else self._value(i, port, literal)
        written = str(ref).strip()
        if literal not in (None, "", []):
            self.repairs.append(f"{self._where(i)}: has a reference and a value {literal!r:.60}; the reference was taken")
        if written in self._files and written not in self._ids:
            return written
        inner = REFERENCE.fullmatch(written)
        to, port_in_ref = _parts(inner) if inner else (written, "")
        named = value.get("ref_port") or value.get("port")
        return self._ref(i, to, str(named or port_in_ref or "output"), each=str(value.get("each")).lower() == "true")

    def _ref(self, i: int, to: str, port: str, *, each: bool) -> Ref:
        task_id = self._resolve(to)
        source = self._hub[self._ids.index(task_id)] if task_id in self._ids else None
        port = port or "output"
        if source is not None and port != "output" and port not in [p.name for p in source.outputs]:
            near = get_close_matches(port.lower(), [p.name for p in source.outputs], n=1, cutoff=0.6)
            if near or len(source.outputs) == 1:
                self.repairs.append(
                    f"{self._where(i)}: the output {port!r} of {source.name} was read as {near[0] if near else source.output.name}"
                )
                port = near[0] if near else source.output.name
        return Ref(task_id=task_id, port=port, each=each)

    def _resolve(self, written: str) -> str:
        """The id that a reference means; what it says when nothing answers to it, which the checker then reports."""
        if self._shift and _is_count(written):
            return str(int(written) + self._shift)
        if written in self._ids:
            return written
        digits = re.sub(r"\D", "", written)
        same = [d for d in self._ids if re.sub(r"\D", "", d) == digits] if digits else []
        named = [d for d, e in zip(self._ids, self.entries, strict=True) if _plain(name_of(e)) == _plain(written)]
        for answer in (same, named):
            if len(answer) == 1:
                return answer[0]
        return written

    def _sentence(self, i: int, port: Port | None, value: str) -> Argument:
        """References among words: taken whole where the port is for content and the words can only say what the task does anyway."""
        refs = [self._ref(i, *_parts(found), each=False) for found in REFERENCE.finditer(value)]
        where = f"{self._where(i)}, port {port.name if port else '?'}"
        sources = [self._hub[self._ids.index(r.task_id)] for r in refs if r.task_id in self._ids]
        if (
            port is None
            or port.role is not Role.CONTENT
            or (len(refs) > 1 and not port.many)
            or not all(s is None or port.kind.accepts(s.output.kind) for s in sources)
        ):
            self.problems.append(
                f"{where}: a reference stands among words in {value!r:.120}; "
                "give the reference alone in a port of its own, and the words in another"
            )
            return None
        self.repairs.append(f"{where}: {value!r:.80} was read as the output that it mentions")
        return refs if len(refs) > 1 else refs[0]

    def _file(self, i: int, port: Port, value: str) -> Argument:
        """A file by a path or in another spelling, where only one file can be meant; or an id of a task without the word `ref`."""
        if value in self._ids:
            self.repairs.append(f"{self._where(i)}, port {port.name}: {value!r} was read as a reference to task {value}")
            return Ref(task_id=value)
        last = PurePosixPath(value.replace("\\", "/")).name.lower()
        meant = [name for name in self._files if name.lower() == last]
        if len(meant) != 1 or value.startswith("data:"):
            return value
        self.repairs.append(f"{self._where(i)}, port {port.name}: {value!r:.80} was read as {meant[0]!r}")
        return meant[0]

    def _place(self, i: int, loose: list[Argument], arguments: dict[str, Any]) -> None:
        """Give values without a port to the first free port that takes them, required ports first."""
        hub = self._hub[i]
        if hub is None:
            return  # the checker says that there is no such task
        for value in loose:
            kind = self._kind(value)
            ports = sorted((p for p in hub.inputs if kind is not None and p.kind.accepts(kind)), key=lambda p: not p.required)
            free = next((p for p in ports if p.name not in arguments or p.many), None)
            if free is None:
                self.problems.append(
                    f"{self._where(i)}: no port takes {value!r:.80}; its ports are {', '.join(p.name for p in hub.inputs) or 'none'}"
                )
            elif free.many:
                arguments[free.name] = _flat([*_flat([arguments.get(free.name, [])]), value])
            else:
                arguments[free.name] = value
                self.repairs.append(
                    f"{self._where(i)}: {value if isinstance(value, str) else 'a value'!s:.60} was given to its port {free.name}"
                )

    def _kind(self, value: Argument) -> Kind | None:
        first = value[0] if isinstance(value, list) and value else value
        if isinstance(first, Ref):
            source = self._hub[self._ids.index(first.task_id)] if first.task_id in self._ids else None
            return source.output_port(first.port).kind if source and first.port in ("output", *(p.name for p in source.outputs)) else None
        if isinstance(first, str):
            return self._files[first].kind if first in self._files else Kind.TEXT
        return Kind.NUMBER if isinstance(first, int | float) and not isinstance(first, bool) else Kind.JSON

    def _where(self, i: int) -> str:
        return f"task {self._ids[i]} ({name_of(self.entries[i])[:60]})"


def freeze(plan: Plan, started: Sequence[PlannedTask]) -> Plan:
    """The plan with tasks that have started as they were: they come first, and another version of the same id is dropped.

    A plan in which two tasks have one id comes back as it is, for the checker to refuse.
    """
    ids = {t.id for t in started}
    if len({t.id for t in plan.tasks}) != len(plan.tasks):
        return plan
    return replace(plan, tasks=(*started, *(t for t in plan.tasks if t.id not in ids)))


def _ids(entries: Sequence[dict[str, Any]], mentions: Sequence[_Mention]) -> list[str]:
    """An id for each task: its own, else its position, counted from 0 where the references count so."""
    base = 0 if any(m.from_zero or m.to == "0" for m in mentions) else 1
    ids: list[str] = []
    for i, entry in enumerate(entries):
        own = entry.get("id")
        ids.append(str(own).strip() if isinstance(own, str | int) and not isinstance(own, bool) and str(own).strip() else str(i + base))
    return ids


def _shift(ids: Sequence[str], mentions: Sequence[_Mention]) -> int:
    """What to add to every reference so that all point backwards, when as written some point to themselves or to nothing: 1, -1 or 0."""
    place = {int(d): i for i, d in enumerate(ids) if _is_count(d)}
    counts = [(m.by, int(m.to)) for m in mentions if _is_count(m.to)]
    if all(n in place and place[n] != by for by, n in counts):
        return 0
    shift = -1 if 0 in place else 1  # ids from 0 and references from 1, or the other way round
    if (shift == -1 or any(n == 0 for _, n in counts)) and all(place.get(n + shift, by) < by for by, n in counts):
        return shift
    return 0


def _mentions(by: int, value: Any) -> Iterator[_Mention]:
    if isinstance(value, list):
        for v in value:
            yield from _mentions(by, v)
    elif isinstance(value, dict):
        for key, v in value.items():
            if key == "ref" and isinstance(v, str | int) and not isinstance(v, bool) and not REFERENCE.search(str(v)):
                yield _Mention(by=by, to=str(v).strip(), from_zero=False)
            else:
                yield from _mentions(by, v)
    elif isinstance(value, str):
        for found in REFERENCE.finditer(value):
            mark = (found.group(1) or found.group(4)).upper()
            yield _Mention(by=by, to=_parts(found)[0], from_zero=mark == "NODE")


def _parts(found: re.Match[str]) -> tuple[str, str]:
    """Id and port of a reference in angle brackets; the port is `output` when it names none."""
    return found.group(2) or found.group(5), found.group(3) or found.group(6) or "output"


def _is_argument(value: dict[str, Any]) -> bool:
    return any(key in value for key in ("ref", "value", "values"))


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 9


def _flat(values: Sequence[Argument]) -> list[Argument]:
    return [v for value in values for v in (value if isinstance(value, list) else [value])]


def _plain(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())


def _known(name: str, tasks: TaskTable) -> HubTask | None:
    spelt = {_plain(n): n for n in tasks}
    near = get_close_matches(_plain(name), spelt, n=1, cutoff=0.85)
    return tasks[spelt[near[0]]] if near else None


def _port(hub: HubTask | None, name: str) -> Port | None:
    if hub is None:
        return None
    ports = {p.name: p for p in hub.inputs}
    near = [name] if name in ports else get_close_matches(name.lower(), ports, n=1, cutoff=0.6)
    if near:
        return ports[near[0]]
    return hub.inputs[0] if len(hub.inputs) == 1 else None


def _json_or_text(value: str) -> Any:
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value
