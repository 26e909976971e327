"""LangChain's own tests of a retriever, and what LangChain does not ask for."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_tests.integration_tests import RetrieversIntegrationTests

from langchain_hugginggpt.index import CardFilter, ModelCardIndex
from langchain_hugginggpt.index.retriever import ModelCardRetriever
from tests.fakes import WordEncoder
from tests.index.cards import CARDS, CATS, WORDS

ZOO = ModelCardIndex.from_cards(CARDS, encoder=WordEncoder(*WORDS))


class TestStandard(RetrieversIntegrationTests):
    @property
    def retriever_constructor(self) -> type[ModelCardRetriever]:
        return ModelCardRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {}

    @property
    def retriever_query_example(self) -> str:
        return "read the words in a picture"


def test_a_document_holds_text_and_facts() -> None:
    document = ZOO.as_retriever(task="image-classification", k=1).invoke("cats")[0]
    (hit,) = ZOO.search("cats", task="image-classification", limit=1)
    assert document == Document(
        page_content=CATS.text,
        id="zoo/cats",
        metadata={
            **{k: v for k, v in CATS.as_json().items() if k != "text"},
            "score": hit.score,
            "why": hit.why,
        },
    )


def test_filters_apply() -> None:
    found = ZOO.as_retriever(filters=CardFilter(language="de")).invoke("cats")
    assert [d.id for d in found] == ["zoo/dogs"]


def test_k_is_ten_at_first_and_can_be_given_for_one_call() -> None:
    retriever = ZOO.as_retriever()
    assert retriever.k == 10
    assert len(retriever.invoke("cats", k=2)) == 2
    assert len(retriever.invoke("cats")) == 5


async def test_async_gives_the_same() -> None:
    retriever = ZOO.as_retriever(task="image-to-text")
    assert await retriever.ainvoke("cats") == retriever.invoke("cats")


def test_batches() -> None:
    assert [[d.id for d in found] for found in ZOO.as_retriever(k=1).batch(["birds", "words"])] == [["zoo/unknown"], ["zoo/read"]]


def test_a_default_retriever_searches_the_embedded_catalogue() -> None:
    assert ModelCardRetriever(k=1, task="text-to-speech").invoke("espeak")[0].metadata["task"] == "text-to-speech"


@pytest.mark.parametrize("k", [-1])
def test_a_k_below_one_is_refused(k: int) -> None:
    with pytest.raises(Exception, match="limit must be 1 or more"):
        ZOO.as_retriever(k=k).invoke("cats")
