"""Classes of texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...runner import RunnerOutput
from ..loaded import LoadedModel
from .lengths import counts, in_parts, pieces, room_of, together

RAW = "the model gives a number, not a probability"


def text_classification(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """The classes of a text, best first. A long text is read in parts, and each part counts by its length."""
    parts = pieces(inputs["text"], model.tokenizer, room_of(model))
    weights = [max(1, n) for n in counts(model.tokenizer, parts)]
    regression = model.config.problem_type == "regression"
    told = model.pipeline("text-classification")(
        parts, top_k=None, truncation=True, batch_size=together(model), **({"function_to_apply": "none"} if regression else {})
    )
    scores = dict.fromkeys((str(model.config.id2label[n]) for n in range(model.config.num_labels)), 0.0)
    for weight, found in zip(weights, told, strict=True):
        for entry in found:
            scores[str(entry["label"])] += weight / sum(weights) * float(entry["score"])
    labels = [{"label": label, "score": score} for label, score in sorted(scores.items(), key=lambda e: -e[1])]
    return RunnerOutput(values={"labels": labels}, notes=(*((RAW,) if regression else ()), *in_parts(len(parts))))
