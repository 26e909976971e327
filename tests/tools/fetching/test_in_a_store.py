"""Addresses as files of a store, of tasks and of requests."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from langchain_hugginggpt.tools import HUB_TASKS, ArtifactStore, Kind
from langchain_hugginggpt.tools.errors import MediaError
from langchain_hugginggpt.tools.fetching import Fetcher
from langchain_hugginggpt.tools.inputs import read_inputs
from langchain_hugginggpt.tools.media import load_text
from tests.agent.plans import plan, task
from tests.agent.stubs import FixedPlanner, toolkit
from tests.tools.documents.files import text_pdf
from tests.tools.fetching.server import Server, response


def png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (2, 2), "red").save(out, "PNG")
    return out.getvalue()


PNG = png()


def store_of(server: Server, folder: Path) -> ArtifactStore:
    return ArtifactStore(folder, fetcher=Fetcher(allowed_hosts=[server.host]))


def test_an_address_is_fetched_once(tmp_path: Path) -> None:
    with Server(response(PNG, "Content-Type: text/plain")) as server:
        store = store_of(server, tmp_path)
        one = store.resolve(server.url("/cat.png"), kind=Kind.IMAGE)
        assert store.resolve({"type": "image", "url": f"  {server.url('/cat.png')}\n"}) is store.add(server.url("/cat.png")) is one
        assert (one.name, one.media_type, one.read_bytes()) == ("cat.png", "image/png", PNG)
        assert len(server.requests) == 1
        one.path.unlink()
        assert store.resolve(server.url("/cat.png")).path.exists()
        assert len(server.requests) == 2
    assert [p.name for p in tmp_path.iterdir()] == [one.path.name]


def test_the_type_is_told_by_the_bytes(tmp_path: Path) -> None:
    with Server([response(b"a,b\n1,2", "Content-Type: text/csv; header=present"), response(b"\0\1", "Content-Type: image/png")]) as server:
        store = store_of(server, tmp_path)
        assert store.resolve(server.url("/table")).kind is Kind.TABLE
        assert store.resolve(server.url("/lie")).media_type == "application/octet-stream"


def test_a_page_is_no_picture(tmp_path: Path) -> None:
    with Server(response(b"<html>log in</html>", "Content-Type: text/html")) as server:
        store = store_of(server, tmp_path)
        with pytest.raises(MediaError, match=r"'cat\.png' is named like image/png but holds text"):
            store.resolve(server.url("/cat.png"))
        with pytest.raises(MediaError, match="an image file is wanted"):
            store.resolve(server.url("/login"), kind=Kind.IMAGE)
    assert len(list(tmp_path.iterdir())) <= 1


def test_nothing_is_left_of_what_failed(tmp_path: Path) -> None:
    with Server([response(b"half", length=8), response(b""), response(PNG)]) as server:
        store = store_of(server, tmp_path)
        for said in ("the connection failed", r"is empty \(0 bytes\)"):
            with pytest.raises(MediaError, match=said):
                store.resolve(server.url())
        assert list(tmp_path.iterdir()) == []
        assert store.resolve(server.url()).size == len(PNG)  # a failure is not remembered


def test_a_task_takes_an_address(tmp_path: Path) -> None:
    with Server(response(PNG)) as server:
        values = read_inputs(HUB_TASKS["image-to-text"], {"image": server.url()}, store_of(server, tmp_path))
        assert values["image"].kind is Kind.IMAGE
        with pytest.raises(MediaError, match=r"'image' of image-to-text: 'http://10\.0\.0\.1/x' cannot be fetched: .* is not public"):
            read_inputs(HUB_TASKS["image-to-text"], {"image": "http://10.0.0.1/x?secret"}, store_of(server, tmp_path))


async def test_a_request_takes_addresses(tmp_path: Path) -> None:
    from langchain_hugginggpt.agent import HuggingGPT

    with Server(response(PNG)) as server:
        chosen = plan(task("1", "image-to-text", image="cat.png"))
        agent = HuggingGPT(toolkit=toolkit(store=store_of(server, tmp_path)), planner=FixedPlanner(chosen))
        assert agent.ask("What is this?", [server.url()]).trace.results[0].status == "ok"
        assert (await agent.aask("What is this?", [server.url()])).trace.results[0].status == "ok"
        assert len(server.requests) == 1
        with pytest.raises(MediaError, match="is not public but this machine"):
            agent.ask("What is this?", ["http://127.0.0.1/cat.png"])


WEB_PAGE = "<!DOCTYPE html><html><head><script>var a</script></head><body><p>Hello there</p></body></html>"
KOI8 = '<html><head><meta charset="utf-8"></head><body>Привет</body></html>'.encode("koi8-r")


@pytest.mark.parametrize(
    ("path", "content", "declared", "media_type", "text"),
    [
        ("/README.md", WEB_PAGE.encode(), "text/html; charset=utf-8", "text/html", "Hello there"),
        ("/data.csv", WEB_PAGE.encode(), "text/html", "text/html", "Hello there"),
        ("/notes.txt", WEB_PAGE.encode(), "application/octet-stream", "text/html", "Hello there"),
        ("/a.md", b"<p>a piece of a page", "text/html", "text/html", "a piece of a page"),
        ("/raw.txt", WEB_PAGE.encode(), "text/plain", "text/plain", WEB_PAGE),
        ("/README.md", b"# Title", "text/plain", "text/markdown", "# Title"),
        ("/", KOI8, "text/html; charset=KOI8-R", "text/html", "Привет"),  # the server counts more than the page
        ("/", b"\xef\xbb\xbf" + WEB_PAGE.encode(), "text/html; charset=koi8-r", "text/html", "Hello there"),  # and its first bytes more yet
        ("/", "<html><meta charset=koi8-r>Привет".encode("koi8-r"), "text/html", "text/html", "Привет"),
        ("/", KOI8, 'text/html;charset="koi8-r"', "text/html", "Привет"),
        ("/a.txt", "Schöne Grüße“".encode("cp1252"), "text/plain; charset=ISO-8859-1", "text/plain", "Schöne Grüße“"),
        ("/a.csv", "a,b\nä,1".encode("latin-1"), "text/csv; charset=iso-8859-1", "text/csv", "a,b\nä,1"),
        ("/a.txt", "Grüße".encode("utf-16"), "text/plain", "text/plain", "Grüße"),
        ("/a.txt", "Grüße".encode("utf-16-le"), "text/plain; charset=utf-16", "text/plain", "Grüße"),
        ("/a.txt", "Grüße".encode(), "text/plain; charset=no-such-thing", "text/plain", "Grüße"),
        ("/a.txt", "Grüße".encode(), "text/plain; charset=zlib", "text/plain", "Grüße"),
        ("/a.txt", "Grüße".encode(), "text/plain; charset=unicode_escape", "text/plain", "Grüße"),
    ],
)
def test_texts_are_what_the_server_says(path: str, content: bytes, declared: str, media_type: str, text: str, tmp_path: Path) -> None:
    with Server(response(content, f"Content-Type: {declared}")) as server:
        found = store_of(server, tmp_path).add(server.url(path))
    assert (found.media_type, load_text(found)) == (media_type, text)


@pytest.mark.parametrize(("name", "content"), [("cat.png", PNG), ("a.pdf", text_pdf([["x"]])), ("a.bin", b"\0\1\xc4")])
def test_what_is_declared_as_text_and_is_none_stays_as_it_is(name: str, content: bytes, tmp_path: Path) -> None:
    with Server(response(content, "Content-Type: text/plain; charset=koi8-r")) as server:
        assert store_of(server, tmp_path).add(server.url(f"/{name}")).read_bytes() == content


def test_a_page_of_a_fetched_document(tmp_path: Path) -> None:
    with Server(response(text_pdf([["One"], ["Two"]]), "Content-Type: application/pdf")) as server:
        store = store_of(server, tmp_path)
        for page in (store.add(server.url("/a.pdf#page=2")), store.resolve(server.url("/a.pdf#page=2"))):
            assert (page.name, load_text(page), page.fits(Kind.IMAGE)) == ("a-page-2.pdf", "Two", True)
        assert store.resolve(server.url("/a.pdf#page=2"), kind=Kind.IMAGE).media_type == "image/png"
        assert len(server.requests) == 1
        with pytest.raises(MediaError, match="Pages count from 1"):
            store.add(server.url("/a.pdf#page=0"))
