"""Tiny models of the tasks that compare texts: vectors, similarity, ranking, retrieval."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import transformers as T

from tests.local_models.case import Case
from tests.local_models.samples import Samples
from tests.local_models.tokenizers import BERT, labels, save, word_tokenizer

DOCUMENTS = ["A cat sat on the mat.", "Paris is the capital of France.", "A cat sat on the mat."]


def encoder(folder: Path) -> None:
    tokenizer = word_tokenizer()
    save(folder, tokenizer, T.BertModel(T.BertConfig(vocab_size=len(tokenizer), **BERT), add_pooling_layer=False))


def bi_encoder(folder: Path) -> None:
    """With a dense layer of 16, and vectors of length 1."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Dense, Transformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling

    plain = folder.with_name(folder.name + ".plain")
    plain.mkdir()
    encoder(plain)
    SentenceTransformer(modules=[Transformer(str(plain)), Pooling(32), Dense(32, 16), Normalize()], device="cpu").save(
        str(folder), create_model_card=False
    )
    shutil.rmtree(plain)


def pair_classifier(folder: Path) -> None:
    tokenizer = word_tokenizer()
    save(folder, tokenizer, T.BertForSequenceClassification(T.BertConfig(vocab_size=len(tokenizer), **BERT, **labels("LABEL_0"))))


def cross_encoder(folder: Path) -> None:
    from sentence_transformers import CrossEncoder

    plain = folder.with_name(folder.name + ".plain")
    plain.mkdir()
    pair_classifier(plain)
    CrossEncoder(str(plain), device="cpu", local_files_only=True).save(str(folder), create_model_card=False)
    shutil.rmtree(plain)


def unit_vector(values: Mapping[str, Any], samples: Samples) -> None:
    assert len(values["embedding"]) >= 16
    assert sum(x * x for x in values["embedding"]) == pytest.approx(1, abs=0.02)


def a_vector(values: Mapping[str, Any], samples: Samples) -> None:
    assert len(values["embedding"]) in (32, 768, 384)
    assert any(values["embedding"])


def same_is_one(values: Mapping[str, Any], samples: Samples) -> None:
    same, other = values["scores"]
    assert same == pytest.approx(1, abs=0.02)
    assert -1 <= other < same


def cats_before_paris(values: Mapping[str, Any], samples: Samples) -> None:
    same_is_one(values, samples)
    assert values["scores"][1] < 0.5


def in_order(ranking: list[dict[str, Any]]) -> None:
    scores = [e["score"] for e in ranking]
    assert scores == sorted(scores, reverse=True)
    assert sorted(e["index"] for e in ranking) == list(range(len(DOCUMENTS)))
    assert all(e["text"] == DOCUMENTS[e["index"]] for e in ranking)
    of = {e["index"]: e["score"] for e in ranking}
    assert of[0] == pytest.approx(of[2], abs=0.01)


def ranked(values: Mapping[str, Any], samples: Samples) -> None:
    in_order(values["ranking"])
    assert values["best"] == values["ranking"][0]["text"]


def paris_first(values: Mapping[str, Any], samples: Samples) -> None:
    ranked(values, samples)
    assert values["best"] == DOCUMENTS[1]


def retrieved(values: Mapping[str, Any], samples: Samples) -> None:
    in_order(values["documents"])


def paris_found(values: Mapping[str, Any], samples: Samples) -> None:
    retrieved(values, samples)
    assert values["documents"][0]["index"] == 1


_QUERY = {"query": "What is the capital of France?", "documents": DOCUMENTS}

CASES: tuple[Case, ...] = (
    Case(
        task="feature-extraction",
        kind="sentence-transformer",
        build=bi_encoder,
        inputs=lambda s: {"text": "A cat sat on the mat."},
        check=unit_vector,
        live="sentence-transformers/all-MiniLM-L6-v2",
        half=True,
    ),
    Case(
        task="feature-extraction",
        kind="bert",
        build=encoder,
        inputs=lambda s: {"text": "A cat sat on the mat."},
        check=a_vector,
        half=True,
    ),
    Case(
        task="sentence-similarity",
        kind="sentence-transformer",
        build=bi_encoder,
        inputs=lambda s: {"source_sentence": DOCUMENTS[0], "sentences": [DOCUMENTS[0], DOCUMENTS[1]]},
        check=same_is_one,
        live="sentence-transformers/all-MiniLM-L6-v2",
        live_check=cats_before_paris,
        half=True,
    ),
    Case(
        task="text-ranking",
        kind="cross-encoder",
        build=cross_encoder,
        inputs=lambda s: _QUERY,
        check=ranked,
        live="cross-encoder/ms-marco-MiniLM-L6-v2",
        live_check=paris_first,
        half=True,
    ),
    Case(task="text-ranking", kind="one-label", build=pair_classifier, inputs=lambda s: _QUERY, check=ranked, half=True),
    Case(
        task="text-ranking",
        kind="sentence-transformer",
        build=bi_encoder,
        inputs=lambda s: _QUERY,
        check=ranked,
        live="sentence-transformers/all-MiniLM-L6-v2",
        live_check=paris_first,
        half=True,
    ),
    Case(
        task="text-retrieval",
        kind="sentence-transformer",
        build=bi_encoder,
        inputs=lambda s: _QUERY,
        check=retrieved,
        live="sentence-transformers/all-MiniLM-L6-v2",
        live_check=paris_found,
        half=True,
    ),
)
