"""The reply, written by a chat model from what ran and what did not."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from functools import cache
from importlib.resources import files as package_files
from typing import TYPE_CHECKING, Any

from .chat import aask, ask, astream, cut, delimited, fill, one_line, stream
from .errors import ChatModelError

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage

    from ..tools.artifacts import Artifact
    from ..tools.task import TaskTable
    from .plan import PlannedTask
    from .request import Request, Turn
    from .trace import TaskResult, Trace

MAX_CHARACTERS = 16_000  # of all outputs together
MAX_OUTPUT_CHARACTERS = 4_000  # of one value
MAX_ITEMS = 30  # of one list
MAX_TURNS = 8
MAX_TURN_CHARACTERS = 2_000
_MAX_DEPTH = 8


class LLMResponder:
    """A `Responder` that asks a chat model. It gets statuses, outputs and errors, and is told to claim nothing else.

    Args:
        model: any LangChain chat model.
        tasks: the tasks that exist, for the question what can be done; default: every task of the Hub.

    Raises:
        ChatModelError: from every method, when the model cannot be reached, refuses, or answers nothing.
    """

    def __init__(self, model: BaseChatModel, *, tasks: TaskTable | None = None) -> None:
        self._model = model
        self._tasks = tasks

    def respond(self, request: Request, trace: Trace, runnable: Sequence[str] = ()) -> str:
        """The reply. Calls the model's `invoke` only.

        Args:
            request: what was asked.
            trace: what became of it; without tasks the request is answered as chat, or the plan's question is asked.
            runnable: names of the tasks that can run here, for an answer about what can be done.
        """
        if trace.plan.question and not trace.plan.tasks:
            return trace.plan.question
        return _said(ask(self._model, self._messages(request, trace, runnable)))

    async def arespond(self, request: Request, trace: Trace, runnable: Sequence[str] = ()) -> str:
        """The same without blocking the event loop."""
        if trace.plan.question and not trace.plan.tasks:
            return trace.plan.question
        return _said(await aask(self._model, self._messages(request, trace, runnable)))

    def stream(self, request: Request, trace: Trace, runnable: Sequence[str] = ()) -> Iterator[str]:
        """The reply in pieces, as the model writes it."""
        if trace.plan.question and not trace.plan.tasks:
            yield trace.plan.question
            return
        empty = True
        for piece in stream(self._model, self._messages(request, trace, runnable)):
            if text := _text(piece):
                empty = False
                yield text
        if empty:
            raise _nothing()

    async def astream(self, request: Request, trace: Trace, runnable: Sequence[str] = ()) -> AsyncIterator[str]:
        """The same without blocking the event loop."""
        if trace.plan.question and not trace.plan.tasks:
            yield trace.plan.question
            return
        empty = True
        async with aclosing(astream(self._model, self._messages(request, trace, runnable))) as pieces:  # type: ignore[type-var]
            async for piece in pieces:
                if text := _text(piece):
                    empty = False
                    yield text
        if empty:
            raise _nothing()

    def _messages(self, request: Request, trace: Trace, runnable: Sequence[str]) -> list[BaseMessage]:
        from langchain_core.messages import HumanMessage, SystemMessage

        if trace.plan.tasks:
            system, asked = _prompt("respond.md"), f"{delimited('request', request.text)}\n\n{_results(trace)}"
        else:
            system, asked = fill(_prompt("chat.md"), **self._abilities(runnable)), _chat(request)
        return [SystemMessage(system), *_history(request.history), HumanMessage(asked)]

    def _abilities(self, runnable: Sequence[str]) -> dict[str, str]:
        from ..tools.hub_tasks import HUB_TASKS

        tasks = HUB_TASKS if self._tasks is None else self._tasks
        able = [f"- {name}: {one_line(tasks[name].summary, 200)}" for name in tasks if name in runnable]
        return {"runnable": "\n".join(able) or "(nothing)", "others": ", ".join(n for n in tasks if n not in runnable) or "(nothing)"}


@cache
def _prompt(name: str) -> str:
    return (package_files(__package__ or "") / "prompts" / name).read_text(encoding="utf-8").strip()


def _text(message: object) -> str:
    """The words of a message or of a piece of one; a refusal is an answer too."""
    refusal = getattr(message, "additional_kwargs", {}).get("refusal")
    return str(getattr(message, "text", "") or "") or (refusal if isinstance(refusal, str) else "")


def _said(message: object) -> str:
    text = _text(message).strip()
    if not text:
        raise _nothing()
    return text


def _nothing() -> ChatModelError:
    return ChatModelError("The chat model answered with no text.", remedy="Ask again, raise max_tokens of the model, or use another model.")


def _history(turns: Sequence[Turn]) -> Iterator[BaseMessage]:
    """The last turns as messages, beginning with one of the user: some providers refuse a conversation that begins otherwise."""
    from langchain_core.messages import AIMessage, HumanMessage

    begun = False
    for turn in turns[-MAX_TURNS:]:
        begun = begun or turn.role == "user"
        if begun:
            text = "\n".join([cut(turn.text, MAX_TURN_CHARACTERS), *(_file(m.artifact) for m in turn.made)]).strip() or "(nothing)"
            yield HumanMessage(text) if turn.role == "user" else AIMessage(text)


def _chat(request: Request) -> str:
    files = [delimited("files", "\n".join(_file(f) for f in request.files))] if request.files else []
    return "\n\n".join([*files, delimited("request", request.text)])


def _results(trace: Trace) -> str:
    planned = {t.id: t for t in trace.plan.tasks}
    share = min(MAX_OUTPUT_CHARACTERS, MAX_CHARACTERS // max(1, sum(len(r.output) for r in trace.results)))
    parts = [_result(r, planned.get(r.task_id), max(200, share)) for r in trace.results]
    ran = {r.task_id for r in trace.results}
    parts += [f"## Task {t.id}: {t.task}\nStatus: did not run" for t in trace.plan.tasks if t.id not in ran]
    if trace.plan.repairs:
        parts.append(delimited("changes-to-the-plan", "\n".join(f"- {one_line(r, 300)}" for r in trace.plan.repairs[:MAX_ITEMS])))
    made = [_file(a) for a in trace.artifacts]
    parts.append("Files that were made:\n" + ("\n".join(made) or "(none)"))
    return "\n\n".join(parts)


def _result(result: TaskResult, planned: PlannedTask | None, limit: int) -> str:
    head = f"## Task {result.task_id}: {result.task}\nStatus: {result.status}"
    lines = [head + (f", by the model {one_line(result.model, 120)}" if result.model else "")]
    if planned and planned.arguments:
        lines.append(delimited("given", cut(json.dumps(planned.as_json()["arguments"], ensure_ascii=False, default=str), 600)))
    for port, value in result.output.items():
        lines.append(delimited(f"output-{port}", _shown(value, limit)))
    if result.agreement is not None:
        lines.append(f"Agreement of experts: {one_line(result.agreement.summary(), 400)}")
    lines += [f"Note: {one_line(n, 300)}" for n in result.notes]
    if result.error:
        lines.append(f"Error: {one_line(result.error, 600)}")
    if result.remedy:
        lines.append(f"What would help: {one_line(result.remedy, 300)}")
    return "\n".join(lines)


def _shown(value: Any, limit: int) -> str:
    """An output as text: a string as it is, all else as JSON, files by name, long lists and strings cut."""
    if isinstance(value, str):
        return cut(value, limit)
    return cut(json.dumps(_brief(value, limit, 0), ensure_ascii=False, default=str), limit)


def _brief(value: Any, limit: int, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        return "… (cut)"
    if isinstance(value, str):
        return cut(value, limit)
    if isinstance(value, dict):
        if {"id", "path", "media_type", "name"} <= value.keys():
            return f"file {one_line(str(value['name']), 120)} ({value['media_type']})"
        return {str(k): _brief(v, limit, depth + 1) for k, v in list(value.items())[:MAX_ITEMS]}
    if isinstance(value, list | tuple):
        more = [f"… (cut, {len(value) - MAX_ITEMS} more)"] if len(value) > MAX_ITEMS else []
        return [*(_brief(v, limit, depth + 1) for v in value[:MAX_ITEMS]), *more]
    return value


def _file(file: Artifact) -> str:
    return f"- file {json.dumps(file.name, ensure_ascii=False)}: {file.kind}, {file.media_type}"
