"""The reply: what came out, true to what ran."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from ..index.text import size_text
from ..tools.task import Kind, Port, TaskTable
from ..tools.views import score_text, text_view
from .trace import TaskResult, Trace

if TYPE_CHECKING:
    from .request import Request

_SHOWN = 1200  # characters of a text that a later task went on with
_NAMED = 14
_ROWS = 30


class Responder(Protocol):
    """Writes the reply to a request from the trace of its run.

    `runnable` names the tasks that can run here, for requests that ask what can be done.

    Raises:
        ChatModelError: a chat model was asked and could not be reached, or refused.
    """

    def stream(self, request: Request, trace: Trace, runnable: Sequence[str] = ()) -> Iterator[str]:
        """The reply, piece by piece."""

    def astream(self, request: Request, trace: Trace, runnable: Sequence[str] = ()) -> AsyncIterator[str]:
        """The same without blocking the event loop."""


class EmbeddedResponder:
    """Renders the trace. No model, no words that a result does not hold; every statement ends in the id of its task, as in [2].

    Args:
        tasks: the table that plans are made with.
    """

    def __init__(self, tasks: TaskTable) -> None:
        self._tasks = tasks

    def stream(self, request: Request, trace: Trace, runnable: Sequence[str] = ()) -> Iterator[str]:
        """The reply, in one piece."""
        yield self._text(trace, runnable)

    async def astream(self, request: Request, trace: Trace, runnable: Sequence[str] = ()) -> AsyncIterator[str]:
        """The reply, in one piece."""
        yield self._text(trace, runnable)

    def _text(self, trace: Trace, runnable: Sequence[str]) -> str:
        if not trace.results:
            said = trace.plan.question or trace.plan.answer or self._chat(runnable)
            return "\n\n".join((*self._repairs(trace), said))
        used = {ref.task_id for task in trace.plan.tasks for _, ref in task.refs()}
        parts = [self._result(r, r.task_id in used) for r in trace.results]
        made = [f"[{r.task_id}] {r.task}: {self._by(r)}" for r in trace.results if r.status == "ok"]
        sources = "\n".join(made)
        broken = f"The plan broke off, and nothing besides this was run: {trace.plan.error}" if trace.plan.error else ""
        return "\n\n".join(p for p in (*parts, *self._repairs(trace), broken, sources) if p)

    def _chat(self, runnable: Sequence[str]) -> str:
        if not runnable:
            return (
                "Hello! I plan a request into Hugging Face Hub tasks and run them, but no expert can run here yet: see `hugginggpt doctor`."
            )
        able = "\n".join(f"- {n}: {self._tasks[n].summary}" for n in runnable[:_NAMED] if n in self._tasks)
        more = f"\n… and {len(runnable) - _NAMED} more (`hugginggpt tasks`)" if len(runnable) > _NAMED else ""
        return (
            "Hello! I plan a request into Hugging Face Hub tasks, choose an expert model for each, run them and tell you what came out. "
            f"Here and now I can run:\n{able}{more}\nSay what you need, and attach the files it is about."
        )

    def _repairs(self, trace: Trace) -> list[str]:
        left_out = [r for r in trace.plan.repairs if "left out" in r]
        return [f"Not done: {r.rstrip('.')}." for r in left_out]

    def _by(self, result: TaskResult) -> str:
        notes = f" ({'; '.join(result.notes)})" if result.notes else ""
        if result.agreement is None:
            return f"{result.model}{notes}"
        agreement = "" if result.agreement.is_low else f"; agreement {result.agreement.summary()}"  # a note tells of a low one
        return f"{', '.join(result.agreement.experts)}{agreement}{notes}"

    def _result(self, result: TaskResult, used: bool) -> str:
        mark = f"[{result.task_id}]"
        if result.status == "unavailable":
            choice = f" The index would choose {result.candidates[0]}." if result.candidates else ""
            return f"{result.error}{choice} {result.remedy} {mark}".replace("  ", " ")
        if result.status == "failed":
            return f"{result.task} failed: {result.error} {result.remedy} {mark}".replace("  ", " ")
        if result.status == "skipped":
            return f"{result.task} was not run: {result.error}. {mark}"
        task = self._tasks.get(result.task)
        ports = task.outputs if task is not None else ()
        lines = [line for p in ports if (line := self._port(p, result, main=p is ports[0], used=used))]
        carried = {f["id"] for v in result.output.values() for f in _list(v) if isinstance(f, dict) and "id" in f}
        lines += [f"Shown in: {a.path} ({a.media_type}, {size_text(a.size)})" for a in result.artifacts if a.id not in carried]
        if result.agreement is not None and result.agreement.is_low:
            lines.append("The experts disagree about this.")
        return "\n".join(lines) + f" {mark}" if lines else f"{result.task} gave nothing. {mark}"

    def _port(self, port: Port, result: TaskResult, *, main: bool, used: bool) -> str:
        value = result.output.get(port.name)
        if port.kind.is_media:
            return "\n".join(f"{port.name.capitalize()}: {f['path']} ({f['media_type']}, {size_text(f['size'])})" for f in _list(value))
        if port.kind is Kind.NUMBER and not main:
            return ""
        if port.kind is Kind.LABELS:
            return _labels(value)
        if port.kind is Kind.JSON:
            return _json(port, value) if main or value else ""
        if value in (None, "", []):
            return f"(no {port.name})"
        text = text_view(port.kind, value)
        return text[:_SHOWN].rstrip() + " …" if used and len(text) > _SHOWN else text


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _labels(value: Any) -> str:
    rows = [e for e in _list(value) if isinstance(e, dict) and "label" in e]
    if len(rows) != len(_list(value)) or not rows:
        return text_view(Kind.LABELS, value)
    rest = ", ".join(f"{e['label']} {score_text(e['score'])}" for e in rows[1:6])
    return f"{rows[0]['label']} ({score_text(rows[0]['score'])}{'; ' + rest if rest else ''})"


def _json(port: Port, value: Any) -> str:
    """Lists of numbers in short, lists of objects a line each, anything else as it is."""
    if isinstance(value, list) and value and all(isinstance(v, int | float) for v in value):
        if len(value) > 12:
            return f"{port.name}: {len(value)} numbers, beginning {', '.join(f'{v:.4f}' for v in value[:4])}"
        return f"{port.name}: {', '.join(f'{v:.2f}' for v in value)}"
    text = text_view(Kind.JSON, value)
    if isinstance(value, list) and value and not text.startswith("["):
        lines = text.splitlines()
        rest = len(lines) - _ROWS
        return "\n".join(f"- {line}" for line in lines[:_ROWS]) + (f"\n- … and {rest} more" if rest > 0 else "")
    if isinstance(value, list) and value and all(isinstance(v, dict) for v in value):
        return "\n".join("- " + ", ".join(f"{k} {_plain(x)}" for k, x in row.items()) for row in value[:_ROWS])
    if value in (None, [], {}):
        return f"{port.name}: none"
    return f"{port.name}: {text[:_SHOWN]}"


def _plain(value: Any) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)
