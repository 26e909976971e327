"""Tiny models of the tasks on text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import transformers as T

from tests.local_models.case import Case
from tests.local_models.samples import Samples
from tests.local_models.tokenizers import word_tokenizer

BERT: dict[str, Any] = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 37, "max_position_embeddings": 128
}  # fmt: skip


def labels(*names: str) -> dict[str, Any]:
    """Arguments of a config that name its classes."""
    return {"id2label": dict(enumerate(names)), "label2id": {n: i for i, n in enumerate(names)}}


def save(folder: Path, *parts: Any) -> None:
    """Write a model and what belongs to it."""
    for part in parts:
        part.save_pretrained(folder)


def text_classifier(folder: Path) -> None:
    tokenizer = word_tokenizer()
    config = T.BertConfig(vocab_size=len(tokenizer), **BERT, **labels("NEGATIVE", "POSITIVE"))
    save(folder, tokenizer, T.BertForSequenceClassification(config))


def two_classes(values: Mapping[str, Any], samples: Samples) -> None:
    assert {e["label"] for e in values["labels"]} == {"NEGATIVE", "POSITIVE"}
    assert sum(e["score"] for e in values["labels"]) == pytest.approx(1, abs=0.01)


def positive(values: Mapping[str, Any], samples: Samples) -> None:
    assert values["labels"][0]["label"].upper().startswith("POS")


CASES = (
    Case(
        task="text-classification",
        kind="bert",
        build=text_classifier,
        inputs=lambda s: {"text": "I love this great movie"},
        check=two_classes,
        live="distilbert/distilbert-base-uncased-finetuned-sst-2-english",
        live_check=positive,
        half=True,
    ),
)
