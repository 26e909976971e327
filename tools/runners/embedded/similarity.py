"""How near texts are in meaning, and their vectors, by MiniLM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..runner import RunnerOutput
from .chunks import text_vectors
from .inputs import text_of, texts_of
from .words import language_note

if TYPE_CHECKING:
    from .engines import Engines

NO_NEGATION = "meaning is compared by topic: a sentence and its denial come out alike"


class CompareSentences:
    """sentence-similarity: the cosine of each sentence with the source sentence."""

    def __init__(self, engines: Engines) -> None:
        self._encoder = engines.encoder

    def __call__(self, inputs: Mapping[str, Any]) -> RunnerOutput:
        source, others = text_of(inputs, "source_sentence"), texts_of(inputs, "sentences")
        vectors, notes = text_vectors([source, *others], self._encoder)
        scores = [round(float(c), 4) for c in (vectors[1:] @ vectors[0]).clip(-1, 1)]
        return RunnerOutput(values={"scores": scores}, notes=(NO_NEGATION, *notes, *language_note(source)))


class EmbedText:
    """feature-extraction: a unit vector of 384 numbers."""

    def __init__(self, engines: Engines) -> None:
        self._encoder = engines.encoder

    def __call__(self, inputs: Mapping[str, Any]) -> RunnerOutput:
        text = text_of(inputs, "text")
        vectors, notes = text_vectors([text], self._encoder)
        return RunnerOutput(values={"embedding": [float(x) for x in vectors[0]]}, notes=(*notes, *language_note(text)))
