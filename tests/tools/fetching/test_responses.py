"""Servers that send too much, too little, too slowly or something else, against a real one on this machine."""

from __future__ import annotations

import gzip
import itertools
import re
import socket
import zlib
from contextlib import suppress
from pathlib import Path

import pytest

from langchain_hugginggpt.tools.errors import MediaError
from langchain_hugginggpt.tools.fetching import Fetched, Fetcher
from tests.tools.fetching.fetched import MOST, fetched
from tests.tools.fetching.server import Detour, Server, redirect, response


def test_a_file(side: str) -> None:
    with Server(response(b"picture", "Content-Type: Image/PNG; charset=x")) as server:
        found = fetched(server, side, "/a/b/my%20cat.png?size=1&x=[y]#top")
    assert found == Fetched(
        data=b"picture", media_type="image/png", name="my cat.png", url=server.url("/a/b/my%20cat.png?size=1&x=[y]"), charset="x"
    )
    (request,) = server.requests
    lines = request.decode().split("\r\n")
    assert lines[0] == "GET /a/b/my%20cat.png?size=1&x=[y] HTTP/1.1"
    assert sorted(line.lower() for line in lines[1:] if line) == [
        "accept-encoding: identity",
        "accept: */*",
        "connection: close",
        f"host: {server.host}",
        "user-agent: langchain-hugginggpt",
    ]


def test_the_host_header_of_an_ipv6_address() -> None:
    with Server(response(b"x")) as server:
        found = Fetcher(network=Detour()).fetch(server.url(host="[2606:4700:0::1111]"))
    assert found.url == server.url(host="[2606:4700::1111]")
    assert f"\r\nHost: [2606:4700::1111]:{server.port}\r\n".encode() in server.requests[0]


