"""Encoders that encode a query otherwise than a card: with another prompt, or by another half of the model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from ..minilm import Encoder, Floats


@runtime_checkable
class QueryEncoder(Protocol):
    """What an `Encoder` has in addition, where queries and cards are not encoded alike."""

    def encode_queries(self, texts: Sequence[str]) -> Floats:
        """Unit vectors, shape (len(texts), dimension), float32, in the order of `texts`."""


def encode_query(encoder: Encoder, text: str) -> Floats:
    """The unit vector of one query, shape (dimension,), float32: by `encode_queries` where the encoder has it, by `encode` where not."""
    vectors = encoder.encode_queries([text]) if isinstance(encoder, QueryEncoder) else encoder.encode([text])
    vector: Floats = vectors[0]
    return vector
