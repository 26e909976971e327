"""Classes of texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...runner import RunnerOutput
from ..loaded import LoadedModel


def text_classification(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """The classes of a text."""
    found = model.pipeline("text-classification")(inputs["text"], top_k=None, truncation=True)
    return RunnerOutput(values={"labels": [{"label": str(f["label"]), "score": float(f["score"])} for f in found]})
