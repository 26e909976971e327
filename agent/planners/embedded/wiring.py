"""Turns steps into a plan: every port is fed by what its kind allows, and what is missing between two kinds is put in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ....tools.artifacts import Artifact
from ....tools.task import HubTask, Kind, Port, Role, TaskTable
from ...plan import Argument, PlannedTask, Ref
from ...request import Request
from . import arguments as words
from .reading import Reading
from .segmenting import Step, bridges


@dataclass
class _Made:
    """An output that later tasks may take."""

    task_id: str
    task: HubTask
    consumed_by_media: bool = False

    @property
    def kind(self) -> Kind:
        return self.task.output.kind

    @property
    def is_document(self) -> bool:
        """A text that stands for its source, not an answer about it."""
        return self.kind is Kind.TEXT and not any(p.role is Role.INSTRUCTION for p in self.task.inputs)


@dataclass
class Wiring:
    """Wires the steps of one request.

    Args:
        request: what was asked.
        reading: how it was read.
        tasks: the table.

    Attributes:
        planned: the tasks so far, in order.
        missing: for each task that could not be fed, (task, port).
    """

    request: Request
    reading: Reading
    tasks: TaskTable
    planned: list[PlannedTask] = field(default_factory=list)
    missing: list[tuple[HubTask, Port]] = field(default_factory=list)
    _made: list[_Made] = field(default_factory=list)
    _context: list[str] = field(default_factory=list)
    _choices: set[str] = field(default_factory=set)

    def wire(self, steps: Sequence[Step]) -> None:
        """Plan every task of every step, in order."""
        idle = [s for s in steps if not s.tasks]
        busy = {s.sentence for s in steps if s.tasks}
        self._context = [self.reading.sentences[s.sentence].raw for s in idle if s.sentence not in busy]
        chooses = any(p.kind is Kind.LABELS for s in steps for n in s.tasks for p in self.tasks[n].inputs)
        if chooses and all(len(q.split()) <= 6 for q in self.reading.run):
            self._choices = set(self.reading.run)
        for step in steps:
            for name in step.tasks:
                self._add(self.tasks[name], step)

    def _add(self, task: HubTask, step: Step) -> None:
        arguments: dict[str, Argument] = {}
        taken: set[str] = set()
        for port in task.inputs:
            value = self._value(task, port, step, taken)
            if value is not None:
                arguments[port.name] = value
            elif port.required:
                self.missing.append((task, port))
                return
        if any(t.task == task.name and t.arguments == arguments for t in self.planned) or self._repeats(task, arguments):
            return
        self._plan(task, arguments)

    def _repeats(self, task: HubTask, arguments: dict[str, Argument]) -> bool:
        """Whether the task would work on its own output, told nothing new: "summarise it and read me the summary"."""
        task_of = {t.id: t for t in self.planned}
        for argument in arguments.values():
            if isinstance(argument, Ref) and task_of[argument.task_id].task == task.name:
                before = task_of[argument.task_id].arguments
                return all(isinstance(a, Ref) or before.get(port) == a for port, a in arguments.items())
        return False

    def _plan(self, task: HubTask, arguments: dict[str, Argument]) -> Ref:
        ident = str(len(self.planned) + 1)
        planned = PlannedTask(id=ident, task=task.name, arguments=arguments)
        self.planned.append(planned)
        for made in self._made:
            if task.output.kind.is_media and made.task_id in planned.parents:
                made.consumed_by_media = True
        self._made.append(_Made(ident, task))
        return Ref(task_id=ident, port=task.output.name)

    def _value(self, task: HubTask, port: Port, step: Step, taken: set[str]) -> Argument | None:
        if port.role is Role.INSTRUCTION:
            return self._instruction(task, port, step, taken)
        if port.role is Role.OPTION:
            return self._option(port, step)
        if not port.required and port.kind is Kind.TEXT:
            return None
        if port.many:
            return self._many(port, taken)
        if port.kind is Kind.TEXT:
            return self._text(task, step, taken)
        return self._medium(port, step)

    def _option(self, port: Port, step: Step) -> Argument | None:
        sentence = self.reading.sentences[step.sentence]
        if port.kind is Kind.NUMBER:
            return words.number(port, sentence.raw)
        if port.name.endswith("language"):
            return words.language(port, self._raw(step)) or words.language(port, sentence.raw)
        return None

    def _instruction(self, task: HubTask, port: Port, step: Step, taken: set[str]) -> Argument | None:
        sentence = self.reading.sentences[step.sentence]
        raw = self._raw(step)
        if port.kind is Kind.LABELS:
            instruction = " ".join(s.raw for s in self.reading.sentences)
            found = words.labels(raw, sentence.raw, sentence.tail, sentence.quotes) or words.labels(
                instruction, instruction, "", self.reading.quotes
            )
            return found or None
        if port.kind is not Kind.TEXT:
            return None
        makes = task.output.kind.is_media
        if (
            makes
            and not any(p.role is Role.CONTENT for p in task.inputs)
            and (source := self._latest_text()) is not None
            and len(step.text.split()) < 6
        ):
            return source  # "… and paint it"
        quoted = [q for q in sentence.quotes if q not in self.reading.run or q.rstrip().endswith("?")]
        if not makes and quoted and (self.reading.run or self.reading.items or quoted[-1].endswith("?") or port.name == "query"):
            taken.add(quoted[-1])
            return quoted[-1]
        if sentence.tail and not any(p.kind is Kind.LABELS for p in task.inputs) and len(sentence.tail.split()) >= 2:
            return words.description(sentence.tail) if makes else words.question(sentence.tail)
        if makes:
            return words.description(raw)
        asked = [s for s in self._context if s.rstrip().endswith("?")] or (
            self._context if len(step.text.split()) < 14 and self.reading.items else []
        )
        return words.question(" ".join([*asked, raw]))

    def _raw(self, step: Step) -> str:
        """The clause as the user wrote it, where it is the whole sentence or holds nothing that was replaced."""
        sentence = self.reading.sentences[step.sentence]
        at = sentence.raw.lower().find(step.text.lower())
        if at >= 0:
            return sentence.raw[at : at + len(step.text)]
        return sentence.raw if '"…"' in step.text or len(step.text) > 0.8 * len(sentence.head) else step.text

    def _many(self, port: Port, taken: set[str]) -> Argument | None:
        if port.kind is Kind.TEXT:
            texts = [q for q in (self.reading.run or self.reading.quotes) if q not in taken] or list(self.reading.items)
            files = [f for f in self.request.files if f.kind is Kind.TEXT and self.request.name_of(f) not in taken]
            if texts:
                return texts
            if files:
                return [self.request.name_of(f) for f in files]
            return self.reading.payload.splitlines() or None
        files = [f for f in self.request.files if f.kind is port.kind]
        if files:
            return [self.request.name_of(f) for f in files]
        made = [Ref(task_id=m.task_id, port=m.task.output.name) for m in self._made if m.kind is port.kind]
        return list(made) or None

    def _text(self, task: HubTask, step: Step, taken: set[str]) -> Argument | None:
        """Where a text comes from: quoted or named in the clause, made before, given, read out of a picture or recording, meant again."""
        sentence = self.reading.sentences[step.sentence]
        quotes = [q for q in (*sentence.quotes, *self.reading.quotes) if q not in taken and q not in self._choices]
        named = [f for f in self.request.files if f.kind.has_text_view and f.name.lower() in sentence.raw.lower()]
        judged = any(p.role is Role.INSTRUCTION for p in task.inputs)
        made = self._source_text() if judged else self._latest_text(task)
        own = [q for q in quotes if q in sentence.quotes]
        if own and not made:
            taken.add(own[0])
            return own[0]
        if named and not (made and not judged):
            return self.request.name_of(named[0])
        if made is not None and not judged:
            return made
        given = (quotes[0] if quotes else None) or self.reading.payload or self._given_text(taken)
        if given:
            taken.add(given)
            return given
        if (found := made or self._bridged(self.request.files)) is not None:
            return found
        if sentence.tail and len(sentence.tail.split()) > 2:
            return sentence.tail
        if self.reading.items:
            return "\n".join(self.reading.items)
        return self._again(Kind.TEXT) or self._bridged(self._earlier()) or self._context_text(step)

    def _given_text(self, taken: set[str]) -> str | None:
        names = [self.request.name_of(f) for f in self.request.files if f.kind in (Kind.TEXT, Kind.TABLE)]
        return next((n for n in names if n not in taken), None)

    def _context_text(self, step: Step) -> str | None:
        """Sentences that ask for nothing, when there is nothing else that could be meant."""
        others = [s for s in self._context if s != self.reading.sentences[step.sentence].raw]
        joined = " ".join(others).strip()
        return joined if len(joined.split()) >= 3 else None

    def _latest_text(self, task: HubTask | None = None) -> Ref | None:
        texts = [m for m in self._made if m.kind is Kind.TEXT]
        if task is not None and not task.output.kind.is_media:  # a new branch begins at the last document that nothing spoke or drew
            texts = [m for m in texts if m.is_document and not m.consumed_by_media] or [m for m in texts if m.is_document] or texts
        chosen = texts or [m for m in self._made if m.kind.has_text_view]
        return Ref(task_id=chosen[-1].task_id, port=chosen[-1].task.output.name) if chosen else None

    def _source_text(self) -> Ref | None:
        chosen = [m for m in self._made if m.is_document] or [m for m in self._made if m.kind is Kind.TEXT]
        return Ref(task_id=chosen[0].task_id, port=chosen[0].task.output.name) if chosen else None

    def _bridged(self, files: Sequence[Artifact]) -> Ref | None:
        """A task put in that reads the only medium there is; the same one is used again."""
        kinds = dict.fromkeys([*(f.kind for f in files), *(m.kind for m in self._made if m.kind.is_media)])
        for kind, task in bridges(self.tasks, kinds):
            port = next(p for p in task.inputs if p.required)
            file = next((f for f in files if f.kind is kind), None)
            value: Argument = self.request.name_of(file) if file else self._latest(kind)
            same = next((t for t in self.planned if t.task == task.name and t.arguments == {port.name: value}), None)
            return Ref(task_id=same.id, port=task.output.name) if same else self._plan(task, {port.name: value})
        return None

    def _medium(self, port: Port, step: Step) -> Argument | None:
        sentence = self.reading.sentences[step.sentence].raw.lower()
        fits = [f for f in self.request.files if port.kind.accepts(f.kind)] or (
            [f for f in self.request.files if f.kind is Kind.TEXT] if port.kind is Kind.TABLE else []
        )
        named = [f for f in fits if f.name.lower() in sentence]
        if named:
            return self.request.name_of(named[0])
        return self._latest(port.kind) or (self.request.name_of(fits[0]) if fits else self._again(port.kind))

    def _latest(self, kind: Kind) -> Ref | None:
        made = [m for m in self._made if m.kind is kind]
        return Ref(task_id=made[-1].task_id, port=made[-1].task.output.name, each=made[-1].task.output.many) if made else None

    def _earlier(self) -> list[Artifact]:
        """Files of earlier turns, newest first."""
        return [m.artifact for turn in reversed(self.request.history) for m in reversed(turn.made)]

    def _again(self, kind: Kind) -> str | None:
        """The newest file of earlier turns that fits; one that is of this very kind before one that only has a text view."""
        made = [m for turn in reversed(self.request.history) for m in reversed(turn.made) if kind.accepts(m.artifact.kind)]
        own = [m for m in made if m.task not in self.tasks or self.tasks[m.task].output.kind is kind]
        return next((m.artifact.id for m in (*own, *made)), None)
