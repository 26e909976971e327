"""What a tool gives back: the output, the files, and how it came about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from .artifacts import Artifact
from .consensus.agreement import Agreement


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One try of one expert.

    Attributes:
        model: id of the card.
        runner: name of the runner.
        seconds: how long it took; where a runner tried again by itself, the last try with the waiting before it.
        error: why it failed; empty when it gave the output.
        usage: what it took, where a provider tells (`RunnerOutput.usage`).
    """

    model: str
    runner: str
    seconds: float
    error: str = ""
    usage: dict[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON; `usage` only where there is some."""
        told = {"usage": self.usage} if self.usage else {}
        return {"model": self.model, "runner": self.runner, "seconds": round(self.seconds, 4), "error": self.error or None, **told}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Attempt:
        """Read what `as_json` wrote."""
        return cls(
            model=data["model"],
            runner=data["runner"],
            seconds=data["seconds"],
            error=data.get("error") or "",
            usage=dict(data.get("usage", {})),
        )


@dataclass(frozen=True, kw_only=True)
class ToolResult:
    """The artifact of a task's ToolMessage.

    Attributes:
        task: name of the task.
        status: `ok`, `failed` (experts ran and failed, or the input is at fault) or `unavailable` (no expert can run it here).
        values: by output port: plain JSON, an Artifact, or a list of those.
        artifacts: every file among the values, in order, and after them pictures that show what was found, which no port carries.
        notes: what a reader must know to judge the output.
        candidates: ids of the cards considered, best first.
        attempts: every try, in order; the last one gave the output when the status is ok (with an agreement: the answer nearest to it).
        error: why there is no output; empty when ok.
        remedy: what would help; may be empty.
        agreement: how far experts agree, where several were asked and more than one gave an output that can be compared; else None.
    """

    task: str
    status: Literal["ok", "failed", "unavailable"]
    values: dict[str, Any] = field(default_factory=dict)
    artifacts: tuple[Artifact, ...] = ()
    notes: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    error: str = ""
    remedy: str = ""
    agreement: Agreement | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain JSON; files become `Artifact.as_json()`, `values` is called `output`."""
        return {
            "task": self.task,
            "status": self.status,
            "output": {port: _json(value) for port, value in self.values.items()},
            "artifacts": [a.as_json() for a in self.artifacts],
            "notes": list(self.notes),
            "candidates": list(self.candidates),
            "attempts": [a.as_json() for a in self.attempts],
            "error": self.error or None,
            "remedy": self.remedy or None,
            "agreement": self.agreement.as_json() if self.agreement else None,
        }


def _json(value: Any) -> Any:
    if isinstance(value, Artifact):
        return value.as_json()
    if isinstance(value, list):
        return [_json(v) for v in value]
    return value
