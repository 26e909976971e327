"""Vectors of texts that are longer than MiniLM reads (256 tokens): piece by piece, then combined."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from ...sentences import sentences
from .inputs import spread

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ....index.minilm import Encoder

    Floats = NDArray[np.float32]

READ_AT_ONCE = 800
"""Characters: about 200 tokens of English."""
MAX_CHUNKS = 100


def chunks_of(text: str) -> tuple[list[str], tuple[str, ...]]:
    """A text in pieces of whole sentences of up to 800 characters (more only for one long sentence), in order; at most 100 of them,
    evenly spread, and a note when some were left out. A text within 800 characters is one piece, as it stands."""
    if len(text) <= READ_AT_ONCE:
        return [text], ()
    found: list[str] = []
    for sentence in sentences(text):
        if found and len(found[-1]) + 1 + len(sentence) <= READ_AT_ONCE:
            found[-1] = f"{found[-1]} {sentence}"
        else:
            found.append(sentence)
    return spread(found or [text[:READ_AT_ONCE]], limit=MAX_CHUNKS, what="passages")


def text_vectors(texts: Sequence[str], encoder: Encoder) -> tuple[Floats, tuple[str, ...]]:
    """Unit vectors of whole texts, (len(texts), dimension), the mean over their pieces; and notes when pieces were left out."""
    import numpy as np

    split = [chunks_of(t) for t in texts]
    vectors = encoder.encode([chunk for chunks, _ in split for chunk in chunks])
    borders = np.cumsum([0, *(len(chunks) for chunks, _ in split)])
    means = np.stack([vectors[a:b].mean(0) for a, b in pairwise(borders)])
    unit: Floats = means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)
    return unit, tuple(dict.fromkeys(note for _, notes in split for note in notes))
