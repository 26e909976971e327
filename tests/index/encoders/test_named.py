"""Encoders by name: every form, the way back, and names that cannot be used."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from langchain_hugginggpt.index import EmbeddingsEncoder, MiniLM
from langchain_hugginggpt.index.encoders import (
    EncoderError,
    SentenceTransformerEncoder,
    load_encoder,
    same_encoder,
)
from langchain_hugginggpt.index.errors import UnknownNameError
from tests.index.tiny_encoders import tiny_encoder


def cls_pooling(folder: Path) -> None:
    """As sentence-transformers writes a model that MiniLM does not compute."""
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text('{"embedding_dimension": 32, "pooling_mode": "cls"}')


def prompts(folder: Path) -> None:
    (folder / "config_sentence_transformers.json").write_text(json.dumps({"prompts": {"query": "Describe ", "document": "Sum up "}}))


def dense(folder: Path) -> None:
    (folder / "modules.json").write_text(json.dumps([{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Dense"}]))


@pytest.mark.parametrize("name", [None, "minilm", " minilm ", "all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2"])
def test_the_encoder_that_ships(name: str | None) -> None:
    found = load_encoder(name)
    assert isinstance(found, MiniLM)
    assert found.name == "sentence-transformers/all-MiniLM-L6-v2"


def test_a_folder_and_the_way_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tiny_encoder(tmp_path / "tiny")
    monkeypatch.chdir(tmp_path)
    found = load_encoder("./tiny")
    assert isinstance(found, MiniLM)
    assert found.name.startswith(f"{folder} sha256:")
    monkeypatch.chdir("/")
    again = load_encoder(found.name)
    assert again.name == found.name
    np.testing.assert_array_equal(again.encode(["Sum up"]), found.encode(["Sum up"]))
    assert same_encoder(found.name, MiniLM(folder).name)


@pytest.mark.parametrize("spoil", [cls_pooling, prompts, dense])
def test_what_minilm_does_not_compute_goes_to_sentence_transformers(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    folder = tiny_encoder(tmp_path / "tiny")
    assert isinstance(load_encoder(str(folder)), MiniLM)
    spoil(folder)
    found = load_encoder(str(folder))
    assert isinstance(found, SentenceTransformerEncoder)
    assert load_encoder(found.name).name == found.name


@pytest.mark.parametrize("spoil", [None, prompts])
def test_a_folder_that_moved_is_the_same_and_one_that_changed_is_not(tmp_path: Path, spoil: Callable[[Path], None] | None) -> None:
    folder = tiny_encoder(tmp_path / "tiny")
    if spoil:
        spoil(folder)
    name = load_encoder(str(folder)).name
    moved = tmp_path / "moved" / "there"
    shutil.copytree(folder, moved)
    assert load_encoder(str(moved)).name != name
    assert same_encoder(load_encoder(str(moved)).name, name)
    other = tiny_encoder(tmp_path / "other", seed=2)
    shutil.copy(other / "model.safetensors", folder)
    assert not same_encoder(load_encoder(str(folder)).name, name)
    with pytest.raises(EncoderError, match=r"no longer holds the encoder sha256:.*Build the index again"):
        load_encoder(name)
    shutil.rmtree(folder)
    with pytest.raises(EncoderError, match=r"is not there: there is no folder .*name the folder where the earlier one lies"):
        load_encoder(name)


@pytest.mark.parametrize("name", ["org/model", "org/model@refs/pr/1", "BAAI/bge-small-en-v1.5"])
def test_a_model_on_the_hub_is_not_loaded_for_its_name(name: str) -> None:
    found = load_encoder(name)
    assert isinstance(found, SentenceTransformerEncoder)
    assert found.name == load_encoder(found.name).name == name


def test_embeddings_by_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "no key")
    found = load_encoder("openai:text-embedding-3-small")
    assert isinstance(found, EmbeddingsEncoder)
    assert found.name == load_encoder(found.name).name == "openai:text-embedding-3-small"


def test_embeddings_without_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(EncoderError, match=r"'openai:text-embedding-3-small' cannot be set up: OpenAIError: .*Check that its key is set"):
        load_encoder("openai:text-embedding-3-small")


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("minilmm", UnknownNameError, r"no encoder named 'minilmm'\. Did you mean 'minilm'\? Or name a folder, a model on the Hub"),
        ("", UnknownNameError, r"no encoder named ''\. Known: all-MiniLM-L6-v2, minilm"),
        ("a/b/c", UnknownNameError, r"no encoder named 'a/b/c'"),
        ("./nowhere", EncoderError, r"no folder '\./nowhere' with an encoder"),
        ("/nowhere/at/all", EncoderError, r"no folder '/nowhere/at/all' with an encoder"),
        ("opnai:text-embedding-3-small", EncoderError, r"no provider 'opnai' of embeddings\. Did you mean 'openai:text-embedding-3-small'"),
        ("zzzz:x", EncoderError, r"no provider 'zzzz' of embeddings\. Known: azure_ai, .*openai"),
        ("cohere:embed-v4", EncoderError, r"needs the package langchain-cohere, .*Run: pip install langchain-cohere"),
    ],
)
def test_names_that_cannot_be_used(name: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        load_encoder(name)
