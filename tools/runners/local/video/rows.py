"""The rows of this folder's tasks."""

from __future__ import annotations

from ..loading.of_transformers import Transformers
from ..row import LocalRow

ROWS: tuple[LocalRow, ...] = (
    LocalRow(
        task="video-classification",
        function="video.classification:video_classification",
        loaders=(
            Transformers(
                autos=("AutoModelForVideoClassification",),
                parts=("image_processor",),
                architectures=("VideoMAEForVideoClassification", "TimesformerForVideoClassification", "VivitForVideoClassification"),
                half=True,
            ),
        ),
        packages=("av",),
    ),
)
