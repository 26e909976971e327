"""A server on 127.0.0.1 that speaks as much of the Hub's API as a source of model cards needs: the listing with pages, and READMEs."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What is said instead of the true answer."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A request that came in."""

    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]


class HubServer:
    """`with HubServer(rows, page=2) as hub: HfApi(endpoint=hub.url)…`

    Args:
        rows: the listing, newest first; anything that JSON can hold.
        page: rows on a page.
        readmes: by model id: bytes, or an answer; 404 for others.
        first: answers to the first requests for the listing, before the true ones.
        links: where the links to the next page lead; default: here.
    """

    def __init__(
        self,
        rows: Sequence[Any] = (),
        *,
        page: int = 1000,
        readmes: dict[str, bytes | Answer] | None = None,
        first: Sequence[Answer] = (),
        links: str | None = None,
    ) -> None:
        self.rows = list(rows)
        self.page = page
        self.readmes = dict(readmes or {})
        self.first = list(first)
        self.seen: list[Seen] = []
        self.busy = 0
        self.busiest = 0
        self.lock = threading.Lock()
        self._server = _Server(self)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.links = links or self.url
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def listings(self) -> list[Seen]:
        """The requests for the listing."""
        return [s for s in self.seen if s.path == "/api/models"]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        from huggingface_hub.utils import close_session  # type: ignore[attr-defined]

        close_session()  # connections to a server that is gone
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, seen: Seen) -> Answer:
        """The true answer, or the next of `first`."""
        self.seen.append(seen)
        if seen.path == "/api/models":
            return self.first.pop(0) if self.first else self._listing(seen.query)
        told = self.readmes.get(seen.path[1:].removesuffix("/resolve/main/README.md"), Answer(status=404))
        if isinstance(told, Answer):
            return told
        begin, end = (int(n) for n in seen.headers["range"].removeprefix("bytes=").split("-"))
        return Answer(status=206, body=told[begin : end + 1]) if told else Answer(status=416)

    def _listing(self, query: dict[str, list[str]]) -> Answer:
        def fits(row: Any) -> bool:
            task, author = query.get("pipeline_tag"), query.get("author")
            return not isinstance(row, dict) or (
                (task is None or row.get("pipeline_tag") == task[0]) and (author is None or str(row.get("id")).startswith(f"{author[0]}/"))
            )

        rows = [r for r in self.rows if fits(r)]
        begin = int(query.get("cursor", ["0"])[0])
        end = begin + self.page
        headers = {}
        if end < len(rows):
            following = urlencode({**query, "cursor": [str(end)]}, doseq=True)
            headers["link"] = f'<{self.links}/api/models?{following}>; rel="next"'
        return Answer(status=200, headers=headers, body=json.dumps(rows[begin:end]).encode())


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, owner: HubServer) -> None:
        self.owner = owner
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are no error."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        owner = self.server.owner
        parts = urlsplit(self.path)
        seen = Seen(path=parts.path, query=parse_qs(parts.query), headers={k.lower(): v for k, v in self.headers.items()})
        with owner.lock:
            owner.busy += 1
            owner.busiest = max(owner.busiest, owner.busy)
        answer = owner.answer(seen)
        with owner.lock:
            owner.busy -= 1
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(answer.body)))
        self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(answer.body)
        self.wfile.flush()