def test_nothing_of_the_environment_is_used(side: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login user password secret\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with Server([response(b"1", "Set-Cookie: a=b"), redirect("/x"), response(b"2")]) as server:
        fetcher = Fetcher(allowed_hosts=[server.host])
        assert [fetcher.fetch(server.url()).data, fetcher.fetch(server.url()).data] == [b"1", b"2"]
    assert not re.search(rb"cookie|authorization|secret|referer", b"".join(server.requests), re.I)


@pytest.mark.parametrize("declared", [None, "image", "image/png, text/html", "a b/c", "image/" + "x" * 100, "/", "ïmage/png"])
def test_a_declared_type_that_is_none(declared: str | None) -> None:
    with Server(response(b"x", *([f"Content-Type: {declared}"] if declared else []))) as server:
        assert fetched(server, "sync").media_type is None


@pytest.mark.parametrize(
    "status", ["404 Not Found", "403 Forbidden", "500 Oops", "204 No Content", "206 Partial Content", "304 Not Modified"]
)
def test_another_status_is_an_error(side: str, status: str) -> None:
    with (
        Server(response(b"<html>sorry</html>", "Content-Type: text/html", status=status)) as server,
        pytest.raises(MediaError, match=rf"the server answered with status {status[:3]}\. Check the address"),
    ):
        fetched(server, side)


def test_a_redirect_to_nowhere_is_an_error() -> None:
    with Server(response(b"", status="302 Found")) as server, pytest.raises(MediaError, match="status 302"):
        fetched(server, "sync")


# --- too much


def test_a_length_over_the_limit_is_refused_at_once(side: str) -> None:
    def answer(connection: socket.socket, request: bytes) -> None:
        connection.sendall(response(b"", length=10 * 2**30))
        server.wait_until_left(connection)

    with Server(answer) as server:
        with pytest.raises(MediaError, match=r"at most 100,000 bytes are taken, and it has 10,737,418,240\. Give a smaller file"):
            fetched(server, side)
        assert server.left.wait(5)


@pytest.mark.parametrize("head", ["Connection: close", "Transfer-Encoding: chunked"])
def test_a_body_without_end_is_cut(side: str, head: str) -> None:
    def answer(connection: socket.socket, request: bytes) -> None:
        piece = b"x" * 10_000
        connection.sendall(f"HTTP/1.1 200 OK\r\n{head}\r\n\r\n".encode())
        with suppress(OSError):
            while True:
                connection.sendall(b"%x\r\n%b\r\n" % (len(piece), piece) if "chunked" in head else piece)
        server.left.set()

    with Server(answer) as server:
        with pytest.raises(MediaError, match="at most 100,000 bytes are taken, and more came"):
            fetched(server, side)
        assert server.left.wait(5)


def test_exactly_the_limit_is_taken() -> None:
    with Server([response(b"x" * MOST), response(b"x" * (MOST + 1))]) as server:
        assert len(fetched(server, "sync").data) == MOST
        with pytest.raises(MediaError, match="it has 100,001"):
            fetched(server, "sync")


def bomb(wbits: int, size: int) -> bytes:
    stream = zlib.compressobj(9, zlib.DEFLATED, wbits)
    return b"".join([*(stream.compress(bytes(2**20)) for _ in range(size // 2**20)), stream.flush()])


@pytest.mark.parametrize(("encoding", "wbits"), [("gzip", 31), ("x-gzip", 31), ("deflate", 15), ("deflate", -15)])
def test_a_bomb_is_not_unpacked(side: str, encoding: str, wbits: int) -> None:
    import tracemalloc

    small = bomb(wbits, 50 * 2**20)
    assert len(small) < MOST
    with Server(response(small, f"Content-Encoding: {encoding}")) as server:
        tracemalloc.start()
        try:
            with pytest.raises(MediaError, match="100,000 bytes are taken, and it is more once it is not compressed"):
                fetched(server, side)
            assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
        finally:
            tracemalloc.stop()


def test_parts_of_gzip_without_content_have_an_end_too(side: str) -> None:
    empty = gzip.compress(b"", mtime=0) * 1_000

    def answer(connection: socket.socket, request: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n")
        with suppress(OSError):
            while True:
                connection.sendall(empty)

    with Server(answer) as server, pytest.raises(MediaError, match="at most 100,000 bytes are taken, and more came"):
        fetched(server, side)


def test_headers_without_end(side: str) -> None:
    def answer(connection: socket.socket, request: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        with suppress(OSError):
            for n in itertools.count():
                connection.sendall(b"X-%d: %b\r\n" % (n, b"x" * 1_000))

    with Server(answer) as server, pytest.raises(MediaError, match="the connection failed: "):
        fetched(server, side)


# --- compressed


@pytest.mark.parametrize("size", [0, 1, 70_000, 3 * 2**20, 3 * 2**20 + 77])
@pytest.mark.parametrize(("encoding", "wbits"), [("gzip", 31), ("GZIP", 31), ("deflate", 15), ("deflate", -15)])
def test_compressed_files_are_whole(encoding: str, wbits: int, size: int) -> None:
    data = (b"abc" * 9 + b"\0" * 500) * (size // 527 + 1)
    data = data[:size]
    stream = zlib.compressobj(9, zlib.DEFLATED, wbits)
    packed = stream.compress(data) + stream.flush()
    with Server(response(packed, f"Content-Encoding: {encoding}")) as server:
        assert fetched(server, "sync", max_bytes=4 * 2**20).data == data


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_compressed_files_that_come_byte_by_byte(encoding: str) -> None:
    packed = gzip.compress(b"first ", mtime=0) + gzip.compress(b"second") if encoding == "gzip" else zlib.compress(b"first second")
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in packed) + b"0\r\n\r\n"
    with Server(f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nTransfer-Encoding: chunked\r\n\r\n".encode() + chunks) as server:
        assert fetched(server, "sync").data == b"first second"


@pytest.mark.parametrize(
    ("encoding", "body", "said"),
    [
        ("gzip", gzip.compress(b"abc" * 99, mtime=0)[:-9], "it ends too early"),
        ("gzip", b"\x1f", "it ends too early"),
        ("gzip", b"plain text", "incorrect header check"),
        ("gzip", gzip.compress(b"abc", mtime=0) + b"rubbish", "incorrect header check"),
        ("gzip", gzip.compress(b"abc", mtime=0)[:-5] + b"12345", "incorrect (data|length) check"),
        ("deflate", zlib.compress(b"abc")[:-2], "it ends too early"),
        ("deflate", b"x", "it ends too early"),
        ("deflate", zlib.compress(b"abc") + b"rubbish", "data after its end"),
        ("deflate", b"\xff" * 20, "invalid"),
    ],
)
def test_what_is_not_what_its_encoding_says(encoding: str, body: bytes, said: str) -> None:
    with (
        Server(response(body, f"Content-Encoding: {encoding}")) as server,
        pytest.raises(MediaError, match=rf"it is not what its encoding \({encoding}\) says: .*{said}"),
    ):
        fetched(server, "sync")


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "compress", "x" * 1_000])
def test_other_encodings_are_refused(encoding: str) -> None:
    with (
        Server(response(b"x", f"Content-Encoding: {encoding}")) as server,
        pytest.raises(MediaError, match=rf"it comes in the encoding '{encoding[:40]}', which is not undone"),
    ):
        fetched(server, "sync")


# --- too little, or none at all


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (response(b"half", length=8), "without sending complete message body"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", "without sending complete message body"),
        (b"", "Server disconnected without sending a response"),
        (b"HTTP/1.1 200 OK\r\nContent-", "Server disconnected without sending a response"),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "illegal status line"),
        (b"<html>HTTP 0.9</html>\r\n\r\n", "illegal status line"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nhalf", "conflicting Content-Length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\nhalf", "bad Content-Length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1e9\r\n\r\nhalf", "bad Content-Length"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhalf", "Transfer-Encoding"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "illegal chunk header"),
        (b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "without a pending proposal"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_whole_response(side: str, sent: bytes, said: str) -> None:
    with Server(sent) as server, pytest.raises(MediaError, match=rf"cannot be fetched: .*{said}"):
        fetched(server, side)


def test_nobody_there(side: str) -> None:
    with Server(b"") as server:
        pass
    with pytest.raises(MediaError, match="the connection failed: "):
        fetched(server, side)


def test_a_body_that_ends_with_the_connection() -> None:
    with Server(b"HTTP/1.0 200 OK\r\n\r\nall of it") as server:
        assert fetched(server, "sync").data == b"all of it"
