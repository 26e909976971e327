"""Rows in the shapes that people have."""

from __future__ import annotations

from typing import Any

from langchain_hugginggpt.index.card import ModelCard
from langchain_hugginggpt.index.problems import Problems
from langchain_hugginggpt.index.sources import CardSource, SourceCard


def listed(ident: str = "org/name", **changed: Any) -> dict[str, Any]:
    """A row of the Hub's listing."""
    return {
        "_id": "621ffdc036468d709f17434d",
        "id": ident,
        "modelId": ident,
        "pipeline_tag": "text-classification",
        "library_name": "transformers",
        "tags": [
            "transformers", "pytorch", "safetensors", "bert", "text-classification", "en", "fr", "dataset:squad", "dataset:org/data",
            "arxiv:1910.01108", "license:apache-2.0", "base_model:org/base", "endpoints_compatible", "deploy:azure", "region:us",
        ],
        "downloads": 12,
        "likes": 3,
        "gated": False,
        "lastModified": "2026-01-02T03:04:05.000Z",
        "createdAt": "2024-01-02T03:04:05.000Z",
        "safetensors": {"parameters": {"F32": 100, "I64": 2}, "total": 102},
        "inferenceProviderMapping": [
            {"provider": "together", "providerId": "x", "status": "live", "task": "text-classification"},
            {"provider": "hf-inference", "providerId": "y", "status": "live", "task": "text-classification"},
            {"provider": "nebius", "providerId": "z", "status": "staging", "task": "text-classification"},
        ],
        **changed,
    }  # fmt: skip


def card(ident: str = "org/name", **changed: Any) -> ModelCard:
    """The card of `listed(ident)`, when `source` is "here"."""
    facts: dict[str, Any] = {
        "task": "text-classification",
        "library": "transformers",
        "license": "apache-2.0",
        "languages": ("en", "fr"),
        "tags": ("bert", "arxiv:1910.01108", "base_model:org/base"),
        "datasets": ("squad", "org/data"),
        "downloads": 12,
        "likes": 3,
        "parameters": 102,
        "bytes": 416,
        "gated": False,
        "formats": ("pytorch", "safetensors"),
        "providers": ("hf-inference", "together"),
        "last_modified": "2026-01-02",
        "source": "here",
        **changed,
    }
    return ModelCard(id=ident, **facts)


def ids(found: list[SourceCard]) -> list[str]:
    """Ids in their order."""
    return [f.card.id for f in found]


def resumed_anywhere(source: CardSource) -> None:
    """Reading on behind any card gives the very rest of one reading."""
    whole = list(source.read(Problems()))
    assert whole
    assert list(source.read(Problems())) == whole
    for position, found in enumerate(whole, 1):
        rest = list(source.read(Problems(), after=found.cursor))
        assert [(r.card, r.cursor) for r in rest] == [(w.card, w.cursor) for w in whole[position:]]
