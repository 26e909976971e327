"""Planning by a chat model: one question, one more where the plan is faulty."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ....index.errors import BudgetError
from ....index.minilm import MiniLM
from ...chat import aask, ask, astream, in_process, one_line
from ...checker import check
from ...errors import ChatModelError, PlanError
from ...plan import Plan, PlannedTask
from ..embedded import EmbeddedPlanner
from .budget import Budget
from .demonstrations import Demonstrations
from .drafts import draft, freeze
from .fitting import Fitting
from .growing import next_task, numbered
from .parsing import Found, TaskStream, find_plan, plan_of
from .plausible import Plausibility
from .prompt import plan_messages, repair_messages, schema
from .speech import attempts_plan, spoken, without_echo

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage
    from langchain_core.runnables import Runnable

    from ....tools.task import HubTask, TaskTable
    from ...request import Request

_ASKS = 0.25  # plausibility of the likeliest task from which a request asks for one …
_SURELY_ASKS = 0.5  # … and from which it does, though the model says again and again in prose that it does not
_REFUSES_FORMAT = (400, 415, 422, 501)  # what servers answer to a `response_format` that they do not know


@dataclass(frozen=True, kw_only=True)
class _Question:
    """What is to be asked next."""

    model: Runnable[Any, Any]
    messages: list[BaseMessage]


@dataclass(frozen=True, kw_only=True)
class _Answer:
    """What came back: the words, and the plan in them where it is known already."""

    text: str
    found: Found | None = None


_Talk = Generator[_Question, Any, Plan]


class LLMPlanner:
    """A `GrowingPlanner` that asks a chat model.

    The plan is asked for by a strict JSON schema where the model takes one; else, and from then on, as plain text, which is read
    tolerantly (`parsing.py`, `drafts.py`). It is checked; what the checker cannot repair goes back to the model with the list of faults.
    Prose instead of a plan is an answer where the request asks for no task, and a fault where it does. A model that keeps to its prose
    is believed, unless the request surely asks for what words alone cannot do: a task on a file, or one that makes one.

    Args:
        model: any LangChain chat model.
        encoder: a MiniLM to share: it finds the demonstrations that are most like the request.
        plausibility: judges tasks where the table has no room, and whether a request asks for any; default the embedded planner.
        context_tokens: what the model takes, prompt and answer together; default what LangChain's profile of it tells, else no limit.
            What is given up where there is no room, and in which order, stands in `fitting.py`.
        examples: how many demonstrations are shown.
        repairs: how many times the model may be asked again about one plan.

    Raises:
        SettingsError: `context_tokens` is not positive.
    """

    def __init__(
        self,
        model: BaseChatModel,
        *,
        encoder: MiniLM | None = None,
        plausibility: Plausibility | None = None,
        context_tokens: int | None = None,
        examples: int = 4,
        repairs: int = 1,
    ) -> None:
        encoder = encoder or MiniLM()
        self._model = model
        self._demonstrations = Demonstrations(encoder)
        self._plausibility = plausibility or EmbeddedPlanner(encoder)
        self._budget = Budget(model, context_tokens)
        self._examples = examples
        self._repairs = max(0, repairs)
        self._structured = in_process(model) is None

    def plan(self, request: Request, tasks: TaskTable) -> Plan:
        """Plan and wait; the model's `invoke` only. No tasks: nothing to run, a `question` for the user, or the model's own `answer`.

        Raises:
            PlanError: the plan was faulty, and faulty again; `problems` and `answer` say how.
            ChatModelError: the model could not be reached, or refused.
            BudgetError: the request does not fit into the model's context.
        """
        talk = self._talk(self._fitting(request, tasks))
        try:
            question = next(talk)
            while True:
                try:
                    answer = ask(question.model, question.messages)
                except ChatModelError as e:
                    question = talk.throw(e)
                else:
                    question = talk.send(answer)
        except StopIteration as end:
            return _plan_of(end)

    async def aplan(self, request: Request, tasks: TaskTable) -> Plan:
        """The same without blocking the event loop; the model's `ainvoke` only."""
        fitting = await asyncio.to_thread(self._fitting, request, tasks)
        await asyncio.to_thread(self._with_schema, fitting, (), include_raw=True)  # what is shown is chosen off the event loop, and kept
        return await self._follow(self._talk(fitting))

    async def astream(self, request: Request, tasks: TaskTable) -> AsyncIterator[PlannedTask]:
        """Each task of `agrow`'s plans once it is there, in the order of the plan. A plan without tasks gives nothing."""
        given: set[str] = set()
        async with aclosing(self.agrow(request, tasks)) as plans:  # type: ignore[type-var]  # declared an iterator, is a generator
            async for plan in plans:
                for task in plan.tasks:
                    if task.id not in given:
                        given.add(task.id)
                        yield task

    async def agrow(self, request: Request, tasks: TaskTable) -> AsyncIterator[Plan]:
        """The plan so far whenever a further task is complete and right, while the model still writes; the whole plan last.

        A task that needs a look at the rest of the plan (a reference forwards, a fault, a repair) waits, and every task after it, until
        the answer has ended; then the rest comes, repaired if need be. Tasks that were given out are never changed.

        Raises:
            PlanError, ChatModelError, BudgetError: as `plan`; tasks given out before stay valid.
        """
        fitting = await asyncio.to_thread(self._fitting, request, tasks)
        question = await asyncio.to_thread(self._streaming, fitting)
        written, started = TaskStream(), list[PlannedTask]()
        waiting = False
        try:
            async with aclosing(astream(question.model, question.messages)) as pieces:  # type: ignore[type-var]  # declared an iterator, is a generator
                async for piece in pieces:
                    for _ in written.feed(_words(piece)):
                        task = None if waiting else next_task(written.entries, started, tasks, request.file_names())
                        waiting = task is None
                        if task is not None:
                            started.append(task)
                            yield Plan(tasks=tuple(started))
        except ChatModelError as e:
            if question.model is self._model or written.text or not _refuses_schema(e):
                raise
            talk = self._talk(fitting, refused=True)
        else:
            found = _first_plan(written) if started and written.closed else None
            talk = self._talk(fitting, first=_Answer(text=written.text, found=found), started=tuple(started))
        yield await self._follow(talk)

    def _fitting(self, request: Request, tasks: TaskTable) -> Fitting:
        demos = self._demonstrations.nearest(request.text, tasks, self._examples)
        return Fitting(request=request, tasks=tasks, demos=demos, budget=self._budget, plausibility=self._plausibility)

    async def _follow(self, talk: _Talk) -> Plan:
        try:
            question = next(talk)
            while True:
                try:
                    answer = await aask(question.model, question.messages)
                except ChatModelError as e:
                    question = talk.throw(e)
                else:
                    question = talk.send(answer)
        except StopIteration as end:
            return _plan_of(end)

    def _talk(
        self, fitting: Fitting, *, first: _Answer | None = None, started: tuple[PlannedTask, ...] = (), refused: bool = False
    ) -> _Talk:
        """The conversation, apart from how it is carried (waiting or not): yields questions, is sent answers, returns the plan."""
        request, tasks = fitting.request, fitting.tasks
        more: list[BaseMessage] = []
        notes: tuple[str, ...] = ()
        answer = first or (yield from self._answer(fitting, more, refused=refused))
        for again in range(self._repairs + 1):
            try:
                plan = _read(answer, fitting, started)
                return replace(plan, repairs=notes + plan.repairs)
            except PlanError as e:
                if not started and self._is_chat(answer.text, request, tasks, insists=again > 0 and again == self._repairs):
                    return Plan(answer=spoken(answer.text))
                fault = PlanError(e.problems, answer=answer.text, remedy="Ask for less at once or in other words, or use a stronger model.")
                if again == self._repairs:
                    plan = _salvaged(answer, fitting, started, fault)
                    return replace(plan, repairs=notes + plan.repairs)
                notes += (f"the model was asked again, since: {one_line('; '.join(e.problems), 500)}",)
                more += repair_messages(answer.text, e.problems, started)
            try:
                answer = yield from self._answer(fitting, more)
            except BudgetError:
                raise fault from None  # there is no room to ask again
        raise AssertionError("unreachable")

    def _is_chat(self, answer: str, request: Request, tasks: TaskTable, *, insists: bool) -> bool:
        """Whether prose is meant as an answer: it makes no attempt at a plan, and the request asks for no task."""
        if not spoken(answer) or attempts_plan(answer, tasks):
            return False
        likely = self._plausibility.plausible(request, tasks)
        if not insists:
            return max(likely.values(), default=0.0) < _ASKS
        files = bool(request.file_names())
        return max((p for name, p in likely.items() if files or not _words_alone(tasks[name])), default=0.0) < _SURELY_ASKS

    def _answer(self, fitting: Fitting, more: list[BaseMessage], *, refused: bool = False) -> Generator[_Question, Any, _Answer]:
        if not refused and (structured := self._with_schema(fitting, more, include_raw=True)) is not None:
            try:
                return _read_structured((yield structured), structured.messages)
            except ChatModelError as e:
                if not _refuses_schema(e):
                    raise
        shown = fitting.shown(structured=False, more=more)
        plain = _Question(model=self._model, messages=[*plan_messages(fitting.request, shown, structured=False), *more])
        message = yield plain
        self._structured = False  # plain text went where a schema did not: do not try that again
        return _Answer(text=without_echo(_words(message), plain.messages[-1].text))

    def _with_schema(self, fitting: Fitting, more: Sequence[BaseMessage], *, include_raw: bool) -> _Question | None:
        """The question to the model bound to the schema; None where it has no structured output, or no room for a schema."""
        if not self._structured:
            return None
        try:
            shown = fitting.shown(structured=True, more=more)
            bound = self._model.with_structured_output(schema(shown.tasks), method="json_schema", strict=True, include_raw=include_raw)
        except (BudgetError, NotImplementedError, TypeError, ValueError, AttributeError):
            return None  # models differ in which of these they raise for an option that they do not know
        return _Question(model=bound, messages=[*plan_messages(fitting.request, shown, structured=True), *more])

    def _streaming(self, fitting: Fitting) -> _Question:
        """What streams the words of an answer: the model bound to the schema, without the parser that would hold them back."""
        from langchain_core.runnables import RunnableSequence

        question = self._with_schema(fitting, (), include_raw=False)
        if question is not None and isinstance(question.model, RunnableSequence):
            return replace(question, model=question.model.first)
        shown = fitting.shown(structured=False)
        return _Question(model=self._model, messages=plan_messages(fitting.request, shown, structured=False))


