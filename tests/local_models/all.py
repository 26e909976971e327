"""Every case of the conformance suite."""

from __future__ import annotations

from tests.local_models import audio, diffusion, tabular, text, video, vision
from tests.local_models.case import Case

CASES: tuple[Case, ...] = (*text.CASES, *vision.CASES, *audio.CASES, *video.CASES, *diffusion.CASES, *tabular.CASES)
