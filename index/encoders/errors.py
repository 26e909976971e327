"""Errors of index/encoders/: a leaf of the tree in `index/errors.py`.

CallerError
└── EncoderError                an encoder that is not there, cannot be loaded, or is another than the one that was named
"""

from __future__ import annotations

from ..errors import CallerError


class EncoderError(CallerError):
    """An encoder that is not there, cannot be loaded, or is another than the one that was named."""


def missing(package: str, extra: str) -> EncoderError:
    """For a package that is not installed, with the extra of this distribution that brings it."""
    return EncoderError(f"The package {package!r} is not installed.", remedy=f'Run: pip install "langchain-hugginggpt[{extra}]"')
