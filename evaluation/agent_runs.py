"""Evaluates whole runs: asks the agent every case, or takes recorded runs, and checks what came out."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..agent._loop import run_sync
from ..agent.errors import ChatModelError
from ..agent.trace import Reply
from ..index.errors import HuggingGPTError, RemoteError
from ..index.problems import Problems
from .datasets.agent_case import AgentCase, links_of, shape_of
from .datasets.cases import digest, type_of
from .digests import sha256
from .evaluating import Evaluation, RunOptions, Subject, aevaluate
from .metrics import runs
from .metrics.counts import of_sets
from .metrics.faithfulness import Faithfulness, faithfulness
from .metrics.runs import Price
from .prices import load_prices as load_prices
from .record import Record, Score
from .summary import Group, block
from .traces import RecordedRuns
from .usage import counted_tokens

if TYPE_CHECKING:
    from ..agent.agent import HuggingGPT

KIND, PRIMARY = "agent", "agent.success"
METRICS = ("success", "completed", "faithfulness", "makespan")
UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class AgentEvaluation(Evaluation):
    """An evaluation of whole runs.

    Attributes:
        prices: by chat model; None when none were given, and costs are not known.
    """

    prices: Mapping[str, Price] | None = None


async def aevaluate_agent(
    cases: Sequence[AgentCase],
    agent: HuggingGPT,
    *,
    prices: Mapping[str, Price] | None = None,
    options: RunOptions | None = None,
    settings: Mapping[str, Any] | None = None,
) -> AgentEvaluation:
    """Ask the agent each case, in a chat of its own, and check what came out. A case whose run breaks off has failed; the rest goes on.

    Files that the runs make go to the store of the agent's toolkit.

    Args:
        cases: see `load_cases`.
        agent: what is asked.
        prices: see `load_prices`.
        options: folder, limit, workers.
        settings: what tells this agent and these cases from others, e.g. `{"data": path, "llm": "openai:gpt-5-mini"}`: a run is
            resumed only with the same.

    Raises:
        DatasetError: there is no case at all.
        RunFolderError: the folder holds another run, or cannot be written.
        RefusedError: the chat model's server failed every one of the first cases.
    """
    planner = type(agent.planner).__name__
    subject = await asyncio.to_thread(_subject, f"agent ({planner})", cases, {"agent": planner, **(settings or {})}, ())
    evaluation = await aevaluate(subject, lambda _: iter(cases), _Asking(agent).judge, options or RunOptions())
    return AgentEvaluation(**vars(evaluation), prices=prices)


def evaluate_agent(
    cases: Sequence[AgentCase],
    agent: HuggingGPT,
    *,
    prices: Mapping[str, Price] | None = None,
    options: RunOptions | None = None,
    settings: Mapping[str, Any] | None = None,
) -> AgentEvaluation:
    """`aevaluate_agent`, and wait."""
    return run_sync(lambda: aevaluate_agent(cases, agent, prices=prices, options=options, settings=settings))


async def ascore_traces(
    cases: Sequence[AgentCase],
    path: Path | str,
    *,
    prices: Mapping[str, Price] | None = None,
    options: RunOptions | None = None,
    settings: Mapping[str, Any] | None = None,
) -> AgentEvaluation:
    """Check recorded runs; nothing is run. A case without a run that can be read has failed; runs of unknown cases are counted.

    Args:
        cases: what was expected.
        path: the recorded runs: see `traces.py`.
        prices: see `load_prices`; they are applied to the tokens that were recorded.
        options: folder, limit.
        settings: as for `aevaluate_agent`.

    Raises:
        DatasetError: there is no case at all, or no such file.
        RunFolderError: the folder holds another run, or cannot be written.
    """
    recorded = await asyncio.to_thread(_Recorded, cases, Path(path))
    subject = await asyncio.to_thread(_subject, recorded.name, cases, {**recorded.settings, **(settings or {})}, recorded.notes)
    evaluation = await aevaluate(subject, recorded.cases, recorded.judge, options or RunOptions())
    return AgentEvaluation(**vars(evaluation), prices=prices)


def score_traces(
    cases: Sequence[AgentCase],
    path: Path | str,
    *,
    prices: Mapping[str, Price] | None = None,
    options: RunOptions | None = None,
    settings: Mapping[str, Any] | None = None,
) -> AgentEvaluation:
    """`ascore_traces`, and wait."""
    return run_sync(lambda: ascore_traces(cases, path, prices=prices, options=options, settings=settings))


def agent_json(evaluation: Evaluation) -> dict[str, Any]:
    """`{"n", "success", "completed", "faithfulness", "makespan", "strict", "by_type", "by_number_of_tasks", "usage", "cost", …}`.

    Shares and F1 are percentages, `makespan` a ratio. `usage` is `{model: {"input_tokens", "output_tokens", "cost"}}`; a cost is null
    where there is no price, `cost` (of all models together) also when one of the models has none.
    """
    summary = evaluation.summary

    def figures(group: Group) -> dict[str, Any]:
        return {**dict.fromkeys(METRICS), **block(group, "agent"), "strict": block(group, "strict")}

    def by(name: str) -> dict[str, Any]:
        return {value: {"n": g.n, **figures(g)} for value, g in summary.groups.get(name, {}).items()}

    usage = costs(evaluation)
    known = [used["cost"] for used in usage.values()]
    return {
        "n": evaluation.n,
        **figures(summary.overall),
        "by_type": by("type"),
        "by_number_of_tasks": by("number of tasks"),
        **evaluation.common_json(),
        "usage": usage,
        "cost": None if None in known or not isinstance(evaluation, AgentEvaluation) or evaluation.prices is None else sum(known),
    }


def costs(evaluation: Evaluation) -> dict[str, dict[str, Any]]:
    """Tokens and cost by chat model: `{model: {"input_tokens", "output_tokens", "cost"}}`; a cost is None where there is no price."""
    prices = evaluation.prices if isinstance(evaluation, AgentEvaluation) else None
    return {m: {**used, "cost": runs.cost(used, (prices or {}).get(m))} for m, used in evaluation.summary.usage.items()}


def _subject(name: str, cases: Sequence[AgentCase], settings: Mapping[str, Any], notes: tuple[str, ...]) -> Subject:
    data = "/".join(Path(str(settings["data"])).parts[-2:]) if "data" in settings else f"{len(cases)} cases"
    if plans := sum(case.plan_only for case in cases):
        notes += (f"{plans} of {len(cases)} cases pin their plan only: they succeed with it, whether or not it could run.",)
    return Subject(kind=KIND, name=f"{name} on {data}", settings={"cases": digest(cases), **settings}, primary=PRIMARY, notes=notes)


class _Asking:
    """Asks the agent."""

    def __init__(self, agent: HuggingGPT) -> None:
        self._agent = agent

    async def judge(self, case: AgentCase) -> Record:
        reply, error, again = None, "", False
        with counted_tokens() as tokens:
            began = time.perf_counter()
            try:
                reply = await self._agent.aask(case.request, case.files, config={"configurable": {"thread_id": uuid.uuid4().hex}})
            except (ChatModelError, RemoteError) as e:
                error, again = str(e), True
            except HuggingGPTError as e:
                error = str(e)
            except Exception as e:  # a fault of one run must not cost the others
                error = f"{type(e).__name__}: {e}"
            seconds = time.perf_counter() - began
        return _record(case, reply, error, again=again, seconds=seconds, usage=tokens.by_model())


class _Recorded:
    """Takes recorded runs."""

    notes = ("Recorded runs were scored: nothing was run, so there are no latencies.",)

    def __init__(self, cases: Sequence[AgentCase], path: Path) -> None:
        self.name = f"recorded runs ({path.name})"
        self._cases = cases
        self._problems = Problems()
        self._runs = RecordedRuns(path, self._problems)
        self.settings = {"traces": str(path.resolve()), "sha256 of the traces": sha256(self._runs.path)[:16]}

    def cases(self, problems: Problems) -> Iterator[AgentCase]:
        problems.counts.update(self._problems.counts)
        problems.places.update(self._problems.places)
        known = {case.id for case in self._cases}
        for ident in self._runs:
            if ident not in known:
                problems.add("recorded run of an unknown case", ident)
        for case in self._cases:
            if case.id not in self._runs:
                problems.add("no run was recorded for the case (it has failed)", case.id)
            yield case

    async def judge(self, case: AgentCase) -> Record:
        run = self._runs.get(case.id)
        return _record(case, run.reply, run.error, usage=run.usage)


def _record(case: AgentCase, reply: Reply | None, error: str, **fields: Any) -> Record:
    problems = case.problems(reply) if reply is not None else [f"There is no reply: {error}"]
    borne_out = faithfulness(reply) if reply is not None else None
    plan = reply.trace.plan if reply is not None else None
    size = len(case.tasks) if case.tasks is not None else len(plan.tasks) if plan is not None else None
    return Record(
        id=case.id,
        groups={
            "type": type_of(case) or (shape_of(plan) if plan is not None else UNKNOWN),
            "number of tasks": UNKNOWN if size is None else str(size),
        },
        scores=_scores(case, reply, len(problems), borne_out),
        gold=case.tasks or (),
        predicted=tuple(t.task for t in plan.tasks) if plan is not None else (),
        error=error,
        detail={
            "request": case.request,
            "files": [str(f) for f in case.files],
            "problems": problems,
            "unsupported": [c.text for c in borne_out.unsupported] if borne_out is not None else [],
            "reply": reply.text if reply is not None else None,
            "trace": reply.trace.as_json() if reply is not None else None,
        },
        **fields,
    )


def _scores(case: AgentCase, reply: Reply | None, problems: int, borne_out: Faithfulness | None) -> dict[str, Score]:
    """By metric; the planning figures are sets, as in `evaluate planning`, where the case names tasks and links."""
    found: dict[str, Score | None] = {"agent.success": runs.success(problems)}
    if reply is not None and borne_out is not None:
        found["agent.completed"] = runs.completed(reply.trace, wanted=bool(case.tasks))
        found["agent.faithfulness"] = borne_out.score
        found["agent.makespan"] = runs.makespan(reply.trace)
    else:
        found["agent.completed"] = (0.0, 1.0)
    plan = reply.trace.plan if reply is not None else None
    if case.tasks is not None:
        found["strict.n_f1"] = of_sets(case.tasks, [t.task for t in plan.tasks] if plan is not None else []).f1
    if case.tasks is not None and case.known_links is not None:
        found["strict.e_f1"] = of_sets(case.known_links, links_of(plan) if plan is not None else []).f1
    return {key: score for key, score in found.items() if score is not None}
