"""Anything that implements LangChain's `Embeddings`, as an encoder."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from ..errors import CallerError, RemoteError
from .errors import EncoderError, missing

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

    from ..minilm import Floats

_EXTRAS = {"langchain": "llm", "langchain-openai": "openai"}


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
        """Unit vectors of cards, shape (len(texts), dimension), float32; (0, 0) for no texts.

        Raises:
            RemoteError: the embeddings raised something.
            CallerError: they gave another number of vectors, or no numbers.
        """
        return self._units(len(texts), lambda: self._embeddings.embed_documents(list(texts)))

    def encode_queries(self, texts: Sequence[str]) -> Floats:
        """The same for queries, by `embed_query`: many models encode them otherwise than documents."""
        return self._units(len(texts), lambda: [self._embeddings.embed_query(t) for t in texts])

    def _units(self, many: int, embed: Callable[[], list[list[float]]]) -> Floats:
        import numpy as np

        if not many:
            return np.empty((0, 0), np.float32)
        try:
            given = embed()
        except Exception as e:  # embeddings of any kind, whose errors have no common root
            raise RemoteError(f"The embeddings {self._name!r} failed: {type(e).__name__}: {e!s:.200}.") from e
        try:
            vectors = np.asarray(given, np.float32)
        except (TypeError, ValueError) as e:  # vectors of several lengths, or none at all
            raise CallerError(f"The embeddings {self._name!r} gave no vectors of one length for {many} texts: {e!s:.200}.") from e
        if vectors.ndim != 2 or len(vectors) != many:
            raise CallerError(f"The embeddings {self._name!r} gave an array of shape {vectors.shape} for {many} texts.")
        if not np.isfinite(vectors).all():
            raise CallerError(f"The embeddings {self._name!r} gave a vector with NaN or infinity in it.")
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit: Floats = vectors / np.maximum(norms, 1e-12)
        return unit


def load_embeddings(name: str) -> EmbeddingsEncoder:
    """The embeddings of a name like `openai:text-embedding-3-small`: https://docs.langchain.com/oss/python/integrations/embeddings.

    Raises:
        EncoderError: langchain or the provider's package is not installed, there is no such provider, or the model cannot be set up
            (no key).
    """
    try:
        from langchain.embeddings import init_embeddings
    except ImportError as e:
        raise missing("langchain", "llm") from e
    try:
        return EmbeddingsEncoder(init_embeddings(name), name=name)
    except ImportError as e:
        package = found.group(1) if (found := re.search(r"pip install ([\w.-]+)", str(e))) else (e.name or "the provider's package")
        if package in _EXTRAS:
            raise missing(package, _EXTRAS[package]) from e
        raise EncoderError(
            f"The encoder {name!r} needs the package {package}, which is not installed.", remedy=f"Run: pip install {package}"
        ) from e
    except Exception as e:  # every provider has errors of its own
        raise _unusable(name, e) from e


def _unusable(name: str, error: Exception) -> EncoderError:
    provider, _, model = name.partition(":")
    listed = re.findall(r"^\s*- (\w+): ", str(error), re.M)  # how langchain lists the providers that it knows
    if not listed:
        said = str(error).strip().partition("\n")[0][:200]
        return EncoderError(
            f"The encoder {name!r} cannot be set up: {type(error).__name__}: {said}",
            remedy="Check that its key is set in the environment, and the model's name.",
        )
    near = get_close_matches(provider.lower(), listed, n=1, cutoff=0.6)
    hint = f"Did you mean {near[0] + ':' + model!r}?" if near else f"Known: {', '.join(listed)}."
    return EncoderError(f"There is no provider {provider!r} of embeddings.", remedy=hint)
