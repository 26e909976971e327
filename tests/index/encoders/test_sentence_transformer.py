"""Models of sentence-transformers: prompts, threads, and folders that are not loaded."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from langchain_hugginggpt.index import MiniLM
from langchain_hugginggpt.index.encoders import EncoderError, SentenceTransformerEncoder, encode_query, load_encoder
from tests.index.tiny_encoders import tiny_encoder

pytest.importorskip("sentence_transformers", reason="sentence-transformers is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")  # of torch and transformers


def loadable(folder: Path) -> Path:
    """A tiny encoder, with what transformers wants of a tokenizer."""
    tiny_encoder(folder)
    facts = {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "[PAD]", "unk_token": "[UNK]", "model_max_length": 40}
    (folder / "tokenizer_config.json").write_text(json.dumps(facts))
    return folder


def test_vectors_are_the_mean_of_states(tmp_path: Path) -> None:
    folder = loadable(tmp_path / "tiny")
    texts = ["Describe the picture for me", "Sum up the report and read it aloud \ud800", "Résume le rapport"]
    found = SentenceTransformerEncoder(folder).encode(texts)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, MiniLM(folder).encode(texts), atol=1e-4)
    np.testing.assert_allclose(encode_query(SentenceTransformerEncoder(folder), texts[0]), found[0], atol=1e-5)


def test_prompts_stand_before_cards_and_queries(tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    folder, saved = loadable(tmp_path / "tiny"), tmp_path / "saved"
    SentenceTransformer(str(folder), prompts={"query": "Describe ", "document": "Sum up "}).save(str(saved))
    plain = MiniLM(folder).encode(["Sum up the report", "Describe the report"])
    encoder = load_encoder(str(saved))
    assert isinstance(encoder, SentenceTransformerEncoder)
    np.testing.assert_allclose(encoder.encode(["the report"])[0], plain[0], atol=1e-4)
    np.testing.assert_allclose(encode_query(encoder, "the report"), plain[1], atol=1e-4)


def test_a_model_saved_without_prompts_is_computed_in_numpy(tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    folder, saved = loadable(tmp_path / "tiny"), tmp_path / "saved"
    SentenceTransformer(str(folder)).save(str(saved))
    encoder = load_encoder(str(saved))
    assert isinstance(encoder, MiniLM)
    np.testing.assert_allclose(encoder.encode(["the report"]), MiniLM(folder).encode(["the report"]), atol=1e-6)


def test_no_texts_load_nothing() -> None:
    assert SentenceTransformerEncoder("org/model").encode([]).shape == (0, 0)


def pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def pickled_beside(folder: Path) -> None:
    (folder / "2_Dense").mkdir()
    (folder / "2_Dense" / "pytorch_model.bin").write_bytes(b"")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (pickled, r"'pytorch_model\.bin' in .* is not read, since pickled weights can run code"),
        (pickled_beside, r"'2_Dense/pytorch_model\.bin' in .* is not read"),
        (lambda f: (f / "model.safetensors").unlink(), r"holds no weights \(\*\.safetensors\)"),
        (lambda f: (f / "config.json").unlink(), r"holds neither modules\.json nor config\.json"),
    ],
)
def test_folders_that_are_refused(tmp_path: Path, spoil: Callable[[Path], object], message: str) -> None:
    folder = loadable(tmp_path / "tiny")
    spoil(folder)
    with pytest.raises(EncoderError, match=message):
        SentenceTransformerEncoder(folder)


def test_code_of_a_folder_is_not_run(tmp_path: Path) -> None:
    folder = loadable(tmp_path / "tiny")
    (folder / "modeling_own.py").write_text("from pathlib import Path\nPath(__file__).with_name('ran').touch()\n")
    (folder / "modules.json").write_text(json.dumps([{"idx": 0, "name": "0", "path": "", "type": "modeling_own.Own"}]))
    with pytest.raises(EncoderError, match=r"cannot be loaded: ValueError: .*without code of its own"):
        SentenceTransformerEncoder(folder).encode(["a"])
    assert not list(tmp_path.rglob("ran"))


def test_a_torn_file_is_told(tmp_path: Path) -> None:
    folder = loadable(tmp_path / "tiny")
    (folder / "model.safetensors").write_bytes(b"torn")
    with pytest.raises(EncoderError, match=r"tiny' cannot be loaded"):
        SentenceTransformerEncoder(folder).encode(["a"])
