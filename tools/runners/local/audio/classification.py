"""Classes of recordings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from .....index.errors import ExpertError
from ....audio import read_windows
from ...runner import RunnerOutput
from ...workers import check_abandoned
from ..loaded import LoadedModel
from .windows import long_enough
from .zero_shot import zero_shot_audio_classification

_LONGEST_SECONDS = 30.0
_MEL_FRAMES_A_SECOND = 100


def audio_classification(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """What a recording of any length holds: the mean of the scores of its parts, each weighing as much as it is long.

    Labels to choose from are for models of CLAP, which have no classes of their own.

    Raises:
        ExpertError: labels for a model that has classes, or none for one that has not.
    """
    if model.config.model_type == "clap":
        return zero_shot_audio_classification(model, inputs)
    if inputs.get("candidate_labels"):
        raise ExpertError(
            f"{model.id!r} has classes of its own and takes no 'candidate_labels'.",
            remedy="Leave the labels out, or choose a model that takes any, such as a CLAP model (laion/clap-htsat-unfused).",
        )
    rate = model.feature_extractor.sampling_rate
    classify = model.pipeline("audio-classification")
    sums: dict[str, float] = defaultdict(float)
    samples = parts = 0
    for window in read_windows(inputs["audio"], rate=rate, seconds=_reach(model.feature_extractor)):
        check_abandoned()
        for found in classify({"raw": long_enough(window, rate=rate), "sampling_rate": rate}, top_k=None):
            sums[str(found["label"])] += float(found["score"]) * len(window)
        samples += len(window)
        parts += 1
    labels = [{"label": label, "score": total / samples} for label, total in sums.items()]
    notes = (f"scores are the mean over {parts} parts of the recording",) if parts > 1 else ()
    return RunnerOutput(values={"labels": sorted(labels, key=lambda x: -float(x["score"]))}, notes=notes)


def _reach(extractor: Any) -> float:
    """Seconds that a model takes at once; the rest of a longer window would be cut off."""
    seconds = [_LONGEST_SECONDS]
    if "spectrogram" in type(extractor).__name__.lower() or type(extractor).__name__.startswith("AST"):
        seconds.append(extractor.max_length / _MEL_FRAMES_A_SECOND)  # counted in frames of 10 ms
    if getattr(extractor, "chunk_length", None):
        seconds.append(float(extractor.chunk_length))
    return min(seconds)
