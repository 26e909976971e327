"""Planning by a chat model: one question, one more where the plan is faulty."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ...chat import aask, ask, astream, one_line
from ...checker import check
from ...errors import ChatModelError, PlanError
from ...plan import Plan, PlannedTask
from .drafts import draft, freeze
from .parsing import Found, TaskStream, find_plan, plan_of
from .prompt import plan_messages, repair_messages, schema

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage
    from langchain_core.runnables import Runnable

    from ....tools.task import TaskTable
    from ...request import Request

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
    """A `Planner` that asks a chat model.

    The plan is asked for by a strict JSON schema where the model takes one; else, and from then on, as plain text, which is read
    tolerantly (`parsing.py`, `drafts.py`). It is checked; what the checker cannot repair goes back to the model with the list of faults.

    Args:
        model: any LangChain chat model.
        repairs: how many times the model may be asked again about one plan.
    """

    def __init__(self, model: BaseChatModel, *, repairs: int = 1) -> None:
        self._model = model
        self._repairs = max(0, repairs)
        self._structured = True

    def plan(self, request: Request, tasks: TaskTable) -> Plan:
        """Plan and wait; the model's `invoke` only. No tasks: nothing to run, or a `question` for the user.

        Raises:
            PlanError: the plan was faulty, and faulty again; `problems` and `answer` say how.
            ChatModelError: the model could not be reached, or refused.
        """
        talk = self._talk(request, tasks)
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
        return await self._follow(self._talk(request, tasks))

    async def astream(self, request: Request, tasks: TaskTable) -> AsyncIterator[PlannedTask]:
        """Each task once it is complete and right, while the model still writes, in the order of the plan.

        A task that needs a look at the rest of the plan (a reference forwards, a fault) waits, and every task after it, until the
        answer has ended; then the rest comes, repaired if need be. Tasks that were given out are never changed. A plan without
        tasks gives nothing: its `question` is known to `aplan` only.

        Raises:
            PlanError, ChatModelError: as `plan`; tasks given out before stay valid.
        """
        model = self._streaming(tasks)
        written, started = TaskStream(), list[PlannedTask]()
        messages = plan_messages(request, tasks, structured=model is not self._model)
        waiting = False
        try:
            async with aclosing(astream(model, messages)) as pieces:  # type: ignore[type-var]  # declared an iterator, is a generator
                async for piece in pieces:
                    for _ in written.feed(_words(piece)):
                        task = None if waiting else _next_task(written.entries, started, request, tasks)
                        waiting = task is None
                        if task is not None:
                            started.append(task)
                            yield task
        except ChatModelError as e:
            if model is self._model or written.text or not _refuses_schema(e):
                raise
            talk = self._talk(request, tasks, refused=True)
        else:
            found = plan_of({"tasks": written.entries}) if started and written.closed else None
            talk = self._talk(request, tasks, first=_Answer(text=written.text, found=found), started=tuple(started))
        plan = await self._follow(talk)
        for task in plan.tasks[len(started) :]:
            yield task

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
        self,
        request: Request,
        tasks: TaskTable,
        *,
        first: _Answer | None = None,
        started: tuple[PlannedTask, ...] = (),
        refused: bool = False,
    ) -> _Talk:
        """The conversation, apart from how it is carried (waiting or not): yields questions, is sent answers, returns the plan."""
        more: list[BaseMessage] = []
        notes: tuple[str, ...] = ()
        answer = first or (yield from self._answer(request, tasks, more, refused=refused))
        for again in range(self._repairs + 1):
            try:
                plan = freeze(draft(answer.found or find_plan(answer.text), tasks, request.file_names()), started)
                plan = check(plan, tasks, request.file_names())
                return replace(plan, repairs=notes + plan.repairs)
            except PlanError as e:
                if again == self._repairs:
                    raise PlanError(
                        e.problems, answer=answer.text, remedy="Ask for less at once or in other words, or use a stronger model."
                    ) from e
                notes += (f"the model was asked again, since: {one_line('; '.join(e.problems), 500)}",)
                more += repair_messages(answer.text, e.problems, started)
            answer = yield from self._answer(request, tasks, more)
        raise AssertionError("unreachable")

    def _answer(
        self, request: Request, tasks: TaskTable, more: list[BaseMessage], *, refused: bool = False
    ) -> Generator[_Question, Any, _Answer]:
        structured = None if refused else self._with_schema(tasks, include_raw=True)
        if structured is not None:
            try:
                return _read_structured(
                    (yield _Question(model=structured, messages=[*plan_messages(request, tasks, structured=True), *more]))
                )
            except ChatModelError as e:
                if not _refuses_schema(e):
                    raise
        message = yield _Question(model=self._model, messages=[*plan_messages(request, tasks, structured=False), *more])
        self._structured = False  # plain text went where a schema did not: do not try that again
        return _Answer(text=_words(message))

    def _with_schema(self, tasks: TaskTable, *, include_raw: bool) -> Runnable[Any, Any] | None:
        """The model bound to the schema, or None where it has no structured output."""
        if not self._structured:
            return None
        try:
            return self._model.with_structured_output(schema(tasks), method="json_schema", strict=True, include_raw=include_raw)
        except (NotImplementedError, TypeError, ValueError, AttributeError):
            return None  # models differ in which of these they raise for an option that they do not know

    def _streaming(self, tasks: TaskTable) -> Runnable[Any, Any]:
        """What streams the words of an answer: the model bound to the schema, without the parser that would hold them back."""
        from langchain_core.runnables import RunnableSequence

        structured = self._with_schema(tasks, include_raw=False)
        return structured.first if isinstance(structured, RunnableSequence) else self._model


def _next_task(entries: list[Any], started: list[PlannedTask], request: Request, tasks: TaskTable) -> PlannedTask | None:
    """The newest entry as a task, if it and all before it are right by themselves: an id of its own, references only backwards."""
    if len(entries) != len(started) + 1 or not all(isinstance(e, dict) and "id" in e for e in entries):
        return None
    files = request.file_names()
    try:
        drafted = draft(Found(entries=tuple(entries)), tasks, files)
        task = check(freeze(drafted, started), tasks, files).tasks[-1]
    except PlanError:
        return None
    return task if set(task.parents) <= {t.id for t in started} else None


def _refuses_schema(error: ChatModelError) -> bool:
    return error.status in _REFUSES_FORMAT or isinstance(error.__cause__, NotImplementedError | TypeError)


def _read_structured(result: Any) -> _Answer:
    """What `include_raw` gives: `{"raw", "parsed", "parsing_error"}`.

    The words are read by us where there are any: LangChain's parser completes JSON that breaks off, and half a plan would run.
    """
    parsed, raw = (result.get("parsed"), result.get("raw")) if isinstance(result, dict) else (None, result)
    text = _words(raw)
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
