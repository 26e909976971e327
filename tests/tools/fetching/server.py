"""A web server that does as a test says, byte by byte, and what stands in for the network."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any

import httpcore

Answer = Callable[[socket.socket, bytes], None]
PUBLIC = "93.184.216.34"


def response(body: bytes = b"", *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
    """A response with a Content-Length: that of the body, or a false one."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def redirect(location: str, status: str = "302 Found") -> bytes:
    return response(b"moved", f"Location: {location}", status=status)


class Server:
    """Listens at a free port of 127.0.0.1.

    Args:
        answer: bytes to send to each request, a list with those for one request after the other, or a function that is given connection
            and request. The connection is closed after it.
        tls: for https.

    Attributes:
        port: of the server.
        requests: what was asked, one entry a connection.
        left: set once the other side has closed a connection while `answer` waited in `wait_until_left`.
    """

    def __init__(self, answer: bytes | Sequence[bytes] | Answer, *, tls: ssl.SSLContext | None = None) -> None:
        self._answer = answer
        self._tls = tls
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.requests: list[bytes] = []
        self.asked = threading.Event()
        self.left = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, path: str = "/cat.png", host: str = "127.0.0.1") -> str:
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}{path}"

    def wait_until_left(self, connection: socket.socket) -> None:
        """Wait until the other side closes the connection, at most 5 seconds."""
        with suppress(ConnectionError):
            while connection.recv(1000):
                pass
        self.left.set()

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(5)
        assert not self._thread.is_alive()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with suppress(OSError):  # the other side may go at any time
                self._talk(connection)
            connection.close()

    def _talk(self, connection: socket.socket) -> None:
        connection.settimeout(5)
        if self._tls:
            connection = self._tls.wrap_socket(connection, server_side=True)
        with connection:
            request = b""
            while b"\r\n\r\n" not in request:
                if not (more := connection.recv(65_536)):
                    return
                request += more
            self.requests.append(request)
            self.asked.set()
            if callable(self._answer):
                self._answer(connection, request)
            else:
                given = self._answer if isinstance(self._answer, bytes) else self._answer[len(self.requests) - 1]
                connection.sendall(given)
                connection.shutdown(socket.SHUT_WR)
                self.wait_until_left(connection)  # a connection that is closed with something unread is reset


class Detour(httpcore.AsyncNetworkBackend):
    """A network in which every address leads to 127.0.0.1, so that tests may reach "public" ones. `connected` holds what was asked for."""

    def __init__(self) -> None:
        self.connected: list[tuple[str, int]] = []
        self._real = httpcore.AnyIOBackend()

    async def connect_tcp(self, host: str, port: int, *args: Any, **kwargs: Any) -> httpcore.AsyncNetworkStream:
        self.connected.append((host, port))
        return await self._real.connect_tcp("127.0.0.1", port, *args, **kwargs)


class Names:
    """Resolves names as told: each name has its answers, one after the other; the last one stays. Every other name is public."""

    def __init__(self, **answers: Iterable[Sequence[str]]) -> None:
        self._answers = {name.replace("_", "."): list(given) for name, given in answers.items()}
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        answers = self._answers.get(host, [[PUBLIC]])
        return answers.pop(0) if len(answers) > 1 else answers[0]
