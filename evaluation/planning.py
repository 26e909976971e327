"""Evaluates planning: plans every request of a data set, or takes recorded plans, and scores them against the labels."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..agent._loop import run_sync
from ..agent.errors import ChatModelError
from ..index.errors import HuggingGPTError
from ..index.problems import Problems
from .datasets.planning_data import LaidOutPlan, PlanningCase, PlanningData
from .datasets.predictions import Predictions, lay_out
from .digests import sha256
from .evaluating import Evaluation, RunOptions, Subject, aevaluate
from .metrics import hugginggpt, taskbench
from .record import Record, Score
from .run_folder import RunFolder
from .summary import Group, block
from .usage import counted_tokens

if TYPE_CHECKING:
    from ..agent.planners.planner import Planner

KIND, PRIMARY = "planning", "strict.n_f1"
BLOCKS = ("official", "strict", "hugginggpt")
PREDICTIONS = "predictions.jsonl"
NO_PREDICTION = "no prediction was recorded for this case"


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """Recorded plans to score instead of planning.

    Attributes:
        path: a file in TaskBench's official layout, or the looser one.
        skip_missing: leave out cases that have no prediction; otherwise they count as empty plans in the strict figures.
    """

    path: Path
    skip_missing: bool = False


async def aevaluate_planning(
    data: PlanningData, planner: Planner | Recorded, *, options: RunOptions | None = None, settings: Mapping[str, Any] | None = None
) -> Evaluation:
    """Plan every request and score the plans. A plan that fails is an empty plan; the run goes on.

    With `options.out`, `predictions.jsonl` is written there as well, in TaskBench's official layout, also when there are no labels.

    Args:
        data: requests, labels and the table of tasks.
        planner: what plans; or recorded plans.
        options: folder, limit, workers.
        settings: what tells this planner from another one, e.g. `{"llm": "openai:gpt-5-mini"}`: a run is resumed only with the same.

    Raises:
        DatasetError: there is no case at all.
        RunFolderError: the folder holds another run, or cannot be written.
        RefusedError: the chat model's server failed every one of the first cases.
    """
    options = options or RunOptions()
    judge = await asyncio.to_thread(_Recorded, data, planner) if isinstance(planner, Recorded) else _Planning(data, planner)
    model = f" ({settings['llm']})" if settings and settings.get("llm") else ""
    subject = Subject(
        kind=KIND,
        name=f"{judge.name}{model} on {data.name}",
        settings={**data.settings, **judge.settings, **(settings or {})},
        primary=PRIMARY,
        notes=judge.notes,
    )
    evaluation = await aevaluate(subject, judge.cases, judge.judge, options)
    if evaluation.folder is not None:
        await asyncio.to_thread(write_predictions, evaluation.folder)
    return evaluation


def evaluate_planning(
    data: PlanningData, planner: Planner | Recorded, *, options: RunOptions | None = None, settings: Mapping[str, Any] | None = None
) -> Evaluation:
    """`aevaluate_planning`, and wait."""
    return run_sync(lambda: aevaluate_planning(data, planner, options=options, settings=settings))


def planning_json(evaluation: Evaluation) -> dict[str, Any]:
    """`{"n", "official", "strict", "hugginggpt", "by_type", "by_number_of_tasks", "latency_ms", …}`; F1 and shares as percentages.

    `official` holds besides how many `samples` had a prediction, and how many the official scorer would not have dropped (`scored`).
    """
    summary = evaluation.summary

    def blocks(group: Group) -> dict[str, Any]:
        found: dict[str, Any] = {name: block(group, name) for name in BLOCKS}
        scored = group.figures.get("official.scored")
        if scored is not None and scored.value is not None:
            found["official"] |= {"samples": scored.n, "scored": round(scored.value * scored.n)}
        return found

    def by(name: str) -> dict[str, Any]:
        return {value: {"n": g.n, **blocks(g)} for value, g in summary.groups.get(name, {}).items()}

    return {
        "n": evaluation.n,
        **blocks(summary.overall),
        "by_type": by("type"),
        "by_number_of_tasks": by("number of tasks"),
        **evaluation.common_json(),
    }


@dataclass(frozen=True, kw_only=True)
class Scored:
    """What one plan is worth: what it adds to each metric, and the names of the tasks on either side."""

    scores: Mapping[str, Score]
    gold: tuple[str, ...]
    predicted: tuple[str, ...]


def score(data: PlanningData, case: PlanningCase, plan: LaidOutPlan, *, official: bool = True) -> Scored:
    """What one case adds to each planning metric; nothing when it has no label.

    Args:
        data: for the tool list and the types of outputs.
        case: with its label.
        plan: what came out.
        official: False when nothing was recorded for the case, which the official scorer then does not see.
    """
    made = taskbench.strict_parts(plan, data.output_types)
    if case.label is None:
        return Scored(scores={}, gold=(), predicted=made.names)
    found: dict[str, Score] = {}
    if official:
        sides = taskbench.official_parts(case.label, plan, data.output_types)
        found["official.scored"] = (float(sides is not None), 1.0)
        if sides is not None:
            found |= _taskbench_scores("official", *sides, data.tasks, case)
    label = taskbench.strict_parts(case.label, data.output_types)
    tools = {name.replace("_", " ") for name in data.tasks}  # as the names are read; the official scorer loses such tools
    found |= _taskbench_scores("strict", label, made, tools, case)
    counts = hugginggpt.task_counts(label.names, made.names)
    found |= {
        "hugginggpt.accuracy": hugginggpt.accuracy(label.names, made.names, ordered=case.type != "dag"),
        "hugginggpt.precision": counts.precision,
        "hugginggpt.recall": counts.recall,
        "hugginggpt.f1": counts.f1,
        "hugginggpt.edit_distance": hugginggpt.edit_distance(label.names, made.names),
    }
    return Scored(scores=found, gold=label.names, predicted=made.names)


def _taskbench_scores(
    name: str, label: taskbench.Parts, plan: taskbench.Parts, tools: Collection[str], case: PlanningCase
) -> dict[str, Score]:
    found = {
        f"{name}.n_f1": taskbench.n_f1(label, plan, tools).f1,
        f"{name}.e_f1": taskbench.e_f1(label, plan).f1,
        f"{name}.edit_distance": taskbench.edit_distance(label, plan, tools),
    }
    if not case.without_arguments:
        found |= {f"{name}.t_f1": taskbench.t_f1(label, plan).f1, f"{name}.v_f1": taskbench.v_f1(label, plan).f1}
    return found


def write_predictions(folder: Path) -> Path:
    """Write `predictions.jsonl` from a run's records, whole or not at all."""
    new, path = folder / f".{PREDICTIONS}.new", folder / PREDICTIONS
    with new.open("w", encoding="utf-8", errors="backslashreplace") as out:
        for record in RunFolder.open(folder).records():
            line = {"id": record.id, "user_request": record.detail.get("request"), "result": record.detail.get("result")}
            out.write(json.dumps(line, ensure_ascii=False) + "\n")
        out.flush()
        os.fsync(out.fileno())
    return new.replace(path)


