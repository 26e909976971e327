"""Which of some labels fits a text best, by MiniLM: the text is compared with sentences that name the label.

W. Yin et al., "Benchmarking Zero-shot Text Classification", 2019 (https://arxiv.org/abs/1909.00161), with similarity instead of
entailment. Similarity tells topics well and attitudes badly, so labels that are opposites in mood ("complaint", "praise") are helped
by the sentiment of the text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...errors import InputError
from ..runner import RunnerOutput
from .inputs import sentences_of, text_of
from .sentiment import JudgeSentiment
from .words import language_note

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .engines import Engines

    Floats = NDArray[np.float32]

TEMPLATES = ("{}", "This text is about {}.", "This text expresses {}.", "This is an example of {}.")
ONE_LABEL = "only one label was given, so it gets the whole score whatever the text says"
_TEMPERATURE = 0.05
_MOOD = 0.15
_OPPOSITE = 0.3
_MAX_LABELS = 200


class ChooseLabel:
    """zero-shot-classification: scores of the given labels, adding up to 1."""

    def __init__(self, engines: Engines) -> None:
        self._encoder = engines.encoder
        self._sentiment = JudgeSentiment(engines)

    def __call__(self, inputs: Mapping[str, Any]) -> RunnerOutput:
        import numpy as np

        text, labels = text_of(inputs, "text"), _labels_of(inputs)
        sentences, notes = sentences_of(text)
        fits = self._topic_fits(text, sentences, labels) + self._mood_fits(sentences, labels)
        odds = np.exp((fits - fits.max()) / _TEMPERATURE)
        scores = [round(float(s), 4) for s in odds / odds.sum()]
        ranked = sorted(zip(labels, scores, strict=True), key=lambda pair: -pair[1])
        notes = (*((ONE_LABEL,) if len(labels) == 1 else ()), *notes, *language_note(text))
        return RunnerOutput(values={"labels": [{"label": label, "score": score} for label, score in ranked]}, notes=notes)

    def _topic_fits(self, text: str, sentences: Sequence[str], labels: Sequence[str]) -> Floats:
        """Similarity of each label, (len(labels),): half the whole text (its beginning, if long), half the mean over its sentences."""
        parts = self._encoder.encode([text, *sentences])
        named = self._encoder.encode([template.format(label) for label in labels for template in TEMPLATES])
        similar = (named @ parts.T).reshape(len(labels), len(TEMPLATES), -1).mean(1)
        fits: Floats = (similar[:, 0] + similar[:, 1:].mean(1)) / 2 if sentences else similar[:, 0]
        return fits

    def _mood_fits(self, sentences: Sequence[str], labels: Sequence[str]) -> Floats:
        """For labels of which some sound pleased and some displeased: plus or minus up to 0.15; otherwise zeros. (len(labels),)"""
        import numpy as np

        moods = self._sentiment.polarities(labels)
        if not sentences or moods.max() < _OPPOSITE or moods.min() > -_OPPOSITE:
            return np.zeros(len(labels), np.float32)
        fits: Floats = _MOOD * moods * np.float32(2 * self._sentiment.probability(sentences) - 1)
        return fits


def _labels_of(inputs: Mapping[str, Any]) -> list[str]:
    """The labels, without blank ones and repeats, in order."""
    given = inputs.get("candidate_labels")
    if isinstance(given, str):
        given = given.split(",")
    if not isinstance(given, list | tuple) or not all(isinstance(g, str) for g in given):
        raise InputError(f"'candidate_labels' must be a list of labels, not {given!r:.80}.", remedy="Give labels as a list of words.")
    labels = list(dict.fromkeys(g.strip() for g in given if g.strip()))
    if not labels:
        raise InputError("'candidate_labels' holds no label.", remedy="Give at least two labels to choose from.")
    if len(labels) > _MAX_LABELS:
        raise InputError(f"{len(labels)} labels were given; at most {_MAX_LABELS} are compared.", remedy="Give fewer labels.")
    return labels
