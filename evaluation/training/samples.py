"""Labelled requests as numbers to learn from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...agent.planners.trained.literals import literals, shortened
from ...agent.planners.trained.scoring import KINDS
from ...index.minilm import MiniLM
from ...tools.task import Kind, TaskTable
from ..datasets.planning_data import LaidOutPlan, PlanningCase, PlanningData
from ..errors import DatasetError
from ..metrics.taskbench import given_links, names_of
from ..problems import Problems

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

FROZEN = -3
"""The layer of the encoder whose states the trained layers read: the third from the top."""
_FOLDS = 10


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One labelled request, over a table of t tasks.

    Attributes:
        case: where it comes from.
        states: (tokens, 384) float16, of the frozen layer.
        tasks: (t,) of 0 and 1: which tasks are labelled.
        links: (t, t) of 0 and 1, from and to.
        files: (4,) whether the request holds a literal of each kind.
        partial: the label names tasks outside the table as well, so that a missing one may be meant by those.
    """

    case: PlanningCase
    states: NDArray[np.float16]
    tasks: Floats
    links: Floats
    files: Floats
    partial: bool


def held_out(ident: str) -> bool:
    """Whether a case belongs to the tenth that is not trained on: by its id, so that it is the same in every run."""
    return int(hashlib.sha256(ident.encode()).hexdigest(), 16) % _FOLDS == 0


def one_table(sets: Sequence[PlanningData]) -> TaskTable:
    """The table that all sets share. Raises DatasetError when there are two, or no set."""
    if not sets:
        raise DatasetError("There is nothing to train on.", remedy="Name at least one data set: --data PATH.")
    for other in sets[1:]:
        if list(other.tasks) != list(sets[0].tasks):
            raise DatasetError(f"{sets[0].name} and {other.name} have different tool lists.", remedy="Train on sets with one tool list.")
    return sets[0].tasks


def read_samples(
    sets: Iterable[PlanningData], tasks: TaskTable, encoder: MiniLM, problems: Problems, on_read: Callable[[], None] | None = None
) -> list[Sample]:
    """Every labelled case, each id once. Cases without a request, a label, or a labelled task of the table are noted and left out.

    Args:
        sets: data sets over one table.
        tasks: the table.
        encoder: gives the frozen states; some 30 ms a request.
        problems: what was left out.
        on_read: called after each case.
    """
    found: dict[str, Sample] = {}
    rows = {name: i for i, name in enumerate(tasks)}
    for data in sets:
        for case in data.read(problems):
            if case.request is None or case.label is None:
                problems.add("not trained on: no request or no label", case.id)
            elif case.id in found:
                problems.add("not trained on: its id came before", case.id)
            elif (sample := _sample(case, case.label, case.request.text, rows, encoder)) is None:
                problems.add("not trained on: no labelled task is in the table", case.id)
            else:
                found[case.id] = sample
            if on_read is not None:
                on_read()
    return list(found.values())


def _sample(case: PlanningCase, label: LaidOutPlan, text: str, rows: dict[str, int], encoder: MiniLM) -> Sample | None:
    import numpy as np

    names = names_of(label.task_nodes)
    tasks = np.zeros(len(rows), np.float32)
    for name in names:
        if name in rows:
            tasks[rows[name]] = 1
    if not tasks.any():
        return None
    links = np.zeros((len(rows), len(rows)), np.float32)
    for a, b in given_links(label.task_links):
        if a in rows and b in rows and a != b:
            links[rows[a], rows[b]] = 1
    files = case.request.files if case.request else ()
    kinds = {x.kind if x.kind in KINDS else Kind.TEXT for x in literals(text, files)}
    return Sample(
        case=case,
        states=encoder.token_states(shortened(text).text, layer=FROZEN).states.astype(np.float16),
        tasks=tasks,
        links=links,
        files=np.array([float(k in kinds) for k in KINDS], np.float32),
        partial=any(n not in rows for n in names),
    )
