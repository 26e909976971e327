"""The planner that needs no language model: one forward pass, a trained head over the table of tasks, and a typed search."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ....index.minilm import MiniLM
from ....tools.task import HubTask, Kind, Port, TaskTable
from ...checker import check
from ...errors import WeightsError
from ...plan import Plan, PlannedTask
from ...request import Request
from .english import is_english
from .nodes import Node, nodes
from .reading import Reading, absent_files, read
from .scoring import Scorer, Scores
from .search import Link, choose, complete, feasible, margin, ordered, wire
from .spoken import Spoken
from .telling import KINDS, Told, literals, tell
from .unseen import Unseen
from .weights import SHIPPED, Decoding, Weights, other_encoder, same_encoder
from .wiring import Wiring

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_RUN, _CHAT, _ASK = 0, 1, 2
_SHOWN = 5
_LIKELY, _CERTAIN = 0.75, 0.9
_RUNS_ANYWAY = 0.3
_MOST_WORDS = 6
_GUESSED = 0.9  # from what confidence on a plan is named as a guess, though the request does not look English
_NOT_ENGLISH = (
    "The request does not look English, and this planner understands nothing else.{guess} Please say it in English. Other languages are "
    "planned by a language model (--llm MODEL), or by a planner that was trained on an encoder of many languages (--encoder FOLDER "
    "--planner FILE)."
)


@dataclass(frozen=True, kw_only=True)
class _Choice:
    """What was chosen for one request: positions of tasks in order, links, and where each is spoken of."""

    order: list[int]
    links: list[Link]
    sure: float
    weakest: float


@dataclass(frozen=True, kw_only=True)
class _Table:
    """What scores the tasks of one table."""

    tasks: TaskTable
    scorer: Scorer
    unseen: Unseen | None


class EmbeddedPlanner:
    """Plans with MiniLM alone. Free, private, deterministic; one forward pass a plan.

    The table of tasks is an argument. Tasks that training saw, however they are spelt, are recognised best; any other is found by its
    summary and its ports.

    The packaged encoder knows English only. A request that shows signs of another language (see `english`) gives a question that says
    so, names what was guessed with 0.9 or more, and has the confidence 0: where the network is sure of such a request, it is wrong as
    often as not. `plausible` leaves open what it needs, 0.25 to 0.5 for every task. With another encoder, set by its folder, no language
    is looked for.

    Args:
        encoder: a MiniLM to share.
        weights: a file that `hugginggpt train planner` wrote, or what was read of one; default: the one in the package.

    Raises:
        WeightsError: the file is missing, broken, of another version, or trained on another encoder. Raised by the first plan where the
            default is used.
    """

    def __init__(self, encoder: MiniLM | None = None, weights: Weights | Path | str | None = None) -> None:
        self._encoder = encoder or MiniLM()
        self._lock = threading.Lock()
        self._table: _Table | None = None
        if weights is not None:
            self.__dict__["weights"] = _fitting(weights, self._encoder.name)

    @cached_property
    def weights(self) -> Weights:
        """What it plans with."""
        return Weights.load(SHIPPED, self._encoder.name)

    def plan(self, request: Request, tasks: TaskTable) -> Plan:
        """The plan; no tasks when the request asks for none, and a question when it cannot be understood or lacks an input.

        Raises:
            PlanError: what came out cannot be run.
        """
        told = tell(request)
        found = _lacking(self._plan(request, told, tasks), request)
        return found if self._understands(told) else _doubted(found)

    def _plan(self, request: Request, told: Told, tasks: TaskTable) -> Plan:
        if not request.text.strip():
            return Plan(confidence=0.0, question="Nothing was said. Please say what you would like me to do.")
        if not tasks:
            return Plan(confidence=0.0, question="There are no tasks to plan with.")
        scorer, scores = self._scores(told, tasks)
        known = scorer.decoding
        rows = list(tasks.values())
        if not (known.spoken or _runs(request, scores, scorer.rows < 0)):
            return self._nothing(scores, rows)
        choice = self._choose(request, scorer, scores, rows, known)
        if choice.weakest < known.ask_below:
            return Plan(confidence=choice.sure, question=_not_understood([rows[i].name for i in choice.order], self._english))
        planned, missing = self._fill(request, tasks, scores, choice, known)
        if not planned:
            return Plan(confidence=choice.sure, question=_lacks(missing))
        checked = check(Plan(tasks=tuple(planned), confidence=choice.sure), tasks, request.file_names())
        left_out = (f"{t.name} was left out: nothing in the request feeds its {p.name}" for t, p in missing)
        return replace(checked, repairs=(*checked.repairs, *left_out))

    async def aplan(self, request: Request, tasks: TaskTable) -> Plan:
        """`plan` in a thread."""
        return await asyncio.to_thread(self.plan, request, tasks)

    async def astream(self, request: Request, tasks: TaskTable) -> AsyncIterator[PlannedTask]:
        """The tasks of `aplan`, all at once: they are known together."""
        for task in (await self.aplan(request, tasks)).tasks:
            yield task

    def plausible(self, request: Request, tasks: TaskTable) -> Mapping[str, float]:
        """For every task of the table, how likely the request needs it, 0..1; of one that is not understood, 0.25 to 0.5: who knows."""
        import numpy as np

        told = tell(request)
        scorer, scores = self._scores(told, tasks)
        if not self._understands(told):
            return dict(zip(tasks, (0.25 + 0.25 / (1 + np.exp(-scores.tasks))).tolist(), strict=True))
        run = 1.0 if scorer.decoding.spoken else float(scores.mode[_RUN])
        return dict(zip(tasks, (run / (1 + np.exp(-scores.tasks))).tolist(), strict=True))

    @property
    def _english(self) -> bool:
        """Whether the encoder is the packaged one, which knows nothing else."""
        return self._encoder.name == MiniLM.name

    def _understands(self, told: Told) -> bool:
        return not self._english or is_english(told.text, self._encoder.pieces)

    def _scores(self, told: Told, tasks: TaskTable) -> tuple[Scorer, Scores]:
        table = self._for(tasks)
        scores = table.scorer.score(told)
        return table.scorer, table.unseen.score(told, scores) if table.unseen else scores

    def _for(self, tasks: TaskTable) -> _Table:
        with self._lock:
            if self._table is None or self._table.tasks is not tasks:
                scorer = Scorer(self.weights, tasks, self._encoder)
                rows = (scorer.rows < 0).nonzero()[0].tolist()
                unseen = Unseen(tasks, rows, self.weights.head["unseen.weight"], self._encoder) if rows else None
                self._table = _Table(tasks=tasks, scorer=scorer, unseen=unseen)
            return self._table

    def _nothing(self, scores: Scores, rows: Sequence[HubTask]) -> Plan:
        """Small talk, or a question back."""
        sure = round(float(scores.mode.max()), 2)
        if scores.mode[_CHAT] >= scores.mode[_ASK]:
            return Plan(confidence=sure)
        guesses = [rows[i].name for i in (-scores.tasks).argsort()[:1] if scores.tasks[i] > 0]
        return Plan(confidence=sure, question=_not_understood(guesses, self._english))

    def _choose(self, request: Request, scorer: Scorer, scores: Scores, rows: Sequence[HubTask], known: Decoding) -> _Choice:
        found = choose(scores.tasks, known)
        given = _given(request, scores, [rows[i] for i in found])
        chosen = complete(feasible(found, scores.tasks, rows, given), scores.tasks, rows, given, known)
        links = wire(chosen, scorer.links(scores, chosen), rows, given, known)
        weakest = _odds(min(float(scores.tasks[i]) for i in chosen))
        order = ordered(chosen, links, scores.places)
        return _Choice(order=order, links=links, sure=_sure(scores, chosen, known), weakest=weakest)

    def _fill(
        self, request: Request, tasks: TaskTable, scores: Scores, choice: _Choice, known: Decoding
    ) -> tuple[list[PlannedTask], list[tuple[HubTask, Port]]]:
        rows = list(tasks.values())
        places = {i: int(scores.peaks[i]) for i in choice.order}
        files = [(f.name, str(f.kind)) for f in request.files]
        twice = None if known.spoken else [i for i in choice.order if scores.twice[i] > known.twice]
        reading = read(request.text, files, list(places.values()))
        planned = nodes(request, reading, rows, choice.order, choice.links, places, twice)
        if known.spoken:
            at = {n.id: float(scores.places[i]) for n, i in zip(planned, choice.order, strict=True)}
            filled, lost = Spoken(request, literals(request.text, request.files), at).build(planned)
            return filled, [(tasks[name], next(p for p in tasks[name].inputs if p.required)) for name in lost]
        best = _wired(request, reading, tasks, planned)
        if best.missing:  # perhaps a task was heard in the very text that is to be worked on
            strict = read(request.text, files, [])
            other = _wired(request, strict, tasks, nodes(request, strict, rows, choice.order, choice.links, places, twice))
            best = min(best, other, key=lambda w: len(w.missing))
        return best.planned, best.missing


def _wired(request: Request, reading: Reading, tasks: TaskTable, planned: Sequence[Node]) -> Wiring:
    wiring = Wiring(request=request, reading=reading, tasks=tasks)
    wiring.wire(planned)
    return wiring


def _given(request: Request, scores: Scores, chosen: Sequence[HubTask]) -> set[Kind]:
    """The kinds of input that there are. A few quoted words to choose from are no text to work on."""
    kinds = {k for k, there in zip(KINDS, scores.given, strict=False) if there}
    quotes = [x.text for x in literals(request.text, request.files) if x.kind is Kind.TEXT and x.text not in request.file_names()]
    chooses = any(p.kind is Kind.LABELS and p.required for t in chosen for p in t.inputs)
    texts = any(f.kind.has_text_view for f in request.files) or request.text.strip().count("\n") > 1
    if request.files and chooses and len(quotes) > 1 and not texts and all(len(q.split()) <= _MOST_WORDS for q in quotes):
        kinds.discard(Kind.TEXT)
    return kinds


def _runs(request: Request, scores: Scores, unseen: NDArray[np.bool_]) -> bool:
    """Whether anything is to be run. What is small talk beside the known tasks may be a wish for one that training never saw; asking back
    is for requests that bring nothing along, or that no task is likely to be meant by."""
    mode, likely = int(scores.mode.argmax()), _odds(float(scores.tasks.max()))
    if unseen.any() and scores.tasks[unseen].max() > 0:
        return True
    if mode == _ASK and (request.files or any(turn.made for turn in request.history)):
        return likely > _LIKELY
    return mode == _RUN or (mode == _CHAT and likely > _CERTAIN)


def _sure(scores: Scores, chosen: Sequence[int], known: Decoding) -> float:
    """0..1: how often a choice of tasks by such a margin was right on requests that were held out from training."""
    run = 1.0 if known.spoken else max(float(scores.mode[_RUN]), _RUNS_ANYWAY)
    return round(run * _odds(known.slope * margin(scores.tasks, chosen) + known.shift), 2)


def _odds(logit: float) -> float:
    """The probability of log-odds."""
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))


def _fitting(weights: Weights | Path | str, encoder: str) -> Weights:
    """Weights that were trained on this encoder. Raises WeightsError."""
    if not isinstance(weights, Weights):
        return Weights.load(weights, encoder)
    if not same_encoder(weights.encoder, encoder):
        told = f"The planner's weights were trained on {weights.encoder!r}, and {encoder!r} is to plan with them."
        raise WeightsError(told, remedy=other_encoder(weights.encoder, encoder))
    return weights


def _lacking(plan: Plan, request: Request) -> Plan:
    """The plan, and that files are named which were not given; where none is given, it may name one to be made."""
    absent = absent_files(request.text, request.file_names())
    told = f"{', '.join(absent[:_SHOWN])} {'is' if len(absent) == 1 else 'are'} named and not attached"
    if absent and plan.question:
        return replace(plan, question=f"{plan.question} ({told}.)")
    return replace(plan, repairs=(*plan.repairs, told)) if absent and plan.tasks and request.files else plan


def _doubted(plan: Plan) -> Plan:
    """What is left of a plan for a request that does not look English: a question."""
    sure = (plan.confidence or 0.0) >= _GUESSED
    return Plan(confidence=0.0, question=_NOT_ENGLISH.format(guess=_hint([t.task for t in plan.tasks] if sure else [])))


def _hint(guesses: Sequence[str]) -> str:
    return f" Did you mean {' and '.join(dict.fromkeys(guesses))}?" if guesses else ""


def _not_understood(guesses: Sequence[str], english: bool) -> str:
    how = "in other words, in English," if english else "in other words,"
    return f"I am not sure what you would like me to do.{_hint(guesses)} Please say it {how} and attach the files it is about."


def _lacks(missing: Sequence[tuple[HubTask, Port]]) -> str:
    task, port = missing[0]
    how = (
        "name the choices, as in 'A, B or C'"
        if port.kind is Kind.LABELS
        else "say it"
        if port.kind is Kind.NUMBER
        else "attach it" + (" or quote it" if port.kind is Kind.TEXT else "")
    )
    return f"For {task.name} I need {port.description or port.name} ({port.kind}). Please {how}."
