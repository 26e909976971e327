"""A server on 127.0.0.1 that speaks as much of the Hub's API as a download needs: a model's facts, and its files, whole or in part."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class HubOfFiles:
    """`with HubOfFiles({"org/name": folder}) as hub: download("org/name", …, endpoint=hub.url)`

    Attributes:
        models: folders by id; a number in place of a folder is the status that is answered.
        codes: by id: the Hub's own code for such a status (header X-Error-Code).
        cut: after so many bytes of a file the connection is closed, once for each number.
        hold: while it is set, files are not sent beyond their first kilobyte until `let_go`; `held` tells that one is waiting.
        seen: method, path and Range of each request.
        sent: bytes of files that were sent.
    """

    def __init__(self, models: Mapping[str, Path | int], codes: Mapping[str, str] | None = None) -> None:
        self.models = dict(models)
        self.codes = dict(codes or {})
        self.cut: list[int] = []
        self.hold = threading.Event()
        self.held = threading.Event()
        self.let_go = threading.Event()
        self.seen: list[tuple[str, str, str | None]] = []
        self.sent = 0
        self._server = _Server(self)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        from huggingface_hub.utils import close_session  # type: ignore[attr-defined]

        self.let_go.set()
        close_session()  # connections to a server that is gone
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def facts(self, ident: str, folder: Path) -> dict[str, Any]:
        """What `/api/models/…?blobs=true` tells."""
        files = sorted(p for p in folder.rglob("*") if p.is_file())
        return {
            "_id": "1",
            "id": ident,
            "modelId": ident,
            "sha": COMMIT,
            "private": False,
            "gated": False,
            "disabled": False,
            "downloads": 1,
            "likes": 0,
            "tags": [],
            "siblings": [{"rfilename": str(p.relative_to(folder)), "size": p.stat().st_size, "blobId": "0"} for p in files],
        }


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, owner: HubOfFiles) -> None:
        self.owner = owner
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are no error."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        owner = self.server.owner
        path = self.path.split("?")[0]
        owner.seen.append((self.command, path, self.headers.get("range")))
        ident, name = _asked(path)
        folder = owner.models.get(ident, 404)
        if isinstance(folder, int):
            self._refuse(folder, owner.codes.get(ident, "RepoNotFound" if folder == 404 else ""))
        elif name is None:
            self._send(200, json.dumps(owner.facts(ident, folder)).encode(), {"content-type": "application/json"}, body)
        elif not (folder / name).is_file():
            self._refuse(404, "EntryNotFound")
        else:
            self._file((folder / name).read_bytes(), body)

    def _refuse(self, status: int, code: str) -> None:
        self._send(status, b"{}", {"x-error-code": code, "x-error-message": "no"} if code else {}, self.command == "GET")

    def _file(self, data: bytes, body: bool) -> None:
        owner = self.server.owner
        etag = hashlib.sha256(data).hexdigest()
        headers = {"etag": f'"{etag}"', "x-repo-commit": COMMIT, "accept-ranges": "bytes"}
        span = self.headers.get("range")
        if span is None:
            self._send(200, data, headers, body)
            return
        begin, _, end = span.removeprefix("bytes=").partition("-")
        last = min(int(end), len(data) - 1) if end else len(data) - 1
        part = data[int(begin) : last + 1]
        self._send(206, part, {**headers, "content-range": f"bytes {begin}-{last}/{len(data)}"}, body)
        owner.seen[-1] = (self.command, self.path, span)

    def _send(self, status: int, data: bytes, headers: Mapping[str, str], body: bool) -> None:
        owner = self.server.owner
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(data)))
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True
        if not body:
            return
        if owner.hold.is_set() and len(data) > 1024:
            self.wfile.write(data[:1024])
            self.wfile.flush()
            owner.held.set()
            owner.let_go.wait(30)
            data = data[1024:]
        if "etag" in headers and owner.cut and len(data) > owner.cut[0]:
            data = data[: owner.cut.pop(0)]
        self.wfile.write(data)
        self.wfile.flush()
        if "etag" in headers:
            owner.sent += len(data)


def _asked(path: str) -> tuple[str, str | None]:
    """Id and file name of an address."""
    if path.startswith("/api/models/"):
        return "/".join(path.removeprefix("/api/models/").split("/")[:2]), None
    ident, _, rest = path[1:].partition("/resolve/")
    return ident, rest.partition("/")[2]
