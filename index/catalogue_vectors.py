"""The embedded catalogue's vectors, encoded once: `python -m langchain_hugginggpt.index.catalogue_vectors` after editing it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .minilm import MiniLM

if TYPE_CHECKING:
    from .minilm import Floats

_FILE = Path(__file__).parent / "catalogue.safetensors"


def load_vectors(texts: Sequence[str], encoder: MiniLM) -> Floats:
    """Unit vectors of the catalogue's passages, in their order, shape (texts, 384). Encoded anew when these are not the texts that were."""
    import numpy as np
    from safetensors import safe_open

    if _FILE.is_file():
        with safe_open(_FILE, framework="numpy") as f:
            if (f.metadata() or {}) == {"texts": _digest(texts), "encoder": encoder.name}:
                vectors: Floats = f.get_tensor("vectors").astype(np.float32)
                unit: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
                return unit
    return encoder.encode(texts)


def main() -> None:
    """Encode the catalogue and write its vectors beside it, in 16 bits."""
    import numpy as np
    from safetensors.numpy import save_file

    from .building.memory import generation_in_memory
    from .catalogue import load_catalogue

    def encode_and_save(texts: Sequence[str]) -> Floats:
        vectors = MiniLM().encode(texts)
        save_file({"vectors": vectors.astype(np.float16)}, _FILE, metadata={"texts": _digest(texts), "encoder": MiniLM.name})
        return vectors

    generation_in_memory(load_catalogue(), MiniLM.name, encode_and_save, "embedded catalogue")
    _FILE.chmod(0o644)


def _digest(texts: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


if __name__ == "__main__":
    main()
