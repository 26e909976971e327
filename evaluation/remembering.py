"""Vectors of texts that several rankers need, encoded once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ..index.minilm import Encoder

if TYPE_CHECKING:
    from ..index.minilm import Floats

_BATCH = 64


class Remembering:
    """An encoder that keeps the vectors of chosen texts.

    Args:
        encoder: encodes everything else.
    """

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._kept: dict[str, Floats] = {}

    @property
    def name(self) -> str:
        """The encoder's own: the vectors are the same."""
        return self._encoder.name

    def keep(self, texts: Sequence[str], on_encoded: Callable[[int, int], None] | None = None) -> None:
        """Encode texts and keep their vectors. `on_encoded` is told how many are done, and of how many."""
        new = sorted({t for t in texts if t not in self._kept}, key=lambda t: (len(t), t))
        for start in range(0, len(new), _BATCH):
            batch = new[start : start + _BATCH]
            self._kept.update(zip(batch, self._encoder.encode(batch), strict=True))
            if on_encoded is not None:
                on_encoded(start + len(batch), len(new))

    def encode(self, texts: Sequence[str]) -> Floats:
        """Unit vectors, shape (len(texts), dimension), float32, in the order of `texts`."""
        import numpy as np

        if all(t in self._kept for t in texts) and texts:
            return np.stack([self._kept[t] for t in texts])
        return self._encoder.encode(texts)
