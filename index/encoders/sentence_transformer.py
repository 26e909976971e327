"""Any model that the library sentence-transformers loads, from the Hub or from a folder, as an encoder.

Source: https://sbert.net/docs/package_reference/sentence_transformer/SentenceTransformer.html
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..text import well_formed
from .errors import EncoderError, missing

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from ..minilm import Floats

HASHED = " sha256:"
"""Between the path of a folder and the beginning of its hash, in the name of an encoder."""
_DIGITS = 16
_PICKLED = (".bin", ".pt", ".pth", ".ckpt")
_CONFIGS = ("modules.json", "config.json")


class SentenceTransformerEncoder:
    """A model of sentence-transformers. Loaded on first use, on the GPU where there is one; safe to share between threads.

    Weights are read from safetensors only, and no code of the model's own is run. Where the model has prompts for queries and for
    documents, they are used.

    Args:
        model: a Hub id (`org/name`, or `org/name@revision` to hold on to one commit), or a folder.

    Raises:
        EncoderError: the folder holds no model, or pickled weights only.
    """

    def __init__(self, model: str | Path) -> None:
        self._model_id = model
        self._lock = threading.Lock()
        if isinstance(model, Path):
            _check(model)

    @cached_property
    def name(self) -> str:
        """The Hub id; for a folder its path with the beginning of the SHA-256 of what it holds."""
        if isinstance(self._model_id, Path):
            return f"{self._model_id.resolve()}{HASHED}{_digest(self._model_id)[:_DIGITS]}"
        return self._model_id

    def encode(self, texts: Sequence[str]) -> Floats:
        """Unit vectors of cards, shape (len(texts), dimension), float32; (0, 0) for no texts.

        Raises:
            EncoderError: sentence-transformers is not installed, or cannot load the model.
        """
        return self._units(texts, lambda model: model.encode_document)

    def encode_queries(self, texts: Sequence[str]) -> Floats:
        """The same for queries."""
        return self._units(texts, lambda model: model.encode_query)

    def _units(self, texts: Sequence[str], by: Callable[[SentenceTransformer], Callable[..., Any]]) -> Floats:
        import numpy as np

        if not texts:
            return np.empty((0, 0), np.float32)
        with self._lock:  # fast tokenizers are not safe to share
            found = by(self._loaded)([well_formed(t) for t in texts], normalize_embeddings=True, show_progress_bar=False)
        units: Floats = np.asarray(found, np.float32)
        return units

    @cached_property
    def _loaded(self) -> SentenceTransformer:
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as e:
            raise missing("sentence-transformers", "encoders") from e
        local = isinstance(self._model_id, Path)
        model, _, revision = (str(self._model_id), "", "") if local else str(self._model_id).partition("@")
        try:
            return SentenceTransformer(
                model,
                revision=revision or None,
                trust_remote_code=False,
                local_files_only=local,
                model_kwargs={"use_safetensors": True},
            )
        except Exception as e:  # of transformers, the Hub, safetensors: no common root
            said = " ".join(str(e).split())[:300]
            raise EncoderError(
                f"The encoder {str(self._model_id)!r} cannot be loaded: {type(e).__name__}: {said}",
                remedy="Name a model that sentence-transformers loads from safetensors, without code of its own; check the connection.",
            ) from e


def _check(folder: Path) -> None:
    if not any((folder / name).is_file() for name in _CONFIGS):
        raise EncoderError(
            f"The folder {str(folder)!r} holds neither {' nor '.join(_CONFIGS)}.",
            remedy="Name a folder as sentence-transformers or transformers write it.",
        )
    weights = [p for p in folder.rglob("*") if p.is_file()]
    safe = {p.parent for p in weights if p.suffix == ".safetensors"}
    pickled = sorted(str(p.relative_to(folder)) for p in weights if p.suffix in _PICKLED and p.parent not in safe)
    if pickled:
        raise EncoderError(
            f"{pickled[0]!r} in {str(folder)!r} is not read, since pickled weights can run code.",
            remedy="Where you trust it, convert it: SentenceTransformer(FOLDER).save(OTHER, safe_serialization=True).",
        )
    if not safe:
        raise EncoderError(f"The folder {str(folder)!r} holds no weights (*.safetensors).", remedy="Fetch it again.")


def _digest(folder: Path) -> str:
    """SHA-256 over the names and contents of all files that can change a vector: not of READMEs and hidden files."""
    whole = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix != ".md"):
        place = path.relative_to(folder)
        if any(part.startswith(".") for part in place.parts):
            continue
        try:
            with path.open("rb") as f:
                content = hashlib.file_digest(f, "sha256").hexdigest()
        except OSError as e:
            raise EncoderError(f"The encoder's {str(path)!r} cannot be read: {e.strerror or e}.", remedy="Check its rights.") from e
        whole.update(f"{place.as_posix()}\0{content}\0".encode())
    return whole.hexdigest()
