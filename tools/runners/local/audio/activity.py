"""When somebody speaks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ....forms import SpeechSegment
from ...runner import RunnerOutput
from ..loaded import LoadedModel
from .windows import is_silent, long_enough, windows_at_pauses

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LONGEST_SECONDS = 30.0
_JOINED_SECONDS = 0.1  # a shorter pause is none
_NO_SPEECH = frozenset({"silence", "noise", "non-speech", "nonspeech", "non_speech", "no speech", "no_speech", "not speech", "background"})


def voice_activity(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """Stretches of speech by a model that says for each 20 ms who speaks: in order of their beginnings, with the model's name of the
    speaker where it has several. Labels such as `silence` are left out. A silent recording gives none."""
    rate = model.feature_extractor.sampling_rate
    names = [str(model.config.id2label[i]) for i in range(model.config.num_labels)]
    speakers = [i for i, n in enumerate(names) if n.lower() not in _NO_SPEECH]
    stretches: dict[int, list[tuple[float, float]]] = {i: [] for i in speakers}
    begin, parts = 0.0, 0
    for window in windows_at_pauses(inputs["audio"], rate=rate, longest=_LONGEST_SECONDS):
        seconds = len(window) / rate
        if not is_silent(window, rate=rate):
            parts += 1
            active, frame = _active(model, window, rate, exclusive=len(speakers) < len(names))
            for i in speakers:
                for first, last in _runs(active[:, i]):
                    _add(stretches[i], begin + first * frame, begin + min(seconds, last * frame))
        begin += seconds
    segments = [_segment(a, b, names[i] if len(speakers) > 1 else None) for i, found in stretches.items() for a, b in found]
    notes: tuple[str, ...] = ()
    if parts > 1 and len(speakers) > 1:
        notes = (f"heard in {parts} parts: the same speaker may have another label in another part",)
    return RunnerOutput(values={"segments": sorted(segments, key=lambda s: (s["start"], s["end"]))}, notes=notes)


def _active(model: LoadedModel, window: NDArray[np.float32], rate: int, *, exclusive: bool) -> tuple[NDArray[np.bool_], float]:
    """Whether each label holds in each frame, and how many seconds a frame is. Labels exclude each other, or each is for itself."""
    padded = long_enough(window, rate=rate)
    batch = model.on_device(model.feature_extractor(padded, sampling_rate=rate, return_tensors="pt"))
    logits = model.model(**batch).logits[0].float()
    if exclusive or model.config.problem_type == "single_label_classification":
        active = logits == logits.max(dim=-1, keepdim=True).values
    else:
        active = logits > 0  # more than 0.5 after the sigmoid
    return active.cpu().numpy(), len(padded) / rate / len(logits)


def _runs(active: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """First frame and the one after the last of each unbroken stretch."""
    import numpy as np

    edges = np.flatnonzero(np.diff(active.astype(np.int8), prepend=0, append=0))
    yield from ((int(a), int(b)) for a, b in edges.reshape(-1, 2))


def _add(stretches: list[tuple[float, float]], start: float, end: float) -> None:
    """Put a stretch after the others, or make the last one longer. One of no length is left out."""
    if end <= start:
        return
    if stretches and start - stretches[-1][1] < _JOINED_SECONDS:
        stretches[-1] = (stretches[-1][0], end)
    else:
        stretches.append((start, end))


def _segment(start: float, end: float, label: str | None) -> SpeechSegment:
    segment = SpeechSegment(start=round(start, 3), end=round(end, 3))
    if label is not None:
        segment["label"] = label
    return segment
