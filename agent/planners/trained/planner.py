"""A planner that was trained on labelled requests: one forward pass, a head over the table of tasks, and a typed search."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ....index.minilm import MiniLM
from ....tools.task import HubTask, Kind, Port, Role, TaskTable
from ...checker import check
from ...plan import Argument, Plan, PlannedTask, Ref
from ...request import Request
from .literals import Literal, literals, sentence_at
from .scoring import Scorer, Scores
from .search import Link, choose, gives, ordered, wire
from .weights import TrainedWeights

if TYPE_CHECKING:
    from ....index.minilm import Floats

_ASK_BELOW = 0.2
_USED, _QUESTION = 270, 135  # characters by which a text that is used already, or that is (no) question, counts as further away


class TrainedPlanner:
    """Plans with weights that `hugginggpt train planner` wrote. Free, private, deterministic; one forward pass of MiniLM a plan.

    The table of tasks is an argument. A task that training never saw is scored by its description alone, which 23 tools are too few to
    learn (benchmarks/RESULTS.md): train on the tasks that you plan with.

    Args:
        weights: a file, or what was read of one.
        encoder: a MiniLM to share.

    Raises:
        WeightsError: the file is missing, broken, or of another version.
    """

    def __init__(self, weights: TrainedWeights | Path | str, encoder: MiniLM | None = None) -> None:
        self.weights = weights if isinstance(weights, TrainedWeights) else TrainedWeights.load(weights)
        self._encoder = encoder or MiniLM()
        self._lock = threading.Lock()
        self._scorer: tuple[TaskTable, Scorer] | None = None

    def plan(self, request: Request, tasks: TaskTable) -> Plan:
        """The plan; a question back when nothing in the table is likely to be meant.

        Raises:
            PlanError: what came out cannot be run.
        """
        scorer = self._for(tasks)
        found = literals(request.text, request.files)
        scores = scorer.score(request.text, found)
        chosen = choose(scores.tasks, self.weights.decoding)
        sure = _sure(scores.tasks, chosen)
        if not request.text.strip() or sure < _ASK_BELOW:
            return Plan(confidence=sure, question="I am not sure what you would like me to do. Please say it in other words.")
        rows = list(tasks.values())
        links = wire(chosen, scorer.links(scores, chosen), rows, {x.kind for x in found}, self.weights.decoding)
        planned, left_out = _Building(request, rows, found, scores).build(ordered(chosen, links, scores.places), links)
        if not planned:
            return Plan(confidence=sure, question=f"For {left_out[0]} I lack an input. Please attach it, or quote it.")
        checked = check(Plan(tasks=tuple(planned), confidence=sure), tasks, request.file_names())
        repairs = (f"{name} was left out: nothing in the request feeds it" for name in left_out)
        return Plan(tasks=checked.tasks, confidence=sure, repairs=(*checked.repairs, *repairs))

    async def aplan(self, request: Request, tasks: TaskTable) -> Plan:
        """`plan` in a thread."""
        return await asyncio.to_thread(self.plan, request, tasks)

    async def astream(self, request: Request, tasks: TaskTable) -> AsyncIterator[PlannedTask]:
        """The tasks of `aplan`, all at once: they are known together."""
        for task in (await self.aplan(request, tasks)).tasks:
            yield task

    def _for(self, tasks: TaskTable) -> Scorer:
        with self._lock:
            if self._scorer is None or self._scorer[0] is not tasks:
                self._scorer = (tasks, Scorer(self.weights, tasks, self._encoder))
            return self._scorer[1]


def _sure(scores: Floats, chosen: Sequence[int]) -> float:
    """0..1: the probability of the least likely of the chosen tasks."""
    import numpy as np

    return round(float(1 / (1 + np.exp(-min(float(scores[i]) for i in chosen)))), 2)


class _Building:
    """Fills the ports of chosen tasks: earlier outputs, files, quoted texts, and a sentence of the request where nothing else is left."""

    def __init__(self, request: Request, tasks: Sequence[HubTask], found: Sequence[Literal], scores: Scores) -> None:
        self._request, self._tasks, self._found, self._scores = request, tasks, found, scores
        self._used: dict[str, int] = {}

    def build(self, order: Sequence[int], links: Sequence[Link]) -> tuple[list[PlannedTask], list[str]]:
        """The planned tasks, and the names of those that were left out since a file that they need comes from nowhere."""
        planned: list[PlannedTask] = []
        left_out: list[str] = []
        ids: dict[int, str] = {}
        for row in order:
            parents = [a for a, b in links if b == row and a in ids]
            arguments = self._arguments(row, sorted(parents, key=order.index), ids)
            if arguments is None:
                left_out.append(self._tasks[row].name)
                continue
            ids[row] = str(len(planned) + 1)
            planned.append(PlannedTask(id=ids[row], task=self._tasks[row].name, arguments=arguments))
        return planned, left_out

    def _arguments(self, row: int, parents: Sequence[int], ids: dict[int, str]) -> dict[str, Argument] | None:
        task = self._tasks[row]
        ports = [p for p in task.inputs if p.required]
        filled: dict[str, Argument] = {}
        for parent in parents:
            kind = gives(self._tasks[parent])[0]
            port = next((p for p in _content_first(ports) if p.name not in filled and _takes(p, kind)), None)
            if port is not None:
                filled[port.name] = Ref(task_id=ids[parent])
        texts = 0
        for port in ports:
            if port.name not in filled:
                value = self._literal(row, port, [v for v in filled.values() if isinstance(v, str)], alone=len(ports) == 1)
                if value is None:
                    return None
                filled[port.name] = [value] if port.many else value
            texts += port.kind is Kind.TEXT
        return {p.name: filled[p.name] for p in ports}

    def _literal(self, row: int, port: Port, taken: Sequence[str], *, alone: bool) -> str | None:
        place = float(self._scores.places[row])
        fits = [x for x in self._found if x.text not in taken and _takes(port, x.kind)]
        if port.kind.is_media:
            return min(fits, key=lambda x: abs(x.start - place)).text if fits else None
        if not fits:
            return sentence_at(self._request.text, place, [f.name for f in self._request.files])

        def away(x: Literal) -> float:
            wanted = ("?" in x.text) != alone
            return self._used.get(x.text, 0) * _USED + abs(x.start - place) - _QUESTION * wanted

        best = min(fits, key=away)
        self._used[best.text] = self._used.get(best.text, 0) + 1
        return best.text


def _content_first(ports: Sequence[Port]) -> list[Port]:
    return sorted(ports, key=lambda p: p.role is not Role.CONTENT)


def _takes(port: Port, kind: Kind) -> bool:
    return port.kind is kind or (not port.kind.is_media and not kind.is_media)
