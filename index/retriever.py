"""The index as a LangChain retriever."""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict, Field

from .filters import CardFilter
from .model_card_index import Hit, ModelCardIndex


class ModelCardRetriever(BaseRetriever):
    """Model cards for a query.

    Documents: `page_content` is the card's text, `id` the model's id, `metadata` the card's other fields, `score` and `why`.

    Args:
        index: what is searched; default the embedded catalogue.
        task: only cards of this Hub task.
        filters: hard filters.
        k: how many at most.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    index: ModelCardIndex = Field(default_factory=ModelCardIndex.embedded)
    task: str | None = None
    filters: CardFilter | None = None
    k: int = 10

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun | None = None, k: int | None = None
    ) -> list[Document]:
        hits = self.index.search(query, task=self.task, filters=self.filters, limit=k or self.k)
        return [_document(h) for h in hits]

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun | None = None, k: int | None = None
    ) -> list[Document]:
        hits = await self.index.asearch(query, task=self.task, filters=self.filters, limit=k or self.k)
        return [_document(h) for h in hits]


def _document(hit: Hit) -> Document:
    facts: dict[str, Any] = {k: v for k, v in hit.card.as_json().items() if k != "text"}
    return Document(page_content=hit.card.text, id=hit.card.id, metadata={**facts, "score": hit.score, "why": hit.why})
