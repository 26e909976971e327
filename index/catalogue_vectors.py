"""The embedded catalogue's vectors, encoded once: `python -m langchain_hugginggpt.index.catalogue_vectors` after editing it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .card import ModelCard
from .minilm import MiniLM
from .text import card_text

if TYPE_CHECKING:
    from .minilm import Floats

_FILE = Path(__file__).parent / "catalogue.safetensors"


def load_vectors(cards: Sequence[ModelCard], encoder: MiniLM) -> Floats:
    """Unit vectors in card order, shape (cards, 384). Encodes anew when the cards are not those that were encoded."""
    import numpy as np
    from safetensors import safe_open

    if _FILE.is_file():
        with safe_open(_FILE, framework="numpy") as f:
            if (f.metadata() or {}).get("texts") == _digest(cards):
                vectors: Floats = f.get_tensor("vectors").astype(np.float32)
                unit: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
                return unit
    return encoder.encode([card_text(c) for c in cards])


def main() -> None:
    """Encode the catalogue and write its vectors beside it, in 16 bits."""
    import numpy as np
    from safetensors.numpy import save_file

    from .catalogue import load_catalogue

    cards = load_catalogue()
    vectors = MiniLM().encode([card_text(c) for c in cards]).astype(np.float16)
    save_file({"vectors": vectors}, _FILE, metadata={"texts": _digest(cards), "encoder": MiniLM.name})
    _FILE.chmod(0o644)


def _digest(cards: Sequence[ModelCard]) -> str:
    return hashlib.sha256("\n".join(card_text(c) for c in cards).encode()).hexdigest()


if __name__ == "__main__":
    main()
