"""Processes that read PDF files with pdfium (`pdfium.py`): a few at most, started when they are needed, ended when they take too long."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..errors import MissingExtraError
from ..runners.forks import in_each_child
from ..runners.workers import check_abandoned, when_abandoned

_PROGRAM = Path(__file__).with_name("pdfium.py")
_MOST = 400 * 2**20
"""Bytes of a reply, JSON or file: no process that reads hostile files is believed to send little."""


class SlowError(Exception):
    """A request was not answered in time."""


class BrokenError(Exception):
    """The process ended while it worked on a request."""


class Reader:
    """One such process. Requests are given to it one at a time.

    Raises:
        BrokenError: it cannot be started.
        MissingExtraError: pypdfium2 is not installed.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._request = 0  # its number; one that is over is not ended any more
        self._is_killed = False
        try:
            self._process = subprocess.Popen(  # noqa: S603  # our own program
                [sys.executable, "-I", str(_PROGRAM), *_folders()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as e:
            raise BrokenError(f"{sys.executable or 'python'} cannot be started: {e.strerror}") from e

    def ask(self, request: Mapping[str, Any], *, seconds: float) -> tuple[dict[str, Any], bytes]:
        """The reply to a request, and the bytes that come with it. After an error, and when interrupted, it is of no more use.

        Raises:
            SlowError: it was not answered in time.
            BrokenError: the process ended.
            Abandoned: the caller gave up.
        """
        number = self._request
        is_late = threading.Event()

        def late() -> None:
            is_late.set()
            self._kill(number)

        timer = threading.Timer(seconds, late)
        timer.daemon = True
        timer.start()
        try:
            with when_abandoned(partial(self._kill, number)):
                check_abandoned()
                return self._exchanged({**request, "seconds": seconds})
        except (OSError, ValueError, struct.error) as e:
            check_abandoned()
            if is_late.is_set():
                raise SlowError from e
            raise BrokenError("the program that reads it ended") from e
        finally:
            timer.cancel()
            with self._lock:
                self._request += 1

    def _kill(self, number: int) -> None:
        """End the process if it works on that request; whoever waits for the reply gets an error."""
        with self._lock:
            if number == self._request:
                self._is_killed = True
                self._process.kill()

    def _exchanged(self, request: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
        told = json.dumps(request).encode()
        assert self._process.stdin is not None  # opened above
        self._process.stdin.write(struct.pack(">I", len(told)) + told)
        self._process.stdin.flush()
        reply = json.loads(self._read(struct.unpack(">I", self._read(4))[0]))
        return reply, self._read(reply["bytes"])

    def _read(self, size: int) -> bytes:
        assert self._process.stdout is not None  # opened above
        data = self._process.stdout.read(size) if 0 <= size <= _MOST else b""
        if len(data) != size:
            raise ValueError("it ended")
        return data

    @property
    def is_alive(self) -> bool:
        """Whether it can be asked."""
        return not self._is_killed and self._process.poll() is None

    def end(self) -> None:
        """End the process and let go of its pipes."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                pipe.close()  # type: ignore[union-attr]  # opened above


class Readers:
    """A few processes, kept for the next request; all of them end with this object, and with the program.

    Args:
        most: how many work side by side; other requests wait.
    """

    def __init__(self, most: int = 3) -> None:
        self._most = most
        self._begin()
        in_each_child(self._begin_anew)  # a fork must not talk to the processes of the program that it was forked from

    def _begin(self) -> None:
        self._places = threading.BoundedSemaphore(self._most)
        self._idle: list[Reader] = []
        self._started: list[Reader] = []
        self._end = weakref.finalize(self, _end_all, self._started)

    def _begin_anew(self) -> None:
        self._end.detach()
        self._begin()

    def ask(self, request: Mapping[str, Any], *, seconds: float) -> tuple[dict[str, Any], bytes]:
        """As `Reader.ask`, with one that is free or, where there is none, with a new one. Waiting for one does not count."""
        with self._places:
            check_abandoned()
            reader = self._taken()
            try:
                reply = reader.ask(request, seconds=seconds)
            except BaseException:
                reader.end()
                self._started.remove(reader)
                raise
            self._idle.append(reader)
            return reply

    def _taken(self) -> Reader:
        while self._idle:
            try:
                reader = self._idle.pop()
            except IndexError:  # another thread was faster
                break
            if reader.is_alive:
                return reader
            reader.end()
            self._started.remove(reader)
        reader = Reader()
        self._started.append(reader)
        return reader


def _end_all(readers: list[Reader]) -> None:
    for reader in list(readers):  # those who ask take theirs out
        reader.end()


def _folders() -> list[str]:
    """Where its packages lie: a user's own folder and PYTHONPATH are not looked into by a program that is started in isolation."""
    found = []
    for package, named in (("pypdfium2", "pypdfium2"), ("pypdfium2_raw", "pypdfium2"), ("PIL", "pillow")):
        spec = find_spec(package)
        if spec is None or spec.origin is None:
            raise MissingExtraError(named, "media")
        found.append(str(Path(spec.origin).parent.parent))
    return list(dict.fromkeys(found))
