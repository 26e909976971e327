"""`hugginggpt evaluate …`: runs with a progress bar, then tables, files and the report."""

from __future__ import annotations

import asyncio
import json
import shlex
import sys
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from ..agent.building import build, build_planner, open_index
from ..agent.settings import WEIGHTS, Settings, data_folder
from ..evaluation.digests import sha256
from ..evaluation.errors import RefusedError
from ..evaluation.evaluating import Evaluation, RunOptions, write_summary
from ..evaluation.record import Record
from ..tools.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from ..evaluation.datasets.planning_data import PlanningData

REPORT = "report.html"
_YAML = (".yaml", ".yml")


@dataclass(frozen=True, kw_only=True)
class Run:
    """The options that every kind of evaluation has."""

    kind: str
    limit: int | None
    workers: int
    out: Path | None
    resume: bool
    as_json: bool

    @cached_property
    def folder(self) -> Path:
        """Where records go. Raises InputError when a run shall be resumed that was not named."""
        if self.out is not None:
            return self.out
        if self.resume:
            raise InputError("--resume needs the folder of the run.", remedy="Name it: --out DIR.")
        return data_folder() / "evaluations" / time.strftime(f"{self.kind}-%Y%m%d-%H%M%S")


def run_planning(run: Run, data: Path, settings: Settings, predictions: Path | None, *, skip_missing: bool) -> None:
    """`hugginggpt evaluate planning`."""
    from ..evaluation.planning import Recorded, aevaluate_planning, planning_json

    if skip_missing and predictions is None:
        raise InputError("--skip-missing goes with recorded plans.", remedy="Name them: --predictions FILE.")
    loaded = _planning_data(data)
    planner = build_planner(settings) if predictions is None else Recorded(path=predictions, skip_missing=skip_missing)
    told = _told_planner(settings) if predictions is None else {}
    _follow(run, loaded.size, lambda o, _: aevaluate_planning(loaded, planner, options=o, settings=told), planning_json)


def _told_planner(settings: Settings) -> dict[str, Any]:
    """What tells one planner from another: its model, or the content of its weights."""
    name = settings.planner or ""
    if name.endswith(WEIGHTS):
        return {"weights": name, "sha256 of the weights": sha256(Path(name))[:16]}
    budget = {} if settings.context_tokens is None else {"context_tokens": settings.context_tokens}
    return {"llm": settings.llm, **budget} if name != "embedded" else {}


def _planning_data(path: Path) -> PlanningData:
    if path.suffix in _YAML or (path.is_dir() and any(p.suffix in _YAML for p in path.iterdir())):
        from ..evaluation.datasets.cases import planning_data

        return planning_data(path)
    from ..evaluation.datasets.taskbench import load_taskbench

    return load_taskbench(path)


def run_selection(run: Run, data: Path, settings: Settings, *, cards: Path | None, downloads: Path | None, shipped: bool) -> None:
    """`hugginggpt evaluate selection`."""
    from ..evaluation.selection import aevaluate_selection, load_selection, selection_json

    loaded = load_selection(data, cards, downloads=downloads)
    index = None if settings.index is None else open_index(settings.index)
    _follow(
        run,
        loaded.size,
        lambda o, bar: aevaluate_selection(loaded, index, options=o, shipped=shipped, on_encoded=bar.encoded),
        selection_json,
    )


def run_agent(run: Run, data: Path, settings: Settings, *, traces: Path | None, prices: Path | None) -> int:
    """`hugginggpt evaluate agent`. Returns the exit code: 0, or 3 when a case failed."""
    from ..evaluation.agent_runs import aevaluate_agent, agent_json, ascore_traces, load_prices
    from ..evaluation.datasets.cases import load_cases

    cases = load_cases(data)
    costs = load_prices(prices) if prices is not None else None
    if traces is not None:
        evaluation = _follow(run, len(cases), lambda o, _: ascore_traces(cases, traces, prices=costs, options=o), agent_json)
    else:
        RunOptions(out=run.folder, resume=run.resume).check()
        agent = build(settings if settings.out else replace(settings, out=run.folder / "artifacts"))
        told = {"data": str(data.resolve()), "llm": settings.llm, "index": settings.index, **_told_planner(settings)}
        evaluation = _follow(
            run, len(cases), lambda o, _: aevaluate_agent(cases, agent, prices=costs, options=o, settings=told), agent_json
        )
    return 0 if evaluation.figure("agent.success") == 100.0 else 3


