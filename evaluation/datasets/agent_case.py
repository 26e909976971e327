"""A case of a team's own: a request, and what is expected of its run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...agent.plan import Plan
from ...agent.trace import Reply, TaskResult
from ..checks import ArtifactCheck, OutputCheck, TextCheck

Link = tuple[str, str]
"""Names of two tasks: the second goes on with what the first makes."""


@dataclass(frozen=True, kw_only=True)
class AgentCase:
    """One request, and what is expected.

    Attributes:
        id: unique among the cases.
        request: the user's words.
        files: absolute paths of the files that go with it.
        tasks: names of the tasks that must be planned, each as often as it must come, in any order; empty: a chat, nothing may be
            planned; None: any plan will do.
        links: what must flow where, in any order; None: not looked at.
        type: what figures are broken down by; by default the shape of the expected plan.
        plan_only: the plan is all that is expected: nobody here may be able to run it.
        reply: what the reply must say.
        outputs: what tasks must give.
        artifacts: files that must be made.
    """

    id: str
    request: str
    files: tuple[Path, ...] = ()
    tasks: tuple[str, ...] | None = None
    links: tuple[Link, ...] | None = None
    type: str = ""
    plan_only: bool = False
    reply: TextCheck = field(default_factory=TextCheck)
    outputs: tuple[OutputCheck, ...] = ()
    artifacts: tuple[ArtifactCheck, ...] = ()

    @property
    def known_links(self) -> tuple[Link, ...] | None:
        """The links that are expected; none for fewer than two tasks; None when the case does not say."""
        return () if self.links is None and self.tasks is not None and len(self.tasks) < 2 else self.links

    def problems(self, reply: Reply) -> list[str]:
        """A sentence for each expectation that a run did not meet, with what was found; empty when it met them all.

        Besides what the case pins, every task of the plan must have run, unless `plan_only`.
        """
        trace = reply.trace
        found = [*self._plan(trace.plan)]
        if not self.plan_only:
            found += [_not_run(r) for r in trace.results if r.status != "ok"]
            ran = {r.task_id for r in trace.results}
            found += [f"{t.task} (task {t.id}) was planned and has no result." for t in trace.plan.tasks if t.id not in ran]
        found += self.reply.problems("the reply", reply.text)
        for output in self.outputs:
            found += output.problems(trace.results)
        for artifact in self.artifacts:
            found += artifact.problems(trace.artifacts)
        return found

    def _plan(self, plan: Plan) -> Iterator[str]:
        if self.tasks is not None:
            planned = [t.task for t in plan.tasks]
            yield from _differences("the plan", "task", Counter(self.tasks), Counter(planned))
        if self.links is not None:
            wanted, found = (Counter(f"{a} -> {b}" for a, b in links) for links in (self.links, links_of(plan)))
            yield from _differences("the plan", "link", wanted, found)


def links_of(plan: Plan) -> list[Link]:
    """What flows where in a plan, by the names of the tasks; each pair of tasks once."""
    names = {t.id: t.task for t in plan.tasks}
    return [(names[parent], t.task) for t in plan.tasks for parent in t.parents if parent in names]


def _differences(what: str, thing: str, wanted: Counter[str], found: Counter[str]) -> Iterator[str]:
    missing, extra = wanted - found, found - wanted
    if missing or extra:
        parts = [f"lacks {_listed(missing)}"] if missing else []
        parts += [f"has {_listed(extra)} too much"] if extra else []
        yield f"{what} {' and '.join(parts)}: its {thing}s are {_listed(found) or 'none'}."


def _listed(names: Counter[str]) -> str:
    return ", ".join(name if n == 1 else f"{name} ({n} times)" for name, n in names.items())


def _not_run(result: TaskResult) -> str:
    why = " ".join(result.error.split())[:200].rstrip(".")
    return f"{result.task} (task {result.task_id}) {'was skipped' if result.status == 'skipped' else result.status}: {why}."


def positions(tasks: Sequence[str], links: Sequence[Link]) -> list[tuple[int, int]]:
    """Links by the positions of their tasks. Of several tasks of one name the one with the fewest links so far is taken.

    Raises ValueError when a link names a task that is not among them.
    """
    leaving, coming = Counter[int](), Counter[int]()
    found = []
    for source, target in links:
        a = min((i for i, name in enumerate(tasks) if name == source), key=lambda i: leaving[i])
        b = min((i for i, name in enumerate(tasks) if name == target and i != a), key=lambda i: coming[i])
        leaving[a] += 1
        coming[b] += 1
        found.append((a, b))
    return found


def shape(size: int, links: Sequence[tuple[int, int]]) -> str:
    """`chat` for no tasks, `single` for one, `chain` when each but the last leads to one other, `dag` for anything else."""
    if size < 2:
        return ("chat", "single")[size]
    straight = len({a for a, _ in links}) == len({b for _, b in links}) == len(links) == size - 1
    return "chain" if straight else "dag"


def shape_of(plan: Plan) -> str:
    """The shape of a plan that was made."""
    position = {t.id: i for i, t in enumerate(plan.tasks)}
    return shape(len(plan.tasks), [(position[p], position[t.id]) for t in plan.tasks for p in t.parents if p in position])
