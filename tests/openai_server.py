"""A server on 127.0.0.1 that speaks OpenAI's chat protocol (https://platform.openai.com/docs/api-reference/chat) from a script."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

_USAGE = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}


@dataclass(frozen=True, kw_only=True)
class Says:
    """A message.

    Attributes:
        text: its content.
        calls: tool calls, as name and arguments.
        finish: why it ended; default: `tool_calls` or `stop`.
        refusal: what it refuses with, instead of content.
        pieces: the content as it is streamed; default: words.
        hold: when streaming, the piece before which `gate` is waited for.
        gate: opened by the test; makes it certain that earlier pieces were used before later ones existed.
        break_before: when streaming, the piece before which the connection is dropped.
        pause: seconds that each piece takes to write; when not streaming, the answer comes after as many in all.
    """

    text: str = ""
    calls: tuple[tuple[str, dict[str, Any]], ...] = ()
    finish: str = ""
    refusal: str | None = None
    pieces: tuple[str, ...] = ()
    hold: int | None = None
    gate: threading.Event = field(default_factory=threading.Event)
    break_before: int | None = None
    pause: float = 0.0

    @property
    def reason(self) -> str:
        return self.finish or ("tool_calls" if self.calls else "stop")

    def tool_calls(self) -> list[dict[str, Any]]:
        return [
            {"id": f"call_{i}", "type": "function", "function": {"name": n, "arguments": json.dumps(a)}}
            for i, (n, a) in enumerate(self.calls)
        ]

    def message(self) -> dict[str, Any]:
        calls = {"tool_calls": self.tool_calls()} if self.calls else {}
        return {"role": "assistant", "content": self.text or "".join(self.pieces) or None, "refusal": self.refusal, **calls}

    def streamed(self) -> tuple[str, ...]:
        words = self.text.split(" ")
        return self.pieces or tuple(w if i == 0 else f" {w}" for i, w in enumerate(words) if self.text)


@dataclass(frozen=True, kw_only=True)
class Fails:
    """An HTTP error in OpenAI's form."""

    status: int
    message: str = "it failed"
    code: str | None = None


@dataclass(frozen=True, kw_only=True)
class Raw:
    """Any JSON body, with status 200; a stream of it alone where a stream is asked for."""

    body: Any


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A request that came in."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def texts(self) -> list[str]:
        """The contents of its messages."""
        return [str(m["content"]) for m in self.body["messages"]]


Answer = str | Says | Fails | Raw
Script = Answer | Callable[[dict[str, Any]], Answer]


class OpenAIServer:
    """Answers requests from a script, in order; a function in it is called with the request's body. A fresh port each.

    `with OpenAIServer("hello") as server: ChatOpenAI(base_url=server.url, …)`; `server.seen` holds the requests. When the script has
    ended it answers with status 418, so that a request too many is an error of its own.

    Args:
        script: what to answer.
        keep: keep connections open. langchain-openai never closes its clients: their open sockets are warnings when the loop is gone.
    """

    def __init__(self, *script: Script, keep: bool = False) -> None:
        self._script = list(script)
        self.keep = keep
        self._lock = threading.Lock()
        self.seen: list[Seen] = []
        self._server = _Server(self)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def left(self) -> int:
        """How many answers were not asked for."""
        return len(self._script)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, seen: Seen) -> Answer:
        with self._lock:
            self.seen.append(seen)
            item = self._script.pop(0) if self._script else Fails(status=418, message="the script has ended")
        return item(seen.body) if callable(item) else item


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, owner: OpenAIServer) -> None:
        self.owner = owner
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are no error."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one write: two cost some 40 ms by delayed ACK
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        answer = self.server.owner.answer(Seen(path=self.path, headers={k.lower(): v for k, v in self.headers.items()}, body=body))
        if isinstance(answer, Fails):
            error = {"message": answer.message, "type": "error", "code": answer.code, "param": None}
            return self._send(answer.status, {"error": error})
        if isinstance(answer, Raw):
            return self._raw(answer.body) if body.get("stream") else self._send(200, answer.body)
        says = Says(text=answer) if isinstance(answer, str) else answer
        head = {"id": "chatcmpl-1", "created": 1, "model": body["model"]}
        if body.get("stream"):
            return self._stream(says, head, usage=bool((body.get("stream_options") or {}).get("include_usage")))
        time.sleep(says.pause * len(says.streamed()))
        choice = {"index": 0, "message": says.message(), "finish_reason": says.reason, "logprobs": None}
        return self._send(200, {**head, "object": "chat.completion", "choices": [choice], "usage": _USAGE})

    def _head(self, status: int, kind: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        if not self.server.owner.keep:
            self.send_header("connection", "close")

    def _send(self, status: int, body: Any) -> None:
        data = json.dumps(body).encode()
        self._head(status, "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()

    def _raw(self, body: Any) -> None:
        self._begin()
        self._event({**body, "object": "chat.completion.chunk"})
        self._end()

    def _begin(self) -> None:
        self._head(200, "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()

    def _end(self) -> None:
        self._event("[DONE]")
        self._chunk(b"")

    def _stream(self, says: Says, head: dict[str, Any], *, usage: bool) -> None:
        begun = time.monotonic()
        self._begin()
        self._delta(head, {"role": "assistant", "content": ""})
        for i, piece in enumerate(says.streamed()):
            time.sleep(max(0.0, begun + (i + 1) * says.pause - time.monotonic()))
            if i == says.hold:
                says.gate.wait(10)
            if i == says.break_before:
                self.close_connection = True
                self.connection.close()
                return
            self._delta(head, {"content": piece})
        for i, call in enumerate(says.tool_calls()):
            self._delta(head, {"tool_calls": [{"index": i, **call}]})
        self._delta(head, {}, finish=says.reason)
        if usage:
            self._event({**head, "object": "chat.completion.chunk", "choices": [], "usage": _USAGE})
        self._end()

    def _delta(self, head: dict[str, Any], delta: dict[str, Any], finish: str | None = None) -> None:
        self._event({**head, "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

    def _event(self, data: Any) -> None:
        self._chunk(b"data: " + (data if isinstance(data, str) else json.dumps(data)).encode() + b"\n\n")

    def _chunk(self, chunk: bytes) -> None:
        self.wfile.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
        self.wfile.flush()
