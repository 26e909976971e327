"""The form of each output that is JSON: one for each task, whichever runner and model it comes from.

Names follow the Hub's inference API (https://huggingface.co/docs/inference-providers/tasks).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import (
    TYPE_CHECKING,
    Any,
    NotRequired,  # pydantic wants this one below Python 3.12
)

from typing_extensions import TypedDict

if TYPE_CHECKING:
    from pydantic import TypeAdapter


class Entity(TypedDict):
    """A tagged part of a text. `start` and `end` count characters of the whole text, `end` excluded; score in 0..1."""

    label: str
    score: float
    start: int
    end: int
    text: str


class Box(TypedDict):
    """Corners in pixels of the picture as it is shown, upright; 0, 0 is its upper left."""

    xmin: int
    ymin: int
    xmax: int
    ymax: int


class DetectedObject(TypedDict):
    """An object in a picture; score in 0..1."""

    label: str
    score: float
    box: Box


class Region(TypedDict):
    """What a mask shows, in the order of the masks; score in 0..1, None where a model gives none."""

    label: str
    score: float | None


class Keypoint(TypedDict):
    """A point in pixels. Points with the same `figure` (counted from 0) belong to one body, face or thing."""

    label: str
    x: float
    y: float
    score: float
    figure: int


class RankedText(TypedDict):
    """A text among those that were given; `index` counts from 0 in the order in which they came."""

    text: str
    index: int
    score: float


class RankedPage(TypedDict):
    """A picture among those that were given; `index` counts from 0 in the order in which they came."""

    index: int
    score: float


class SpeechSegment(TypedDict):
    """A stretch of speech, in seconds."""

    start: float
    end: float
    label: NotRequired[str]


FORMS: Mapping[tuple[str, str], Any] = {
    ("token-classification", "entities"): list[Entity],
    ("object-detection", "objects"): list[DetectedObject],
    ("zero-shot-object-detection", "objects"): list[DetectedObject],
    ("image-segmentation", "regions"): list[Region],
    ("keypoint-detection", "keypoints"): list[Keypoint],
    ("text-ranking", "ranking"): list[RankedText],
    ("text-retrieval", "documents"): list[RankedText],
    ("visual-document-retrieval", "documents"): list[RankedPage],
    ("sentence-similarity", "scores"): list[float],
    ("feature-extraction", "embedding"): list[float],
    ("image-feature-extraction", "embedding"): list[float],
    ("voice-activity-detection", "segments"): list[SpeechSegment],
    ("tabular-classification", "predictions"): list[str | int | bool],
    ("tabular-regression", "predictions"): list[float],
    ("time-series-forecasting", "forecast"): list[dict[str, float]],
}
"""By Hub task and output port; any JSON where nothing is said. A forecast has one row for each step, with the columns of the table."""


@cache
def form_of(task: str, port: str) -> TypeAdapter[Any] | None:
    """What checks the value of a port; None where any JSON will do."""
    from pydantic import TypeAdapter

    form = FORMS.get((task, port))
    return None if form is None else TypeAdapter(form)
