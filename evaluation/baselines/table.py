"""The baselines by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ...index.card import ModelCard
from ...index.errors import CardError, UnknownNameError
from ...index.minilm import Encoder
from ...tools.errors import MissingExtraError
from .baseline import Baseline
from .bm25 import Bm25
from .langchain_faiss import LangChainFaiss
from .most_downloads import MostDownloads
from .nearest import Nearest

BASELINES: Mapping[str, Callable[[Sequence[ModelCard], Encoder], Baseline]] = {
    "most-downloads": lambda cards, _: MostDownloads(cards),
    "bm25": lambda cards, _: Bm25(cards),
    "minilm": Nearest,
    "langchain-faiss": LangChainFaiss,
}
NEED_VECTORS = frozenset({"minilm", "langchain-faiss"})


@dataclass(frozen=True, kw_only=True)
class Made:
    """Baselines that are ready.

    Attributes:
        baselines: by name.
        left_out: why others are not there, by name.
    """

    baselines: Mapping[str, Baseline]
    left_out: Mapping[str, str]


def check_names(names: Iterable[str]) -> tuple[str, ...]:
    """The names, each once. Raises UnknownNameError when there is no such baseline."""
    checked = tuple(dict.fromkeys(names))
    for name in checked:
        if name not in BASELINES:
            raise UnknownNameError("baseline", name, BASELINES)
    return checked


def make_baselines(names: Sequence[str], cards: Sequence[ModelCard], encoder: Encoder) -> Made:
    """Make them, which may take a while. One whose library is missing, or that these cards do not allow, is left out."""
    baselines: dict[str, Baseline] = {}
    left_out: dict[str, str] = {}
    for name in names:
        try:
            baselines[name] = BASELINES[name](cards, encoder)
        except (MissingExtraError, CardError) as e:
            left_out[name] = str(e)
    return Made(baselines=baselines, left_out=left_out)
