from __future__ import annotations

import numpy as np
import pytest
from langchain_core.embeddings import DeterministicFakeEmbedding, Embeddings

from langchain_hugginggpt.index import EmbeddingsEncoder, MiniLM, ModelCardIndex
from langchain_hugginggpt.index.encoders import encode_query
from langchain_hugginggpt.index.errors import CallerError, IndexFileError, RemoteError
from tests.index.cards import CARDS


class Lengths(Embeddings):
    """Two numbers for each text: its length and 1."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [[float(len(t)), 1.0] for t in texts]

    def embed_query(self, text: str) -> list[float]:
        return [1.0, float(len(text))]  # unlike a document, as many models do it


class Zeros(Lengths):
    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [[0.0, 0.0] for _ in texts]


class TooFew(Lengths):
    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return super().embed_documents(texts[1:])


class Down(Lengths):
    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        raise ConnectionResetError("peer went away")

    def embed_query(self, text: str) -> list[float]:
        raise ConnectionResetError("peer went away")


class Given(Embeddings):
    """Vectors as they are given."""

    def __init__(self, vectors: list[list[float]]) -> None:
        self.vectors = vectors

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return self.vectors

    def embed_query(self, text: str) -> list[float]:
        return self.vectors[0]


def test_vectors_get_length_one() -> None:
    encoder = EmbeddingsEncoder(Lengths(), name="lengths")
    vectors = encoder.encode(["abc", ""])
    assert encoder.name == "lengths"
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, [[3 / np.sqrt(10), 1 / np.sqrt(10)], [0, 1]], atol=1e-6)


def test_queries_are_encoded_as_queries() -> None:
    encoder = EmbeddingsEncoder(Lengths(), name="lengths")
    np.testing.assert_allclose(encode_query(encoder, "abc"), [1 / np.sqrt(10), 3 / np.sqrt(10)], atol=1e-6)
    fake = EmbeddingsEncoder(DeterministicFakeEmbedding(size=8), name="fake")
    np.testing.assert_allclose(encode_query(fake, "abc"), fake.encode(["abc"])[0])


def test_an_encoder_without_queries_of_its_own_encodes_them_as_cards() -> None:
    encoder = MiniLM()
    np.testing.assert_array_equal(encode_query(encoder, "a cat"), encoder.encode(["a cat"])[0])


def test_no_texts() -> None:
    assert EmbeddingsEncoder(Down(), name="down").encode([]).shape == (0, 0)


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        ([[1.0, 2.0], [3.0]], r"gave no vectors of one length for 2 texts"),
        ([[1.0, float("nan")], [1.0, 2.0]], r"gave a vector with NaN or infinity"),
        ([], r"gave an array of shape \(0,\) for 2 texts"),
    ],
)
def test_what_is_no_vector_is_refused(vectors: list[list[float]], message: str) -> None:
    with pytest.raises(CallerError, match=message):
        EmbeddingsEncoder(Given(vectors), name="given").encode(["a", "b"])


def test_zero_vectors_stay_zero() -> None:
    assert not EmbeddingsEncoder(Zeros(), name="z").encode(["a"]).any()


def test_it_carries_an_index(tmp_path: object) -> None:
    index = ModelCardIndex.build(CARDS, str(tmp_path), encoder=EmbeddingsEncoder(Lengths(), name="lengths"))
    assert len(index.search("cats", task="image-classification")) == 3
    with pytest.raises(IndexFileError, match="made with the encoder 'lengths', not 'sentence-transformers/all-MiniLM-L6-v2'"):
        ModelCardIndex.open(str(tmp_path), encoder=MiniLM())


def test_too_few_vectors_are_refused() -> None:
    with pytest.raises(CallerError, match=r"'few' gave an array of shape \(1, 2\) for 2 texts"):
        EmbeddingsEncoder(TooFew(), name="few").encode(["a", "b"])


def test_what_embeddings_raise_is_translated() -> None:
    with pytest.raises(RemoteError, match="'down' failed: ConnectionResetError: peer went away") as e:
        EmbeddingsEncoder(Down(), name="down").encode(["a"])
    assert isinstance(e.value.__cause__, ConnectionResetError)
    with pytest.raises(RemoteError, match="'down' failed: ConnectionResetError: peer went away"):
        encode_query(EmbeddingsEncoder(Down(), name="down"), "a")
