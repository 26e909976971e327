"""How the answers to each task are put together: by task and port where the form says it, else by the kind of the port."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from ..task import HubTask, Kind, Port
from . import found, labels, numbers, plain, rankings, segments, texts
from .merged import Merger

if TYPE_CHECKING:
    from ...index.minilm import Encoder


@dataclass(frozen=True, kw_only=True)
class Rule:
    """How the answers to a task are put together.

    Attributes:
        port: the output port that decides; the others come from the expert that is nearest to the agreed value.
        merge: puts its values together.
        definition: how the score is computed, one sentence.
        follows: values of other ports that follow from the agreed one.
        odd: why a value cannot be compared with others of its kind, as a sentence without a full stop; empty where it can.
    """

    port: Port
    merge: Merger
    definition: str
    follows: Callable[[Any], Mapping[str, Any]] = lambda _: {}
    odd: Callable[[Any], str] = lambda _: ""


_Found = tuple[Merger, str]
_OBJECTS: _Found = (found.merge_objects, found.OF_OBJECTS)
_RANKING: _Found = (rankings.merge_rankings, rankings.DEFINITION)
_FORMS: Mapping[tuple[str, str], _Found] = {
    ("token-classification", "entities"): (found.merge_entities, found.OF_ENTITIES),
    ("object-detection", "objects"): _OBJECTS,
    ("zero-shot-object-detection", "objects"): _OBJECTS,
    ("keypoint-detection", "keypoints"): (found.merge_keypoints, found.OF_KEYPOINTS),
    ("text-ranking", "ranking"): _RANKING,
    ("text-retrieval", "documents"): _RANKING,
    ("visual-document-retrieval", "documents"): _RANKING,
    ("sentence-similarity", "scores"): (numbers.merge_cosines, numbers.OF_COSINES),
    ("voice-activity-detection", "segments"): (segments.merge_segments, segments.DEFINITION),
    ("tabular-classification", "predictions"): (numbers.merge_classes, numbers.OF_CLASSES),
    ("tabular-regression", "predictions"): (numbers.merge_numbers, numbers.OF_NUMBERS),
    ("time-series-forecasting", "forecast"): (numbers.merge_forecasts, numbers.OF_FORECASTS),
}
"""By task and port, as `FORMS`."""

_RANKED = "text-ranking"
"""The task whose first port does not decide: the best text follows from the ranking."""

_TEXTS: Mapping[str, _Found] = {
    "automatic-speech-recognition": (texts.merge_by_words, texts.BY_WORDS),
    "translation": (texts.merge_by_pieces, texts.BY_PIECES),
}
"""Tasks whose texts are not compared by meaning; `texts.py` says why."""

_WORDS_OR_MEANING = frozenset({"image-to-text"})
"""Its models read print or describe pictures, and nothing tells which."""

NOT_COMPARED: Mapping[tuple[str, str], str] = {
    ("feature-extraction", "embedding"): "vectors of different models lie in different spaces",
    ("image-feature-extraction", "embedding"): "vectors of different models lie in different spaces",
    ("image-segmentation", "masks"): "masks are not compared",
    ("mask-generation", "masks"): "masks are not compared",
}
"""By task and port: why its values cannot be compared, as a clause."""


def incomparable(task: HubTask) -> str:
    """Why the answers to a task cannot be compared, as a clause; empty where they can."""
    for port in task.outputs:
        if why := NOT_COMPARED.get((task.name, port.name)):
            return why
        if port.kind.is_media:
            return f"files ({port.kind}) are not compared"
    return ""


def rule_for(task: HubTask, encoder: Encoder) -> Rule:
    """The rule of a task whose answers can be compared.

    Args:
        task: the task.
        encoder: what texts are compared by meaning with.
    """
    if task.name == _RANKED and any(p.name == "ranking" for p in task.outputs):
        merge, definition = _RANKING
        return Rule(port=task.output_port("ranking"), merge=merge, definition=definition, follows=_best)
    merge, definition = _rule(task, task.output, encoder)
    if merge is labels.merge_labels:
        return Rule(port=task.output, merge=merge, definition=definition, odd=labels.odd)
    return Rule(port=task.output, merge=merge, definition=definition)


def _rule(task: HubTask, port: Port, encoder: Encoder) -> _Found:
    form = _FORMS.get((task.name, port.name))
    if form is not None:
        return form
    if port.many or port.kind not in (Kind.LABELS, Kind.NUMBER, Kind.TEXT):
        return plain.merge_json, plain.DEFINITION
    if port.kind is Kind.LABELS:
        return labels.merge_labels, labels.DEFINITION
    if port.kind is Kind.NUMBER:
        return numbers.merge_number, numbers.OF_A_NUMBER
    if task.name in _WORDS_OR_MEANING:
        return partial(texts.merge_by_words_or_meaning, encoder=encoder), texts.BY_WORDS_OR_MEANING
    return _TEXTS.get(task.name) or (partial(texts.merge_by_meaning, encoder=encoder), texts.BY_MEANING)


def _best(ranking: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {"best": ranking[0]["text"]} if ranking else {}
