"""Errors of tools/: leaves of the tree in `index/errors.py`.

CallerError
├── InputError                  an argument of a task: missing, of the wrong kind, empty
├── MediaError                  a file: absent, unreadable, not what it says it is, too large
└── MissingExtraError           an optional package is not installed; names the extra
ExpertError
├── NoExpertError               no expert can run a task here; `reasons` by runner
├── ModelRefusedError           a model that cannot or must not be run here: it does something else, is pickled, does not fit
├── ModelAbsentError            a model that is not on this machine and cannot be fetched
└── ExpertTimeoutError          an expert did not end in time; retryable
"""

from __future__ import annotations

from collections.abc import Mapping

from ..index.errors import CallerError, ExpertError


class InputError(CallerError):
    """An argument of a task is missing, of the wrong kind, or empty."""


class MediaError(CallerError):
    """A file is absent, unreadable, not what it says it is, or too large."""


class MissingExtraError(CallerError):
    """An optional package is not installed.

    Args:
        package: the package that could not be imported.
        extra: the extra of this distribution that brings it.
    """

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"The package {package!r} is not installed.", remedy=f'Run: pip install "langchain-hugginggpt[{extra}]"')
        self.package = package
        self.extra = extra


class NoExpertError(ExpertError):
    """No expert can run a task here and now.

    Args:
        task: the Hub task.
        reasons: for each runner by name, why not.
        remedy: what would make it run.
    """

    def __init__(self, task: str, reasons: Mapping[str, str], *, remedy: str) -> None:
        why = "; ".join(f"{name}: {reason}" for name, reason in reasons.items()) or "there is no runner at all"
        super().__init__(f"No expert can run {task} here ({why}).", remedy=remedy)
        self.task = task
        self.reasons = dict(reasons)


class ModelRefusedError(ExpertError):
    """A model cannot or must not be run here: it does another task, its weights are pickled or damaged, or it does not fit."""


class ModelAbsentError(ExpertError):
    """A model is not on this machine, and cannot or may not be fetched."""


class ExpertTimeoutError(ExpertError):
    """An expert did not end in time.

    Args:
        model: its id.
        seconds: how long it had.
    """

    def __init__(self, model: str, seconds: float) -> None:
        super().__init__(
            f"{model!r} did not end within {seconds:g} seconds and was given up.",
            remedy="Give it a smaller input, or more time (HUGGINGGPT_TASK_TIMEOUT).",
            retryable=True,
        )
        self.seconds = seconds
