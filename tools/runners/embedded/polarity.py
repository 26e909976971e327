"""How pleased each sentence sounds, as numbers: what MiniLM alone does not see, since to it "good" and "not good" are near.

Every word gets a polarity: from a list (`polarity.jsonl`), or, for a word that is not in it, from a linear head on the word's MiniLM
vector, which was fitted to the list. Negation turns the polarity of the words in its reach around.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING

from .words import FUNCTION_WORDS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ....index.minilm import Encoder

    Floats = NDArray[np.float32]

FEATURES = 5


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TOKEN = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*|[.,;:!?]")
_NEGATORS = _set(
    "not no never nobody nothing none neither nor hardly barely scarcely without cannot dont doesnt didnt isnt wasnt wont"
    " wouldnt couldnt lack lacks lacked lacking stopped nowhere"
)
_NEGATING_PAIRS = frozenset({("anything", "but"), ("far", "from"), ("instead", "of"), ("free", "of"), ("free", "from")})
_TURNS = _set("but however yet")
_COMPARATIVES = _set("better best worse worst more less happier nicer easier")
_REACH = 5
"""Words after a negation that it turns around, if no punctuation comes first."""
_UNSURE = 0.3
"""Guessed polarities below this count as neutral."""


def listed_polarities() -> dict[str, float]:
    """The word list: 1 pleased, -1 displeased, 0 neutral."""
    lines = files(__package__ or "").joinpath("polarity.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return {row["word"]: float(row["polarity"]) for row in rows}


class PolarityReader:
    """Turns sentences into features.

    Args:
        encoder: encodes single words.
        weights: (384,) of the linear head on word vectors.
        bias: of the same.
    """

    def __init__(self, encoder: Encoder, weights: Floats, bias: float) -> None:
        self._encoder = encoder
        self._weights = weights
        self._bias = bias
        self._listed = listed_polarities()

    def features(self, texts: Sequence[str]) -> Floats:
        """(len(texts), 5) float32, each in [-1, 1]: tanh of the sum, largest, smallest, last, mean polarity; zeros without polar words."""
        import numpy as np

        split = [_TOKEN.findall(t.lower().replace("’", "'")) for t in texts]
        known = self._polarities({token for tokens in split for token in tokens})
        return np.array([_summary(_signed(tokens, known)) for tokens in split], np.float32).reshape(len(texts), FEATURES)

    def _polarities(self, tokens: set[str]) -> Mapping[str, float]:
        new = sorted(t for t in tokens if t[0].isalpha() and t not in self._listed and t not in FUNCTION_WORDS and t not in _NEGATORS)
        if not new:
            return self._listed
        guessed = (self._encoder.encode(new) @ self._weights + self._bias).clip(-1, 1)
        return self._listed | {word: float(p) if abs(p) >= _UNSURE else 0.0 for word, p in zip(new, guessed, strict=True)}


def _signed(tokens: Sequence[str], known: Mapping[str, float]) -> list[float]:
    """The polarities of a sentence's polar words, in order, after negation; what stands before a "but" counts half."""
    found: list[float] = []
    reach = 0
    for n, token in enumerate(tokens):
        pair = (tokens[n - 1] if n else "", token)
        if pair in _NEGATING_PAIRS:
            reach = _REACH
        elif not token[0].isalpha():
            reach = 0
        elif token in _TURNS:
            reach, found = 0, [p / 2 for p in found]
        elif token in _NEGATORS or token.endswith("n't"):
            reach = 0 if reach else _REACH
        else:
            polarity = known.get(token, 0.0)
            if polarity:  # "could not be better", "could not be more pleased": the negation is praise
                raised = token in _COMPARATIVES or pair[0] == "more"
                found.append(-polarity if reach and not raised else polarity)
            reach = max(0, reach - 1)
    return found


def _summary(polarities: Sequence[float]) -> list[float]:
    from math import tanh

    if not polarities:
        return [0.0] * FEATURES
    total = sum(polarities)
    return [tanh(total), max(0.0, *polarities), min(0.0, *polarities), polarities[-1], total / len(polarities)]
