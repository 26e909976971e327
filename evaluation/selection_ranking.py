"""Which re-ranker an evaluation of selection is made with: never one that has seen the requests, unless that is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..index.minilm import Encoder
from ..index.model_card_index import ModelCardIndex
from ..index.problems import Problems
from ..index.ranking.reranker import shipped_reranker
from .datasets.selection_data import SelectionData
from .remembering import Remembering
from .training.reranker import FOLDS, cross_fit, enough, requests_digest
from .training.reranker_lists import own_requests, own_texts, search_all

CROSS_FITTED, SHIPPED, NONE = "cross-fitted", "shipped", "none"


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """An index with the re-ranker that its answers are to be judged with.

    Attributes:
        index: the index.
        told: which re-ranker that is: `cross-fitted`, `shipped` or `none`.
        note: for a reader of the figures.
    """

    index: ModelCardIndex
    told: str
    note: str


def fairly_ranked(
    index: ModelCardIndex, data: SelectionData, encoder: Encoder, *, shipped: bool, on_encoded: Callable[[int, int], None] | None
) -> Ranked:
    """The index with the re-ranker that ships where it has not seen these requests, and with cross-fitted ones where it has.

    Args:
        index: what is evaluated.
        data: requests.
        encoder: the index's.
        shipped: take the one that ships in any case.
        on_encoded: told how many texts are encoded, and of how many.
    """
    seen = requests_digest(data) in shipped_reranker().seen
    if shipped or not seen:
        note = "has seen every one of these requests: the figures say nothing of others" if seen else "has not seen these requests"
        return Ranked(index=index, told=SHIPPED, note=f"The re-ranker that ships {note}.")
    remembering = Remembering(encoder)
    remembering.keep(own_texts(), on_encoded)
    searches = list(search_all(data, index, Problems(), _unheard))
    if not enough(searches):
        return Ranked(
            index=index.with_reranker(None),
            told=NONE,
            note="Not re-ranked: the re-ranker that ships has seen these requests, and there are too few in this index to train others.",
        )
    ranker = cross_fit(searches, own_requests(remembering), seed=0, on_progress=_unheard)
    return Ranked(
        index=index.with_reranker(ranker),
        told=CROSS_FITTED,
        note=f"The re-ranker that ships has seen these requests. The figures are cross-fitted: each was ranked by one of {FOLDS} that were "
        "trained on requests for other models. Seconds a case leave out encoding, which the training had done before.",
    )


def _unheard(stage: str, done: int, of: int) -> None:
    """Where nobody listens."""
