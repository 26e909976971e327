"""A summary made of sentences of the text: the most central ones, that do not repeat each other.

LexRank (G. Erkan, D. Radev 2004, https://arxiv.org/abs/1109.2128) on MiniLM vectors, chosen by maximal marginal relevance
(J. Carbonell, J. Goldstein 1998).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..runner import RunnerOutput
from .inputs import sentences_of, text_of, whole_number_of
from .words import language_note, words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ....index.minilm import Encoder
    from .engines import Engines

    Floats = NDArray[np.float32]

EXTRACTIVE = "extractive: these sentences stand in the text as they are"
NOTHING_TO_LEAVE_OUT = "the text has no more sentences than were asked for, so it is given as it is"
_DEFAULT, _MOST = 3, 50
_NEIGHBOURS = 0.1
_DAMPING = 0.85
_LEAD = 0.35
_RELEVANCE = 0.7
_SAME = 0.85
"""Cosine above which two sentences say the same."""
_SHORT, _LONG = 5, 60
_MARKS = '.!…。！"”’»)'


class Summarise:
    """summarization: up to `max_sentences` (3) sentences of the text, in their order."""

    def __init__(self, engines: Engines) -> None:
        self._encoder = engines.encoder

    def __call__(self, inputs: Mapping[str, Any]) -> RunnerOutput:
        text = text_of(inputs, "text")
        count = whole_number_of(inputs, "max_sentences", default=_DEFAULT, most=_MOST)
        sentences, notes = sentences_of(text)
        telling = [s for s in sentences if is_telling(s)]
        if len(telling) < count:  # lists and notes, without full stops
            telling = [s for s in sentences if is_telling(s) or len(words(s)) >= 2 * _SHORT] or sentences
        chosen = telling if len(telling) <= count else [telling[n] for n in central(telling, count, self._encoder)]
        notes = (EXTRACTIVE, *((NOTHING_TO_LEAVE_OUT,) if len(telling) <= count else ()), *notes, *language_note(text))
        return RunnerOutput(values={"summary": " ".join(chosen) or text}, notes=notes)


def is_telling(sentence: str) -> bool:
    """Whether this is a full sentence: not a heading, a salutation, a date, a line of a form, or a question."""
    if sentence[-1] not in _MARKS:
        return False
    if sentence.isascii():
        return len(words(sentence)) >= _SHORT
    return len(words(sentence)) >= _SHORT or len(sentence) >= 2 * _SHORT  # scripts without spaces: count characters


def central(sentences: Sequence[str], count: int, encoder: Encoder) -> list[int]:
    """Positions of the `count` sentences that together cover the text best, in their order."""
    import numpy as np

    vectors = encoder.encode(sentences)
    likeness = vectors @ vectors.T
    worth = _centrality(likeness)
    worth /= worth.max()
    worth += _LEAD / (1 + np.arange(len(sentences)))  # what comes first matters more
    worth *= [_fullness(s) for s in sentences]
    chosen: list[int] = []
    while len(chosen) < count:
        repeats = likeness[:, chosen].max(1) if chosen else np.zeros(len(sentences))
        gain = _RELEVANCE * worth - (1 - _RELEVANCE) * repeats
        gain[repeats > _SAME] -= 1
        gain[chosen] = -np.inf
        chosen.append(int(gain.argmax()))
    return sorted(chosen)


def _centrality(likeness: Floats) -> Floats:
    """Share of a random walk over similar sentences that ends at each, adding up to 1, (sentences,)."""
    import numpy as np

    links = np.where(likeness > _NEIGHBOURS, likeness, 0)
    np.fill_diagonal(links, 0)
    total = links.sum(1, keepdims=True)
    count = len(links)
    steps = np.where(total > 0, links / np.where(total > 0, total, 1), 1 / count)
    share = np.full(count, 1 / count)
    for _ in range(50):
        share = (1 - _DAMPING) / count + _DAMPING * (share @ steps)
    return share


def _fullness(sentence: str) -> float:
    """Down to 0.7 for very short and very long sentences, and for those that point back ("This is why …")."""
    found = words(sentence)
    full = 1.0 if 8 <= len(found) <= _LONG else 0.8
    return full * (0.85 if found and found[0] in ("this", "that", "these", "those", "it", "he", "she", "they", "but", "and", "so") else 1.0)
