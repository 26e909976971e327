"""Files that hold sound and moving pictures, opened with PyAV, of the extras `media` and `local`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from .artifacts import Artifact
from .errors import MediaError, MissingExtraError

_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,ogg,mpegts,mpeg,flv,asf,aac,mp3,flac,wav,w64,caf,aiff,amr,au,mpegvideo,ivf,gif"
"""FFmpeg's names. Playlists and lists of files are not among them: they would open other files and addresses."""


def import_av() -> Any:
    """PyAV. Raises MissingExtraError."""
    try:
        import av
    except ImportError as e:
        raise MissingExtraError("av", "media") from e
    return av


@contextmanager
def opened(artifact: Artifact, *, kind: str) -> Iterator[Any]:
    """PyAV's input container of a file. Whatever FFmpeg finds wrong in it, on opening or later, is told as a MediaError.

    Args:
        artifact: the file; it is read where it lies, as far as it is needed.
        kind: `video` or `audio`, for what is said.

    Raises:
        MediaError: it cannot be read.
        MissingExtraError: PyAV is not installed.
    """
    av = import_av()
    what, advice = {
        "video": ("a video", "Give an mp4 (H.264) or webm file."),
        "audio": ("a recording", "Give a wav, flac, ogg, mp3 or m4a file."),
    }[kind]
    with open_file(artifact) as f:
        try:
            with av.open(f, options={"format_whitelist": _FORMATS}) as container:
                yield container
        except av.error.FFmpegError as e:
            raise MediaError(f"{artifact.name!r} cannot be read as {what}: {e.strerror}.", remedy=advice) from e


def open_file(artifact: Artifact) -> BinaryIO:
    """A file where it lies. Raises MediaError if it has gone."""
    try:
        return artifact.path.open("rb")
    except OSError as e:
        raise MediaError(f"The file of {artifact.id} ({artifact.name!r}) cannot be read: {e.strerror}.") from e
