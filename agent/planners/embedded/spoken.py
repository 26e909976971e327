"""Arguments where every request holds all that it needs in its own words, as TaskBench's do: files by nearness, quoted texts, and a
sentence where nothing else is left."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ....tools.task import Kind, Port, Role
from ...plan import Argument, PlannedTask, Ref
from ...request import Request
from .arguments import language_words
from .nodes import Node
from .telling import Literal, gives

_USED, _QUESTION = 270, 135  # characters by which a text that is used already, or that is (no) question, counts as further away
_SENTENCE = re.compile(r"\S[^.?!]*?(?:[.?!](?!\s|$)[^.?!]*?)*(?:[.?!](?=\s|$)|(?<=\w): (?=[A-Z])|$)")
_ASKED = 180


class Spoken:
    """Fills the ports of nodes.

    Args:
        request: what was asked.
        found: its files and quoted texts.
        places: by node, where the request speaks of it, in characters.
    """

    def __init__(self, request: Request, found: Sequence[Literal], places: dict[str, float]) -> None:
        self._request, self._found, self._places = request, found, places
        self._used: dict[str, int] = {}

    def build(self, nodes: Sequence[Node]) -> tuple[list[PlannedTask], list[str]]:
        """The planned tasks, and the names of those that were left out since a file that they need comes from nowhere."""
        planned: list[PlannedTask] = []
        left_out: list[str] = []
        ids: dict[str, tuple[str, Node]] = {}
        for node in nodes:
            arguments = self._arguments(node, [ids[p] for p in node.parents if p in ids])
            if arguments is None:
                left_out.append(node.task.name)
                continue
            ids[node.id] = (str(len(planned) + 1), node)
            planned.append(PlannedTask(id=ids[node.id][0], task=node.task.name, arguments=arguments))
        return planned, left_out

    def _arguments(self, node: Node, parents: Sequence[tuple[str, Node]]) -> dict[str, Argument] | None:
        ports = [p for p in node.task.inputs if p.required]
        filled: dict[str, Argument] = {}
        for ident, parent in parents:
            kinds = gives(parent.task)
            port = next((p for p in _content_first(ports) if p.name not in filled and kinds and _takes(p, kinds[0])), None)
            if port is not None:
                filled[port.name] = Ref(task_id=ident)
        for port in ports:
            if port.name not in filled:
                value = self._literal(node, port, [v for v in filled.values() if isinstance(v, str)], alone=len(ports) == 1)
                if value is None:
                    return None
                filled[port.name] = [value] if port.many else value
        for port in node.task.inputs:
            if port.role is Role.OPTION and port.name.endswith("language") and (word := self._language(port, node)) is not None:
                filled[port.name] = word
        return {p.name: filled[p.name] for p in node.task.inputs if p.name in filled}

    def _language(self, port: Port, node: Node) -> str | None:
        """The language that is named nearest to where the task is spoken of."""
        words = [(m[1], m.start()) for m in language_words(port, self._request.text)]
        return min(words, key=lambda w: abs(w[1] - self._places[node.id]))[0] if words else None

    def _literal(self, node: Node, port: Port, taken: Sequence[str], *, alone: bool) -> str | None:
        place = self._places[node.id]
        fits = [x for x in self._found if x.text not in taken and _takes(port, x.kind)]
        if port.kind.is_media:
            return min(fits, key=lambda x: abs(x.start - place)).text if fits else None
        if not fits:
            return sentence_at(self._request.text, place, [f.name for f in self._request.files])

        def away(x: Literal) -> float:
            wanted = ("?" in x.text) != alone
            return self._used.get(x.text, 0) * _USED + abs(x.start - place) - _QUESTION * wanted

        best = min(fits, key=away)
        self._used[best.text] = self._used.get(best.text, 0) + 1
        return best.text


def _content_first(ports: Sequence[Port]) -> list[Port]:
    return sorted(ports, key=lambda p: p.role is not Role.CONTENT)


def _takes(port: Port, kind: Kind) -> bool:
    return port.kind is kind or (not port.kind.is_media and not kind.is_media)


def sentence_at(text: str, place: float, names: Sequence[str]) -> str:
    """The sentence around a place, a question before others: it stands for a text that is not quoted.

    Args:
        text: the request.
        place: where the task is spoken of, in characters.
        names: files' names: a sentence that names one is about the file.
    """
    sentences = [(m[0].strip(), (m.start() + m.end()) / 2) for m in _SENTENCE.finditer(text)]
    free = [s for s in sentences if not any(n in s[0] for n in names)]
    free = free or [(_without(s, names), at) for s, at in sentences] or [(text, 0.0)]
    return min(free, key=lambda s: abs(s[1] - place) - _ASKED * s[0].endswith("?"))[0]


def _without(sentence: str, names: Sequence[str]) -> str:
    """The sentence with files called "it"."""
    for name in names:
        sentence = re.sub(rf"(?:\bthe )?(?:['\"(]\s*)?{re.escape(name)}(?:\s*['\")])?", "it", sentence)
    return sentence
