"""Errors, sorted by who must act.

HuggingGPTError                 every error that this project raises on purpose
├── CallerError                 the caller: change what was asked for or passed in
│   ├── UnknownNameError        a name that no table holds; suggests the nearest
│   ├── CardError               a model card that cannot be read
│   └── IndexFileError          an index folder that is missing, corrupt or of another format
│   (and MediaError, PlanError, SettingsError … in the `errors.py` of their own folders)
├── ModelError                  the language model: its answer could not be used
├── ExpertError                 an expert model: it failed; `retryable` tells whether again may help
├── BudgetError                 a limit on time, size or money was reached
└── RemoteError                 the other side of a connection; `status` where there was one
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class HuggingGPTError(Exception):
    """Root of the tree.

    Args:
        message: what happened, and with which value.
        remedy: what to do about it; empty when there is nothing to be done.

    Attributes:
        tries: calls before the one that raised this, where an expert was called several times: seconds, and what happened.
    """

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.tries: tuple[tuple[float, str], ...] = ()

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".rstrip()


class CallerError(HuggingGPTError):
    """The caller must change what was asked for or passed in."""


class ModelError(HuggingGPTError):
    """A language model could not be reached or its answer could not be used."""


class ExpertError(HuggingGPTError):
    """An expert model failed.

    Args:
        retryable: True when the same call may succeed later (busy, timed out).
        retry_after: seconds that the other side wants to be left alone before; None where it does not say.
    """

    def __init__(self, message: str, *, remedy: str = "", retryable: bool = False, retry_after: float | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.retryable = retryable
        self.retry_after = retry_after


class BudgetError(HuggingGPTError):
    """A limit on time, size or money was reached."""


class RemoteError(HuggingGPTError):
    """The other side of a connection failed or refused.

    Args:
        status: HTTP status, or None when there was no answer at all.
    """

    def __init__(self, message: str, *, remedy: str = "", status: int | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.status = status


class UnknownNameError(CallerError):
    """A name that is in no table.

    Args:
        what: what kind of name, as in "Hub task".
        name: the name that was given.
        known: the names that exist; the nearest one is suggested.
    """

    def __init__(self, what: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        near = get_close_matches(name, names, n=1, cutoff=0.5)
        hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(names[:8])}{', …' if len(names) > 8 else ''}."
        super().__init__(f"There is no {what} named {name[:100]!r}.", remedy=hint)
        self.name = name
        self.nearest = near[0] if near else None


class CardError(CallerError):
    """A model card that cannot be read."""


class IndexFileError(CallerError):
    """An index folder that is missing, corrupt or of another format."""
