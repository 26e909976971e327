"""LangChain's own vector store over FAISS, as its users call it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from ...index.card import ModelCard
from ...index.minilm import Encoder
from ...index.text import card_text
from ...tools.errors import MissingExtraError


class LangChainFaiss:
    """`FAISS.from_texts` and `similarity_search(query, k, filter={"task": task})`, everything else left as it is.

    The store fetches the 20 nearest cards (`fetch_k`) and filters those: under a filter it may give few cards, or none.

    Raises:
        MissingExtraError: langchain-community is not installed.
    """

    def __init__(self, cards: Sequence[ModelCard], encoder: Encoder) -> None:
        try:
            with warnings.catch_warnings():
                # The package says on import that nobody maintains it any more: true, and a reason to compare with it, not to rely on it.
                warnings.filterwarnings("ignore", message="`langchain-community` is being sunset", category=DeprecationWarning)
                from langchain_community.vectorstores import FAISS
        except ImportError as e:
            raise MissingExtraError("langchain-community", "evaluation") from e
        from langchain_core.embeddings import Embeddings

        class Encoded(Embeddings):
            """The encoder, for LangChain."""

            def embed_documents(self, texts: list[str]) -> list[list[float]]:
                return [[float(x) for x in v] for v in encoder.encode(texts)]

            def embed_query(self, text: str) -> list[float]:
                return self.embed_documents([text])[0]

        self._cards = cards
        facts = [{"task": c.task, "number": i} for i, c in enumerate(cards)]
        self._store = FAISS.from_texts([card_text(c) for c in cards], Encoded(), facts)

    def rank(self, query: str, *, task: str | None, k: int) -> Sequence[ModelCard]:
        """What the store finds."""
        found = self._store.similarity_search(query, k=k, filter=None if task is None else {"task": task})
        return [self._cards[d.metadata["number"]] for d in found]
