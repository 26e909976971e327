from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from safetensors import safe_open

from langchain_hugginggpt.index import MiniLM
from langchain_hugginggpt.index.building.memory import generation_in_memory
from langchain_hugginggpt.index.catalogue import load_catalogue
from langchain_hugginggpt.index.catalogue_vectors import _FILE, _digest, load_vectors


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """What the catalogue's index encodes, in its order."""
    seen: list[str] = []

    def encode(given: Sequence[str]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
        seen.extend(given)
        return np.ones((len(given), 2), np.float32)

    generation_in_memory(load_catalogue(), "none", encode, "test")
    return seen


def test_the_file_was_made_from_the_catalogue_as_it_is(texts: list[str]) -> None:
    with safe_open(_FILE, framework="numpy") as f:
        assert f.metadata()["texts"] == _digest(texts), (
            "the catalogue or the template has changed: run  python -m langchain_hugginggpt.index.catalogue_vectors"
        )
        assert f.metadata()["encoder"] == MiniLM.name
        assert f.get_tensor("vectors").shape == (len(texts), 384)


class NoEncoder(MiniLM):
    def layers(self, texts: object) -> object:  # type: ignore[override]
        raise AssertionError("the file should have been enough")


def test_the_file_is_enough(texts: list[str]) -> None:
    vectors = load_vectors(texts, NoEncoder())
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(vectors[:3], MiniLM().encode(texts[:3]), atol=1e-3)


def test_other_texts_are_encoded() -> None:
    np.testing.assert_allclose(load_vectors(["a cat"], MiniLM()), MiniLM().encode(["a cat"]), atol=1e-6)
    with pytest.raises(AssertionError, match="should have been enough"):
        load_vectors(["a cat"], NoEncoder())
