from __future__ import annotations

import numpy as np
import pytest
from safetensors import safe_open

from langchain_hugginggpt.index import MiniLM, ModelCard
from langchain_hugginggpt.index.catalogue import load_catalogue
from langchain_hugginggpt.index.catalogue_vectors import _FILE, _digest, load_vectors


def test_the_file_was_made_from_the_catalogue_as_it_is() -> None:
    with safe_open(_FILE, framework="numpy") as f:
        assert f.metadata()["texts"] == _digest(load_catalogue()), (
            "the catalogue has changed: run  python -m langchain_hugginggpt.index.catalogue_vectors"
        )
        assert f.metadata()["encoder"] == MiniLM.name
        assert f.get_tensor("vectors").shape == (len(load_catalogue()), 384)


class NoEncoder(MiniLM):
    def layers(self, texts: object) -> object:  # type: ignore[override]
        raise AssertionError("the file should have been enough")


def test_the_file_is_enough() -> None:
    vectors = load_vectors(load_catalogue(), NoEncoder())
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_other_cards_are_encoded() -> None:
    card = ModelCard(id="a/b", task="t")
    np.testing.assert_allclose(load_vectors([card], MiniLM()), MiniLM().encode(["a/b. t"]), atol=1e-6)
    with pytest.raises(AssertionError, match="should have been enough"):
        load_vectors([card], NoEncoder())
