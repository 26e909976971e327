"""How well each of some texts fits a question: meaning by MiniLM, and the words that they share.

MiniLM alone takes any sentence on the topic for an answer. Words tell better: the rarer a word of the question is in the texts, the
more it counts (inverse document frequency, K. Spärck Jones 1972), and a word that is missing may be matched by a near one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import log
from typing import TYPE_CHECKING

from .words import FUNCTION_WORDS, stem, words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ....index.minilm import Encoder

    Floats = NDArray[np.float32]

_FAR = 0.25
"""Cosine up to which two words have nothing to do with each other: MiniLM gives any two words that much."""
_TOPIC = 0.5
"""Weight of words that name the topic: the answer need not say them again."""


def similarity(question: str, texts: Sequence[str], encoder: Encoder) -> Floats:
    """Cosine of the question with each text, (len(texts),) float32."""
    vectors = encoder.encode([question, *texts])
    cosines: Floats = vectors[1:] @ vectors[0]
    return cosines


def coverage(question: str, texts: Sequence[str], encoder: Encoder, *, topic: str = "", only: Sequence[int] | None = None) -> Floats:
    """How much of the question's content each text has in words, 0..1, (len(texts),); zeros when the question has no content word.

    Args:
        question: the question.
        texts: what to look in; word frequencies are counted over them.
        encoder: compares words that are not the same.
        topic: a text that names what all the texts are about, such as a title; its words count half.
        only: positions to look at for near words, which costs some milliseconds each; the others count equal stems only.
    """
    import numpy as np

    wanted = list(dict.fromkeys(w for w in words(question) if w not in FUNCTION_WORDS))
    if not wanted:
        return np.zeros(len(texts), np.float32)
    split = [[w for w in words(t) if w not in FUNCTION_WORDS] for t in texts]
    stems = [{stem(w) for w in ws} for ws in split]
    frequency = Counter(s for found in stems for s in found)
    weights = np.array([log(1 + len(texts) / (1 + frequency[stem(w)])) for w in wanted])
    presupposed = {stem(w) for w in words(topic)}
    weights *= [_TOPIC if stem(w) in presupposed else 1 for w in wanted]
    hits = np.array([[float(stem(w) in found) for w in wanted] for found in stems]).reshape(len(texts), len(wanted))
    for n in range(len(texts)) if only is None else only:
        lacking = [i for i, hit in enumerate(hits[n]) if not hit]
        if lacking and split[n]:
            vectors = encoder.encode([*(wanted[i] for i in lacking), *split[n]])
            near = (vectors[: len(lacking)] @ vectors[len(lacking) :].T).max(1)
            hits[n, lacking] = ((near - _FAR) / (1 - _FAR)).clip(0, 1)
    covered: Floats = (hits @ weights / weights.sum()).astype(np.float32)
    return covered
