"""Runs a plan: every task starts the moment its own inputs exist, not when a level is done."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from ..index.errors import HuggingGPTError
from ..tools.consensus import Agreement
from ..tools.result import Attempt
from ..tools.tool import HubTaskTool, attempts_seen
from .errors import TaskTimeoutError
from .events import Listener, ignore, task_end, task_start
from .plan import Plan, PlannedTask
from .resolving import Resolver, collected, surest
from .selection import IndexSelector, Selector
from .trace import TaskResult

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langchain_core.tools import BaseTool

    from ..tools.experts import Candidate
    from ..tools.toolkit import HubToolkit
    from .request import Request

_PATIENCE = 0.8
"""The share of a task's time after which the answer of one of several experts is enough; the rest is for comparing and storing."""


class Results(Protocol):
    """Keeps finished results by key, so that a run that was cut off goes on where it stopped."""

    async def aget(self, key: str) -> dict[str, Any] | None:
        """The JSON that was put under this key, or None."""

    async def aput(self, key: str, result: dict[str, Any]) -> None:
        """Keep JSON under a key."""


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What became of a plan that grew while it ran.

    Attributes:
        plan: the whole plan; where its planner failed, what it had planned until then, with `error`.
        results: one for each of its tasks, in its order.
    """

    plan: Plan
    results: tuple[TaskResult, ...]


class Executor:
    """Runs plans with the tools of a toolkit: by `ainvoke`, on the very objects that `HubToolkit` hands to anyone.

    Args:
        toolkit: the tools.
        selector: chooses candidates; default the index's ranking.
        timeout: seconds that one task may take, all its attempts included.
        concurrency: how many tasks at once; None for no limit beyond the runners' own.
        agree: how many experts do each task and are compared, unless its plan says otherwise; None: one.
    """

    def __init__(
        self,
        toolkit: HubToolkit,
        *,
        selector: Selector | None = None,
        timeout: float = 300.0,
        concurrency: int | None = None,
        agree: int | None = None,
    ) -> None:
        self._toolkit = toolkit
        self._agree = agree
        self._selector = selector or IndexSelector(toolkit.experts)
        self._timeout = timeout
        self._concurrency = concurrency

    async def arun(
        self,
        plan: Plan,
        request: Request,
        *,
        listener: Listener = ignore,
        results: Results | None = None,
        config: RunnableConfig | None = None,
    ) -> tuple[TaskResult, ...]:
        """One result for each task of the plan, in its order. Never raises for what a task did.

        A task that fails takes down its own descendants only: they are `skipped`. Cancelling cancels every running task.

        Args:
            plan: a plan that has passed the checker.
            request: what it was made for.
            listener: told when a task starts and ends.
            results: where finished results are kept and looked for.
            config: callbacks and tags for the tools.
        """
        return (await self.agrow(_whole(plan), request, listener=listener, results=results, config=config)).results

    async def agrow(
        self,
        plans: AsyncIterator[Plan],
        request: Request,
        *,
        listener: Listener = ignore,
        results: Results | None = None,
        config: RunnableConfig | None = None,
    ) -> Ran:
        """Run a plan that is still being written: every task starts once it is planned and its inputs exist.

        When the planner fails after tasks have started, these run to their end, and the plan's `error` says what happened.

        Args:
            plans: the plan as it grows (`GrowingPlanner.agrow`): each holds the tasks of the one before it, unchanged.
            request: what it is made for.
            listener: told when a task starts and ends.
            results: where finished results are kept and looked for.
            config: callbacks and tags for the tools.

        Raises:
            HuggingGPTError: what the planner raised before any task was planned.
        """
        run = _Run(
            request=request,
            executor=self,
            listener=listener,
            kept=results,
            config=config,
            gate=asyncio.Semaphore(self._concurrency) if self._concurrency else None,
            resolver=Resolver(self._toolkit.tasks, request.file_names(), self._toolkit.store),
        )
        plan = await run.all(plans)
        return Ran(plan=plan, results=tuple(run.results[t.id] for t in plan.tasks))

    async def call(self, planned: PlannedTask, calls: list[dict[str, Any]], run: _Run) -> TaskResult:
        """One planned task: choose, call the tool once for each set of arguments, and put the outcomes together."""
        tool = self._toolkit.tool(planned.task)
        candidates = await self._candidates(tool, planned, run.request.text)
        run.listener(task_start(planned.id, planned.task, [c.card.id for c in candidates]))
        with attempts_seen() as seen:
            try:
                async with asyncio.timeout(self._timeout):
                    outcomes = await asyncio.gather(*(self._invoke(tool, planned, a, candidates, run.config) for a in calls))
            except TimeoutError:
                error = TaskTimeoutError(planned.task, self._timeout)
                return TaskResult(
                    task_id=planned.id,
                    task=planned.task,
                    status="failed",
                    candidates=tuple(c.card.id for c in candidates),
                    attempts=tuple(seen),
                    error=error.message,
                    remedy=error.remedy,
                )
        if len(outcomes) == 1 and not any(r.each for _, r in planned.refs()):
            return outcomes[0]
        if not any(r.each for _, r in planned.refs()) and (best := self._surest(planned, outcomes)) is not None:
            return best
        return self._together(planned, list(outcomes) if any(r.each for _, r in planned.refs()) else _of_pages(outcomes))

    async def _candidates(self, tool: BaseTool, planned: PlannedTask, text: str) -> tuple[Candidate, ...]:
        if not isinstance(tool, HubTaskTool):
            return ()
        try:
            return await self._selector.aselect(self._toolkit.tasks[planned.task], text, self.wanted(planned) or 1)
        except HuggingGPTError:
            return ()  # the tool finds the same, and says so in its result

    async def _invoke(
        self,
        tool: BaseTool,
        planned: PlannedTask,
        arguments: dict[str, Any],
        candidates: tuple[Candidate, ...],
        config: RunnableConfig | None,
    ) -> TaskResult:
        injected: dict[str, Any] = {"candidates": candidates} if candidates else {}
        agree = self.wanted(planned)
        if agree is not None and isinstance(tool, HubTaskTool):
            injected |= {"agree": agree, "patience": _PATIENCE * self._timeout}
        call = {"name": tool.name, "args": {**arguments, **injected}, "id": planned.id, "type": "tool_call"}
        try:
            message = await tool.ainvoke(call, config)
        except Exception as e:  # a user's own tool may raise anything; ours never does
            text = str(e) or type(e).__name__
            return TaskResult(
                task_id=planned.id, task=planned.task, status="failed", error=f"{tool.name} raised {type(e).__name__}: {text}"
            )
        return self._result(planned, tool, message)

    def _result(self, planned: PlannedTask, tool: BaseTool, message: Any) -> TaskResult:
        artifact = getattr(message, "artifact", None)
        content = getattr(message, "content", message)
        failed = getattr(message, "status", "success") == "error"
        if isinstance(tool, HubTaskTool) and isinstance(artifact, dict):
            return TaskResult.from_json({**artifact, "task_id": planned.id, **_last(artifact)})
        if failed:
            return TaskResult(task_id=planned.id, task=planned.task, status="failed", error=str(content))
        output = self._own_output(planned, artifact if artifact is not None else content)
        return TaskResult(task_id=planned.id, task=planned.task, status="ok", model=tool.name, runner="own tool", output=output)

    def _own_output(self, planned: PlannedTask, value: Any) -> dict[str, Any]:
        """What a user's own tool returned, by output port."""
        task = self._toolkit.tasks[planned.task]
        if isinstance(value, str) and len(task.outputs) > 1:
            with contextlib.suppress(ValueError):
                value = json.loads(value)
        names = {p.name for p in task.outputs}
        if isinstance(value, dict) and names <= set(value):
            return {n: self._own_value(task.output_port(n).kind.is_media, value[n]) for n in names}
        return {task.output.name: self._own_value(task.output.kind.is_media, value)}

    def _own_value(self, media: bool, value: Any) -> Any:
        return self._toolkit.store.add_file(str(value)).as_json() if media else value

    def _surest(self, planned: PlannedTask, outcomes: Sequence[TaskResult]) -> TaskResult | None:
        """The best answer to one question about several pages, for tasks that rate their answers."""
        place = surest(self._toolkit.tasks[planned.task], [o.output if o.status == "ok" else None for o in outcomes])
        if place is None:
            return None
        told = f"the surest answer, from page {place + 1} of {len(outcomes)}"
        return replace(outcomes[place], notes=(*outcomes[place].notes, told), attempts=tuple(a for o in outcomes for a in o.attempts))

    def _together(self, planned: PlannedTask, outcomes: list[TaskResult]) -> TaskResult:
        failed = next((o for o in outcomes if o.status != "ok"), None)
        if failed is not None:
            return replace(failed, attempts=tuple(a for o in outcomes for a in o.attempts))
        last = outcomes[-1] if outcomes else TaskResult(task_id=planned.id, task=planned.task, status="ok")
        return replace(
            last,
            output=collected(self._toolkit.tasks[planned.task], [o.output for o in outcomes]),
            artifacts=tuple({a.id: a for o in outcomes for a in o.artifacts}.values()),
            notes=tuple(dict.fromkeys(n for o in outcomes for n in o.notes)),
            attempts=tuple(a for o in outcomes for a in o.attempts),
            agreement=Agreement.together([o.agreement for o in outcomes]),
        )

    def wanted(self, planned: PlannedTask) -> int | None:
        """How many experts are to agree about a task; None for one."""
        return planned.agree or self._agree

    def knows_artifacts(self, planned: PlannedTask) -> bool:
        """Whether the task's tool takes artifact ids."""
        return isinstance(self._toolkit.tool(planned.task), HubTaskTool)


