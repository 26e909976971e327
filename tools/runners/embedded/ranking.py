"""Which of several texts fits a question best: by meaning, and by the words that they share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..runner import RunnerOutput
from .chunks import chunks_of
from .inputs import MAX_SENTENCES, spread, text_of, texts_of
from .question import read_question
from .relevance import coverage, similarity
from .words import language_note

if TYPE_CHECKING:
    from .engines import Engines

_MEANING, _WORDS = 0.6, 0.4
_SHORTLIST = 10


class RankTexts:
    """text-ranking: the texts in order of how well their best passage fits the query. Blank texts come last, with score 0."""

    def __init__(self, engines: Engines) -> None:
        self._encoder = engines.encoder

    def __call__(self, inputs: Mapping[str, Any]) -> RunnerOutput:
        import numpy as np

        query, documents = text_of(inputs, "query"), texts_of(inputs, "documents")
        asked = read_question(query)
        wanted = asked.topic or asked.text
        passages, notes = spread(
            [(chunk, n) for n, text in enumerate(documents) if text.strip() for chunk in chunks_of(text)[0]],
            limit=max(MAX_SENTENCES, len(documents)),
            what="passages",
        )
        texts = [chunk for chunk, _ in passages]
        meaning = similarity(wanted, texts, self._encoder)
        short = [int(n) for n in np.argsort(-meaning, kind="stable")[:_SHORTLIST]]
        fits = (_MEANING * meaning + _WORDS * coverage(wanted, texts, self._encoder, only=short)).clip(0, 1)
        scores = [0.0] * len(documents)
        for (_, n), fit in zip(passages, fits, strict=True):
            scores[n] = max(scores[n], round(float(fit), 4))
        order = sorted(range(len(documents)), key=lambda n: (not documents[n].strip(), -scores[n], n))
        ranking = [{"index": n, "score": scores[n], "text": documents[n]} for n in order]
        notes = (*notes, *language_note(" ".join(texts[:20])))
        return RunnerOutput(values={"best": documents[order[0]], "ranking": ranking}, notes=notes)
