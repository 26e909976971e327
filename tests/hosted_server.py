"""A server on 127.0.0.1 that speaks the protocol of the Hub's inference API, and answers from what it is sent.

    with HostedServer() as server:
        server.url("image-classification")       # one address for each task, as with endpoints of one's own
        server.models["org/name"] = "fill-mask"  # a model of a Hub that `server.hub(monkeypatch)` puts in the place of the real one
        server.faults.append(Fault(status=503, headers={"Retry-After": "3"}))  # what the next call gets instead

Replies are made of huggingface_hub's own output types: see hosted_replies.py.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

import pytest

from tests.hosted_replies import CHATS, REPLIES, Asked, Refused, Reply

_PATIENCE = 30.0


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What one call gets instead of its answer.

    Attributes:
        status: HTTP status; None: the right answer is given (after `gate`).
        headers: further headers.
        body: the content. Text, bytes, or anything that is written as JSON.
        media_type: of the content. Default: JSON, plain text, or octets, by the body.
        gate: waited for before anything is said, until it is set or the caller has gone.
        break_after: so many bytes of the body, then the connection is reset although more was announced; -1: before any header.
        instead: what is done with the connection in place of all of that.
    """

    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    media_type: str | None = None
    gate: threading.Event | None = None
    break_after: int | None = None
    instead: Callable[[BaseHTTPRequestHandler], None] | None = None


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call that came in.

    Attributes:
        task: the Hub task; for the Hub's own pages their path.
        method: GET or POST.
        path: with its query.
        headers: by name in lower case.
        body: what was sent.
    """

    task: str
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class HostedServer:
    """The server; it runs inside `with`.

    Attributes:
        calls: every call, in order of arrival.
        faults: taken from the left, one for each call of a task.
        always: what every call of a task gets, if no other fault is left: by task.
        replies: how each task is answered; may be changed.
        models: tasks of the models of the Hub that it plays, by id.
        providers: who serves a model: provider, and its own name for it; `hf-inference` where nothing is said.
        most_at_once: the most calls that were in its hands at the same time.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.faults: deque[Fault] = deque()
        self.always: dict[str, Fault] = {}
        self.replies: dict[str, Reply] = dict(REPLIES)
        self.models: dict[str, str] = {}
        self.providers: dict[str, list[str]] = {}
        self.most_at_once = 0
        self._now = 0
        self._changed = threading.Condition()
        self._gates: list[threading.Event] = []

    def __enter__(self) -> Self:
        self._http = _Listening(("127.0.0.1", 0), type("Handler", (_Handler,), {"owner": self}))
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for gate in self._gates:
            gate.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(_PATIENCE)

    @property
    def address(self) -> str:
        """Without a path."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def url(self, task: str) -> str:
        """Where a task is served; chat goes to `/v1/chat/completions` below it."""
        return f"{self.address}/tasks/{task}"

    def endpoints(self, *tasks: str) -> dict[str, str]:
        """Addresses by task, of all tasks when none is named."""
        return {task: self.url(task) for task in tasks or (*CHATS, *(t for t in self.replies if t != "chat"))}

    def hub(self, patch: pytest.MonkeyPatch) -> None:
        """Put it in the place of the Hub and its router, for this process."""
        from huggingface_hub import constants, hf_api
        from huggingface_hub.inference._providers import CONVERSATIONAL_AUTO_ROUTER, PROVIDERS

        patch.setattr(constants, "ENDPOINT", self.address)
        patch.setattr(constants, "INFERENCE_PROXY_TEMPLATE", self.address + "/{provider}")
        patch.setattr(hf_api.api, "endpoint", self.address)
        patch.setattr(CONVERSATIONAL_AUTO_ROUTER, "base_url", self.address)
        for helper in PROVIDERS["hf-inference"].values():
            patch.setattr(helper, "base_url", self.address + "/hf-inference")

    def wait_for(self, count: int) -> None:
        """Until so many calls have come in, in all. Raises AssertionError when they do not."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.calls) >= count, _PATIENCE), f"{len(self.calls)} of {count} calls came"

    def hold(self, *, times: int = 1) -> threading.Event:
        """Let the next calls wait, and answer them properly when the event that is given back is set."""
        gate = threading.Event()
        self._gates.append(gate)
        self.faults.extend(Fault(gate=gate) for _ in range(times))
        return gate

    def came(self, call: Call, *, counted: bool) -> Fault | None:
        """Note a call, and tell what is to go wrong with it."""
        with self._changed:
            self.calls.append(call)
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
            self._changed.notify_all()
            if not counted:
                return None
            return self.faults.popleft() if self.faults else self.always.get(call.task)

    def left(self) -> None:
        """A call was answered."""
        with self._changed:
            self._now -= 1
            self._changed.notify_all()

    def task_of(self, path: str) -> tuple[str, Reply | None]:
        """The task that is asked for at a path, and how it is answered; the path itself, and None, where nothing is."""
        bare = path.split("?")[0].strip("/")
        parts = bare.split("/")
        chat = bare.endswith("v1/chat/completions")
        task = ""
        if bare == "v1/chat/completions":
            task = "text-generation"
        elif parts[0] == "tasks" and (chat or len(parts) == 2):
            task = parts[1]
        elif len(parts) >= 4 and parts[1] == "models":
            task = self.models.get("/".join(parts[2:4]), "")
        if chat:
            return (task, self.replies.get("chat")) if task in CHATS else (bare, None)
        return (task, self.replies[task]) if task in self.replies else (bare, None)

    def page(self, path: str) -> Any:
        """What the Hub says at a path; None: nothing."""
        bare = path.split("?")[0]
        if bare == "/api/whoami-v2":
            return {"type": "user", "name": "tester", "id": "1", "auth": {"accessToken": {"displayName": "test", "role": "read"}}}
        name = bare.removeprefix("/api/models/")
        if name not in self.models:
            return None
        task = self.models[name]
        mapped = "conversational" if task in ("text-generation", "image-text-to-text") else task
        told = {p: {"status": "live", "providerId": name, "task": mapped} for p in self.providers.get(name, ["hf-inference"])}
        return {"id": name, "modelId": name, "pipeline_tag": task, "tags": [task], "inferenceProviderMapping": told}


