"""Arguments for every task that can run here, with files made on the spot."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from langchain_hugginggpt.tools import ArtifactStore
from langchain_hugginggpt.tools.media import wav_bytes


def page() -> bytes:
    """A page with one line on it; square, because OCR blows its shorter side up."""
    picture = Image.new("RGB", (320, 320), "white")
    ImageDraw.Draw(picture).text((20, 20), "TOTAL 23.40", fill="black", font=ImageFont.load_default(size=32))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def hum() -> bytes:
    """Half a second of a tone at 16 kHz."""
    tone = 8_000 * np.sin(2 * np.pi * 220 * np.arange(8_000) / 16_000)
    return wav_bytes(tone.astype("<i2").tobytes(), rate=16_000)


def arguments(store: ArtifactStore) -> dict[str, dict[str, Any]]:
    """By task of the embedded runner."""
    text = "The library opens at nine. It closes at five. On Sunday it stays closed."
    image, audio = store.put(page(), name="page.png").id, store.put(hum(), name="hum.wav").id
    return {
        "text-classification": {"text": "I love this book."},
        "question-answering": {"question": "When does the library open?", "context": text},
        "zero-shot-classification": {"text": text, "candidate_labels": ["opening hours", "sport"]},
        "summarization": {"text": text, "max_sentences": 1},
        "feature-extraction": {"text": text},
        "sentence-similarity": {"source_sentence": "It is closed.", "sentences": ["It is shut.", "Cats purr."]},
        "text-ranking": {"query": "When does it open?", "documents": ["Cats purr.", "It opens at nine."]},
        "text-to-speech": {"text": "Hello."},
        "voice-activity-detection": {"audio": audio},
        "image-to-text": {"image": image},
        "document-question-answering": {"image": image, "question": "What is the total?"},
    }
