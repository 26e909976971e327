"""Which models may do a task, and which runner would run each: the index and the runners brought together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..index.errors import UnknownNameError
from .errors import NoExpertError
from .readiness import Order, most_ready
from .runners.forks import in_each_child
from .runners.runner import Availability, Runner

if TYPE_CHECKING:
    from ..index.card import ModelCard
    from ..index.model_card_index import Hit, ModelCardIndex
    from .task import HubTask

_QUERY = 400
_ASKED_ABOUT = 3  # of the best models, to say why none can run


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A model that may do a task.

    Attributes:
        card: its card.
        runner: the runner that would run it.
        score: the index's score, higher is better; 0 for models that were named rather than found.
        why: in a person's words.
    """

    card: ModelCard
    runner: Runner
    score: float
    why: str


class Experts:
    """The models of an index, and the runners that can run them.

    Args:
        index: the model cards, or a function that opens them on first use.
        runners: tried in this order for every card.
        order: what comes first.
    """

    def __init__(
        self, index: ModelCardIndex | Callable[[], ModelCardIndex], runners: Sequence[Runner], *, order: Order = Order.RELEVANCE
    ) -> None:
        self._given = index
        self._opened = None if callable(index) else index
        self._order = order
        self.runners = tuple(runners)
        self._renew_lock()
        in_each_child(self._renew_lock)

    def _renew_lock(self) -> None:
        self._opening = threading.Lock()

    @property
    def index(self) -> ModelCardIndex:
        """The model cards; opened on first use."""
        with self._opening:
            if self._opened is None:
                self._opened = self._given() if callable(self._given) else self._given
            return self._opened

    def availability(self, task: HubTask) -> dict[str, Availability]:
        """By runner: whether it can do this task with any model. Fast; the index is opened only where the user named a model without its
        task."""
        return {r.name: a for r, a in self._told(task)}

    def candidates(self, task: HubTask, query: str = "", *, model: str | None = None, limit: int = 5) -> tuple[Candidate, ...]:
        """Models that can run here, best first.

        Args:
            task: the task.
            query: what is wanted, in words.
            model: id of the one model that is wanted.
            limit: how many at most.

        Raises:
            NoExpertError: none can run here; says why, for each runner.
            UnknownNameError: `model` is not in the index, no runner has it, and a name that is there is much like it.
        """
        if model is not None:
            card = self._named(task, model)
            runner = self._runner_for(task, card)
            if runner is None:
                raise self._none(task, card)
            return (Candidate(card=card, runner=runner, score=0.0, why="named by the caller"),)
        found = self._find(task, query[:_QUERY], limit)
        if not found:
            raise self._none_of_all(task, query[:_QUERY])
        return found

    def considered(self, task: HubTask, query: str = "", *, limit: int = 5) -> tuple[str, ...]:
        """Ids of the models that the index would choose if every one of them could run here, best first.

        Embedded experts are among them only where a runner is there that has such: they can be fetched from nowhere.
        """
        if task.name not in self.index.tasks:  # a search would fall back to other tasks
            return ()
        hits = self.index.search(query[:_QUERY] or task.summary, task=task.name, limit=limit)
        return tuple(h.card.id for h in hits if not h.card.id.startswith("embedded/") or self._supports(task, h.card))

    def _find(self, task: HubTask, query: str, limit: int) -> tuple[Candidate, ...]:
        able = [(r, a) for r, a in self._told(task) if a.ok]
        if not able:
            return ()
        named = [_unlisted(task, i, r, "named for this task") for r, a in able for i in a.named]
        if len(named) >= limit:
            return tuple(named[:limit])
        found = (self._most_ready if self._order is Order.READINESS else self._most_relevant)(task, query, limit, able)
        first = {(c.card.id, c.runner.name) for c in named}
        return (*named, *(c for c in found if (c.card.id, c.runner.name) not in first))[:limit]

    def _told(self, task: HubTask) -> list[tuple[Runner, Availability]]:
        """What each runner says of the task, with the models that the index has for it among those named for it."""
        return [(r, self._bound(task, a) if a.ok and a.unbound else a) for r in self.runners for a in (_asked(r, task),)]

    def _bound(self, task: HubTask, told: Availability) -> Availability:
        from ..index.filters import CardFilter

        known: tuple[str, ...] = ()
        if task.name in self.index.tasks:
            of_task = CardFilter(ids=frozenset(told.unbound), where=lambda card: card.task == task.name)
            found = {h.card.id for h in self.index.search("", task=task.name, filters=of_task, limit=len(told.unbound))}
            known = tuple(i for i in told.unbound if i in found)
        if not known and not told.models and told.models is not None:
            why = "the models whose addresses were named do other tasks, as far as the index knows"
            return Availability(supported=True, ok=False, why=why, remedy=f"Name the address by the task: --endpoint {task.name}=URL.")
        models = None if told.models is None else tuple(dict.fromkeys((*told.models, *known)))
        return replace(told, named=tuple(dict.fromkeys((*told.named, *known))), models=models)

    def _most_relevant(self, task: HubTask, query: str, limit: int, able: _Able) -> tuple[Candidate, ...]:
        """As the index ranks them, each with the first runner that can run it."""
        pairs = [(h.card, h.score, h.why) for h in self._hits(task, query, limit, able)]
        pairs = pairs or [(c, 0.0, "ships with the toolkit") for c in self._shipped(task)]
        found = [(card, _first([r for r, _ in able], task, card), score, why) for card, score, why in pairs]
        if candidates := tuple(Candidate(card=c, runner=r, score=s, why=w) for c, r, s, w in found if r is not None):
            return candidates
        others = {i: r for r, a in reversed(able) for i in reversed(a.models or ()) if i not in a.named}
        why = "is on this machine; the index does not know it"
        return tuple(_unlisted(task, i, r, why) for i, r in reversed(others.items()))[:limit]

    def _most_ready(self, task: HubTask, query: str, limit: int, able: _Able) -> tuple[Candidate, ...]:
        """The best of each runner: where one can run any card, what another has would not be among the best of all."""
        found = [c for r, a in able for c in self._most_relevant(task, query, limit, [(r, a)])]
        return most_ready([(c, _asked(c.runner, task, c.card)) for c in found], limit)

    def _hits(self, task: HubTask, query: str, limit: int, able: _Able) -> list[Hit]:
        """Cards of the task that can run here. Where all runners name their models, no other card is looked at."""
        from ..index.filters import CardFilter

        if task.name not in self.index.tasks:  # a search would fall back to other tasks, whose models do something else
            return []
        told = [a.models for _, a in able if a.models is not None]
        ids = frozenset(m for models in told for m in models) if len(told) == len(able) else None
        runners = [r for r, _ in able]
        runnable = CardFilter(ids=ids, where=lambda card: card.task == task.name and _first(runners, task, card) is not None)
        return self.index.search(query or task.summary, task=task.name, filters=runnable, limit=limit)

    def _named(self, task: HubTask, model: str) -> ModelCard:
        """The card of a model; one that is in no index may be used where a runner has it, as a local runner has your own models."""
        from ..index.card import ModelCard

        try:
            return self.index.get(model, task=task.name)
        except UnknownNameError as e:
            for card in self._shipped(task):
                if card.id == model:
                    return card
            unlisted = ModelCard(id=model, task=task.name, source="named by the caller")
            if self._runner_for(task, unlisted) is not None:
                return unlisted
            if e.nearest is None:
                raise self._none(task, unlisted) from e
            raise

    def _shipped(self, task: HubTask) -> list[ModelCard]:
        """Embedded experts, for indexes that do not hold them."""
        from ..index.catalogue import load_catalogue

        embedded = (c for c in load_catalogue() if c.task == task.name and c.id.startswith("embedded/"))
        return [c for c in embedded if self._runner_for(task, c) is not None]

    def _runner_for(self, task: HubTask, card: ModelCard) -> Runner | None:
        return _first(self.runners, task, card)

    def _supports(self, task: HubTask, card: ModelCard) -> bool:
        return any(_asked(r, task, card).supported for r in self.runners)

    def _none(self, task: HubTask, card: ModelCard) -> NoExpertError:
        return _no_expert(task, {r.name: _asked(r, task, card) for r in self.runners})

    def _none_of_all(self, task: HubTask, query: str) -> NoExpertError:
        """Of a runner that can do the task, but with no model that was found: why not with the best models that are known."""
        answers = {}
        for runner, told in self._told(task):
            answers[runner.name] = told
            if told.ok:
                best = (self.index.get(i, task=task.name) for i in self.considered(task, query, limit=_ASKED_ABOUT))
                refused = ((c, a) for c in best if not (a := _asked(runner, task, c)).ok and a.supported)
                answers[runner.name] = next((replace(a, why=f"{a.why} ({c.id})") for c, a in refused), told)
        return _no_expert(task, answers)


_Able = Sequence[tuple[Runner, Availability]]


def _no_expert(task: HubTask, answers: Mapping[str, Availability]) -> NoExpertError:
    remedies = dict.fromkeys(a.remedy for a in answers.values() if a.remedy)
    reasons = {n: a.why or "it can run none of the models known" for n, a in answers.items()}
    return NoExpertError(task.name, reasons, remedy=" ".join(remedies))


def _unlisted(task: HubTask, ident: str, runner: Runner, why: str) -> Candidate:
    """A model that a runner has and that is in no index, as the local runner has your own, and the hosted one your endpoints."""
    from ..index.card import ModelCard

    return Candidate(card=ModelCard(id=ident, task=task.name, source="named by its runner"), runner=runner, score=0.0, why=why)


def _first(runners: Iterable[Runner], task: HubTask, card: ModelCard) -> Runner | None:
    return next((r for r in runners if _asked(r, task, card).ok), None)


def _asked(runner: Runner, task: HubTask, card: ModelCard | None = None) -> Availability:
    try:
        return runner.availability(task, card)
    except Exception as e:  # a runner may be anyone's: what breaks in it must not keep the others from running
        return Availability(supported=False, ok=False, why=f"it could not tell: {type(e).__name__}: {e!s:.200}")
