"""What a re-ranker is trained on: for each request the cards that a search found, and which of them is the right one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ...index.finding import DEPTH
from ...index.minilm import Encoder
from ...index.model_card_index import ModelCardIndex
from ...index.problems import Problems
from ...index.ranking.evidence import Evidence, Query
from ...tools.hub_tasks import HUB_TASKS
from ..datasets.selection_data import SelectionData
from .written import Written, read_written

if TYPE_CHECKING:
    from ...index.minilm import Floats

OnProgress = Callable[[str, int, int], None]
"""Told what is done, how much of it, and of how much."""
_REQUESTS = Path(__file__).parent / "requests"


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """One search.

    Attributes:
        data: name of the data set.
        case: id of the request.
        model: the right model.
        model_task: its task; `query.task` is the same, or None where cards of all tasks were searched.
        query: what was searched for.
        found: the cards, in the order of the fused ranks.
    """

    data: str
    case: str
    model: str
    model_task: str
    query: Query
    found: tuple[Evidence, ...]

    @property
    def right(self) -> int | None:
        """Where the right card is in `found`; None where it was not found."""
        wanted = (self.model, self.model_task)
        return next((i for i, e in enumerate(self.found) if (e.card.id, e.card.task) == wanted), None)


@dataclass(frozen=True, kw_only=True)
class Requests:
    """Requests whose task is known: what the classifier of tasks learns from beside the searches.

    Attributes:
        tasks: of each.
        vectors: of each, shape (requests, dimension).
    """

    tasks: tuple[str, ...]
    vectors: Floats


def search_all(data: SelectionData, index: ModelCardIndex, problems: Problems, on_progress: OnProgress) -> Iterator[Candidates]:
    """Search an index for every request, among the cards of the right task and then among all."""
    listener = _Listener()
    heard_by = index.with_reranker(listener)
    for done, case in enumerate(data.read(problems), 1):
        for task in (case.task, None):
            listener.heard = None
            heard_by.search(case.query, task=task, limit=DEPTH)
            if listener.heard is not None:
                query, found = listener.heard
                yield Candidates(data=data.name, case=case.id, model=case.model, model_task=case.task, query=query, found=found)
        on_progress(f"searches: {data.name}", done, data.size)


def own_requests(encoder: Encoder) -> Requests:
    """This project's own written requests that want one task of the Hub."""
    return Requests(tasks=tuple(w.tasks[0] for w in _own()), vectors=encoder.encode(own_texts()))


def own_texts() -> list[str]:
    """The words of `own_requests`."""
    return [w.text for w in _own()]


@cache
def _own() -> tuple[Written, ...]:
    written = read_written(sorted(_REQUESTS.glob("*.txt")), HUB_TASKS)
    return tuple(w for w in written if w.mode == "run" and len(w.tasks) == 1)


class _Listener:
    """In the place of a re-ranker: keeps what it is asked, and leaves the order as it is."""

    heard: tuple[Query, tuple[Evidence, ...]] | None = None

    def scores(self, query: Query, found: Sequence[Evidence]) -> Floats:
        import numpy as np

        self.heard = query, tuple(found)
        return -np.arange(len(found), dtype=np.float32)
