"""What goes wrong with hosted experts, with the real client: the next candidate takes over, or the message says what to do."""

from __future__ import annotations

import asyncio
import random
import socket
import threading
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from langchain_core.messages import ToolMessage
from PIL import Image

from langchain_hugginggpt.index import ModelCard
from langchain_hugginggpt.index.errors import CallerError
from langchain_hugginggpt.tools import HUB_TASKS, ArtifactStore, Candidate, Experts, HubTaskTool
from langchain_hugginggpt.tools.runners.hosted import HostedRunner
from langchain_hugginggpt.tools.runners.retrying import RetryingRunner
from tests.hosted_replies import Asked, Refused, png
from tests.hosted_server import Fault, HostedServer

FIRST, SECOND = "lab/first", "lab/second"
TOKEN = "hf_" + "s3cr3t" * 5
TASK = "text-classification"
ARGS: dict[str, dict[str, Any]] = {TASK: {"text": "good"}, "text-to-image": {"prompt": "a red square"}, "text-generation": {"prompt": "hi"}}
BUSY = Fault(status=503, body={"error": "Model lab/first is currently loading", "estimated_time": 20.0})


class Scene:
    """Two hosted candidates, each at a server of its own, called through the tool; waits are written down and not waited."""

    def __init__(self, first: HostedServer, second: HostedServer) -> None:
        self.first, self.second = first, second
        self.waits: list[float] = []
        self.store = ArtifactStore()

    def runner(self, task: str = TASK, *, address: str | None = None, timeout: float = 30.0, **settings: Any) -> RetryingRunner:
        endpoints = {FIRST: address or self.first.url(task), SECOND: self.second.url(task)}
        hosted = HostedRunner(token=TOKEN, endpoints=endpoints, hub=False, timeout=timeout)
        settings = {"jitter": lambda most: 0.0, **settings}
        return RetryingRunner(hosted, wait=self.waits.append, await_wait=self._await_wait, **settings)

    async def _await_wait(self, seconds: float) -> None:
        self.waits.append(seconds)

    def tool(self, runner: RetryingRunner, task: str = TASK) -> tuple[HubTaskTool, list[Candidate]]:
        tool = HubTaskTool(HUB_TASKS[task], experts=Experts(_no_index, [runner]), store=self.store)
        cards = [ModelCard(id=name, task=task) for name in (FIRST, SECOND)]
        return tool, [Candidate(card=card, runner=runner, score=1.0, why="") for card in cards]

    async def call(self, runner: RetryingRunner, task: str = TASK, *, sync: bool = False, **args: Any) -> ToolMessage:
        tool, candidates = self.tool(runner, task)
        call = {"type": "tool_call", "id": "1", "name": task, "args": {**ARGS[task], **args, "candidates": candidates}}
        message = await (asyncio.to_thread(tool.invoke, call) if sync else tool.ainvoke(call))
        assert isinstance(message, ToolMessage)
        assert TOKEN not in f"{message.content} {message.artifact}"
        return message


def _no_index() -> Any:
    raise AssertionError("candidates are given")


@pytest.fixture
def scene() -> Iterator[Scene]:
    with HostedServer() as first, HostedServer() as second:
        yield Scene(first, second)


@pytest.fixture
def let_go() -> Iterator[threading.Event]:
    """Set when the test is over: servers that would go on for ever end then."""
    event = threading.Event()
    yield event
    event.set()


def attempts(message: ToolMessage) -> list[str]:
    """Of each the model, and how it ended."""
    return [f"{a['model']}: {a['error'] or 'ok'}" for a in message.artifact["attempts"]]


def check_taken_over(message: ToolMessage, *words: str, calls: int) -> None:
    """The first candidate failed so often, with these words, and the second gave the output."""
    told = attempts(message)
    assert message.status == "success", told
    assert told[-1] == f"{SECOND}: ok"
    assert [line.partition(":")[0] for line in told[:-1]] == [FIRST] * calls, told
    for line in told[:-1]:
        assert all(word.lower() in line.lower() for word in words), line
        assert len(line) < 1000


# busy, slow, gone: may help to call again


