"""Errors of evaluation/: leaves of the tree in `index/errors.py`.

CallerError
├── DatasetError                a data set, or recorded predictions, with nothing in it that can be used
└── RunFolderError              a folder of records: another run's, none at all, or one that cannot be written
RemoteError
└── RefusedError                a remote side failed every one of a run's first cases: the run was stopped
"""

from __future__ import annotations

from ..index.errors import CallerError, RemoteError


class DatasetError(CallerError):
    """A data set, or recorded predictions, with nothing in it that can be used."""


class RunFolderError(CallerError):
    """A folder of records: it holds another run's, it holds none, or it cannot be written."""


class RefusedError(RemoteError):
    """A remote side failed every one of a run's first cases: the run was stopped, since the rest would fail as well."""
