"""Servers that are slow, that redirect, that hold a certificate, and callers who give up."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from pathlib import Path
from typing import Any

import pytest

from langchain_hugginggpt.tools.errors import MediaError
from langchain_hugginggpt.tools.fetching import Fetched, Fetcher
from tests.tools.fetching.fetched import fetched
from tests.tools.fetching.server import PUBLIC, Detour, Names, Server, redirect, response

PEM = Path(__file__).with_name("media_example.pem")


# --- too slow


def drip(head: bytes, drop: bytes, stop: threading.Event) -> Any:
    """Sends a drop every 20 ms, until the other side has gone."""

    def answer(connection: socket.socket, request: bytes) -> None:
        connection.sendall(head)
        while not stop.wait(0.02):
            connection.sendall(drop)

    return answer


@pytest.mark.parametrize(
    ("head", "drop"),
    [
        (response(b"", length=1_000), b"x"),
        (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    ],
    ids=["body", "header", "continue", "chunks"],
)
def test_what_comes_in_drops_ends_with_the_time(side: str, head: bytes, drop: bytes) -> None:
    """No single wait is long; all of them are."""
    stop = threading.Event()
    with Server(drip(head, drop, stop)) as server:
        with pytest.raises(MediaError, match=r"it did not arrive within 0\.2 seconds\. Try again later"):
            fetched(server, side, seconds=0.2)
        stop.set()


def test_a_resolver_that_hangs_ends_with_the_time(side: str) -> None:
    hung = threading.Event()

    def hang(host: str, port: int) -> list[str]:
        hung.wait(10)
        return []

    fetcher = Fetcher(resolve=hang, seconds=0.1)
    with pytest.raises(MediaError, match=r"it did not arrive within 0\.1 seconds"):
        fetcher.fetch("http://media.example/") if side == "sync" else asyncio.run(fetcher.afetch("http://media.example/"))
    hung.set()


# --- redirects


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_redirects_are_followed(side: str, status: str) -> None:
    with Server([redirect("../b/two.jpg?x=ü", status), response(b"there")]) as server:
        found = fetched(server, side, "/a/one")
    assert (found.data, found.name, found.url) == (b"there", "two.jpg", server.url("/b/two.jpg?x=%C3%BC"))
    assert [r.split()[1] for r in server.requests] == [b"/a/one", b"/b/two.jpg?x=%C3%BC"]


def test_a_name_that_was_asked_for_is_kept() -> None:
    with Server([redirect("/0123abcd?token=x"), response(b"there")]) as server:
        assert fetched(server, "sync", "/files/cat.png").name == "cat.png"


def test_a_redirect_to_a_private_address(side: str) -> None:
    with Server(response(b"secret")) as inner, Server(redirect(inner.url("/admin?key=1"))) as server:
        with pytest.raises(MediaError) as caught:
            fetched(server, side)
        assert inner.requests == []
    assert f"'{server.url()}' redirects to another address, but '{inner.url('/admin')}' cannot be fetched" in str(caught.value)
    assert "127.0.0.1 is not public but this machine" in str(caught.value)


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("file:///etc/passwd", "only http and https"),
        ("data:text/plain,hello", "only http and https"),
        ("ftp://example.com/", "only http and https"),
        ("//localhost/", "is a name of the local network"),
        ("http://2130706433/", "written in an unusual way"),
        ("http://[::1]:99999/", "there is no port"),
        ("http://[::1", "cannot be read"),
        ("http://user:pw@example.com/", "user name or password"),
        ("http://example.com:25/", "port 25 is not one of the web"),
        ("/" + "x" * 9_000, "cannot be read"),
        ("http://exa\tmple.com/", "cannot be read"),
        ("\\\\127.0.0.1\\", "cannot be read"),
    ],
)
def test_redirects_that_are_refused(side: str, location: str, said: str) -> None:
    with Server(redirect(location)) as server, pytest.raises(MediaError, match=rf"redirects to an.*{said}") as caught:
        fetched(server, side, resolve=Names())
    assert len(server.requests) == 1
    assert "pw" not in str(caught.value)
    assert server.host in str(caught.value)


def test_redirects_in_a_circle(side: str) -> None:
    with Server([redirect("/a"), redirect("/b")] * 3) as server:
        with pytest.raises(MediaError, match=r"it redirects more than 3 times\. Give the address"):
            fetched(server, side, redirects=3)
        assert len(server.requests) == 4


def test_as_many_redirects_as_allowed() -> None:
    with Server([redirect("/a"), redirect("/b"), response(b"x")]) as server:
        assert fetched(server, "sync", redirects=2).data == b"x"


# --- TLS


@pytest.fixture
def certificates() -> tuple[ssl.SSLContext, ssl.SSLContext, list[str]]:
    """Contexts of a server for media.example and of a client that trusts it, and the names that the server was asked for."""
    asked: list[str] = []
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(PEM)
    server.sni_callback = lambda _connection, name, _context: asked.append(str(name))
    return server, ssl.create_default_context(cafile=str(PEM)), asked


def test_tls_is_for_the_name_and_not_for_its_address(certificates: Any, side: str) -> None:
    of_server, of_client, asked = certificates
    with Server(response(b"safe"), tls=of_server) as server:
        fetcher = Fetcher(tls=of_client, resolve=Names(), network=Detour())
        url = server.url(host="media.example")
        found = fetcher.fetch(url) if side == "sync" else asyncio.run(fetcher.afetch(url))
    assert (found.data, asked) == (b"safe", ["media.example"])


def test_a_certificate_of_another_is_refused(certificates: Any) -> None:
    of_server, of_client, _ = certificates
    for host, tls in (("other.example", of_client), ("media.example", None)):
        with Server(response(b"safe"), tls=of_server) as server:
            with pytest.raises(MediaError, match=r"the connection failed: .*certificate verify failed"):
                Fetcher(tls=tls, resolve=Names(), network=Detour()).fetch(server.url(host=host))
            assert server.requests == []


def test_no_redirect_from_https_to_http(certificates: Any) -> None:
    of_server, of_client, _ = certificates
    network = Detour()
    with (
        Server(redirect("http://media.example/cat.png"), tls=of_server) as server,
        pytest.raises(MediaError, match=r"it redirects from https to http \('http://media\.example/cat\.png'\)"),
    ):
        Fetcher(tls=of_client, resolve=Names(), network=network).fetch(server.url(host="media.example"))
    assert network.connected == [(PUBLIC, server.port)]


# --- given up


async def test_cancelling_closes_the_connection() -> None:
    def answer(connection: socket.socket, request: bytes) -> None:
        connection.sendall(response(b"half", length=8))
        server.wait_until_left(connection)

    with Server(answer) as server:
        task = asyncio.create_task(Fetcher(allowed_hosts=[server.host]).afetch(server.url()))
        assert await asyncio.to_thread(server.asked.wait, 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(server.left.wait, 5)


def test_an_interrupt_closes_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C, while the caller's thread waits for the one that fetches."""
    from concurrent.futures import Future

    def answer(connection: socket.socket, request: bytes) -> None:
        server.wait_until_left(connection)

    def interrupted(future: Future[Any], timeout: float | None = None) -> None:
        assert server.asked.wait(5)
        raise KeyboardInterrupt

    with Server(answer) as server:
        with monkeypatch.context() as patch:
            patch.setattr(Future, "result", interrupted)
            with pytest.raises(KeyboardInterrupt):
                Fetcher(allowed_hosts=[server.host]).fetch(server.url())
        assert server.left.wait(5)


async def test_the_event_loop_goes_on_meanwhile() -> None:
    """A hundred turns of others, while a name is resolved: it is resolved no earlier than they are done."""
    turns = threading.Event()

    def resolve(host: str, port: int) -> list[str]:
        assert turns.wait(5)
        return ["127.0.0.1"]

    with Server(response(b"x")) as server:
        fetching = asyncio.create_task(Fetcher(allowed_hosts=["media.example"], resolve=resolve).afetch(server.url(host="media.example")))
        for _ in range(100):
            await asyncio.sleep(0)
        turns.set()
        assert (await fetching).data == b"x"


async def test_the_sync_side_works_within_an_event_loop() -> None:
    with Server(response(b"x")) as server:
        assert Fetcher(allowed_hosts=[server.host]).fetch(server.url()).data == b"x"


def test_many_at_once() -> None:
    with Server(response(b"x")) as server:
        fetcher = Fetcher(allowed_hosts=[server.host])

        async def all_of_them() -> list[Fetched]:
            return await asyncio.gather(*(fetcher.afetch(server.url(f"/{n}")) for n in range(20)))

        assert [f.name for f in asyncio.run(all_of_them())] == [str(n) for n in range(20)]
