"""The line of a printed page that answers a question: OCR, then the words, the meaning and the kind of answer of each line."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...media import load_image
from ...sentences import sentences
from ..runner import RunnerOutput
from .fields import DOCUMENT_NAMES, FIELDS, Field
from .inputs import artifact_of, spread, text_of
from .ocr import NOTHING_PRINTED
from .question import AnswerKind, Question, holds, read_question
from .relevance import similarity
from .words import FUNCTION_WORDS, stem, words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ....index.minilm import Encoder
    from .engines import Engines

    Floats = NDArray[np.float32]

NO_ANSWER = "The document does not seem to hold an answer."
AS_PRINTED = "the answering line as it is printed"
NOT_FOUND = "no line of the page fits the question well enough"
_MAX_LINES = 300
_EXACT, _MEANING, _LABEL = 0.5, 0.3, 0.5
_KNOWN_FIELD = 0.55
_ONLY_ONE = 0.3
_NO_VALUE = 0.4
_ENOUGH = 0.15
_FORM_WORDS = 5
_ITSELF = re.compile(rf"\b(?:this|the|that|my|our)\s+(?:{'|'.join(DOCUMENT_NAMES)})\b(?!\s+(?:no|num|date)\w*)", re.I)


class AnswerFromDocument:
    """document-question-answering: the line that holds the answer, as printed."""

    def __init__(self, engines: Engines) -> None:
        self._pages = engines.pages
        self._encoder = engines.encoder

    def __call__(self, inputs: Mapping[str, Any]) -> RunnerOutput:
        question = text_of(inputs, "question")
        page = self._pages.read(load_image(artifact_of(inputs, "image")))
        if not page.lines:
            return RunnerOutput(values={"answer": NO_ANSWER, "score": 0.0}, notes=(NOTHING_PRINTED,))
        lines, notes = spread(page.lines, limit=_MAX_LINES, what="lines")
        answer, score = answer_from_lines(question, lines, self._encoder)
        return RunnerOutput(
            values={"answer": answer or NO_ANSWER, "score": round(score, 3)}, notes=(AS_PRINTED if answer else NOT_FOUND, *notes)
        )


def answer_from_lines(question: str, lines: Sequence[str], encoder: Encoder) -> tuple[str, float]:
    """The answering line, with the next one where a label and its value stand apart; "" when none fits. And a score in 0..1.

    Lines of running text are put together to sentences first.
    """
    import numpy as np

    units = sentences("\n".join(lines))
    if not units:
        return "", 0.0
    asked = read_question(question)
    asked = replace(asked, text=_ITSELF.sub("it", asked.text))
    field, known = _field_of(asked, encoder)
    if field is not None and asked.kind in (AnswerKind.ANY, AnswerKind.NUMBER, AnswerKind.PERSON, AnswerKind.WHEN):
        asked = replace(asked, kind=field.kind)
    fits = _fit_of_each(asked, field, known, units, encoder)
    best = int(np.argmax(fits))
    score = float(min(1.0, max(0.0, fits[best])))
    return (_with_value(best, asked, field, units), score) if score >= _ENOUGH else ("", score)


def _field_of(question: Question, encoder: Encoder) -> tuple[Field | None, float]:
    """The field that is asked for, if any, and how sure that is, 0..1."""
    named = [f for f in FIELDS if any(exactness(question.text, phrase) for phrase in f.asked)]  # words in common: far fewer to encode
    for fields in (named, FIELDS):
        phrases = [(field, phrase) for field in fields for phrase in field.asked]
        if phrases:
            likeness = similarity(question.text, [phrase for _, phrase in phrases], encoder)
            best = int(likeness.argmax())
            if likeness[best] >= _KNOWN_FIELD:
                return phrases[best][0], float(likeness[best])
    return None, 0.0


def _fit_of_each(question: Question, field: Field | None, known: float, units: Sequence[str], encoder: Encoder) -> Floats:
    """How well each unit fits, about 0..1, (len(units),)."""
    import numpy as np

    asked = question.topic or question.text
    around = [" ".join(units[max(0, n - 1) : n + 2]) for n in range(len(units))]
    alone, among = similarity(asked, units, encoder), similarity(asked, around, encoder)
    fits: Floats = _MEANING * np.maximum(alone, 0.5 * (alone + among))
    labels = _labelled(field, units, encoder) if field is not None else np.zeros(len(units))
    holding = [n for n, unit in enumerate(units) if holds(question, unit)]
    if question.kind in (AnswerKind.TIME, AnswerKind.DATE, AnswerKind.WHEN, AnswerKind.AMOUNT):
        fits[holding] += _ONLY_ONE / max(1, len(holding))  # the fewer lines there are that could answer, the likelier is each
    for n, unit in enumerate(units):
        fits[n] += _EXACT * exactness(asked, unit) + _LABEL * known * labels[n]
        if field is not None and field.at_top:
            fits[n] += field.at_top * known / (1 + n) ** 2
        if n not in holding and not (_is_label(unit) and n + 1 in holding):
            fits[n] -= _NO_VALUE
    return fits


def exactness(question: str, line: str) -> float:
    """How far question and line label name the same thing, 0..1: "total" and "TOTAL 23.40" fully, "Total items sold 4" less, and
    "Subtotal 20.00" not at all. The harmonic mean of recall and precision over stems; numbers do not count."""
    asked = {stem(w) for w in words(question) if w not in FUNCTION_WORDS}
    named = {stem(w) for w in words(line) if w not in FUNCTION_WORDS and w.isalpha()}
    shared = len(asked & named)
    return 2 * shared / (len(asked) + len(named)) if shared else 0.0


def _labelled(field: Field, units: Sequence[str], encoder: Encoder) -> Floats:
    """How well the label of each unit is one of the field's, 0..1: word for word, or by meaning and then at most 0.6. (len(units),)"""
    import numpy as np

    heads = [" ".join(w for w in words(unit) if w.isalpha()) for unit in units]
    likeness = (encoder.encode([head or "-" for head in heads]) @ encoder.encode(field.labels).T).max(1)
    found: Floats = (0.6 * likeness.clip(0, 1)).astype(np.float32)
    for n, head in enumerate(heads):
        own = head.split()
        for label in field.labels:
            wanted = label.split()
            if own[: len(wanted)] == wanted:
                found[n] = max(found[n], 1.0 if len(own) == len(wanted) or len(own) <= _FORM_WORDS else 0.5)
            elif set(wanted) <= set(own) and len(own) <= _FORM_WORDS:
                found[n] = max(found[n], 0.7)
    return found


def _is_label(unit: str) -> bool:
    """Whether this may be the label of a value that stands on the next line."""
    return len(unit.split()) <= 4 and unit[-1] not in ".!?"


def _with_value(best: int, question: Question, field: Field | None, units: Sequence[str]) -> str:
    """The unit; with the next one when it is a label without its value, as in "Invoice date:"."""
    unit = units[best]
    if best + 1 == len(units):
        return unit
    bare = field is not None and " ".join(w for w in words(unit)) in field.labels
    if unit.endswith(":") or bare or (question.kind is not AnswerKind.ANY and not holds(question, unit)):
        return f"{unit} {units[best + 1]}"
    return unit
