"""Other encoders than MiniLM: anything that implements LangChain's `Embeddings`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .errors import CallerError, RemoteError

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

    from .minilm import Floats


class EmbeddingsEncoder:
    """Lets LangChain `Embeddings` encode an index.

    Args:
        embeddings: any implementation.
        name: what the index records; an index can only be searched with an encoder of the same name.
    """

    def __init__(self, embeddings: Embeddings, *, name: str) -> None:
        self._embeddings = embeddings
        self._name = name

    @property
    def name(self) -> str:
        """What the index records."""
        return self._name

    def encode(self, texts: Sequence[str]) -> Floats:
        """Unit vectors, shape (len(texts), dimension), float32.

        Raises:
            RemoteError: the embeddings raised something.
            CallerError: they gave another number of vectors.
        """
        import numpy as np

        try:
            given = self._embeddings.embed_documents(list(texts))
        except Exception as e:  # embeddings of any kind, whose errors have no common root
            raise RemoteError(f"The embeddings {self._name!r} failed: {type(e).__name__}: {e!s:.200}.") from e
        vectors = np.asarray(given, np.float32)
        if vectors.ndim != 2 or len(vectors) != len(texts):
            raise CallerError(f"The embeddings {self._name!r} gave an array of shape {vectors.shape} for {len(texts)} texts.")
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit: Floats = vectors / np.maximum(norms, 1e-12)
        return unit
