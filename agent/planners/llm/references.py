"""References between the tasks of a plan, in the many spellings of language models.

Met in the wild: `{"ref": "1"}`, `<GENERATED>-0` and `<resource>-0` (HuggingGPT's prompts, arXiv 2303.17580), `<GENERATED-0>` (its
demonstrations), `<node-0>` (TaskBench, arXiv 2311.18760), `<node-0>.output`, `%{Object Detection.output}%`; each with ids that count
from 0 or from 1, or that are words, or that are not the right ones, while the plan's own `task_links` are.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ...checking.names import plain

_MARK = r"(GENERATED|RESOURCE|NODE|OUTPUT|RESULT|TASK)"
_ID = r"(\w+(?:-\w+)*)"
_PORT = r"(?:\.([A-Za-z_]\w*))?"
REFERENCE = re.compile(rf"<{_MARK}>\s?[-_]\s?{_ID}{_PORT}|<{_MARK}[-_ ]{_ID}{_PORT}>{_PORT}", re.I)
_PLACEHOLDER = re.compile(r"(?:<|[%$]?\{{1,3})\s*([^<>{}]{1,80}?)\s*(?:>|\}{1,3}%?)")
_MAX_NAME = 100


@dataclass(frozen=True, kw_only=True)
class Mention:
    """A reference as it was written.

    Attributes:
        by: position of the task that refers.
        to: the id as written.
        from_zero: whether this spelling counts from 0.
    """

    by: int
    to: str
    from_zero: bool


class References:
    """What the references of one plan mean.

    Args:
        ids: the tasks' own ids, or None, in order.
        names: the tasks' names, in order.
        arguments: the tasks' arguments as written, in order.
        links: pairs of names (from, to) that the plan lists besides.

    Attributes:
        ids: the tasks' ids: their own, else positions, counted from 0 where the references count so.
        place: positions by id.
        shift: what is added to every reference that is a number.
        repairs: references that were read otherwise than written, a sentence each.
    """

    def __init__(
        self, ids: Sequence[str | None], names: Sequence[str], arguments: Sequence[Any], links: Sequence[tuple[str, str]] = ()
    ) -> None:
        mentions = [m for i, a in enumerate(arguments) for m in _mentions(i, a)]
        base = 0 if any(m.from_zero or m.to == "0" for m in mentions) else 1
        self.ids = [own or str(i + base) for i, own in enumerate(ids)]
        self._names = [plain(n[:_MAX_NAME]) for n in names]
        self.place = {d: i for i, d in reversed(list(enumerate(self.ids)))}
        self._digits = _by_digits(self.ids)
        self._from = _positions(self._names, links)
        self.shift = self._shift(mentions)
        self._read: dict[str, str] = {}
        self.repairs: list[str] = []
        self._mentions = mentions
        self._circle: set[int] = set()
        self._left: set[int] = set()
        self._strict = False
        self._meant = self._meanings()
        if self._from and (circle := self._circles(self._trial())):
            self._circle = circle
            self._left = self._circles(self._trial())
            if self._left:
                self._strict = True
                self._left = self._circles(self._trial())
        self._meant = self._meanings()

    def resolve(self, by: int, written: str) -> str | None:
        """The id that a reference means; what it says when nothing answers to it, which the checker then reports.

        Where a reference cannot be right as written (to nothing, to its own task, forwards or in a circle) and the plan's links
        contradict it, the only task that they name instead is meant. If circles are left even so, the links are believed throughout,
        and a reference within a circle that they do not list means nothing: None.
        """
        ident = self._written(written)
        other = self._by_links(by, ident)
        if other is None:
            return None if self._contradicted(by, ident) else ident
        self._meant[by].add(other)
        self.repairs.append(
            f"task {self.ids[by][:60]}: the reference to {written[:60]!r} was read as task {other[:60]}, as the plan's links say"
        )
        return other

    def linked(self, by: int) -> list[str]:
        """Ids of the tasks that the plan links to this one, and that its arguments do not mention."""
        return [self.ids[s] for s in self._from.get(by, ()) if self.ids[s] not in self._meant[by]]

    def _by_links(self, by: int, ident: str) -> str | None:
        """The task that the links name instead of this one; None where they do not, or where the reference may stand."""
        place = self.place.get(ident, by)
        sources = self._from.get(by, {})
        if not sources or place in sources or (place < by and not self._strict and not {place, by} <= self._circle):
            return None
        others = self.linked(by)
        return others[0] if len(others) == 1 else None

    def _contradicted(self, by: int, ident: str) -> bool:
        """Whether a reference keeps up a circle, and the links list others for this task, or the reverse."""
        place = self.place.get(ident, by)
        sources = self._from.get(by, ())
        return place not in sources and {place, by} <= self._left and (bool(sources) or by in self._from.get(place, ()))

    def _meanings(self) -> list[set[str]]:
        """What each task mentions, as written."""
        meant: list[set[str]] = [set() for _ in self.ids]
        for m in self._mentions:
            meant[m.by].add(self._written(m.to))
        return meant

    def _trial(self) -> list[set[str]]:
        """What each task would refer to."""
        self._meant = self._meanings()
        found: list[set[str]] = [set() for _ in self.ids]
        for m in self._mentions:
            ident = self._written(m.to)
            other = self._by_links(m.by, ident)
            if other is not None:
                self._meant[m.by].add(other)
            found[m.by].add(other or ident)
        return found

    def _circles(self, found: Sequence[set[str]]) -> set[int]:
        """Positions of the tasks that wait for each other (and of those between two such circles)."""
        waits = {i: {self.place[d] for d in refs if d in self.place} for i, refs in enumerate(found)}
        while True:
            awaited = {s for sources in waits.values() for s in sources}
            loose = [i for i, sources in waits.items() if not sources or i not in awaited]
            if not loose:
                return set(waits)
            for i in loose:
                del waits[i]
            for sources in waits.values():
                sources.difference_update(loose)

    def placeholder(self, by: int, text: str) -> str | None:
        """The id of the only other task whose name stands in a text such as `{Object Detection.output}`, else None."""
        found = _PLACEHOLDER.fullmatch(text.strip()[:_MAX_NAME])
        if found is None:
            return None
        named = self._named(plain(found.group(1)))
        return named if named is not None and named != self.ids[by] else None

    def _written(self, written: str) -> str:
        """The id that a reference says, apart from what the links say."""
        if written not in self._read:
            self._read[written] = self._answer(written)
        return self._read[written]

    def _answer(self, written: str) -> str:
        if self.shift and is_count(written) and (shifted := str(int(written) + self.shift)) in self.place:
            return shifted
        if written in self.place:
            return written
        digits = re.sub(r"\D", "", written[:_MAX_NAME])
        same = self._digits.get(digits, []) if digits else []
        if len(same) == 1:
            return same[0]
        return self._named(plain(written[:_MAX_NAME])) or written

    def _named(self, words: str) -> str | None:
        """The only task with that name, or else whose name stands in these words."""
        for fits in (lambda n: n == words, lambda n: len(n) > 3 and n in words):
            found = [d for d, n in zip(self.ids, self._names, strict=True) if fits(n)]
            if len(found) == 1:
                return found[0]
        return None

    def _shift(self, mentions: Sequence[Mention]) -> int:
        """What to add to every reference: where the plan lists links, what agrees with most of them; else what makes all point
        backwards, when as written some point to themselves or to nothing. 1, -1 or 0."""
        place = {int(d): i for i, d in reversed(list(enumerate(self.ids))) if is_count(d)}
        counts = [(m.by, int(m.to)) for m in mentions if is_count(m.to)]
        if not place or not counts:
            return 0
        shift = -1 if 0 in place else 1  # ids from 0 and references from 1, or the other way round
        agree = {s: sum(place.get(n + s) in self._from.get(by, ()) for by, n in counts) for s in (0, shift)}
        if agree[0] != agree[shift]:
            return shift if agree[shift] > agree[0] else 0
        if all(n in place and place[n] != by for by, n in counts):
            return 0
        if (shift == -1 or any(n == 0 for _, n in counts)) and all(place.get(n + shift, by) < by for by, n in counts):
            return shift
        return 0


def parts(found: re.Match[str]) -> tuple[str, str]:
    """Id and port of a reference in angle brackets; the port is `output` when it names none."""
    return found.group(2) or found.group(5), found.group(3) or found.group(6) or found.group(7) or "output"


def is_count(written: str) -> bool:
    """Whether an id is a plain number."""
    return written.isdecimal() and written.isascii() and len(written) < 7


def _mentions(by: int, value: Any) -> Iterator[Mention]:
    if isinstance(value, list):
        for v in value:
            yield from _mentions(by, v)
    elif isinstance(value, dict):
        for key, v in value.items():
            if key == "ref" and isinstance(v, str | int) and not isinstance(v, bool) and not REFERENCE.search(str(v)):
                yield Mention(by=by, to=str(v).strip(), from_zero=False)
            elif key == "name" and isinstance(v, str) and (whole := REFERENCE.fullmatch(v.strip())):
                yield _mention(by, whole)
            else:
                yield from _mentions(by, v)
    elif isinstance(value, str):
        for found in REFERENCE.finditer(value):
            yield _mention(by, found)


def _mention(by: int, found: re.Match[str]) -> Mention:
    mark = (found.group(1) or found.group(4)).upper()
    return Mention(by=by, to=parts(found)[0], from_zero=mark == "NODE")


def _by_digits(ids: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for ident in ids:
        found.setdefault(re.sub(r"\D", "", ident), []).append(ident)
    return found


def _positions(names: Sequence[str], links: Sequence[tuple[str, str]]) -> dict[int, dict[int, None]]:
    """By position of a task, the positions of those that are linked to it; of several with one name, the last before it."""
    at: dict[str, list[int]] = {}
    for i, name in enumerate(names):
        at.setdefault(name, []).append(i)
    for name, places in list(at.items()):
        if len(places) > 1:  # `Text Generation-2` is the second of that name
            at |= {f"{name}{n}": [place] for n, place in enumerate(places, 1) if f"{name}{n}" not in at}
    found: dict[int, dict[int, None]] = {}
    for source, target in dict.fromkeys((plain(a[:_MAX_NAME]), plain(b[:_MAX_NAME])) for a, b in links):
        sources, targets = at.get(source, []), at.get(target, [])
        for t in targets:
            before = bisect_left(sources, t)
            if before or (sources and sources != targets):
                found.setdefault(t, {})[sources[max(before - 1, 0)]] = None
    return found
