"""Tools that nobody has, with requests for them: what teaches the planner to find a tool by what it says of itself.

The network does not learn from them (its attention does not carry over to other tools); the weights of `Unseen` do.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, Field

from ...agent.planners.embedded.scoring import Scorer
from ...agent.planners.embedded.telling import tell
from ...agent.planners.embedded.unseen import FEATURES, Unseen, parts_of
from ...agent.planners.embedded.weights import Weights
from ...index.minilm import MiniLM
from ...tools.hub_tasks import HUB_TASKS
from ...tools.task import HubTask, Kind, Port, TaskTable
from .logistic import logistic
from .own import FOLDER
from .samples import held_out
from .written import Written, parse_file, read_written

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ...index.minilm import Floats

TOOLS_FILE = "tools.jsonl"
_AMONG, _TENTH, _EVERY = 25, 10, 8
_THRESHOLD = -0.5  # log-odds: a tool that is missed costs more than one too many, which can be seen in the plan
TOOLS = FOLDER / TOOLS_FILE


class _Asked(BaseModel):
    text: str
    files: tuple[str, ...] = ()
    plan: tuple[tuple[str, tuple[int, ...]], ...]


class _Tool(BaseModel):
    name: str
    summary: str
    inputs: tuple[Kind, ...]
    outputs: Annotated[tuple[Kind, ...], Field(min_length=1)]
    requests: tuple[_Asked, ...]

    @property
    def task(self) -> HubTask:
        return HubTask(
            name=self.name,
            summary=self.summary,
            inputs=tuple(Port(name=f"{k.value}_{i}", kind=k) for i, k in enumerate(self.inputs)),
            outputs=tuple(Port(name=f"{k.value}_{i}", kind=k) for i, k in enumerate(self.outputs)),
        )


def invented(path: Path = TOOLS) -> tuple[TaskTable, list[tuple[Written, bool]]]:
    """The Hub's tasks with the invented tools behind them; and requests, each with whether it is held out: every tenth tool is, with all
    requests that want it."""
    tools = [_Tool.model_validate_json(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    return HUB_TASKS.plus(t.task for t in tools), list(_requests(tools))


def _requests(tools: list[_Tool]) -> Iterator[tuple[Written, bool]]:
    held = {t.name for t in tools if held_out(t.name, _TENTH)}
    for tool in tools:
        for asked in tool.requests:
            names = tuple(name for name, _ in asked.plan)
            links = tuple((a, b) for b, (_, parents) in enumerate(asked.plan) for a in parents)
            files = tuple(parse_file(f) for f in asked.files)
            yield Written(text=asked.text, files=files, tasks=names, links=links), bool(held & {tool.name, *names})


@dataclass(frozen=True, kw_only=True)
class Learnt:
    """What was learnt of finding tasks that training never saw.

    Attributes:
        weights: (9,) of `Unseen`.
        n_f1: micro F1, in percent, on requests for the tools that were held out, each tool among all of these.
        false_alarms: percent of requests that want none of these tools and are given one.
    """

    weights: Floats
    n_f1: float
    false_alarms: float


def fit_unseen(weights: Weights, encoder: MiniLM, *, seed: int, on_progress: Callable[[str, int, int], None], path: Path = TOOLS) -> Learnt:
    """Learn to find a task by what it says of itself: on requests for invented tools, and on written ones that want none of them.

    Args:
        weights: a planner's, trained on the Hub's tasks.
        encoder: a MiniLM to share.
        seed: of the tools among which each is to be found.
        on_progress: called with a stage, how many requests are done, and of how many.
        path: the tools; at least one must be held out, and one not. The written requests lie beside it.
    """
    import numpy as np

    table, requests = invented(path)
    names, first = list(table), len(HUB_TASKS)
    free = [i for i in range(first, len(names)) if not held_out(names[i], _TENTH)]
    held = [i for i in range(first, len(names)) if held_out(names[i], _TENTH)]
    others = [w for w in read_written(sorted(path.parent.glob("*.txt")), HUB_TASKS) if w.mode == "run"][::_EVERY]
    requests += [(w, held_out(w.text, _TENTH)) for w in others]
    scorer, unseen = Scorer(weights, HUB_TASKS, encoder), Unseen(table, range(first, len(names)), np.zeros(FEATURES, np.float32), encoder)
    chance = random.Random(seed)  # noqa: S311  # not for secrets
    kept: list[tuple[Floats, list[bool]]] = []
    tried: list[tuple[Floats, list[bool]]] = []
    for done, (written, is_held) in enumerate(requests, 1):
        told = tell(written.request)
        mine = [i for n in written.tasks if (i := names.index(n)) >= first]
        rows = sorted({*mine, *(held if is_held else chance.sample(free, min(_AMONG, len(free))))})
        features, _ = unseen.features(parts_of(told.text), told, scorer.score(told), rows)
        (tried if is_held else kept).append((features, [r in mine for r in rows]))
        on_progress("invented tools", done, len(requests))
    found = logistic(np.concatenate([f for f, _ in kept]), np.concatenate([y for _, y in kept]).astype(np.float32))
    found[-1] -= _THRESHOLD  # what is above the threshold is above 0
    return Learnt(weights=found, **_figures([(f @ found > 0, np.array(y)) for f, y in tried]))


def _figures(cases: list[tuple[NDArray[np.bool_], NDArray[np.bool_]]]) -> dict[str, float]:
    wanting = [(taken, wanted) for taken, wanted in cases if wanted.any()]
    both = sum(int((taken & wanted).sum()) for taken, wanted in wanting)
    either = sum(int(taken.sum() + wanted.sum()) for taken, wanted in wanting)
    alarms = [bool(taken.any()) for taken, wanted in cases if not wanted.any()]
    return {
        "n_f1": round(200 * both / max(1, either), 1),
        "false_alarms": round(100 * sum(alarms) / max(1, len(alarms)), 1),
    }