def _record(data: PlanningData, case: PlanningCase, plan: LaidOutPlan, *, official: bool = True, **fields: Any) -> Record:
    groups = {}
    if case.label is not None:
        groups = {"type": case.type, "number of tasks": str(len(case.label.task_nodes))}
    request = case.request.text if case.request else ""
    label = case.label.as_json() if case.label else None
    scored = score(data, case, plan, official=official)
    return Record(
        id=case.id,
        groups=groups,
        scores=scored.scores,
        gold=scored.gold,
        predicted=scored.predicted,
        detail={"request": request, "result": plan.as_json(), "label": label, **fields.pop("told", {})},
        **fields,
    )


class _Planning:
    """Plans the cases."""

    notes: tuple[str, ...] = ()

    def __init__(self, data: PlanningData, planner: Planner) -> None:
        self._data, self._planner = data, planner
        self.name = type(planner).__name__
        self.settings = {"planner": self.name}

    def cases(self, problems: Problems) -> Iterator[PlanningCase]:
        return (case for case in self._data.read(problems) if case.request is not None)

    async def judge(self, case: PlanningCase) -> Record:
        if case.request is None:
            raise ValueError("a case without a request cannot be planned")
        laid_out, error, again, told = LaidOutPlan(), "", False, dict[str, Any]()
        with counted_tokens() as tokens:
            began = time.perf_counter()
            try:
                plan = await self._planner.aplan(case.request, self._data.tasks)
                seconds = time.perf_counter() - began
                laid_out = lay_out(plan, self._data.tasks)
                told = {"confidence": plan.confidence, "question": plan.question, "repairs": list(plan.repairs)}
            except ChatModelError as e:
                seconds, error, again = time.perf_counter() - began, str(e), True
            except HuggingGPTError as e:
                seconds, error = time.perf_counter() - began, str(e)
            except Exception as e:  # a fault of one plan must not cost the others
                seconds, error = time.perf_counter() - began, f"{type(e).__name__}: {e}"
        return _record(self._data, case, laid_out, seconds=seconds, error=error, again=again, usage=tokens.by_model(), told=told)


class _Recorded:
    """Takes recorded plans."""

    notes = ("Recorded plans were scored: nothing was planned, so there are no latencies.",)

    def __init__(self, data: PlanningData, recorded: Recorded) -> None:
        self._data, self._recorded = data, recorded
        self._problems = Problems()
        self._predictions = Predictions(recorded.path, self._problems)
        self.name = recorded.path.name
        self.settings = {
            "predictions": str(recorded.path.resolve()),
            "sha256 of the predictions": sha256(recorded.path)[:16],
            "skip_missing": recorded.skip_missing,
        }

    def cases(self, problems: Problems) -> Iterator[PlanningCase]:
        problems.counts.update(self._problems.counts)
        problems.places.update(self._problems.places)
        unknown = set(self._predictions)
        for case in self._data.read(problems):
            unknown.discard(case.id)
            if case.id not in self._predictions:
                problems.add("left out: no prediction" if self._recorded.skip_missing else NO_PREDICTION, case.id)
                if self._recorded.skip_missing:
                    continue
            yield case
        for ident in sorted(unknown):
            problems.add("prediction for an unknown id", ident)

    async def judge(self, case: PlanningCase) -> Record:
        if case.id not in self._predictions:
            return _record(self._data, case, LaidOutPlan(), official=False, error=NO_PREDICTION)
        plan = self._predictions.get(case.id)
        if plan is None:
            return _record(self._data, case, LaidOutPlan(task_nodes=None), error="the recorded plan cannot be read")
        return _record(self._data, case, plan)
