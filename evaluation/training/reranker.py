"""Trains the re-ranker of the index on requests whose right model is known, and scores it on what it has not seen.

Cross-fitting: the requests are dealt to five folds by their right model, whatever the data set, and each is ranked by a re-ranker that was
trained on the other four. What ships is trained on all of them, by the same steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...index.minilm import Encoder
from ...index.model_card_index import ModelCardIndex
from ...index.problems import Problems
from ...index.ranking.evidence import Evidence, Query
from ...index.ranking.reranker import Reranker
from ..bootstrap import Ratio, RatiosOfSums, weights
from ..datasets.selection_data import SelectionData
from ..errors import DatasetError
from ..metrics.retrieval import recall_at
from ..record import Score
from .reranker_fitting import fit, fold_of
from .reranker_lists import Candidates, OnProgress, Requests, own_requests, search_all

if TYPE_CHECKING:
    from ...index.minilm import Floats

FOLDS = 5
SPLITS = 3
"""How often the requests are dealt to folds anew for the figures of a training."""
DEPTHS = (1, 5, 10)
_LEAST = 50


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A re-ranker, and how it scores.

    Attributes:
        reranker: trained on everything.
        figures: by data set: `filtered.r1`, `.r5`, `.r10` and `unfiltered.` the same, cross-fitted; `fused/` in front: before re-ranking.
        sizes: requests by data set.
        problems: what could not be used.
    """

    reranker: Reranker
    figures: Mapping[str, Mapping[str, Ratio]]
    sizes: Mapping[str, int]
    problems: Problems


class CrossFitted:
    """Ranks the cards for each request with a re-ranker that saw no request for the same model.

    Args:
        by_text: the re-ranker of each request.
    """

    def __init__(self, by_text: Mapping[str, Reranker]) -> None:
        self._by_text = by_text

    def of(self, text: str) -> Reranker:
        """The one for a request. Raises KeyError for a request that was not among those that they were made of."""
        return self._by_text[text]

    def scores(self, query: Query, found: Sequence[Evidence]) -> Floats:
        """As `Reranker.scores`. Raises KeyError as `of` does."""
        return self.of(query.text).scores(query, found)


def cross_fit(searches: Sequence[Candidates], own: Requests, *, seed: int, on_progress: OnProgress) -> CrossFitted:
    """Train one re-ranker for each fold.

    Args:
        searches: `enough` of them.
        own: further requests for the classifier of tasks.
        seed: of folds and training.
        on_progress: told how many folds are done.
    """
    folds = [fold_of(s.model, FOLDS, f"outer {seed}") for s in searches]
    by_text: dict[str, Reranker] = {}
    for fold in range(FOLDS):
        reranker = fit([s for s, f in zip(searches, folds, strict=True) if f != fold], own, seed=seed)
        by_text.update((s.query.text, reranker) for s, f in zip(searches, folds, strict=True) if f == fold)
        on_progress("folds", fold + 1, FOLDS)
    return CrossFitted(by_text)


def enough(searches: Sequence[Candidates]) -> bool:
    """Whether there is enough to train on: 50 requests whose right model was found."""
    return len({s.query.text for s in searches if s.right is not None}) >= _LEAST


def requests_digest(data: SelectionData) -> str | None:
    """SHA-256 of the file of requests; None for data that are of no file."""
    digests: Mapping[str, str] = data.settings.get("sha256", {})
    return digests.get("instructions")


def train_reranker(sets: Sequence[SelectionData], encoder: Encoder, *, seed: int, on_progress: OnProgress) -> Trained:
    """Train on all the requests of some data sets, and cross-fit for figures.

    Args:
        sets: requests and cards; the same requests may come with different cards.
        encoder: of cards and requests; the re-ranker serves indexes of this encoder best.
        seed: of everything that is random.
        on_progress: told what is done, how much of it, and of how much.

    Raises:
        DatasetError: there are fewer than 50 requests whose right model a search finds.
    """
    problems = Problems()
    searches: list[Candidates] = []
    for data in sets:
        index = ModelCardIndex.from_cards(data.cards, encoder=encoder, source=data.name)
        searches += search_all(data, index, problems, on_progress)
    if not enough(searches):
        raise DatasetError(f"At least {_LEAST} requests whose right model is found are needed.", remedy="Name more data: --data PATH.")
    own = own_requests(encoder)
    figures = _figures(searches, own, seed, on_progress)
    seen = {digest for data in sets if (digest := requests_digest(data))}
    return Trained(
        reranker=replace(fit(searches, own, seed=seed), seen=tuple(sorted(seen))),
        figures=figures,
        sizes={data.name: data.size for data in sets},
        problems=problems,
    )


def _figures(searches: Sequence[Candidates], own: Requests, seed: int, on_progress: OnProgress) -> dict[str, dict[str, Ratio]]:
    rankers: list[CrossFitted] = []
    for split in range(SPLITS):

        def tell(stage: str, done: int, of: int, before: int = split) -> None:
            on_progress(stage, before * of + done, SPLITS * of)

        rankers.append(cross_fit(searches, own, seed=seed + split, on_progress=tell))
    sums: dict[str, RatiosOfSums] = {}
    for search in searches:
        block = "unfiltered" if search.query.task is None else "filtered"
        ranks = [_rank(search, ranker) for ranker in rankers]
        scores: dict[str, Score] = {}
        for k in DEPTHS:
            scores[f"{block}.r{k}"] = sum(recall_at(r, k)[0] for r in ranks) / SPLITS, 1.0
            scores[f"fused/{block}.r{k}"] = recall_at(None if search.right is None else search.right + 1, k)
        sums.setdefault(search.data, RatiosOfSums()).add(scores, weights(search.case))
    return {data: found.ratios() for data, found in sums.items()}


def _rank(search: Candidates, ranker: CrossFitted) -> int | None:
    if search.right is None:
        return None
    scores = ranker.scores(search.query, search.found)
    return 1 + int((scores > scores[search.right]).sum())
