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
_WRONG_KIND = 0.2
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
    """How well each sentence fits, about 0..1, (len(sentences),)."""
    import numpy as np

    asked = question.topic or question.text
    alone = similarity(asked, sentences, encoder)
    after = similarity(asked, [f"{before} {s}" for before, s in zip(["", *sentences[:-1]], sentences, strict=True)], encoder)
    meaning = np.maximum(alone, 0.5 * (alone + after))  # "it" and "they" need the sentence before
    short = [int(n) for n in np.argsort(-(meaning + coverage(asked, sentences, encoder, only=())))[:_SHORTLIST]]
    covered = coverage(asked, sentences, encoder, only=short)
    fits = _MEANING * meaning + _WORDS * covered
    for n, sentence in enumerate(sentences):
        if not holds(question, sentence):
            fits[n] -= _WRONG_KIND
        if is_heading(sentence):
            fits[n] -= _WRONG_KIND
    shortlisted: Floats = np.full(len(sentences), -1.0, np.float32)
    shortlisted[short] = fits[short]
    return shortlisted


def is_heading(sentence: str) -> bool:
    """Whether this is a title or a salutation rather than a sentence: up to six words without a full stop."""
    return len(sentence.split()) <= 6 and sentence[-1] not in ".!?…。！？"
