"""When somebody speaks, by Silero VAD: https://github.com/snakers4/silero-vad

Its ONNX file is run directly: importing the package would import torch and set it to one thread for the whole process.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...audio import read_whole
from ...errors import MissingExtraError
from ..runner import RunnerOutput
from .inputs import artifact_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .engines import Engines

RATE = 16_000
_WINDOW, _CONTEXT = 512, 64
_SPEECH, _SILENCE = 0.5, 0.35
_MIN_SPEECH, _MIN_SILENCE, _PAD = 0.25, 0.5, 0.03
SILENT = "nobody speaks in the recording"


class VoiceDetector:
    """The Silero model, loaded on first use. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def segments(self, samples: NDArray[np.float32]) -> list[tuple[float, float]]:
        """Stretches of speech as (start, end) in seconds, in order; [] when there is none.

        Args:
            samples: mono, 16 kHz, in [-1, 1].
        """
        length = len(samples) / RATE
        return speech_stretches(list(self._probabilities(samples)), step=_WINDOW / RATE, length=length)

    def _probabilities(self, samples: NDArray[np.float32]) -> Iterator[float]:
        """Probability of speech in each window of 32 ms."""
        import numpy as np

        with self._lock:
            session = self._session
        state = np.zeros((2, 1, 128), np.float32)
        before = np.zeros(_CONTEXT, np.float32)
        rate = np.array(RATE, np.int64)
        for start in range(0, len(samples), _WINDOW):
            window = samples[start : start + _WINDOW]
            window = np.concatenate([before, window, np.zeros(_WINDOW - len(window), np.float32)])
            before = window[-_CONTEXT:]
            probability, state = session.run(None, {"input": window[None], "state": state, "sr": rate})
            yield float(probability[0, 0])

    @cached_property
    def _session(self) -> Any:
        import onnxruntime  # type: ignore[import-untyped]

        package = find_spec("silero_vad")
        if package is None or package.origin is None:
            raise MissingExtraError("silero_vad", "embedded")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # tiny steps: more threads only wait for each other
        options.log_severity_level = 3
        model = Path(package.origin).parent / "data" / "silero_vad.onnx"
        return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def speech_stretches(probabilities: Sequence[float], *, step: float, length: float) -> list[tuple[float, float]]:
    """Speech begins at 0.5, ends when half a second stays below 0.5 after falling below 0.35, lasts 0.25 s at least, and is widened by
    30 ms on either side.

    The rules of `get_speech_timestamps` in silero-vad, with 0.5 s instead of 0.1 s of silence: a pause between the sentences of one
    speaker (0.35 s with espeak-ng) does not cut.

    Args:
        probabilities: of speech, one for each window.
        step: seconds of a window.
        length: seconds of the recording; no stretch ends later.
    """
    found: list[tuple[float, float]] = []
    start: float | None = None
    quiet: float | None = None  # since when it has been quiet
    for n, probability in enumerate([*probabilities, *[0.0] * (round(_MIN_SILENCE / step) + 2)]):
        now = n * step
        if probability >= _SPEECH:
            start, quiet = now if start is None else start, None
        elif start is not None and (probability < _SILENCE or quiet is not None):
            quiet = now if quiet is None else quiet
            if now - quiet >= _MIN_SILENCE:
                if quiet - start >= _MIN_SPEECH:
                    found.append((max(0.0, start - _PAD), min(length, quiet + _PAD)))
                start = quiet = None
    return found


class FindVoices:
    """voice-activity-detection: the stretches of speech in a recording."""

    def __init__(self, _: Engines) -> None:
        self._detector = VoiceDetector()

    def __call__(self, inputs: Mapping[str, Any]) -> RunnerOutput:
        found = self._detector.segments(read_whole(artifact_of(inputs, "audio"), rate=RATE))
        segments = [{"start": round(start, 2), "end": round(end, 2)} for start, end in found]
        return RunnerOutput(values={"segments": segments}, notes=() if segments else (SILENT,))
