"""Runs that were recorded: traces to score without running anything.

A file of JSON lines (or one JSON array) of objects with an `id`, in any of these forms; or the folder of an earlier run:

- `{"id", "reply", "trace"}`: what `Reply.text` and `Trace.as_json()` gave;
- what `hugginggpt ask --json` prints, with an `id` added;
- a line of an earlier run's `records.jsonl`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationError

from ..agent.trace import Reply, Trace
from ..index.errors import HuggingGPTError
from ..index.problems import Problems
from .jsonl import LinesById
from .run_folder import RECORDS

Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _File(BaseModel):
    id: str
    path: str
    media_type: str
    name: str
    size: int


class _Attempt(BaseModel):
    model: str
    runner: str
    seconds: Seconds
    error: str | None = None


class _Result(BaseModel):
    task_id: str
    task: str
    status: Literal["ok", "failed", "unavailable", "skipped"]
    model: str | None = None
    runner: str | None = None
    candidates: list[str] = []
    output: dict[str, Any] = {}
    artifacts: list[_File] = []
    notes: list[str] = []
    attempts: list[_Attempt] = []
    started: Seconds = 0.0
    seconds: Seconds = 0.0
    error: str | None = None
    remedy: str | None = None


class _Request(BaseModel):
    text: str
    artifacts: list[_File] = []


class _Trace(BaseModel):
    version: Literal[1] = 1
    request: _Request
    plan: list[Any]
    repairs: list[str] = []
    confidence: float | None = None
    question: str | None = None
    answer: str | None = None
    plan_error: str | None = None
    results: list[_Result]


class _Entry(BaseModel):
    reply: str
    trace: _Trace
    usage: dict[str, dict[str, int]] = {}


@dataclass(frozen=True, kw_only=True)
class RecordedRun:
    """What a file holds for one case.

    Attributes:
        reply: the reply with its trace; None when there is none that can be read.
        error: why there is none; empty otherwise.
        usage: tokens by chat model, where they were recorded.
    """

    reply: Reply | None = None
    error: str = ""
    usage: dict[str, dict[str, int]]


class RecordedRuns:
    """The runs of a file by the id of their case; each is read when it is asked for, so that memory does not grow with them.

    Args:
        path: the file, or the folder of an earlier run.
        problems: where lines that cannot be used are noted.

    Raises:
        DatasetError: there is no such file.
    """

    def __init__(self, path: Path, problems: Problems) -> None:
        self.path = path / RECORDS if path.is_dir() else path
        self._lines = LinesById(self.path, problems)

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def __contains__(self, ident: str) -> bool:
        return ident in self._lines

    def get(self, ident: str) -> RecordedRun:
        """The run of a case; one without a reply, and why, when there is none that can be read."""
        entry = self._lines.get(ident)
        if entry is None:
            return RecordedRun(error="no run was recorded for this case", usage={})
        detail = entry.get("detail")
        held = detail if isinstance(detail, dict) else entry
        usage = entry.get("usage") or {}
        if isinstance(detail, dict) and not held.get("trace"):
            return RecordedRun(error=str(entry.get("error") or "the record holds no trace"), usage={})
        data = {"reply": held.get("reply", held.get("text")), "trace": held.get("trace", held), "usage": usage}
        try:
            read = _Entry.model_validate(data)
            trace = Trace.from_json(read.trace.model_dump())
        except ValidationError as e:
            first = e.errors()[0]
            return RecordedRun(error=f"its trace cannot be read: {'.'.join(map(str, first['loc']))}: {first['msg']}", usage={})
        except HuggingGPTError as e:
            return RecordedRun(error=f"its trace cannot be read: {e.message}", usage={})
        return RecordedRun(reply=Reply(text=read.reply, artifacts=trace.artifacts, trace=trace), usage=read.usage)
