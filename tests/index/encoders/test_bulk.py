"""The fast path: MiniLM's vectors, computed otherwise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from langchain_hugginggpt.index import EmbeddingsEncoder, MiniLM
from langchain_hugginggpt.index.encoders.bulk import LEAST, TorchMiniLM, bulk
from langchain_hugginggpt.index.errors import CallerError
from tests.index.test_encoders import Lengths
from tests.index.tiny_encoders import tiny_encoder

torch = pytest.importorskip("torch", reason="torch is not installed")

TEXTS = [
    "",
    "A cat",
    "Übersetze den Bericht 报告 \ud800 und lies ihn vor",
    "speech recognition for German radio, trained on 300 hours. " * 3,
    "text classification of tweets " * 200,  # beyond 256 tokens
    "word " * 30_000,  # beyond 20,000 characters
]


@pytest.mark.parametrize("half", [True, False, None])
def test_vectors_are_those_of_numpy(half: bool | None) -> None:
    given = TEXTS + [f"{t[:200]} {i}" for i, t in enumerate(TEXTS * 5)]
    encoder = MiniLM()
    found = TorchMiniLM(MiniLM(), half=half).encode(given)
    assert found.dtype == np.float32
    assert (found * encoder.encode(given)).sum(1).min() >= 0.9999
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta"])
def test_vectors_of_encoders_from_folders(tmp_path: Path, kind: str) -> None:
    encoder = MiniLM(tiny_encoder(tmp_path / "tiny", kind=kind, layers=4))
    found = TorchMiniLM(encoder, half=False).encode(TEXTS)
    np.testing.assert_allclose(found, encoder.encode(TEXTS), atol=1e-5)


def test_replaced_weights_are_used(tmp_path: Path) -> None:
    first = MiniLM(tiny_encoder(tmp_path / "tiny"))
    other = first.with_weights({"encoder.layer.2.output.dense.bias": np.ones(32, np.float32)})
    np.testing.assert_allclose(TorchMiniLM(other, half=False).encode(TEXTS), other.encode(TEXTS), atol=1e-5)
    assert not np.allclose(first.encode(TEXTS), other.encode(TEXTS))


def test_it_remembers_no_texts_and_leaves_torch_as_it_was(tmp_path: Path) -> None:
    encoder = MiniLM(tiny_encoder(tmp_path / "tiny"))
    before = torch.get_num_threads()
    assert TorchMiniLM(encoder).encode(TEXTS).shape == (len(TEXTS), 32)
    assert torch.get_num_threads() == before
    assert not encoder._remembered


def test_no_texts(tmp_path: Path) -> None:
    assert TorchMiniLM(MiniLM(tiny_encoder(tmp_path / "tiny"))).encode([]).shape == (0, 32)


def test_a_torn_file_is_told(tmp_path: Path) -> None:
    folder = tiny_encoder(tmp_path / "tiny")
    (folder / "model.safetensors").write_bytes(b"torn")
    with pytest.raises(CallerError, match=r"model\.safetensors' cannot be read"):
        TorchMiniLM(MiniLM(folder)).encode(["a"])


def test_what_is_worth_it() -> None:
    encoder = MiniLM()
    embeddings = EmbeddingsEncoder(Lengths(), name="lengths")
    assert bulk(encoder, LEAST - 1) is encoder
    assert bulk(embeddings) is embeddings
    for found in (bulk(encoder, LEAST), bulk(encoder)):
        assert isinstance(found, TorchMiniLM)
        assert found.name == MiniLM.name