class _Listening(ThreadingHTTPServer):
    request_queue_size = 512  # with the usual 5, the sixth of many callers at once waits for a second


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and body are sent one after the other: the body would wait for 40 ms
    owner: HostedServer

    def do_GET(self) -> None:
        self.owner.came(self._call("GET", self.path, b""), counted=False)
        try:
            page = self.owner.page(self.path)
            if page is None:
                self._say(404, json.dumps({"error": "Repository not found"}).encode(), {"X-Error-Code": "RepoNotFound"})
            elif not self.headers.get("authorization", "Bearer ok").startswith("Bearer ") or "wrong" in self.headers.get(
                "authorization", ""
            ):
                self._say(401, json.dumps({"error": "Invalid username or password."}).encode(), {})
            else:
                self._say(200, json.dumps(page).encode(), {})
        finally:
            self.owner.left()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        task, reply = self.owner.task_of(self.path)
        call = self._call("POST", task, body)
        fault = self.owner.came(call, counted=True)
        try:
            if fault is not None and fault.gate is not None:
                fault.gate.wait(_PATIENCE)
            if fault is not None and fault.instead is not None:
                self.close_connection = True
                fault.instead(self)
            elif fault is not None and (fault.status is not None or fault.break_after is not None):
                self._fail(fault)
            else:
                self._answer(reply, call)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the caller has gone
        finally:
            self.owner.left()

    def _answer(self, reply: Reply | None, call: Call) -> None:
        if reply is None:
            self._say(404, b'{"error": "Not Found"}', {})
            return
        try:
            said = reply(Asked(headers=call.headers, body=call.body))
        except Refused as e:
            self._say(e.status, json.dumps({"error": str(e)}).encode(), {})
            return
        except Exception as e:  # a real server answers, too, when its code breaks
            self._say(500, json.dumps({"error": repr(e)}).encode(), {})
            return
        if isinstance(said, tuple):
            self._say(200, said[0], {"Content-Type": said[1]})
        else:
            self._say(200, json.dumps(said).encode(), {})

    def _fail(self, fault: Fault) -> None:
        if fault.break_after == -1:
            self._reset()
            return
        body = fault.body
        kind = "application/octet-stream" if isinstance(body, bytes) else "text/plain" if isinstance(body, str) else "application/json"
        data = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self._say(fault.status or 200, data, {"Content-Type": fault.media_type or kind, **fault.headers}, fault.break_after)

    def _say(self, status: int, body: bytes, headers: dict[str, str], break_after: int | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[:break_after])
        if break_after is not None:
            self.wfile.flush()
            self._reset()

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closing sends a reset
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RD)
        self.connection.close()

    def _call(self, method: str, task: str, body: bytes) -> Call:
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Call(task=task, method=method, path=self.path, headers=headers, body=body)

    def log_message(self, *_: object) -> None:
        """Nothing on the screen."""

    def finish(self) -> None:
        """As usual, also where the connection was reset."""
        try:
            super().finish()
        except (OSError, ValueError):
            self.close_connection = True
