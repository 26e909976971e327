"""The rows of this folder's tasks."""

from __future__ import annotations

from ..loading.of_transformers import Transformers
from ..row import LocalRow

_TALKING = ("*ForConditionalGeneration", "Phi4MultimodalForCausalLM")

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
    LocalRow(
        task="audio-text-to-text",
        function="video.conversation:audio_text_to_text",
        loaders=(Transformers(autos=("AutoModelForMultimodalLM",), parts=("processor",), architectures=_TALKING, half=True),),
        packages=("av", "soundfile"),
    ),
    LocalRow(
        task="video-text-to-text",
        function="video.conversation:video_text_to_text",
        loaders=(Transformers(autos=("AutoModelForImageTextToText",), parts=("processor",), architectures=_TALKING, half=True),),
        packages=("av", "soundfile"),
    ),
    LocalRow(
        task="any-to-any",
        function="video.conversation:any_to_any",
        loaders=(Transformers(autos=("AutoModelForMultimodalLM",), parts=("processor",), architectures=_TALKING, half=True),),
        packages=("av", "soundfile"),
    ),
)
