"""JSON out of what a language model wrote: in a fence, with prose around it, in Python's spelling, or nearly right.

A reader of its own instead of `json` or `eval`: it takes everything that JSON allows (RFC 8259), and besides: single and curly
quotes, apostrophes and unescaped quotes inside strings, unknown escapes (`C:\\Users`), line breaks in strings, comments
(`//`, `#`, `/* */`), trailing and missing commas, names without quotes as keys, `True`, `False`, `None`, and bare `<GENERATED>-0`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ....index.text import well_formed
from ...errors import PlanError

MAX_CHARACTERS = 200_000
_MAX_DEPTH = 40
_MAX_FAILURES = 200  # places at which a value seemed to begin and did not …
_MAX_WASTE = 2_000_000  # … and characters read there in vain: both bound the work on hostile text
_CONTAINERS = ("tasks", "plan", "steps", "task_nodes", "tool_nodes", "nodes")
_LINKS = ("task_links", "tool_links", "links")
_NAMES = ("task", "task_name", "tool")
ARGUMENT_KEYS = ("arguments", "args", "parameters", "params", "inputs")

_SPACE = re.compile(r"(?:\s+|//[^\n]*|#[^\n]*|/\*.*?\*/)*", re.S)
_SPACE_COMMAS = re.compile(r"(?:[\s,]+|//[^\n]*|#[^\n]*|/\*.*?\*/)*", re.S)
_QUOTES = {'"': '"', "'": "'", "“": "”"}
_STOP = {close: re.compile(rf"[{close}\\]") for close in _QUOTES.values()}
_AFTER_STRING = re.compile(r"[ \t\r]*(?:[,:}\]\n#]|//|/\*|\Z)")
_NUMBER = re.compile(r"[-+]?(?:\d{1,40}\.?\d{0,40}|\.\d{1,40})(?:[eE][-+]?\d{1,4})?(?![\w.])")
_WORD = re.compile(r"[A-Za-z_$][\w$-]*")
_BARE_REFERENCE = re.compile(r"<[A-Za-z_][\w -]{0,40}>(?:-\w{1,40})?")
_WORDS = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None, "undefined": None}
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "/": "/", "\\": "\\", '"': '"', "'": "'", "\n": ""}
_HEX = re.compile(r"[0-9a-fA-F]{4}")
_BEGIN = re.compile(r"[\[{]")
_SEEMS_JSON = re.compile(r"[\[{]\s*[\"'“{\[\w]+\s*[\"'”:{\[]")
_THOUGHT = re.compile(r"<(/?)think(?:ing)?>", re.I)


class ShortError(ValueError):
    """The text ends before the value does."""


class BadError(ValueError):
    """No value stands here."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What was found in an answer.

    Attributes:
        entries: the tasks as the model wrote them; `[]` when it planned none.
        question: what the model asks back; empty when it does not.
        links: pairs of names of tasks (from, to), where the model listed them beside the tasks.
    """

    entries: tuple[Any, ...] = ()
    question: str = ""
    links: tuple[tuple[str, str], ...] = ()


def read_value(text: str, at: int = 0) -> tuple[Any, int]:
    """The value that begins at `at`, as plain JSON, and the position behind it.

    Raises:
        ShortError: the text ends first.
        BadError: what stands there is not even nearly JSON, or is nested more than 40 deep.
    """
    reader = _Reader(text, at)
    return reader.value(0), reader.at


def find_plan(text: str) -> Found:
    """The plan in an answer: the last of several, since a model that writes two has thought again.

    A plan is a list of tasks, an object that holds one (`{"tasks": […]}`), or tasks one after the other.

    Raises:
        PlanError: the answer is empty, too long, breaks off, or holds no plan.
    """
    if not text.strip():
        raise PlanError(["the answer is empty"])
    if len(text) > MAX_CHARACTERS:
        raise PlanError([f"the answer has {len(text):,} characters, at most {MAX_CHARACTERS:,} are read"])
    values, broken, short = _values(_without_thoughts(well_formed(text)))
    plans = [found for value in values if (found := plan_of(value)) is not None]
    full = [p for p in plans if p.entries]
    if full:
        return full[-1]
    if not broken:
        single = [v for v in values if is_task(v)]
        if single:
            return Found(entries=tuple(single))
        if plans:
            return plans[-1]
    if short:
        raise PlanError(["the answer breaks off before its JSON ends"])
    raise PlanError(["the JSON of the answer is broken" if broken else "the answer holds no plan in JSON"])


def plan_of(value: object) -> Found | None:
    """The plan that a JSON value is, or None when it is not one."""
    if isinstance(value, list):
        return Found(entries=tuple(value)) if all(is_task(v) for v in value) else None
    if not isinstance(value, dict):
        return None
    question = value.get("question")
    asked = question.strip() if isinstance(question, str) else ""
    for key in _CONTAINERS:
        inner = value.get(key)
        if isinstance(inner, list):
            return Found(entries=tuple(inner), question=asked, links=_links(value))
        if isinstance(inner, dict) and (found := plan_of(inner)) is not None:
            return found
    for key in ARGUMENT_KEYS:
        inner = value.get(key)
        if isinstance(inner, dict) and any(c in inner for c in _CONTAINERS):
            return plan_of(inner)
    return None


def _links(value: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """TaskBench's `[{"source": name, "target": name}]`; what has another form is passed over."""
    listed: list[Any] = next((value[k] for k in _LINKS if isinstance(value.get(k), list)), [])
    pairs = ((k.get("source"), k.get("target")) for k in listed if isinstance(k, dict))
    return tuple((a, b) for a, b in pairs if isinstance(a, str) and isinstance(b, str))


