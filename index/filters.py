"""Hard filters on model cards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .card import MOST, ModelCard
from .errors import CallerError


@dataclass(frozen=True, kw_only=True)
class CardFilter:
    """Hard filters, applied inside the search. A card whose fact is unknown does not pass a filter on that fact.

    Attributes:
        license: Hub licence ids, any of which will do.
        language: ISO 639-1 code that the card must list.
        library: Hub library name.
        max_parameters: number of weights at most.
        max_bytes: size of the weights at most.
        gated: False leaves out models that ask for consent.
        provider: an inference provider that must serve the model.
        ids: only these models; None for all.
        where: any further condition, such as "runnable here". It is asked of the best cards first, until enough of them pass; where few
            pass, it is asked of every card of the task.
    """

    license: tuple[str, ...] = ()
    language: str | None = None
    library: str | None = None
    max_parameters: int | None = None
    max_bytes: int | None = None
    gated: bool | None = None
    provider: str | None = None
    ids: frozenset[str] | None = None
    where: Callable[[ModelCard], bool] | None = None

    def __post_init__(self) -> None:
        if isinstance(self.license, str) or isinstance(self.ids, str):
            raise CallerError("CardFilter: license and ids are collections of ids, not one.", remedy='Give ("mit",), for example.')
        object.__setattr__(self, "license", tuple(self.license))
        object.__setattr__(self, "ids", None if self.ids is None else frozenset(self.ids))
        kinds = {"language": str, "library": str, "provider": str, "max_parameters": int, "max_bytes": int, "gated": bool}
        for name, kind in kinds.items():
            value: object = getattr(self, name)
            if value is not None and type(value) is not kind:
                raise CallerError(f"CardFilter: {name} must be of type {kind.__name__}, not {value!r:.80}.")
        for name in ("max_parameters", "max_bytes"):
            most: int | None = getattr(self, name)
            if most is not None and not 1 <= most <= MOST:
                raise CallerError(f"CardFilter: {name} must be from 1 to 2**63 - 1, not {most!r:.80}.")
        if not all(isinstance(v, str) for v in (*self.license, *(self.ids or ()))):
            raise CallerError("CardFilter: license and ids must hold strings.", remedy='Give ("mit",), for example.')

    @property
    def on_facts(self) -> CardFilter | None:
        """The part that the index answers from its tables: without `where`; None when nothing is left."""
        part = CardFilter(**{n: getattr(self, n) for n in self.__dataclass_fields__ if n != "where"})
        return None if part == CardFilter() else part

    def passes(self, card: ModelCard) -> bool:
        """Whether a card meets every condition."""
        return (
            (not self.license or card.license in self.license)
            and (self.language is None or self.language in card.languages)
            and (self.library is None or card.library == self.library)
            and (self.max_parameters is None or (card.parameters is not None and card.parameters <= self.max_parameters))
            and (self.max_bytes is None or (card.bytes is not None and card.bytes <= self.max_bytes))
            and (self.gated is None or card.gated is self.gated)
            and (self.provider is None or self.provider in card.providers)
            and (self.ids is None or card.id in self.ids)
            and (self.where is None or self.where(card))
        )
