"""What happened: results of tasks, the whole run, and the reply. JSON both ways."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ..tools.artifacts import Artifact
from ..tools.consensus.agreement import Agreement
from ..tools.result import Attempt
from .plan import Plan

Status = Literal["ok", "failed", "unavailable", "skipped"]
VERSION = 1


@dataclass(frozen=True, kw_only=True)
class TaskResult:
    """How one planned task went.

    Attributes:
        task_id: its id in the plan.
        task: name of the task.
        status: `ok`; `failed`: experts ran and failed; `unavailable`: no expert can run it here; `skipped`: an input never came.
        model: id of the card that gave the output, or None.
        runner: name of its runner, or None.
        candidates: ids of the cards considered, best first.
        output: plain JSON by output port; files as `Artifact.as_json()`.
        artifacts: the files it made.
        notes: what a reader must know to judge the output.
        attempts: every try, in order.
        started: seconds after the run began.
        seconds: how long it took.
        error: why there is no output; empty when ok.
        remedy: what would help; may be empty.
        agreement: how far experts agree, where several were asked; else None.
    """

    task_id: str
    task: str
    status: Status
    model: str | None = None
    runner: str | None = None
    candidates: tuple[str, ...] = ()
    output: dict[str, Any] = field(default_factory=dict)
    artifacts: tuple[Artifact, ...] = ()
    notes: tuple[str, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    started: float = 0.0
    seconds: float = 0.0
    error: str = ""
    remedy: str = ""
    agreement: Agreement | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain JSON, every field present."""
        return {
            "task_id": self.task_id,
            "task": self.task,
            "status": self.status,
            "model": self.model,
            "runner": self.runner,
            "candidates": list(self.candidates),
            "output": self.output,
            "artifacts": [a.as_json() for a in self.artifacts],
            "notes": list(self.notes),
            "attempts": [a.as_json() for a in self.attempts],
            "started": round(self.started, 4),
            "seconds": round(self.seconds, 4),
            "error": self.error or None,
            "remedy": self.remedy or None,
            "agreement": self.agreement.as_json() if self.agreement else None,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TaskResult:
        """Read what `as_json` wrote."""
        return cls(
            task_id=data["task_id"],
            task=data["task"],
            status=data["status"],
            model=data.get("model"),
            runner=data.get("runner"),
            candidates=tuple(data.get("candidates", ())),
            output=dict(data.get("output", {})),
            artifacts=tuple(Artifact.from_json(a) for a in data.get("artifacts", ())),
            notes=tuple(data.get("notes", ())),
            attempts=tuple(Attempt.from_json(a) for a in data.get("attempts", ())),
            started=data.get("started", 0.0),
            seconds=data.get("seconds", 0.0),
            error=data.get("error") or "",
            remedy=data.get("remedy") or "",
            agreement=Agreement.from_json(data["agreement"]) if data.get("agreement") else None,
        )


@dataclass(frozen=True, kw_only=True)
class Trace:
    """One run.

    Attributes:
        text: the request's words.
        files: the request's files.
        plan: what was planned; repairs included.
        results: one for each task of the plan, in the plan's order.
    """

    text: str
    files: tuple[Artifact, ...] = ()
    plan: Plan = field(default_factory=Plan)
    results: tuple[TaskResult, ...] = ()

    @property
    def artifacts(self) -> tuple[Artifact, ...]:
        """Files that the run made, each once, in the plan's order."""
        return tuple({a.id: a for r in self.results for a in r.artifacts}.values())

    @property
    def complete(self) -> bool:
        """Whether the plan is whole and every task ran."""
        return not self.plan.error and all(r.status == "ok" for r in self.results)

    def as_json(self) -> dict[str, Any]:
        """`{"version", "request", "plan", "repairs", "results", "confidence", "question", "answer", "plan_error"}`."""
        return {
            "version": VERSION,
            "request": {"text": self.text, "files": [str(f.path) for f in self.files], "artifacts": [f.as_json() for f in self.files]},
            "plan": self.plan.as_json(),
            "repairs": list(self.plan.repairs),
            "results": [r.as_json() for r in self.results],
            "confidence": self.plan.confidence,
            "question": self.plan.question or None,
            "answer": self.plan.answer or None,
            "plan_error": self.plan.error or None,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Trace:
        """Read what `as_json` wrote; what it did not write at first (`question`, `answer`, …) may be missing.

        Raises:
            PlanError: the plan in it has not the form of one.
        """
        plan = replace(
            Plan.from_json(data["plan"]),
            repairs=tuple(data.get("repairs", ())),
            confidence=data.get("confidence"),
            question=data.get("question") or "",
            answer=data.get("answer") or "",
            error=data.get("plan_error") or "",
        )
        results = tuple(TaskResult.from_json(r) for r in data["results"])
        files = tuple(Artifact.from_json(f) for f in data["request"].get("artifacts", ()))
        return cls(text=data["request"]["text"], files=files, plan=plan, results=results)


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What the user gets.

    Attributes:
        text: the reply.
        artifacts: files that belong to it.
        trace: everything that led to it.
    """

    text: str
    artifacts: tuple[Artifact, ...]
    trace: Trace

    def as_json(self) -> dict[str, Any]:
        """The trace's JSON with `reply` and `artifacts`."""
        return {**self.trace.as_json(), "reply": self.text, "artifacts": [a.as_json() for a in self.artifacts]}