def _read(answer: _Answer, fitting: Fitting, started: Sequence[PlannedTask], *, salvage: bool = False) -> Plan:
    """The plan in an answer, checked. Raises PlanError."""
    files = fitting.request.file_names()
    found = answer.found or find_plan(answer.text)
    plan = freeze(numbered(found.entries, draft(found, fitting.tasks, files, salvage=salvage)), started)
    return check(plan, fitting.tasks, files, started=[t.id for t in started], salvage=salvage)


def _first_plan(written: TaskStream) -> Found:
    """The plan whose tasks were given out, though the model may have written another behind it; with the links that belong to it."""
    entries = tuple(written.entries)
    try:
        found = find_plan(written.text)
    except PlanError:
        return Found(entries=entries)
    return found if found.entries == entries else Found(entries=entries)


def _salvaged(answer: _Answer, fitting: Fitting, started: Sequence[PlannedTask], fault: PlanError) -> Plan:
    """What can be run of a plan that nobody is left to ask about; what is left out stands in its repairs. Raises `fault`."""
    try:
        return _read(answer, fitting, started, salvage=True)
    except PlanError as e:
        raise fault from e


def _words_alone(task: HubTask) -> bool:
    """Whether neither what the task takes nor what it gives is a picture, a sound or another medium."""
    return not any(p.kind.is_media for p in (*task.inputs, *task.outputs))