def is_task(entry: object) -> bool:
    """Whether a JSON value looks like one task of a plan."""
    if not isinstance(entry, dict):
        return False
    if any(isinstance(entry.get(key), str) for key in _NAMES):
        return True
    return isinstance(entry.get("name"), str) and any(key in entry for key in ARGUMENT_KEYS)


def name_of(entry: dict[str, Any]) -> str:
    """The task's name as the model wrote it; empty when it has none."""
    return next((str(entry[key]).strip() for key in (*_NAMES, "name") if isinstance(entry.get(key), str)), "")


def _without_thoughts(text: str) -> str:
    """The text without what stands between `<think>` and `</think>`."""
    kept: list[str] = []
    at, thinks = 0, False
    for tag in _THOUGHT.finditer(text):
        if not tag.group(1) and not thinks:
            kept.append(text[at : tag.start()])
            at, thinks = tag.start(), True
        elif tag.group(1) and thinks:
            at, thinks = tag.end(), False
    return " ".join([*kept, text[at:]])


def _values(text: str) -> tuple[list[Any], bool, bool]:
    """Every outermost value, whether some JSON could not be read, and whether the text ended inside one."""
    values: list[Any] = []
    broken = short = False
    failures = waste = at = 0
    while failures < _MAX_FAILURES and waste < _MAX_WASTE and (begin := _BEGIN.search(text, at)):
        reader = _Reader(text, begin.start())
        try:
            values.append(reader.value(0))
            at = reader.at
        except (ShortError, BadError) as e:
            seems = _SEEMS_JSON.match(text, begin.start()) is not None
            broken = broken or seems
            short = short or (seems and isinstance(e, ShortError))
            failures += 1
            waste += reader.at - begin.start()
            at = begin.start() + 1
    return values, broken, short