@pytest.mark.parametrize("sync", [True, False], ids=["invoke", "ainvoke"])
async def test_503_then_success(scene: Scene, sync: bool) -> None:
    scene.first.faults.append(BUSY)
    message = await scene.call(scene.runner(), sync=sync)
    told = attempts(message)
    assert told[1:] == [f"{FIRST}: ok"]
    assert "503" in told[0]
    assert "currently loading" in told[0]
    assert len(scene.waits) == 1
    assert (len(scene.first.calls), len(scene.second.calls)) == (2, 0)


@pytest.mark.parametrize("sync", [True, False], ids=["invoke", "ainvoke"])
async def test_503_for_ever(scene: Scene, sync: bool) -> None:
    scene.first.always[TASK] = BUSY
    message = await scene.call(scene.runner(), sync=sync)
    check_taken_over(message, "503", calls=4)
    assert len(scene.first.calls) == 4


async def test_both_candidates_are_busy_and_the_message_says_so(scene: Scene) -> None:
    scene.first.always[TASK] = scene.second.always[TASK] = BUSY
    message = await scene.call(scene.runner(attempts=2))
    assert message.status == "error"
    assert "503" in str(message.content)
    assert [line.partition(":")[0] for line in attempts(message)] == [FIRST, FIRST, SECOND, SECOND]


@pytest.mark.parametrize("status", [429, 500, 502, 504])
async def test_statuses_that_may_pass(scene: Scene, status: int) -> None:
    scene.first.faults.append(Fault(status=status, body={"error": "not now"}))
    message = await scene.call(scene.runner())
    assert attempts(message)[1:] == [f"{FIRST}: ok"]
    assert str(status) in attempts(message)[0]


def in_http(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("after", "least", "most"),
    [
        (lambda: "3", 3, 3),
        (lambda: "0", 0, 0),
        (lambda: "1.5", 0, 1.5),
        (lambda: in_http(15), 8, 15),
        (lambda: in_http(-100), 0, 0),
        (lambda: "soon", 0, 0),
        (lambda: "-5", 0, 0),
        (lambda: "", 0, 0),
        (lambda: "Fri, 99 Foo 2026 99:99:99 GMT", 0, 0),
        (lambda: "\u0663", 0, 3),  # a digit, but not one of ASCII
        (lambda: "9" * 400, 0, 0),
    ],
    ids=["seconds", "zero", "fraction", "date", "past", "word", "negative", "empty", "no date", "other digits", "huge"],
)
async def test_retry_after_is_kept_to(scene: Scene, after: Callable[[], str], least: float, most: float) -> None:
    header = after().encode().decode("latin-1")
    scene.first.faults.append(Fault(status=429, headers={"Retry-After": header}, body={"error": "Too many requests"}))
    message = await scene.call(scene.runner())
    assert attempts(message)[1:] == [f"{FIRST}: ok"]
    assert "429" in attempts(message)[0]
    (waited,) = scene.waits
    assert least <= waited <= most


@pytest.mark.parametrize("after", [lambda: "3600", lambda: in_http(3600)], ids=["seconds", "date"])
async def test_a_long_retry_after_is_not_waited_for(scene: Scene, after: Callable[[], str]) -> None:
    scene.first.always[TASK] = Fault(status=429, headers={"Retry-After": after()}, body={"error": "Too many requests"})
    check_taken_over(await scene.call(scene.runner()), "429", calls=1)
    assert scene.waits == []


@pytest.mark.parametrize("sync", [True, False], ids=["invoke", "ainvoke"])
async def test_no_answer_in_time(scene: Scene, sync: bool) -> None:
    scene.first.hold(times=4)
    message = await scene.call(scene.runner(timeout=0.3, attempts=2), sync=sync)
    check_taken_over(message, "0.3 seconds", calls=2)


async def test_connection_refused(scene: Scene) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}/x"
    check_taken_over(await scene.call(scene.runner(address=address)), "127.0.0.1", calls=4)


@pytest.mark.parametrize("task", [TASK, "text-to-image"])
@pytest.mark.parametrize("after", [-1, 0, 5], ids=["before headers", "after headers", "within the body"])
async def test_a_connection_that_is_reset(scene: Scene, task: str, after: int) -> None:
    broken = Fault(status=200, body='[[{"label": "POSITIVE", "score": 0.9}]]', break_after=after)
    scene.first.faults.extend([broken, broken])
    message = await scene.call(scene.runner(task), task)
    told = attempts(message)
    assert [line.partition(":")[0] for line in told] == [FIRST] * 3
    assert told[-1] == f"{FIRST}: ok"


