"""Makes more requests out of those that were written: wishes put in a row, side by side, denied, wrapped in remarks, and spelt badly.

What may be put together follows from the ports: a wish works on what the one before it makes only where the kinds fit.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from ...agent.planners.embedded.telling import takes
from ...tools.task import HubTask, Kind, Role, TaskTable
from .written import Written

FOLDER = Path(__file__).parent / "requests"
_MARK = '"…"'
_NOUNS = {
    Kind.IMAGE: "the image",
    Kind.AUDIO: "the recording",
    Kind.VIDEO: "the video",
    Kind.TABLE: "the table",
    Kind.TEXT: "the text file",
}
_ORDER = re.compile(r"^[a-z]+(?: \w+){1,9}$")
_LINKED = re.compile(r"^(?:and then|and|then|after that|finally|next|also)[, ]+", re.I)


@dataclass(frozen=True, kw_only=True)
class Clause:
    """A few words that ask for tasks; quotes stand as "…"."""

    text: str
    tasks: tuple[str, ...]


class Generator:
    """Makes requests.

    Args:
        tasks: the table.
        written: requests to build on.
        clauses: clauses to build on; those without tasks are remarks.
        frames: `requests/frames.yaml`, read.
        seed: of every choice.
    """

    def __init__(
        self, tasks: TaskTable, written: Sequence[Written], clauses: Sequence[Clause], frames: Mapping[str, Any], seed: int
    ) -> None:
        self._tasks, self._frames = tasks, frames
        self._chance = random.Random(seed)  # noqa: S311  # not for secrets
        self._written = [w for w in written if w.mode == "run" and w.tasks]
        self._idle = [w for w in written if w.mode == "chat"]
        self._clauses = [c for c in clauses if len(c.tasks) == 1 and c.tasks[0] in tasks]
        self._remarks = [c.text for c in clauses if not c.tasks and len(c.text.split()) > 3] + list(frames["remarks"])
        self._orders = [c for c in self._clauses if _ORDER.match(c.text) and not _LINKED.match(c.text)]
        self._follow: dict[Kind, list[Clause]] = {}
        for clause in self._clauses:
            for kind in _content(tasks[clause.tasks[0]]):
                self._follow.setdefault(kind, []).append(clause)

    def generate(self, count: int) -> Iterator[Written]:
        """So many requests, each of another kind than the one before it by chance."""
        ways: list[tuple[int, Callable[[], Written | None]]] = [
            (4, self._alone),
            (3, partial(self._with_aside, None)),
            (4, self._denied),
            (5, self._chain),
            (2, self._side_by_side),
            (2, self._fork),
            (3, self._rewritten),
        ]
        made = 0
        while made < count:
            way = self._chance.choices([w for _, w in ways], [n for n, _ in ways])[0]
            found = way()
            if found is not None:
                made += 1
                yield self._misspelt(found) if self._chance.random() < 0.25 else found

    def _pick(self, what: str, kind: Kind | None = None) -> str:
        options = self._frames[what] if kind is None else self._frames[what][kind.value]
        return str(self._chance.choice(options))

    def _alone(self) -> Written | None:
        """A clause with the inputs that it needs."""
        clause = self._chance.choice(self._clauses)
        text = _LINKED.sub("", clause.text)
        return self._supplied(text, self._tasks[clause.tasks[0]])

    def _supplied(self, text: str, task: HubTask) -> Written | None:
        """A request for one task, with files or texts to work on."""
        files: list[tuple[str, Kind]] = []
        asked = text
        if _MARK in text:
            while _MARK in text:
                text = text.replace(_MARK, f'"{self._pick("texts")}"', 1)
        else:
            for kind in _content(task):
                if kind is Kind.TEXT and self._chance.random() < 0.4:
                    text = self._quoting(text)
                    continue
                name = self._pick("files", Kind.JSON if _wants_json(task) else kind)
                files.append((name, Kind.JSON if _wants_json(task) else kind))
                text = self._naming(text, name, kind)
        if self._chance.random() < 0.3 and _ORDER.match(text):
            text = self._pick("polite").format(a=text)
        at = text.find(asked.rstrip(".:"))
        span = (at, at + len(asked)) if at >= 0 else None
        return Written(text=text, files=tuple(files), tasks=(task.name,), spans=(span,))

    def _naming(self, text: str, name: str, kind: Kind) -> str:
        noun = _NOUNS[kind]
        if noun in text and self._chance.random() < 0.5:
            return text.replace(noun, name if self._chance.random() < 0.6 else self._pick("mentions", kind), 1)
        if self._chance.random() < 0.15:
            return f"{name}: {text}" if self._chance.random() < 0.5 else f"{text} ({name})"
        return text

    def _quoting(self, text: str) -> str:
        quoted = " ".join(self._pick("texts") for _ in range(self._chance.choice((1, 1, 2, 3))))
        form = self._chance.choice(("{t}: {q}", '{t}: "{q}"', '"{q}" {t}', "{t}\n\n{q}", "{q}\n\n{t}", "{t} '{q}'"))
        return form.format(t=text.rstrip(".:"), q=quoted)

    def _base(self) -> Written | None:
        return self._chance.choice(self._written) if self._chance.random() < 0.6 else self._alone()

    def _with_aside(self, base: Written | None) -> Written | None:
        base = base or self._base()
        if base is None:
            return None
        form = self._pick("aside")
        text = form.format(x=self._chance.choice(self._remarks), y=self._chance.choice(self._remarks), a=base.text)
        return _moved(base, text)

    def _denied(self) -> Written | None:
        """A wish, and another that is spoken of and not wanted."""
        base = self._base()
        if base is None or not self._orders:
            return None
        other = self._chance.choice(self._orders)
        if other.tasks[0] in base.tasks or _MARK in other.text:
            return None
        text = self._pick("not").format(a=base.text, n=other.text.rstrip(".!?"))
        return _moved(base, text)

    def _chain(self) -> Written | None:
        base = self._base()
        return None if base is None else self._continued(base, [len(base.tasks) - 1])

    def _continued(self, base: Written, sinks: Sequence[int]) -> Written | None:
        """A further wish, which works on what a task of the request makes."""
        sink = self._chance.choice(sinks)
        if base.tasks.count(base.tasks[sink]) > 1:
            return None
        kind = self._tasks[base.tasks[sink]].output.kind
        kind = Kind.TEXT if kind.has_text_view else kind
        if kind not in self._follow:
            return None
        clause = self._chance.choice(self._follow[kind])
        task = self._tasks[clause.tasks[0]]
        if _MARK in clause.text or task.name in base.tasks or len(_content(task)) > 1 or any(p.many for p in task.inputs):
            return None
        if kind is Kind.TEXT and self._tasks[base.tasks[sink]].output.kind is not Kind.TEXT and self._chance.random() < 0.6:
            return None  # labels and boxes are seldom worked on
        words = _LINKED.sub("", clause.text)
        if any(noun in words for noun in _NOUNS.values()) and kind is Kind.TEXT:
            words = words.replace("the text file", "it")
        text = self._pick("then").format(a=base.text.rstrip(".!?"), b=words)
        link = (sink, len(base.tasks))
        moved = _moved(base, text)
        return replace(moved, tasks=(*base.tasks, task.name), links=(*base.links, link), spans=(*_spans(moved), _span(text, words)))

    def _fork(self) -> Written | None:
        base = self._chance.choice(self._written)
        if len(base.tasks) > 2:
            return None
        last = len(base.tasks) - 1
        first = self._continued(base, [last])
        return None if first is None else self._continued(first, [last, last + 1])

    def _side_by_side(self) -> Written | None:
        one, two = self._base(), self._base()
        if one is None or two is None or set(one.tasks) & set(two.tasks) or len(one.tasks) + len(two.tasks) > 4:
            return None
        if {k for _, k in one.files} & {k for _, k in two.files}:
            return None
        n = len(one.tasks)
        text = self._pick("also").format(a=one.text, b=two.text)
        links = (*one.links, *((a + n, b + n) for a, b in two.links))
        spans = (*_spans(_moved(one, text)), *_spans(_moved(two, text)))
        return Written(text=text, files=(*one.files, *two.files), tasks=(*one.tasks, *two.tasks), links=links, spans=spans)

    def _rewritten(self) -> Written | None:
        """A written request, its files called otherwise."""
        base = self._chance.choice([*self._written, *self._idle])
        files: list[tuple[str, Kind]] = []
        text = base.text
        for name, kind in base.files:
            new = name
            if not name.startswith("^") and kind.value in self._frames["files"]:
                new = self._pick("files", kind)
                if new in dict(files):
                    return None
                text = text.replace(name, new)
            files.append((new, kind))
        return self._misspelt(replace(base, text=text, files=tuple(files), spans=()))

    def _misspelt(self, base: Written) -> Written:
        """As people type on a phone: no capitals, no stops, letters swapped or missing; file names stay as they are."""
        kept = sorted((n for n, _ in base.files if n in base.text), key=len, reverse=True)
        parts = re.split("(" + "|".join(map(re.escape, kept)) + ")", base.text) if kept else [base.text]
        lower, stops, slips = self._chance.random() < 0.6, self._chance.random() < 0.4, self._chance.random() < 0.5
        out = []
        for part in parts:
            if part in kept:
                out.append(part)
                continue
            words = re.split(r"(\s+)", part.lower() if lower else part)
            words = [self._slip(w) if slips and self._chance.random() < 0.06 else w for w in words]
            out.append(re.sub(r"(?<=\w)[.,!](?=\s|$)", "", "".join(words)) if stops else "".join(words))
        return replace(base, text="".join(out))

    def _slip(self, word: str) -> str:
        if len(word) < 4 or not word.isalpha():
            return word
        i = self._chance.randrange(1, len(word) - 2)
        swapped = word[:i] + word[i + 1] + word[i] + word[i + 2 :]
        return swapped if self._chance.random() < 0.5 else word[:i] + word[i + 1 :]


def _span(text: str, words: str) -> tuple[int, int] | None:
    at = text.find(words)
    return (at, at + len(words)) if at >= 0 else None


def _spans(base: Written) -> tuple[tuple[int, int] | None, ...]:
    """For each of its tasks where it is asked for, as far as that is known: a request for one task alone asks for it everywhere."""
    whole = (None,) * len(base.tasks)
    return (*base.spans, *whole)[: len(base.tasks)]


def _moved(base: Written, text: str) -> Written:
    """The request with its words inside other words."""
    at = text.find(base.text.rstrip(".!?"))
    known = _spans(base)
    if len(base.tasks) == 1 and known == (None,):
        known = ((0, len(base.text)),)
    spans = tuple((s[0] + at, s[1] + at) if s and at >= 0 else None for s in known)
    return replace(base, text=text, spans=spans)


def _content(task: HubTask) -> list[Kind]:
    """The kinds of the files or texts that it works on."""
    ports = [p for p in task.inputs if p.required and p.role is Role.CONTENT]
    return [k for k in takes(replace(task, inputs=tuple(ports))) if k in _NOUNS]


def _wants_json(task: HubTask) -> bool:
    return any(p.kind is Kind.JSON and p.required for p in task.inputs)
