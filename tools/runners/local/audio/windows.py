"""Recordings in windows that a model can take, cut where it is quiet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ....audio import read_blocks
from ...workers import check_abandoned

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ....artifacts import Artifact

    Samples = NDArray[np.float32]

_FRAME_SECONDS = 0.02
_PAUSE_SECONDS = 0.2
_SEARCHED = 1 / 3  # share of a window, at its end, in which the place to cut is looked for
_SILENT = 0.001  # root mean square of the loudest 20 ms; 60 dB below full scale
SHORTEST_SECONDS = 0.5
"""Shorter windows are filled up with silence: models cannot take them."""


def windows_at_pauses(recording: Artifact, *, rate: int, longest: float) -> Iterator[Samples]:
    """A recording in windows of at most `longest` seconds, each cut at the quietest place of its last third. Together they are all of it.

    Only a window is in memory at a time. A call that is given up ends before the next one.
    """
    import numpy as np

    size = max(1, round(longest * rate))
    held = np.zeros(0, np.float32)
    for block in read_blocks(recording, rate=rate):
        held = np.concatenate([held, block])
        while len(held) > size:
            cut = quietest(held[:size], rate=rate)
            check_abandoned()
            yield held[:cut]
            held = held[cut:]
    if len(held):
        check_abandoned()
        yield held


def quietest(window: Samples, *, rate: int) -> int:
    """Where to cut a window: the middle of the quietest 0.2 seconds in its last third; its end where it is too short for that."""
    import numpy as np

    frame, pause = max(1, round(_FRAME_SECONDS * rate)), round(_PAUSE_SECONDS / _FRAME_SECONDS)
    begin = len(window) - int(len(window) * _SEARCHED)
    loudness = _loudness(window[begin:], frame)
    if len(loudness) < pause:
        return len(window)
    over_pause = np.convolve(loudness, np.ones(pause), mode="valid")
    at = len(over_pause) - 1 - int(over_pause[::-1].argmin())  # the latest of equal ones: the fewest windows
    return begin + at * frame + pause * frame // 2


def is_silent(window: Samples, *, rate: int) -> bool:
    """Whether nothing in a window is loud enough to be heard: no 20 ms of it above -60 dB of full scale."""
    loudness = _loudness(window, max(1, round(_FRAME_SECONDS * rate)))
    return bool(loudness.max(initial=0.0) < _SILENT**2)


def long_enough(window: Samples, *, rate: int) -> Samples:
    """The window, with silence after it if it is shorter than half a second."""
    import numpy as np

    return np.pad(window, (0, max(0, round(SHORTEST_SECONDS * rate) - len(window))))


def _loudness(samples: Samples, frame: int) -> Samples:
    """Mean square of each frame; what does not fill one is a frame of its own."""
    import numpy as np

    padded = np.pad(samples, (0, -len(samples) % frame)).reshape(-1, frame)
    squares: Samples = (padded**2).mean(1)
    return squares
