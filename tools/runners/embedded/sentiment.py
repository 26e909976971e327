"""Whether a text sounds pleased or displeased: a small head on MiniLM vectors and word polarities, fitted by `fit_sentiment`."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from ..runner import RunnerOutput
from .inputs import sentences_of, text_of
from .polarity import PolarityReader
from .words import language_note

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ....index.minilm import Encoder
    from .engines import Engines

    Floats = NDArray[np.float32]

VECTOR_SCALE = 2.0
"""Weight of the sentence vector beside the word polarities when the head is fitted."""
_LEAST_WEIGHT = 0.02


@dataclass(frozen=True, kw_only=True)
class SentimentHead:
    """Fitted weights, as in `sentiment.safetensors`.

    Attributes:
        word_weights: (384,) word vector to polarity.
        word_bias: of the same.
        weights: (389,) scaled sentence vector and polarity features to log-odds of "positive".
        bias: of the same.
    """

    word_weights: Floats
    word_bias: float
    weights: Floats
    bias: float

    @classmethod
    def shipped(cls) -> SentimentHead:
        """The one that comes with the package."""
        from safetensors.numpy import load

        found = load(files(__package__ or "").joinpath("sentiment.safetensors").read_bytes())
        return cls(
            word_weights=found["word_weights"],
            word_bias=float(found["word_bias"][0]),
            weights=found["weights"],
            bias=float(found["bias"][0]),
        )


def sentence_features(texts: Sequence[str], encoder: Encoder, reader: PolarityReader) -> Floats:
    """(len(texts), 389) float32: the scaled MiniLM vector, then the polarity features."""
    import numpy as np

    return np.concatenate([encoder.encode(texts) * np.float32(VECTOR_SCALE), reader.features(texts)], 1)


class JudgeSentiment:
    """text-classification: positive or negative."""

    def __init__(self, engines: Engines) -> None:
        self._encoder = engines.encoder
        self._lock = threading.Lock()

    def __call__(self, inputs: Mapping[str, Any]) -> RunnerOutput:
        text = text_of(inputs, "text")
        parts, notes = sentences_of(text)
        positive = self.probability(parts or [text])
        labels = [{"label": "positive", "score": round(positive, 4)}, {"label": "negative", "score": round(1 - positive, 4)}]
        return RunnerOutput(values={"labels": sorted(labels, key=lambda x: -float(x["score"]))}, notes=(*notes, *language_note(text)))

    def probability(self, sentences: Sequence[str]) -> float:
        """Probability of "positive" for a text of these sentences (at least one): their mean, the surer ones weighing more."""
        import numpy as np

        with self._lock:
            head, reader = self._loaded
        odds = sentence_features(sentences, self._encoder, reader) @ head.weights + head.bias
        each = 1 / (1 + np.exp(-odds))
        weight = np.abs(2 * each - 1) + _LEAST_WEIGHT
        return float((each * weight).sum() / weight.sum())

    def polarities(self, phrases: Sequence[str]) -> Floats:
        """How pleased single words or short phrases sound, (len(phrases),), -1..1; 0 is neutral."""
        with self._lock:
            _, reader = self._loaded
        mean: Floats = reader.features(phrases)[:, -1]
        return mean

    @cached_property
    def _loaded(self) -> tuple[SentimentHead, PolarityReader]:
        head = SentimentHead.shipped()
        return head, PolarityReader(self._encoder, head.word_weights, head.word_bias)