@dataclass(kw_only=True)
class _Run:
    request: Request
    executor: Executor
    listener: Listener
    kept: Results | None
    config: RunnableConfig | None
    gate: asyncio.Semaphore | None
    resolver: Resolver
    results: dict[str, TaskResult] = field(default_factory=dict)
    began: float = field(default_factory=time.perf_counter)
    _planned: dict[str, PlannedTask] = field(default_factory=dict)
    _children: dict[str, list[PlannedTask]] = field(default_factory=dict)
    _waiting: dict[str, set[str]] = field(default_factory=dict)

    async def all(self, plans: AsyncIterator[Plan]) -> Plan:
        """Run every task of the plan as it grows; the last of the plans."""
        plan = Plan()
        failure: Exception | None = None
        async with asyncio.TaskGroup() as group:
            try:
                async with aclosing(plans) as growing:  # type: ignore[type-var]  # declared an iterator, is a generator
                    async for plan in growing:
                        self._add([t for t in plan.tasks if t.id not in self._planned], group)
            except Exception as e:  # raised here it would leave the group as an ExceptionGroup
                failure = e
        if failure is not None:
            if not self._planned or not isinstance(failure, HuggingGPTError):
                raise failure
            plan = replace(plan, error=failure.message)
        self._skip_the_rest()
        return plan

    def _add(self, tasks: list[PlannedTask], group: asyncio.TaskGroup) -> None:
        """Start those whose inputs exist; the others start when the last of their parents ends."""
        for task in tasks:
            self._planned[task.id] = task
            self._waiting[task.id] = {p for p in task.parents if p not in self.results}
            for parent in self._waiting[task.id]:
                self._children.setdefault(parent, []).append(task)
        for task in tasks:
            if not self._waiting[task.id]:
                group.create_task(self._run_then_start(task, group), name=task.id)

    async def _run_then_start(self, task: PlannedTask, group: asyncio.TaskGroup) -> None:
        # children start inside their parent's coroutine: a group whose last task is done is closed before callbacks run
        await self._one(task)
        for child in self._children.get(task.id, ()):
            self._waiting[child.id].discard(task.id)
            if not self._waiting[child.id]:
                group.create_task(self._run_then_start(child, group), name=child.id)

    def _skip_the_rest(self) -> None:
        """Tasks of a plan that broke off and that wait for a task which never came."""
        for task in self._planned.values():
            if task.id not in self.results:
                why = ", ".join(f"task {p}" for p in sorted(self._waiting[task.id]))
                error = f"its input from {why} never came"
                self.results[task.id] = result = TaskResult(task_id=task.id, task=task.task, status="skipped", error=error)
                self.listener(task_end(result))

    async def _one(self, task: PlannedTask) -> None:
        started = time.perf_counter()
        try:
            result = await self._outcome(task)
        except HuggingGPTError as e:
            result = TaskResult(task_id=task.id, task=task.task, status="failed", error=e.message, remedy=e.remedy)
        ended = time.perf_counter()
        result = replace(result, started=started - self.began, seconds=ended - started)
        self.results[task.id] = result
        self.listener(task_end(result))

    async def _outcome(self, task: PlannedTask) -> TaskResult:
        lost = [self.results[p] for p in task.parents if self.results[p].status != "ok"]
        if lost:
            why = ", ".join(f"{r.task} (task {r.task_id})" for r in lost)
            return TaskResult(task_id=task.id, task=task.task, status="skipped", error=f"its input from {why} never came")
        as_paths = not self.executor.knows_artifacts(task)  # for these files are read, which takes its time
        resolve = partial(self.resolver.resolve, task, self.results, as_paths=as_paths)
        calls = await asyncio.to_thread(resolve) if as_paths else resolve()
        key = _key(task, calls, self.executor.wanted(task))
        if self.kept is not None and (found := await self.kept.aget(key)) is not None:
            return TaskResult.from_json(found)
        if self.gate is None:
            result = await self.executor.call(task, calls, self)
        else:
            async with self.gate:
                result = await self.executor.call(task, calls, self)
        if self.kept is not None and result.status == "ok":
            await self.kept.aput(key, result.as_json())
        return result


