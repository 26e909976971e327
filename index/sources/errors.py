"""Errors of index/sources/: a leaf of the tree in `index/errors.py`.

CallerError
└── SourceError                 a source of model cards that is missing, or of no form that can be read
"""

from __future__ import annotations

from ..errors import CallerError


class SourceError(CallerError):
    """A source of model cards that is missing, or of no form that can be read."""
