"""Turns nodes into a plan: every port is fed by what its kind allows, and what is missing between two kinds is put in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ....tools.artifacts import Artifact
from ....tools.task import HubTask, Kind, Port, Role, TaskTable
from ...checking.bridges import bridges
from ...plan import Argument, PlannedTask, Ref
from ...request import Request
from . import arguments as words
from .nodes import Node
from .reading import Reading, Sentence

_LONGEST = 80  # characters of a wish that stands for what is to be found
_NOWHERE = Sentence(raw="", start=0, head="", tail="", quotes=())


@dataclass
class Wiring:
    """Wires the nodes of one request.

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
    _made: dict[str, tuple[str, HubTask]] = field(default_factory=dict)  # by node: its id in the plan
    _choices: set[str] = field(default_factory=set)
    _context: list[str] = field(default_factory=list)
    _last: int = -1  # the last sentence that asks for something

    def wire(self, nodes: Sequence[Node]) -> None:
        """Plan every node, in order."""
        busy = {n.sentence for n in nodes}
        self._last = max(busy, default=-1)
        self._context = [s.raw for i, s in enumerate(self.reading.sentences) if i not in busy]
        chooses = any(p.kind is Kind.LABELS and p.required for n in nodes for p in n.task.inputs)
        if chooses and all(len(q.split()) <= 6 for q in self.reading.run):
            self._choices = set(self.reading.run)
        for node in nodes:
            self._add(node)

    def _add(self, node: Node) -> None:
        arguments = self._from_parents(node)
        taken = {v for v in arguments.values() if isinstance(v, str)}
        for port in node.task.inputs:
            if port.name in arguments:
                continue
            value = self._value(node, port, taken)
            if value is not None:
                arguments[port.name] = value
            elif port.required:
                self.missing.append((node.task, port))
                return
        arguments = {p.name: arguments[p.name] for p in node.task.inputs if p.name in arguments}
        same = next((t for t in self.planned if t.task == node.task.name and t.arguments == arguments), None)
        self._made[node.id] = (same.id if same else self._plan(node.task, arguments).task_id, node.task)

    def _plan(self, task: HubTask, arguments: dict[str, Argument]) -> Ref:
        ident = str(len(self.planned) + 1)
        self.planned.append(PlannedTask(id=ident, task=task.name, arguments=arguments))
        return Ref(task_id=ident, port=task.output.name)

    def _from_parents(self, node: Node) -> dict[str, Argument]:
        """What earlier tasks make for this one: content before instructions, each port once."""
        filled: dict[str, Argument] = {}
        ports = sorted(
            (p for p in node.task.inputs if p.role is not Role.OPTION and p.kind is not Kind.LABELS),
            key=lambda p: (p.role is not Role.CONTENT, not p.required),
        )
        for parent in node.parents:
            if parent not in self._made:
                continue
            ident, task = self._made[parent]
            fits = [p for p in ports if p.kind.accepts(task.output.kind) and (p.many or p.name not in filled)]
            port = next((p for p in fits if p.kind is task.output.kind), fits[0] if fits else None)
            if port is None:
                continue
            ref = Ref(task_id=ident, port=task.output.name, each=task.output.many and not port.many)
            earlier = filled.get(port.name)
            filled[port.name] = [*(earlier if isinstance(earlier, list) else []), ref] if port.many else ref
        self._complete(node, filled)
        return filled

    def _complete(self, node: Node, filled: dict[str, Argument]) -> None:
        """A port for several that got one output compares it with what is given."""
        for port in node.task.inputs:
            several = filled.get(port.name)
            others = [p for p in node.task.inputs if p.required and p.role is Role.CONTENT and p.kind is port.kind and p.name not in filled]
            if port.many and isinstance(several, list) and others:
                if len(several) > 1:
                    filled[others[0].name] = several.pop(0)
                elif (given := self._given_text(set())) is not None:
                    filled[others[0].name] = given

    def _value(self, node: Node, port: Port, taken: set[str]) -> Argument | None:
        if port.role is Role.INSTRUCTION:
            return self._instruction(node, port, taken)
        if port.role is Role.OPTION:
            return self._option(node, port)
        if not port.required and port.kind is Kind.TEXT:
            return self._payload_beside(node)
        if port.many:
            return self._many(port, taken)
        if port.kind is Kind.TEXT:
            return self._text(node, taken)
        return self._medium(node, port)

    def _sentence(self, node: Node) -> Sentence:
        return self.reading.sentences[node.sentence] if node.sentence >= 0 else _NOWHERE

    def _option(self, node: Node, port: Port) -> Argument | None:
        sentence = self._sentence(node).raw
        if port.kind is Kind.NUMBER:
            return words.number(port, node.words) or words.number(port, sentence)
        if port.name.endswith("language"):
            several = words.languages(sentence) if node.copy is not None else []
            if port.name.startswith("target") and node.copy is not None and len(several) > node.copy:
                return several[node.copy]
            return words.language(port, node.words) or words.language(port, sentence)
        return None

    def _payload_beside(self, node: Node) -> Argument | None:
        """What a text that is to be written may draw on: a file or a block of text that is given along."""
        files = [self.request.name_of(f) for f in self.request.files if f.kind.has_text_view]
        return (files[0] if files else None) or self.reading.payload or None

    def _instruction(self, node: Node, port: Port, taken: set[str]) -> Argument | None:
        sentence = self._sentence(node)
        if port.kind is Kind.LABELS:  # a model with classes of its own refuses labels: they are not guessed where none are needed
            return self._labels(node) or None if port.required else None
        if port.kind is Kind.NUMBER:
            return words.number(port, node.words) or words.any_number(node.words)
        if port.kind is not Kind.TEXT:
            return None
        changes = any(p.role is Role.CONTENT and p.kind.is_media for p in node.task.inputs)
        makes = node.task.output.kind.is_media
        quoted = [q for q in sentence.quotes if q not in self.reading.run or q.rstrip().endswith("?")]
        if not makes and quoted and (self.reading.run or self.reading.items or quoted[-1].endswith("?") or port.name == "query"):
            taken.add(quoted[-1])
            return quoted[-1]
        if sentence.tail and not any(p.kind is Kind.LABELS for p in node.task.inputs) and len(sentence.tail.split()) >= 2:
            return words.description(sentence.tail) if makes and not changes else words.question(sentence.tail)
        said = node.words or self.request.text
        if makes:
            return words.question(said) if changes else words.description(said)
        asked = [s for s in self._context if s.rstrip().endswith("?")]
        asked = asked or (self._context if len(said.split()) < 14 and self.reading.items else [])
        return words.question(" ".join([*asked, said]))

    def _labels(self, node: Node) -> list[str]:
        """What to choose from, or, for a task that finds things, what to find."""
        sentence = self._sentence(node)
        instruction = " ".join(s.raw for s in self.reading.sentences)
        found = words.labels(node.words, sentence.raw, sentence.tail, sentence.quotes)
        for other in self.reading.sentences:
            found = found or (words.labels("", "", other.tail, ()) if other.tail else [])
        found = found or words.labels(instruction, instruction, "", self.reading.quotes) or list(self.reading.items)
        if node.task.output.kind is Kind.LABELS:
            return found
        said = node.words or instruction
        return words.things(said) or found or [words.question(said)[:_LONGEST]]

    def _many(self, port: Port, taken: set[str]) -> Argument | None:
        if port.kind is Kind.TEXT:
            texts = [q for q in (self.reading.run or self.reading.quotes) if q not in taken] or list(self.reading.items)
            files = [f for f in self.request.files if f.kind.has_text_view and self.request.name_of(f) not in taken]
            if texts:
                return texts
            if files:
                return [self.request.name_of(f) for f in files]
            return self.reading.payload.splitlines() or None
        files = [f for f in self.request.files if f.kind is port.kind] or [f for f in self.request.files if f.fits(port.kind)]
        return [self.request.name_of(f) for f in files] or None

    def _text(self, node: Node, taken: set[str]) -> Argument | None:
        """Where a text comes from: quoted or named in the words that ask, given, read out of a picture or recording, meant again."""
        if node.file is not None:
            return self._name(node.file)
        sentence = self._sentence(node)
        quotes = [q for q in (*sentence.quotes, *self.reading.quotes) if q not in taken and q not in self._choices]
        apart = self.reading.run or tuple(dict.fromkeys(quotes))
        if node.copy is not None and len(apart) > max(1, node.copy):
            return apart[node.copy]
        named = [f for f in self.request.files if f.kind.has_text_view and f.name.lower() in sentence.raw.lower()]
        own = [q for q in quotes if q in sentence.quotes]
        given = (own[0] if own else None) or (self._name(named[0]) if named else None) or (quotes[0] if quotes else None)
        given = given or self.reading.payload or self._given_text(taken)
        if given:
            taken.add(given)
            return given
        if (found := self._bridged(self.request.files) or self._latest(Kind.TEXT)) is not None:
            return found
        if sentence.tail and len(sentence.tail.split()) > 2:
            return self._to_the_end(node, sentence)
        if self.reading.items:
            return self.reading.items[node.copy or 0] if node.copy is not None else "\n".join(self.reading.items)
        return self._again(Kind.TEXT) or self._bridged(self._earlier()) or self._context_text()

    def _to_the_end(self, node: Node, sentence: Sentence) -> str:
        """What follows a colon: to the end of the request, where nothing behind it asks for anything."""
        start = self.request.text.find(sentence.tail, sentence.start)
        return self.request.text[start:].strip() if node.sentence >= self._last and start >= 0 else sentence.tail

    def _name(self, file: Artifact) -> str:
        return self.request.name_of(file)

    def _given_text(self, taken: set[str]) -> str | None:
        names = [self._name(f) for f in self.request.files if f.kind in (Kind.TEXT, Kind.TABLE)]
        return next((n for n in names if n not in taken), None)

    def _context_text(self) -> str | None:
        """Sentences that ask for nothing, when there is nothing else that could be meant."""
        joined = " ".join(self._context).strip()
        return joined if len(joined.split()) >= 3 else None

    def _bridged(self, files: Iterable[Artifact]) -> Ref | None:
        """A task put in that reads the only medium there is; the same one is used again."""
        for file in files:
            readers = bridges(tuple(self.tasks.values()), file.kind, Kind.TEXT) if file.kind.is_media else ()
            if len(readers) != 1:
                continue
            task = self.tasks[readers[0]]
            port = next(p for p in task.inputs if p.required)
            value = self._name(file)
            same = next((t for t in self.planned if t.task == task.name and t.arguments == {port.name: value}), None)
            return Ref(task_id=same.id, port=task.output.name) if same else self._plan(task, {port.name: value})
        return None

    def _medium(self, node: Node, port: Port) -> Argument | None:
        fits = sorted((f for f in self.request.files if f.fits(port.kind)), key=lambda f: not port.kind.accepts(f.kind)) or (
            [f for f in self.request.files if f.kind is Kind.TEXT] if port.kind is Kind.TABLE else []
        )
        if node.file is not None and any(f is node.file for f in fits):
            return self._name(node.file)
        for said in (node.words.lower(), self._sentence(node).raw.lower()):
            named = [f for f in fits if f.name.lower() in said]
            if named:
                return self._name(named[0])
        found = (self._name(fits[0]) if fits else None) or self._latest(port.kind) or self._again(port.kind)
        return found or (self.reading.payload or None if port.kind is Kind.TABLE else None)

    def _latest(self, kind: Kind) -> Ref | None:
        made = [(ident, task) for ident, task in self._made.values() if task.output.kind is kind]
        return Ref(task_id=made[-1][0], port=made[-1][1].output.name, each=made[-1][1].output.many) if made else None

    def _earlier(self) -> list[Artifact]:
        """Files of earlier turns, newest first."""
        return [m.artifact for turn in reversed(self.request.history) for m in reversed(turn.made)]

    def _again(self, kind: Kind) -> str | None:
        """The newest file of earlier turns that fits; one that is of this very kind before one that only has a text view."""
        made = [m for turn in reversed(self.request.history) for m in reversed(turn.made) if kind.accepts(m.artifact.kind)]
        own = [m for m in made if m.task not in self.tasks or self.tasks[m.task].output.kind is kind]
        return next((m.artifact.id for m in (*own, *made)), None)
