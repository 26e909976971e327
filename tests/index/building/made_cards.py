"""Cards of any number, and an encoder that costs nothing and counts: what builds are tried with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from langchain_hugginggpt.index import ModelCard

if TYPE_CHECKING:
    from langchain_hugginggpt.index.minilm import Floats

TASKS = ("text-classification", "image-classification", "automatic-speech-recognition", "translation", "text-to-image")
WORDS = "german french speech images small fast reviews medical legal satellite birds handwriting news tweets code music".split()


class CountingEncoder:
    """Unit vectors out of a hash of each text; `texts` is how many it was given."""

    name = "counting"

    def __init__(self, dimension: int = 16) -> None:
        self.dimension = dimension
        self.texts = 0

    def encode(self, texts: Sequence[str]) -> Floats:
        self.texts += len(texts)
        digests = [hashlib.blake2b(t.encode("utf-8", "replace"), digest_size=64).digest() for t in texts]
        signs = np.frombuffer(b"".join(digests), np.int8).reshape(len(texts), 64).astype(np.float32) + 0.5
        wide = np.tile(signs, (1, -(-self.dimension // 64)))[:, : self.dimension]
        unit: Floats = wide / np.linalg.norm(wide, axis=1, keepdims=True)
        return unit


def card(i: int, *, version: int = 0, downloads: int | None = None) -> ModelCard:
    """The card of number `i`; another version has another text."""
    words = " ".join(WORDS[(i * k + version) % len(WORDS)] for k in (1, 3, 7, 11))
    return ModelCard(
        id=f"org-{i % 7}/model-{i}",
        task=TASKS[(i * i) % len(TASKS)],
        license=("mit", "apache-2.0", None)[i % 3],
        languages=(("en",), ("de", "en"), ())[i % 3],
        parameters=(i % 50 + 1) * 1_000_000,
        downloads=i if downloads is None else downloads,
        last_modified=f"2026-{i % 12 + 1:02}-11",
        text=f"Version {version} of number {i}: {words}.",
    )


def write_cards(path: Path, cards: Iterable[ModelCard]) -> Path:
    """JSON lines."""
    path.write_text("".join(json.dumps(c.as_json()) + "\n" for c in cards))
    return path
