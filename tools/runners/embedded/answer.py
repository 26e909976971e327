"""The sentence of a text that answers a question, as it stands there; or the answer that there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..runner import RunnerOutput
from .inputs import sentences_of, text_of
from .question import Question, holds, read_question
from .relevance import coverage, similarity
from .words import language_note

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ....index.minilm import Encoder
    from .engines import Engines

    Floats = NDArray[np.float32]

NO_ANSWER = "The text does not seem to hold an answer to this."
AS_IT_STANDS = "the answering sentence as it stands in the text"
NOT_FOUND = "no sentence of the text fits the question well enough"
_SHORTLIST = 12
_MEANING, _WORDS = 0.4, 0.6
_WRONG_KIND = 0.3
_ENOUGH = 0.46
_ABOUT = 0.3
_ALSO_ABOUT = 0.75
_MOST_ABOUT = 3


@dataclass(frozen=True, kw_only=True)
class Found:
    """Sentences that answer, in the order of the text.

    Attributes:
        positions: of the sentences; empty when nothing fits.
        score: 0..1, how well the best one fits, whether or not it is good enough.
    """

    positions: tuple[int, ...]
    score: float


class AnswerFromText:
    """question-answering: the sentence that holds the answer."""

    def __init__(self, engines: Engines) -> None:
        self._encoder = engines.encoder

    def __call__(self, inputs: Mapping[str, Any]) -> RunnerOutput:
        question, context = text_of(inputs, "question"), text_of(inputs, "context")
        sentences, notes = sentences_of(context)
        found = find_answer(read_question(question), sentences, self._encoder)
        notes = (*notes, *language_note(context))
        score = round(found.score, 3)
        if not found.positions:
            return RunnerOutput(values={"answer": NO_ANSWER, "score": score}, notes=(NOT_FOUND, *notes))
        answer = " ".join(sentences[n] for n in found.positions)
        return RunnerOutput(values={"answer": answer, "score": score}, notes=(AS_IT_STANDS, *notes))


def find_answer(question: Question, sentences: Sequence[str], encoder: Encoder) -> Found:
    """The sentence that answers; for a question about a topic, up to three sentences on it."""
    if not sentences:
        return Found(positions=(), score=0.0)
    fits = fit_of_each(question, sentences, encoder)
    best = int(fits.argmax())
    score = float(min(1.0, max(0.0, fits[best])))
    if score < (_ABOUT if question.topic else _ENOUGH):
        return Found(positions=(), score=score)
    if not question.topic:
        return Found(positions=(best,), score=score)
    also = [int(n) for n in (-fits).argsort(kind="stable")[:_MOST_ABOUT] if fits[n] >= _ALSO_ABOUT * score]
    return Found(positions=tuple(sorted(also)), score=score)


def fit_of_each(question: Question, sentences: Sequence[str], encoder: Encoder) -> Floats:
    """How well each sentence fits, about 0..1, (len(sentences),); -1 for headings and for those that are not on the shortlist.

    A sentence is read alone, after the one before it ("it", "they"), and for a topic also under its heading.
    """
    import numpy as np

    asked = question.topic or question.text
    headings = headings_of(sentences)
    placed = [f"{h}: {s}" if h else s for h, s in zip(headings, sentences, strict=True)] if question.topic else list(sentences)
    alone = similarity(asked, placed, encoder)
    after = similarity(asked, [f"{before} {s}" for before, s in zip(["", *sentences[:-1]], sentences, strict=True)], encoder)
    meaning = np.maximum(alone, 0.5 * (alone + after))
    rough = meaning + coverage(asked, placed, encoder, topic=sentences[0], only=())
    can_answer = np.array([not is_heading(s) for s in sentences])
    rough[~(can_answer | ~can_answer.any())] = -1  # a text of headings only, such as a list, answers with one of them
    short = [int(n) for n in np.argsort(-rough, kind="stable")[:_SHORTLIST] if rough[n] > -1]
    fits: Floats = np.full(len(sentences), -1.0, np.float32)
    covered = coverage(asked, placed, encoder, topic=sentences[0], only=short)
    for n in short:
        fits[n] = _MEANING * meaning[n] + _WORDS * covered[n] - (0 if holds(question, sentences[n]) else _WRONG_KIND)
    return fits


def headings_of(sentences: Sequence[str]) -> list[str]:
    """For each sentence the nearest heading above it; empty where there is none, and for headings themselves."""
    found: list[str] = []
    heading = ""
    for sentence in sentences:
        if is_heading(sentence):
            heading = sentence
        found.append("" if is_heading(sentence) else heading)
    return found


def is_heading(sentence: str) -> bool:
    """Whether this is a title or a salutation rather than a sentence: up to six words without a full stop."""
    return len(sentence.split()) <= 6 and sentence[-1] not in ".!?…。！？"