def _refuses_schema(error: ChatModelError) -> bool:
    return error.status in _REFUSES_FORMAT or isinstance(error.__cause__, NotImplementedError | TypeError)


def _read_structured(result: Any, asked: Sequence[BaseMessage]) -> _Answer:
    """What `include_raw` gives: `{"raw", "parsed", "parsing_error"}`.

    The words are read by us where there are any: LangChain's parser completes JSON that breaks off, and half a plan would run.
    """
    parsed, raw = (result.get("parsed"), result.get("raw")) if isinstance(result, dict) else (None, result)
    text = without_echo(_words(raw), asked[-1].text)
    return _Answer(text=text, found=plan_of(parsed) if not text and isinstance(parsed, dict) else None)


def _words(message: Any) -> str:
    """What a message or a piece of one says: its text, its tool calls' arguments, or why it refuses."""
    text = str(getattr(message, "text", "") or "")
    if text:
        return text
    if pieces := getattr(message, "tool_call_chunks", None):
        return "".join(p.get("args") or "" for p in pieces)
    if calls := getattr(message, "tool_calls", None):
        from json import dumps

        return "\n".join(dumps(c["args"], ensure_ascii=False) for c in calls)
    refusal = getattr(message, "additional_kwargs", {}).get("refusal")
    return refusal if isinstance(refusal, str) else ""


def _plan_of(end: StopIteration) -> Plan:
    plan: Plan = end.value
    return plan