def short(handler: BaseHTTPRequestHandler) -> None:
    """More is announced than comes, and the connection ends in good order."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n[[")


def no_http(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"220 mail.example.org ESMTP\r\n")


def bad_chunks(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n[[]]\r\n")


def bad_gzip(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n[[]]")


def long_header(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 1_000_000 + b"\r\nContent-Length: 2\r\n\r\n[]")


@pytest.mark.parametrize("act", [short, no_http, bad_chunks, bad_gzip, long_header], ids=lambda f: f.__name__)
async def test_what_is_no_http_is_an_experts_fault(scene: Scene, act: Callable[[BaseHTTPRequestHandler], None]) -> None:
    scene.first.always[TASK] = Fault(instead=act)
    message = await scene.call(scene.runner(attempts=1))
    check_taken_over(message, calls=1)


# answers that cannot be used: again would not help


WRONG: dict[str, Fault] = {
    "html": Fault(status=200, body="<html><body>Sign in</body></html>", media_type="text/html"),
    "nothing": Fault(status=200, body=""),
    "object": Fault(status=200, body={"nope": 1}),
    "error in 200": Fault(status=200, body={"error": "out of order"}),
    "null": Fault(status=200, body=None),
    "number": Fault(status=200, body=3),
    "list of nothing": Fault(status=200, body=[]),
    "flat list": Fault(status=200, body=[1, 2]),
    "no score": Fault(status=200, body=[[{"label": "a"}]]),
    "score is text": Fault(status=200, body=[[{"label": "a", "score": "high"}]]),
    "score is NaN": Fault(status=200, body='[[{"label": "a", "score": NaN}]]', media_type="application/json"),
    "deep": Fault(status=200, body="[" * 200_000, media_type="application/json"),
    "no utf-8": Fault(status=200, body=b'[[{"label": "\xff", "score": 1}]]', media_type="application/json"),
    "long number": Fault(status=200, body='[[{"label": "a", "score": ' + "9" * 5000 + "}]]", media_type="application/json"),
    "redirect to nowhere": Fault(status=302, body="moved"),
    "redirect to another kind": Fault(status=307, headers={"Location": "ftp://127.0.0.1/x"}, body="moved"),
    "redirect to no address": Fault(status=307, headers={"Location": "http://[::1"}, body="moved"),
    "no content": Fault(status=204, body=""),
}


@pytest.mark.parametrize("fault", WRONG.values(), ids=WRONG.keys())
async def test_an_answer_of_another_form(scene: Scene, fault: Fault) -> None:
    scene.first.always[TASK] = fault
    check_taken_over(await scene.call(scene.runner(attempts=1)), calls=1)


async def test_a_picture_of_a_billion_pixels(scene: Scene) -> None:
    head = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + (40_000).to_bytes(4) * 2 + b"\x08\x02\0\0\0"
    bomb = head + zlib.crc32(head[12:]).to_bytes(4)
    scene.first.always["text-to-image"] = Fault(status=200, body=bomb, media_type="image/png")
    check_taken_over(await scene.call(scene.runner("text-to-image", attempts=1), "text-to-image"), calls=1)


async def test_html_is_not_asked_for_again_and_is_called_so(scene: Scene) -> None:
    scene.first.always[TASK] = WRONG["html"]
    check_taken_over(await scene.call(scene.runner()), "HTML", calls=1)


async def test_a_truncated_picture(scene: Scene) -> None:
    whole = png(Image.frombytes("RGB", (64, 64), random.Random(0).randbytes(64 * 64 * 3)))
    for size in (0, 4, 40, len(whole) // 2, len(whole) - 200):
        scene.first.faults.append(Fault(status=200, body=whole[:size], media_type="image/png"))
        message = await scene.call(scene.runner("text-to-image", attempts=1), "text-to-image")
        check_taken_over(message, calls=1)
    assert not scene.first.faults


FINAL: dict[str, tuple[Fault, tuple[str, ...]]] = {
    "401": (Fault(status=401, body={"error": "Invalid username or password."}), ("401", "token")),
    "402": (Fault(status=402, body={"error": "You have exceeded your monthly included credits"}), ("402", "credits")),
    "403": (Fault(status=403, body={"error": "This authentication method does not have sufficient permissions"}), ("403", "token")),
    "gated": (
        Fault(status=403, headers={"X-Error-Code": "GatedRepo"}, body={"error": "Access to model lab/first is restricted"}),
        ("gated",),
    ),
    "404": (Fault(status=404, body={"error": "Not Found"}), ("404",)),
    "410": (Fault(status=410, body={"error": "gone"}), ("410",)),
    "413": (Fault(status=413, body="too large"), ("413",)),
    "422": (Fault(status=422, body={"error": "inputs must be a\x00 \x1b[31mlist"}), ("422", "inputs must be a")),
    "400": (Fault(status=400, body={"error": ["a", "b"]}), ("400",)),
    "a long story": (Fault(status=400, body={"error": "x" * 100_000}), ("400",)),
}


@pytest.mark.parametrize(("fault", "words"), FINAL.values(), ids=FINAL.keys())
async def test_a_refusal_is_told_with_what_to_do_and_not_repeated(scene: Scene, fault: Fault, words: tuple[str, ...]) -> None:
    scene.first.always[TASK] = fault
    message = await scene.call(scene.runner())
    check_taken_over(message, *words, calls=1)
    assert len(scene.first.calls) == 1
    assert not any(c < " " or c == "\x7f" for c in attempts(message)[0])


@pytest.mark.parametrize(
    "body", [["x"], "text", 5, {"errors": 5}, {"errors": ["x"]}, {"errors": [{}]}, {"error": {"message": "m"}}, None, b"\xff"]
)
@pytest.mark.parametrize("status", [400, 503])
async def test_errors_whose_own_words_are_of_another_form(scene: Scene, status: int, body: Any) -> None:
    scene.first.always[TASK] = Fault(status=status, body=body, media_type="application/json")
    check_taken_over(await scene.call(scene.runner(attempts=2)), str(status), calls=1 if status == 400 else 2)


def test_an_unknown_provider_is_the_callers_fault_and_the_nearest_is_named() -> None:
    with pytest.raises(CallerError, match="together"):
        HostedRunner(token=TOKEN, provider="togther")


# the token


async def test_the_token_does_not_follow_to_another_host(scene: Scene) -> None:
    scene.first.always[TASK] = Fault(status=307, headers={"Location": scene.second.url(TASK)}, body="")
    await scene.call(scene.runner(attempts=1))
    assert scene.first.calls[0].headers["authorization"] == f"Bearer {TOKEN}"
    # the second server is called twice at most: by the redirect, and by the second candidate, who has the token by right
    followed = scene.second.calls[:-1]
    assert all(TOKEN not in str(call.headers) + call.path + call.body.decode() for call in followed)


async def test_redirects_in_a_ring_end(scene: Scene) -> None:
    scene.first.always[TASK] = Fault(status=307, headers={"Location": scene.first.url(TASK)}, body="")
    check_taken_over(await scene.call(scene.runner(attempts=1)), calls=1)
    assert len(scene.first.calls) <= 30


# answers that do not end


def slow_headers(let_go: threading.Event) -> Callable[[BaseHTTPRequestHandler], None]:
    def act(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not let_go.wait(0.05):
            handler.wfile.write(b"X-A: b\r\n")

    return act


def trickle(let_go: threading.Event, status: int = 200) -> Callable[[BaseHTTPRequestHandler], None]:
    def act(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 %d OK\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n" % status)
        while not let_go.wait(0.05):
            handler.wfile.write(b" ")
        left.set()

    left = let_go
    return act


ENDLESS = {"slow headers": slow_headers, "a byte at a time": trickle, "an error a byte at a time": lambda e: trickle(e, 503)}


@pytest.mark.parametrize("sync", [True, False], ids=["invoke", "ainvoke"])
@pytest.mark.parametrize("made", ENDLESS.values(), ids=ENDLESS.keys())
async def test_a_call_is_bounded_in_all_though_something_comes_all_the_time(
    scene: Scene, let_go: threading.Event, made: Callable[[threading.Event], Callable[[BaseHTTPRequestHandler], None]], sync: bool
) -> None:
    scene.first.always[TASK] = Fault(instead=made(let_go))
    message = await asyncio.wait_for(scene.call(scene.runner(timeout=0.5, attempts=1), sync=sync), 20)
    check_taken_over(message, "0.5 seconds", calls=1)


async def test_a_reply_without_end_is_not_read_to_the_end_and_its_connection_is_closed(scene: Scene, let_go: threading.Event) -> None:
    gone = threading.Event()

    def act(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n")
        try:
            while not let_go.wait(0.05):
                handler.wfile.write(b" ")
        except OSError:
            gone.set()

    scene.first.always[TASK] = Fault(instead=act)
    check_taken_over(await scene.call(scene.runner(timeout=0.5, attempts=1)), calls=1)
    assert await asyncio.to_thread(gone.wait, 10), "the thread reads on although its caller has gone"


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize("status", [200, 503])
async def test_a_reply_of_gigabytes_is_refused_before_it_fills_the_memory(scene: Scene, status: int, announced: bool) -> None:
    sent = 0

    def act(handler: BaseHTTPRequestHandler) -> None:
        nonlocal sent
        length = b"Content-Length: 1000000000\r\n" if announced else b""
        handler.wfile.write(b"HTTP/1.1 %d OK\r\nConnection: close\r\nContent-Type: application/json\r\n%s\r\n" % (status, length))
        block = b" " * 1_000_000
        while sent < 1_000_000_000:
            handler.wfile.write(block)
            sent += len(block)

    scene.first.always[TASK] = Fault(instead=act)
    message = await scene.call(scene.runner(attempts=1))
    check_taken_over(message, calls=1)
    assert sent < 700_000_000, f"{sent:,} bytes were read"


async def test_a_small_reply_that_unpacks_to_gigabytes_is_refused(scene: Scene) -> None:
    packing = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = packing.compress(b" " * 1_000_000) + packing.flush(zlib.Z_FULL_FLUSH)  # stands for itself, so can be repeated
    packed = block * 1000 + packing.flush()
    scene.first.always[TASK] = Fault(status=200, headers={"Content-Encoding": "deflate"}, body=packed, media_type="application/json")
    check_taken_over(await scene.call(scene.runner(attempts=1)), calls=1)


# many at once


def flaky(seed: int, count: int) -> list[Fault]:
    """What calls get, in order: 30 % fail before they are handled."""
    drawn = random.Random(seed)
    kinds = (
        Fault(status=503, body={"error": "busy"}),
        Fault(status=429, headers={"Retry-After": "1"}, body={"error": "slow down"}),
        Fault(break_after=-1),
    )
    return [drawn.choice(kinds) if drawn.random() < 0.3 else Fault() for _ in range(count)]


@pytest.mark.parametrize("sync", [True, False], ids=["invoke", "ainvoke"])
async def test_two_hundred_calls_at_a_server_that_fails_often_end_rightly_and_none_is_sent_again_that_was_answered(
    scene: Scene, sync: bool
) -> None:
    handled: Counter[str] = Counter()
    counting = threading.Lock()

    def answer(asked: Asked) -> Any:
        text = asked.text
        if not text.startswith("call "):
            raise Refused("who is this?")
        with counting:
            handled[text] += 1
        return [[{"label": text, "score": 0.75}]]

    for server, seed in ((scene.first, 1), (scene.second, 2)):
        server.replies[TASK] = answer
        server.faults.extend(flaky(seed, 1000))
    runner = scene.runner()
    names = [f"call {i}" for i in range(200)]
    messages = await asyncio.gather(*[scene.call(runner, text=name, sync=sync) for name in names])
    for name, message in zip(names, messages, strict=True):
        assert message.status == "success", attempts(message)
        assert message.artifact["output"]["labels"] == [{"label": name, "score": 0.75}]
        told = attempts(message)
        assert [line.endswith(": ok") for line in told] == [False] * (len(told) - 1) + [True]
    assert handled == Counter(names), "a call that was answered was sent again"
    assert len(scene.first.calls) + len(scene.second.calls) == sum(len(m.artifact["attempts"]) for m in messages)
    assert max(len(m.artifact["attempts"]) for m in messages) > 2