def run_compare(a: Path, b: Path, *, as_json: bool) -> None:
    """`hugginggpt evaluate compare A B`."""
    from ..evaluation.comparing import compare

    found = compare(a, b)
    if as_json:
        _print_json(found.as_json())
    else:
        from .figures import show_comparison

        show_comparison(Console(highlight=False, emoji=False), found)


def _follow(
    run: Run,
    size: int,
    start: Callable[[RunOptions, _Bar], Coroutine[Any, Any, Evaluation]],
    as_json: Callable[[Evaluation], dict[str, Any]],
) -> Evaluation:
    """Run with a progress bar, write summary and report, and print."""
    folder = run.folder
    total = min(size, run.limit or size)
    with _Bar(run.kind, total) as bar:
        options = RunOptions(out=folder, limit=run.limit, workers=run.workers, resume=run.resume, on_start=bar.start, on_record=bar.count)
        try:
            evaluation = asyncio.run(start(options, bar))
        except (KeyboardInterrupt, RefusedError) as e:
            again = f"go on with --resume --out {shlex.quote(str(folder))}"
            if isinstance(e, RefusedError):
                raise RefusedError(e.message, remedy=f"See to it, then {again}", status=e.status) from e
            sys.stderr.write(f"{bar.done} cases are kept in {str(folder)!r}; {again}\n")
            raise
    told = as_json(evaluation)
    write_summary(folder, told)
    report, missing = _write_report(evaluation, folder)
    if run.as_json:
        _print_json(told)
        sys.stderr.write(f"{missing}\n" if missing else "")
    else:
        from .figures import show_evaluation

        show_evaluation(Console(highlight=False, emoji=False), evaluation)
        Console(highlight=False, emoji=False).print(f"\nRecords: {folder}\n{missing or f'Report:  {report}'}", markup=False, soft_wrap=True)
    return evaluation


def _write_report(evaluation: Evaluation, folder: Path) -> tuple[Path, str]:
    from ..evaluation.report.report import write_report

    path = folder / REPORT
    try:
        return write_report(evaluation, path, command=shlex.join(["hugginggpt", *sys.argv[1:]])), ""
    except MissingExtraError as e:
        return path, f"No report was written: {e}"


def _print_json(data: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(data, ensure_ascii=False) + "\n")


class _Rate(ProgressColumn):
    """Cases a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f} cases/s" if task.speed else "", style="dim")


class _Bar:
    """A progress bar on standard error, where that is a terminal; counts in any case."""

    def __init__(self, title: str, total: int) -> None:
        console = Console(stderr=True, highlight=False, emoji=False)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("left"),
        )
        self._progress = Progress(*columns, console=console, refresh_per_second=4, transient=True, disable=not console.is_terminal)
        self._task = self._progress.add_task(title, total=total)
        self._cards: TaskID | None = None
        self.done = 0

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def encoded(self, done: int, of: int) -> None:
        """So many model cards are encoded."""
        if self._cards is None:
            self._cards = self._progress.add_task("model cards", total=of)
        self._progress.update(self._cards, completed=done)

    def start(self, finished: int) -> None:
        """So many cases were finished before."""
        self.done = finished
        self._progress.reset(self._task, completed=finished)

    def count(self, record: Record) -> None:
        """One more case is finished."""
        self.done += 1
        self._progress.advance(self._task)
