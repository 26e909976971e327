"""Labelled requests as numbers to learn from."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...agent.planners.embedded.telling import tell
from ...agent.request import Request
from ...index.minilm import MiniLM
from ...index.problems import Problems
from ...tools.task import TaskTable
from ..datasets.planning_data import LaidOutPlan, PlanningData
from ..errors import DatasetError
from ..metrics.taskbench import given_links, names_of
from .written import Written

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

FROZEN = -3
"""The layer of the encoder whose states the trained layers read: the third from the top."""
RUN, CHAT, ASK = 0, 1, 2
_MODES = {"run": RUN, "chat": CHAT, "ask": ASK}
_FOLDS = 20


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One labelled request, over a table of t tasks.

    Attributes:
        id: of the case.
        request: what was asked.
        states: (tokens, 384) float16, of the frozen layer.
        tasks: (t,) of 0 and 1: which tasks are labelled.
        twice: (t,) of 0 and 1: which of them more than once.
        links: pairs of tasks, from and to.
        given: (12,) what the request brings along.
        mode: RUN, CHAT or ASK.
        partial: the label names tasks outside the table as well, so that a missing one may be meant by those.
        heard: (task, first token, one behind the last): where it is known which words ask for a task.
        held: not trained on; what is chosen is chosen on these.
    """

    id: str
    request: Request
    states: NDArray[np.float16]
    tasks: Floats
    twice: Floats
    links: tuple[tuple[int, int], ...]
    given: Floats
    mode: int = RUN
    partial: bool = False
    heard: tuple[tuple[int, int, int], ...] = ()
    held: bool = False


@dataclass(frozen=True, kw_only=True)
class Group:
    """Samples over one table.

    Attributes:
        name: of the table.
        tasks: the table.
        samples: what is learnt from.
    """

    name: str
    tasks: TaskTable
    samples: tuple[Sample, ...]


def held_out(ident: str, one_of: int = _FOLDS) -> bool:
    """Whether a case belongs to the part that is not trained on: by its id, so that it is the same in every run."""
    return int(hashlib.sha256(ident.encode()).hexdigest(), 16) % one_of == 0


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
            elif (sample := _labelled(case.id, case.request, case.label, rows, encoder)) is None:
                problems.add("not trained on: no labelled task is in the table", case.id)
            else:
                found[case.id] = sample
            if on_read is not None:
                on_read()
    return list(found.values())


def _labelled(ident: str, request: Request, label: LaidOutPlan, rows: Mapping[str, int], encoder: MiniLM) -> Sample | None:
    names = names_of(label.task_nodes)
    if not any(n in rows for n in names):
        return None
    links = [(a, b) for a, b in given_links(label.task_links) if a in rows and b in rows]
    partial = any(n not in rows for n in names)
    return _sample(ident, request, [n for n in names if n in rows], links, rows, encoder, partial=partial)


def sample_of(written: Written, rows: Mapping[str, int], encoder: MiniLM) -> Sample:
    """A request that was written for training; tasks outside the table are left out.

    Args:
        written: the request and its plan.
        rows: position of each task of the table.
        encoder: gives the frozen states.
    """
    names = [n for n in written.tasks if n in rows]
    links = [(written.tasks[a], written.tasks[b]) for a, b in written.links]
    inside = [(a, b) for a, b in links if a in rows and b in rows]
    mode = _MODES[written.mode]
    spans = [(rows[n], s) for n, s in zip(written.tasks, written.spans, strict=False) if s is not None and n in rows]
    return _sample(written.text, written.request, names, inside, rows, encoder, mode=mode, spans=spans)


def _sample(
    ident: str,
    request: Request,
    names: Sequence[str],
    links: Sequence[tuple[str, str]],
    rows: Mapping[str, int],
    encoder: MiniLM,
    *,
    mode: int = RUN,
    partial: bool = False,
    spans: Sequence[tuple[int, tuple[int, int]]] = (),
) -> Sample:
    import numpy as np

    told = tell(request)
    tasks, twice = np.zeros(len(rows), np.float32), np.zeros(len(rows), np.float32)
    for name, n in Counter(names).items():
        tasks[rows[name]], twice[rows[name]] = 1, float(n > 1)
    read = encoder.token_states(told.text, layer=FROZEN)
    middles = [told.original((a + b) // 2) if b else -1 for a, b in read.offsets]
    heard = [(row, [i for i, m in enumerate(middles) if start <= m < end]) for row, (start, end) in spans]
    return Sample(
        id=ident,
        request=request,
        states=read.states.astype(np.float16),
        tasks=tasks,
        twice=twice,
        links=tuple(dict.fromkeys((rows[a], rows[b]) for a, b in links if a != b)),
        given=np.array(told.given, np.float32),
        mode=mode,
        partial=partial,
        heard=tuple((row, found[0], found[-1] + 1) for row, found in heard if found),
    )