def _of_pages(outcomes: Sequence[TaskResult]) -> list[TaskResult]:
    """The outcomes for the pages of a file that could be read, or all where none could. Notes of single pages say which page they are of;
    so does one for each page that failed."""
    count = len(outcomes)
    read: list[TaskResult] = []
    told: list[str] = []
    attempts: list[Attempt] = []
    for number, outcome in enumerate(outcomes, 1):
        if outcome.status == "ok":
            own = [n if all(n in o.notes for o in outcomes) else f"page {number} of {count}: {n}" for n in outcome.notes]
            read.append(replace(outcome, notes=tuple(own)))
        else:
            told.append(f"page {number} of {count} failed: {outcome.error}")
            attempts += outcome.attempts
    if not read:
        return list(outcomes)
    return [*read[:-1], replace(read[-1], notes=(*read[-1].notes, *told), attempts=(*attempts, *read[-1].attempts))]


async def _whole(plan: Plan) -> AsyncIterator[Plan]:
    yield plan


def _key(task: PlannedTask, calls: list[dict[str, Any]], agree: int | None) -> str:
    inputs = json.dumps([task.task, calls, agree], sort_keys=True, default=str)
    return f"{task.id}-{hashlib.sha256(inputs.encode()).hexdigest()[:16]}"


def _last(artifact: Mapping[str, Any]) -> dict[str, Any]:
    """Model and runner that gave the output: those of the last attempt."""
    attempts = [Attempt.from_json(a) for a in artifact.get("attempts", [])]
    if not attempts or artifact.get("status") != "ok":
        return {}
    return {"model": attempts[-1].model, "runner": attempts[-1].runner}
