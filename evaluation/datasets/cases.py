"""A team's own cases, as YAML: a file, or a folder of `*.yaml` and `*.yml` files.

    cases:
      - id: notice-aloud                  # unique; text, so a number needs quotes
        request: Read the notice in this picture aloud.
        files: [inputs/notice.png]        # from the folder of this file
        tasks: [image-to-text, text-to-speech]
        links: [image-to-text -> text-to-speech]
        reply:
          contains: [closed on monday]
        outputs:
          image-to-text:
            contains: [CITY LIBRARY, Mill Lane]
        artifacts: [audio]

Only `id` and `request` must be there.

- `tasks`: what must be planned, each task as often as it must come, in any order; `[]` for a request that needs none. Without it any
  plan will do.
- `links`: what must flow where, as `a -> b` or `[a, b]`; `[]` for none. Without it they are not looked at.
- `type`: what figures of whole runs are broken down by. Default: `chat`, `single`, `chain` or `dag`, as the tasks and links say.
- `plan_only: true`: the plan is all that is expected; nobody here may be able to run it. Otherwise every planned task must run.
- `reply`: `contains`, `excludes` (texts; case and line breaks do not matter) and `matches` (regular expressions, as they stand); each a
  text or a list of them.
- `outputs`: by task, the same three for its output as text (labels read `positive (0.97), negative (0.03)`; what is neither text nor
  labels is JSON), and: `equals` (the value itself; of labels the best one's name), `min` and `max` (of a number, of each number of a
  list, of the best label's score), `port` (another than the main one).
- `artifacts`: files that the run must make, by kind (`image`, `audio`, `video`, `object3d`, `text`, `table`, `json`): `audio` for at
  least one, `{kind: audio, count: 2}` for so many.

Since it is the team's own file, nothing in it is passed over: a field, task, port or kind that there is not, a file that is missing, or
an id that comes twice is refused, with every such fault listed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ...agent.request import Request
from ...index.problems import Problems
from ...tools.artifacts import ArtifactStore
from ...tools.errors import MediaError
from ...tools.hub_tasks import HUB_TASKS
from ...tools.task import TaskTable
from ..errors import DatasetError
from .agent_case import AgentCase, positions, shape
from .case_file import read_cases
from .planning_data import LaidOutPlan, PlanningCase, PlanningData

ENDINGS = (".yaml", ".yml")
_LISTED = 20


def load_cases(path: Path | str, tasks: TaskTable = HUB_TASKS) -> tuple[AgentCase, ...]:
    """The cases of a file or a folder, in their order; files of a folder by name.

    Args:
        path: where they are.
        tasks: the tasks that a plan may hold; `HUB_TASKS.plus(...)` with tools of your own.

    Raises:
        DatasetError: there are none, a file cannot be read, or there is any fault in them; all faults are listed.
    """
    found: dict[str, AgentCase] = {}
    faults: list[str] = []
    for file in _files(Path(path)):
        for place, case in read_cases(file, tasks):
            if not isinstance(case, AgentCase):
                faults += [f"{file.name}, {place}, {field or 'all of it'}: {what}" for field, what in case]
            elif case.id in found:
                faults.append(f"{file.name}, case {case.id!r}, id: stands twice")
            else:
                found[case.id] = case
    if faults:
        more = [f"… and {len(faults) - _LISTED} more"] if len(faults) > _LISTED else []
        listed = "".join(f"\n- {fault}" for fault in [*faults[:_LISTED], *more])
        raise DatasetError(f"Faults in the cases of {str(path)!r}: {len(faults)}.{listed}\n", remedy="Correct them.")
    if not found:
        raise DatasetError(f"There is no case in {str(path)!r}.", remedy="Write one: see langchain_hugginggpt.evaluation.datasets.cases.")
    return tuple(found.values())


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = sorted(p for p in path.iterdir() if p.suffix in ENDINGS)
    if not files:
        raise DatasetError(f"There is no *.yaml file in {str(path)!r}.", remedy="Name the file, or the folder that holds it.")
    return files


def planning_data(path: Path | str, tasks: TaskTable = HUB_TASKS) -> PlanningData:
    """The same cases to evaluate planning on, with `tasks` as the table that is planned with.

    The labels say nothing of arguments, so only tasks and links are scored. A case that says nothing of its tasks, or of the links
    between two or more, is planned without being scored, and noted.

    Raises:
        DatasetError: as `load_cases`.
    """
    cases = load_cases(path, tasks)
    return PlanningData(
        name="/".join(Path(path).resolve().parts[-2:]),
        tasks=tasks,
        output_types={name: task.output.kind.value for name, task in tasks.items()},
        read=lambda problems: _planning_cases(cases, problems),
        size=len(cases),
        settings={"data": str(Path(path).resolve()), "sha256": digest(cases)},
    )


def digest(cases: Sequence[AgentCase]) -> str:
    """SHA-256 over the cases and the content of their files, where they are there: what tells two sets of cases apart."""
    found = hashlib.sha256()
    for case in cases:
        found.update(repr(case).encode(errors="surrogatepass"))
        for file in filter(Path.is_file, case.files):
            with file.open("rb") as f:
                found.update(hashlib.file_digest(f, "sha256").digest())
    return found.hexdigest()


def _planning_cases(cases: Sequence[AgentCase], problems: Problems) -> Iterator[PlanningCase]:
    for case in cases:
        try:
            store = ArtifactStore()  # reads the files where they lie
            request = Request(text=case.request, files=tuple(store.add_file(f) for f in case.files))
        except MediaError as e:
            problems.add("a file of the case cannot be used", f"{case.id}: {e.message}")
            continue
        label = label_of(case)
        if label is None:
            problems.add("planned, but not scored: the case says nothing of its tasks, or of the links between them", case.id)
        # not the case's own type: a planning metric asks whether the label is a dag
        type_ = type_of(replace(case, type="")) if label is not None else ""
        yield PlanningCase(id=case.id, request=request, label=label, type=type_, without_arguments=True)


def type_of(case: AgentCase) -> str:
    """What figures are broken down by: the case's own word, or the shape of its plan; empty when it does not say."""
    if case.type or case.tasks is None or case.known_links is None:
        return case.type
    return shape(len(case.tasks), positions(case.tasks, case.known_links))


def label_of(case: AgentCase) -> LaidOutPlan | None:
    """The expected plan in TaskBench's layout; None when the case says nothing of its tasks or of the links between them.

    A task stands behind those that it goes on from, whatever their order in the case: some planning metrics look at the order. Links
    stand in the arguments as well, as `<node-k>`, which is where TaskBench's official arithmetic looks for them.
    """
    if case.tasks is None or case.known_links is None:
        return None
    links = positions(case.tasks, case.known_links)
    order = _in_order(len(case.tasks), links)
    place = {position: k for k, position in enumerate(order)}
    return LaidOutPlan(
        task_nodes=[{"task": case.tasks[i], "arguments": [f"<node-{place[a]}>" for a, b in links if b == i]} for i in order],
        task_links=[{"source": a, "target": b} for a, b in case.known_links],
        task_steps=[],
    )


def _in_order(size: int, links: Sequence[tuple[int, int]]) -> list[int]:
    """Positions so that each comes behind those that lead to it, otherwise as they stand; as they stand where links go in a circle."""
    found: list[int] = []
    while len(found) < size:
        free = (i for i in range(size) if i not in found and all(a in found for a, b in links if b == i))
        if (following := next(free, None)) is None:
            return list(range(size))
        found.append(following)
    return found