class _Reader:
    def __init__(self, text: str, at: int) -> None:
        self._text = text
        self.at = at

    def value(self, depth: int) -> Any:
        char = self._peek(_SPACE)
        if depth > _MAX_DEPTH:
            raise BadError
        if char == "{":
            return self._object(depth)
        if char == "[":
            return self._list(depth)
        if char in _QUOTES:
            return self._string()
        return self._literal()

    def _peek(self, space: re.Pattern[str]) -> str:
        """The next character that counts."""
        skipped = space.match(self._text, self.at)
        self.at = skipped.end() if skipped else self.at
        if self.at >= len(self._text):
            raise ShortError
        return self._text[self.at]

    def _object(self, depth: int) -> dict[str, Any]:
        out: dict[str, Any] = {}
        self.at += 1
        while (char := self._peek(_SPACE_COMMAS)) != "}":
            key = self._string() if char in _QUOTES else self._key()
            if self._peek(_SPACE) != ":":
                raise BadError
            self.at += 1
            out[key] = self.value(depth + 1)
        self.at += 1
        return out

    def _list(self, depth: int) -> list[Any]:
        out: list[Any] = []
        self.at += 1
        while self._peek(_SPACE_COMMAS) != "]":
            out.append(self.value(depth + 1))
        self.at += 1
        return out

    def _key(self) -> str:
        word = _WORD.match(self._text, self.at) or _NUMBER.match(self._text, self.at)
        if word is None:
            raise BadError
        self.at = word.end()
        return word.group()

    def _literal(self) -> Any:
        for pattern in (_NUMBER, _BARE_REFERENCE, _WORD):
            if found := pattern.match(self._text, self.at):
                break
        else:
            raise BadError
        word = found.group()
        if pattern is _WORD and word not in _WORDS:
            raise ShortError if found.end() == len(self._text) else BadError
        self.at = found.end()
        if pattern is _BARE_REFERENCE:
            return word
        return _WORDS[word] if pattern is _WORD else _number(word)

    def _string(self) -> str:
        close = _QUOTES[self._text[self.at]]
        pieces: list[str] = []
        self.at += 1
        while stop := _STOP[close].search(self._text, self.at):
            pieces.append(self._text[self.at : stop.start()])
            self.at = stop.end()
            if stop.group() == "\\":
                pieces.append(self._escape())
            elif _AFTER_STRING.match(self._text, self.at):
                return "".join(pieces)
            else:
                pieces.append(close)  # an apostrophe, or a quote that should have been escaped
        raise ShortError

    def _escape(self) -> str:
        """The character that an escape means; the position stands behind the backslash."""
        if self.at >= len(self._text):
            raise ShortError
        char = self._text[self.at]
        self.at += 1
        if char != "u":
            return _ESCAPES.get(char, "\\" + char)
        unit = self._unit()
        if unit is None:
            return "\\u"
        if 0xD800 <= unit < 0xDC00 and self._text.startswith("\\u", self.at):
            self.at += 2
            low = self._unit()
            if low is not None and 0xDC00 <= low < 0xE000:
                return chr(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00))
            self.at -= 2 if low is None else 6
        return "\ufffd" if 0xD800 <= unit < 0xE000 else chr(unit)

    def _unit(self) -> int | None:
        found = _HEX.match(self._text, self.at)
        if found is None:
            return None
        self.at = found.end()
        return int(found.group(), 16)


def _number(word: str) -> int | float:
    try:
        return int(word)
    except ValueError:
        number = float(word)
    if number in (float("inf"), float("-inf")):
        raise BadError
    return number


class TaskStream:
    """The tasks of a plan that is still being written. Gives up, and leaves the rest to `find_plan`, where reading costs too much.

    Attributes:
        entries: tasks that are complete, as the model wrote them.
        closed: whether the list of tasks has ended.
    """

    _START = re.compile(r"\[\s*\{")
    _OPEN = re.compile(r"\[\s*\Z")

    def __init__(self) -> None:
        self.entries: list[Any] = []
        self.closed = False
        self._pieces: list[str] = []
        self._at: int | None = None
        self._looked = 0
        self._waste = 0
        self._given_up = False

    @property
    def text(self) -> str:
        """Everything that was fed."""
        self._pieces = ["".join(self._pieces)]
        return self._pieces[0]

    def feed(self, piece: str) -> Iterator[Any]:
        """Take in more text; every task that it completes. Nothing any more once something else than a task was met."""
        self._pieces.append(piece)
        if self.closed or self._given_up or ("}" not in piece and "]" not in piece):
            return
        text = self.text
        self._given_up = len(text) > MAX_CHARACTERS
        while not (self.closed or self._given_up) and self._find_start(text):
            entry = self._next(text)
            if entry is None:
                return
            self.entries.append(entry)
            yield entry

    def _find_start(self, text: str) -> bool:
        if self._at is not None:
            return True
        begin = len(text) - len(text.lstrip())
        if text[begin : begin + 6].lower() == "<think" and self._looked <= begin:
            ended = next((t for t in _THOUGHT.finditer(text, begin) if t.group(1)), None)
            self._waste += len(text)
            self._given_up = self._waste > _MAX_WASTE
            if ended is None:
                return False
            self._looked = ended.end()
        start = self._START.search(text, self._looked)
        unfinished = self._OPEN.search(text, self._looked)
        self._looked = unfinished.start() if unfinished else len(text)
        self._at = start.start() + 1 if start else None
        return self._at is not None

    def _next(self, text: str) -> Any | None:
        at = self._at or 0
        skipped = _SPACE_COMMAS.match(text, at)
        at = skipped.end() if skipped else at
        if at >= len(text):
            return None
        if text[at] == "]":
            self.closed = True
            return None
        try:
            entry, self._at = read_value(text, at)
        except ShortError:
            self._waste += len(text) - at
            self._given_up = self._waste > _MAX_WASTE
            return None
        except BadError:
            self._given_up = True
            return None
        if is_task(entry):
            return entry
        self._given_up = True
        return None
