"""The planner that needs no language model."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from ....index.minilm import MiniLM
from ....tools.task import HubTask, Kind, Port, Role, TaskTable
from ...checker import check
from ...plan import Plan, PlannedTask
from ...request import Request
from .arguments import labels
from .matching import Matcher, Weights
from .reading import Reading, normal_form, read
from .segmenting import Given, Step, segment
from .wiring import Wiring

if TYPE_CHECKING:
    from ....tools.artifacts import Artifact

_ASK_BELOW = 0.25
_CHAT = 0.35
_READ = 4_000  # characters of a request that are searched for instructions, from either end


class EmbeddedPlanner:
    """Plans with MiniLM alone: which tasks the clauses of a request ask for, and typed wiring of their ports.

    Free, private, deterministic; some 20 to 150 ms a request. It does not reason: what no clause says is not planned.

    Args:
        encoder: a MiniLM to share.
    """

    def __init__(self, encoder: MiniLM | None = None) -> None:
        self._encoder = encoder or MiniLM()
        self._lock = threading.Lock()
        self._matchers: dict[int, tuple[TaskTable, Matcher]] = {}

    def plan(self, request: Request, tasks: TaskTable) -> Plan:
        """The plan; no tasks when the request asks for none, and a question when it cannot be understood or lacks an input."""
        matcher = self._matcher(tasks)
        reading = _read(request, matcher)
        steps = segment(reading.sentences, matcher, tasks, _given(request, reading))
        asking = [s for s in steps if s.tasks]
        confidence = _confidence(asking or steps)
        if not asking:
            return Plan(confidence=confidence, question="" if _is_chat(steps) else _not_understood(steps))
        if confidence < _ASK_BELOW:
            return Plan(confidence=confidence, question=_not_understood(asking))
        planned, missing = _wire(request, reading, tasks, steps)
        if missing and not planned:
            return Plan(confidence=confidence, question=_lacks(missing))
        plan = check(Plan(tasks=tuple(planned), confidence=confidence), tasks, request.file_names())
        return replace(
            plan, repairs=(*plan.repairs, *(f"{t.name} was left out: nothing in the request feeds its {p.name}" for t, p in missing))
        )

    async def aplan(self, request: Request, tasks: TaskTable) -> Plan:
        """`plan` in a thread."""
        return await asyncio.to_thread(self.plan, request, tasks)

    async def astream(self, request: Request, tasks: TaskTable) -> AsyncIterator[PlannedTask]:
        """The tasks of `aplan`, all at once: they are known together."""
        for task in (await self.aplan(request, tasks)).tasks:
            yield task

    @cached_property
    def _weights(self) -> Weights:
        return Weights.load()

    def _matcher(self, tasks: TaskTable) -> Matcher:
        with self._lock:
            found = self._matchers.get(id(tasks))
            if found is None or found[0] is not tasks:
                found = (tasks, Matcher(tasks, self._weights, self._encoder))
                self._matchers = {id(tasks): found}
            return found[1]


def _read(request: Request, matcher: Matcher) -> Reading:
    files = [(f.name, str(f.kind)) for f in request.files]

    def instructs(texts: Sequence[str]) -> list[float]:
        found = matcher.match([normal_form(t, files) or "." for t in texts])
        return [max((sum(m.score for m in ms if t in m.tasks) for t in {t for m in ms for t in m.tasks}), default=0.0) for ms in found]

    text = request.text
    if len(text) <= 2 * _READ:
        return read(text, files, instructs)
    head, body, tail = text[:_READ], text[_READ:-_READ], text[-_READ:]
    reading = read(f"{head.rstrip()}\n{tail.lstrip()}", files, instructs)  # a long text is a text to work on, told at one of its ends
    if reading.payload:
        start = text.find(reading.payload[:200])
        end = text.rfind(reading.payload[-200:]) + len(reading.payload[-200:])
        return replace(reading, payload=text[start:end] if 0 <= start < end else head + body + tail)
    return replace(reading, payload=text)


def _given(request: Request, reading: Reading) -> Given:
    quotes = [q for s in reading.sentences for q in s.quotes]
    tails = [s.tail for s in reading.sentences if s.tail]

    def choices(text: str) -> bool:
        found = labels(text, "", "", ())
        return (
            len(found) >= 2
            or ('"…"' in text and len(labels("", "", "", quotes)) >= 2)
            or any(len(labels("", "", t, ())) >= 2 for t in tails)
        )

    texts = max(len(reading.quotes), len(reading.items), sum(f.kind is Kind.TEXT for f in request.files))
    return Given(attached=frozenset(_kinds(request, reading)), choices=choices, texts=texts, files=bool(request.files))


def _kinds(request: Request, reading: Reading) -> set[Kind]:
    """Kinds of input that are there, earlier files included when nothing is attached."""
    kinds = {f.kind for f in request.files}
    if reading.quotes or reading.payload or reading.items or any(s.tail for s in reading.sentences):
        kinds.add(Kind.TEXT)
    if not kinds:
        kinds = {m.artifact.kind for turn in request.history for m in turn.made}
    if Kind.TABLE in kinds:
        kinds.add(Kind.TEXT)
    return kinds


def _wire(
    request: Request, reading: Reading, tasks: TaskTable, steps: Sequence[Step]
) -> tuple[list[PlannedTask], list[tuple[HubTask, Port]]]:
    """Wire once; or once for each file, when several files of one kind are given to tasks that take one."""
    group = _repeated(request, tasks, steps)
    planned: list[PlannedTask] = []
    missing: list[tuple[HubTask, Port]] = []
    files: list[Artifact | None] = [*group] or [None]
    for file in files:
        kept = request if file is None else replace(request, files=tuple(f for f in request.files if f not in group or f is file))
        wiring = Wiring(request=kept, reading=reading, tasks=tasks)
        wiring.wire(steps)
        shift = len(planned)
        planned += [_shifted(t, shift) for t in wiring.planned] if shift else wiring.planned
        missing = wiring.missing
    return planned, missing


def _repeated(request: Request, tasks: TaskTable, steps: Sequence[Step]) -> list[Artifact]:
    used = [tasks[n] for s in steps for n in s.tasks]
    for kind in (Kind.IMAGE, Kind.AUDIO, Kind.VIDEO, Kind.TEXT, Kind.TABLE):
        files = [f for f in request.files if f.kind is kind]
        named = [f for f in files if f.name.lower() in request.text.lower()]
        takers = [[p for p in t.inputs if p.role is Role.CONTENT and p.required and p.kind is kind] for t in used]
        single = all(len(ports) < 2 and not any(p.many for p in ports) for ports in takers)
        if len(files) > 1 and single and any(takers) and len(named) in (0, len(files)) and not _names_apart(steps, files):
            return files
    return []


def _names_apart(steps: Sequence[Step], files: Sequence[Artifact]) -> bool:
    """Whether the steps that ask for something stand in different sentences, so that each may name its own file."""
    return len({s.sentence for s in steps if s.tasks}) > 1 and len(files) <= len({s.sentence for s in steps if s.tasks})


def _shifted(task: PlannedTask, by: int) -> PlannedTask:
    from ...plan import Ref

    def moved(value: object) -> object:
        if isinstance(value, Ref):
            return replace(value, task_id=str(int(value.task_id) + by))
        return [moved(v) for v in value] if isinstance(value, list) else value

    return replace(task, id=str(int(task.id) + by), arguments={p: moved(a) for p, a in task.arguments.items()})


def _confidence(steps: Sequence[Step]) -> float:
    """0..1: the probability of the weakest step."""
    return round(min((s.score for s in steps), default=0.0), 2)


def _is_chat(steps: Sequence[Step]) -> bool:
    return any(s.score > _CHAT for s in steps)


def _not_understood(steps: Sequence[Step]) -> str:
    guesses = list(dict.fromkeys(n for s in steps for n in s.tasks))
    hint = f" Did you mean {' and '.join(guesses)}?" if guesses else ""
    return f"I am not sure what you would like me to do.{hint} Please say it in other words, in English, and attach the files it is about."


def _lacks(missing: Sequence[tuple[HubTask, Port]]) -> str:
    task, port = missing[0]
    how = (
        "name the choices, as in 'A, B or C'"
        if port.kind is Kind.LABELS
        else "attach it" + (" or quote it" if port.kind is Kind.TEXT else "")
    )
    return f"For {task.name} I need {port.description} ({port.kind}). Please {how}."
