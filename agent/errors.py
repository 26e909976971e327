"""Errors of agent/: leaves of the tree in `index/errors.py`.

CallerError
├── RequestError                a request that cannot be worked on: empty, too long
├── SettingsError               a setting that cannot be used
└── WeightsError                trained weights that are missing, broken, or of another version
ModelError
├── PlanError                   a plan that is wrong beyond repair; `problems` lists what and where
└── ChatModelError              the chat model could not be reached or refused; `status` where there was one
ExpertError
└── TaskTimeoutError            a task ran longer than it may
"""

from __future__ import annotations

from collections.abc import Sequence

from ..index.errors import CallerError, ExpertError, ModelError


class RequestError(CallerError):
    """A request that cannot be worked on: empty, or too long."""


class SettingsError(CallerError):
    """A setting that cannot be used."""


class WeightsError(CallerError):
    """Trained weights that are missing, broken, or of another version."""


class PlanError(ModelError):
    """A plan that is wrong beyond repair.

    Args:
        problems: what is wrong, one clause for each fault, naming task and port.
        answer: what the planner wrote, where it was a language model; cut for display.
    """

    def __init__(self, problems: Sequence[str], *, answer: str = "", remedy: str = "") -> None:
        shown = f" The model wrote: {answer[:400]!r}" if answer else ""
        super().__init__(f"The plan cannot be run: {'; '.join(problems)}.{shown}", remedy=remedy)
        self.problems = tuple(problems)
        self.answer = answer


class ChatModelError(ModelError):
    """The chat model could not be reached, or refused.

    Args:
        status: HTTP status, or None when there was no answer.
    """

    def __init__(self, message: str, *, remedy: str = "", status: int | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.status = status


class TaskTimeoutError(ExpertError):
    """A task ran longer than it may.

    Args:
        task: name of the task.
        seconds: the limit.
    """

    def __init__(self, task: str, seconds: float) -> None:
        super().__init__(
            f"{task} was stopped after {seconds:g} s.",
            remedy="Allow more time (HUGGINGGPT_TASK_TIMEOUT) or give it less to do.",
            retryable=True,
        )
        self.seconds = seconds
