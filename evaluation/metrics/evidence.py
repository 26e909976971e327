"""What a trace bears out: its words, numbers, files and tasks."""

from __future__ import annotations

import json
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ...agent.trace import Trace
from .claims import Claim, ClaimKind

_APART = "\0"  # between two texts of the trace: a quote does not go on from one to the other
_NAMES = frozenset({"version", "id", "task_id", "ref", "path", "files"})  # keys whose digits are no numbers
_TOKEN = re.compile(r"\d+(?:[.,]\d+)*(?:e[-+]?\d+)?", re.I)
_COMMAS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_POINTS = re.compile(r"\d{1,3}(?:\.\d{3})+(?:,\d+)?")
_MARKS = str.maketrans({"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "‚": "'", "–": "-", "—": "-", "−": "-"})
_SCALES: dict[str, tuple[float, ...]] = {
    **dict.fromkeys(("%", "percent"), (0.01,)),
    **dict.fromkeys(("ms", "millisecond", "milliseconds"), (0.001,)),
    "kb": (1e3, 2.0**10), "mb": (1e6, 2.0**20), "gb": (1e9, 2.0**30), "kib": (2.0**10,), "mib": (2.0**20,), "gib": (2.0**30,),
}  # fmt: skip
Shown = tuple[float, float]
"""A number, and half of the last digit that is shown."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """A trace, ready to be looked up in.

    Attributes:
        words: every text of it, folded (see `folded`).
        tokens: every number that is written in a text of it, as it is written.
        numbers: every number of it, ascending: values, sizes, seconds, numbers in texts, lengths of lists of an output, counts of tasks.
        files: names, paths and ids of its files.
        tasks: ids of the plan's tasks.
    """

    words: str
    tokens: frozenset[str]
    numbers: tuple[float, ...]
    files: frozenset[str]
    tasks: frozenset[str]

    def holds(self, claim: Claim) -> bool:
        """Whether a claim is borne out."""
        match claim.kind:
            case ClaimKind.QUOTE:
                return self._said(claim.text)
            case ClaimKind.ARTIFACT:
                return self._file(claim.text)
            case ClaimKind.TASK:
                # a text may hold such marks of its own, such as those of footnotes
                return self.tasks.issuperset(re.findall(r"\d+", claim.text)) or folded(claim.text) in self.words
            case ClaimKind.NUMBER:
                return self._number(claim.text.lstrip("+").replace("−", "-"), claim.unit)

    def _said(self, words: str) -> bool:
        """Case, blanks, kinds of quotes and dashes, and a full stop at the end do not matter; what `…` leaves out may be missing."""
        parts = re.split(r"\[?\.\.\.\]?", folded(words.replace("**", "")))
        return all(part.strip(" .,;:!?") in self.words for part in parts)

    def _file(self, name: str) -> bool:
        if name in self.files or any(known.endswith((f"/{name}", f" {name}")) for known in self.files):
            return True
        return folded(name) in self.words

    def _number(self, token: str, unit: str) -> bool:
        if token in self.tokens:
            return True
        return any(all(self._value(shown, unit) for shown in reading) for reading in readings(token))

    def _value(self, shown: Shown, unit: str) -> bool:
        """Whether some number rounds to what is shown. A bare digit is a count, not something rounded: it must be there."""
        value, half = shown
        if not unit and half == 0.5 and abs(value) < 10:
            half = 0.0
        half += 1e-9 * max(1.0, abs(value))
        return any(self._between((value - half) * scale, (value + half) * scale) for scale in (1.0, *_SCALES.get(unit, ())))

    def _between(self, low: float, high: float) -> bool:
        at = bisect_left(self.numbers, low)
        return at < len(self.numbers) and self.numbers[at] <= high


def folded(text: str) -> str:
    """A text without the differences that do not matter: compatible forms, case, kinds of quotes and dashes, blanks."""
    return " ".join(unicodedata.normalize("NFKC", text.translate(_MARKS)).casefold().split())


def readings(token: str) -> list[list[Shown]]:
    """The ways in which a number in digits can be read: `48,000` as 48000, `25,72` as 25.72 or as 25 and 72, `1.340` as 1.34 or as 1340."""
    mantissa, _, exponent = token.lower().partition("e")
    sign, digits = ("-", mantissa[1:]) if mantissa.startswith("-") else ("", mantissa)
    if len(exponent) > 4 or len(digits) > 300 or abs(power := int(exponent or 0)) > 300:
        return []
    grouped = _COMMAS.fullmatch(digits) is not None
    found = []
    if re.fullmatch(r"\d+(?:\.\d+)?", digits):
        found.append([_shown(sign + digits, power)])
    if grouped:
        found.append([_shown(sign + digits.replace(",", ""), power)])
    elif _POINTS.fullmatch(digits):
        found.append([_shown(sign + digits.replace(".", "").replace(",", "."), power)])
    elif re.fullmatch(r"\d+,\d+", digits):
        found.append([_shown(sign + digits.replace(",", "."), power)])
    if not found or ("," in digits and not grouped):
        parts = digits.split(",")
        if any(p.count(".") > 1 for p in parts):
            parts = re.split("[.,]", digits)
        found.append([_shown(p, 0) for p in parts])
    return found


def _shown(digits: str, power: int) -> Shown:
    return float(digits) * 10.0**power, 0.5 * 10.0 ** (power - len(digits.partition(".")[2]))


def evidence_of(trace: Trace) -> Evidence:
    """Everything that a trace bears out: request, plan, outputs, files, models, notes, errors, seconds. What a file holds is not in it."""
    data = trace.as_json()
    texts, tokens, numbers = list[str](), set[str](), list[float]()
    for key, leaf in _leaves(data, ""):
        if isinstance(leaf, str):
            texts.append(leaf)
            if key not in _NAMES:
                tokens.update(_TOKEN.findall(leaf))
        elif isinstance(leaf, int | float) and not isinstance(leaf, bool) and abs(leaf) < 1e300:
            numbers.append(float(leaf))
    for result in trace.results:
        texts.extend(_views(result.output))
        numbers.extend(_lengths(result.output))
    numbers += [value for token in tokens for reading in readings(token) for value, _ in reading]
    numbers += _counts(trace)
    files = (*trace.files, *trace.artifacts)
    return Evidence(
        words=_APART.join(map(folded, texts)),
        tokens=frozenset(tokens),
        numbers=tuple(sorted(set(numbers))),
        files=frozenset(n for f in files for n in (f.id, f.name, str(f.path), f.path.name) if n),
        tasks=frozenset(t.id for t in trace.plan.tasks),
    )


def _leaves(value: Any, key: str) -> Iterator[tuple[str, Any]]:
    """Every leaf with the key that it stands under, and every key."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield "", str(name)
            yield from _leaves(inner, str(name))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _leaves(inner, key)
    else:
        yield key, value


def _lengths(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _lengths(inner)
    elif isinstance(value, list):
        yield float(len(value))
        for inner in value:
            yield from _lengths(inner)


def _views(output: dict[str, Any]) -> Iterator[str]:
    """Outputs as replies show them: as JSON, and labels with their scores."""
    for value in output.values():
        if isinstance(value, list | dict):
            yield json.dumps(value, ensure_ascii=False, default=str)
        for entry in value if isinstance(value, list) else ():
            if isinstance(entry, dict) and isinstance(entry.get("score"), float) and isinstance(entry.get("label"), str):
                yield f"{entry['label']} ({entry['score']:.2f})"


def _counts(trace: Trace) -> list[float]:
    ran = sum(r.status == "ok" for r in trace.results)
    last = max((r.started + r.seconds for r in trace.results), default=0.0)
    return [float(n) for n in (len(trace.plan.tasks), ran, len(trace.results) - ran, len(trace.files), len(trace.artifacts), last)]
