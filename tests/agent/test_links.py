"""Addresses in a request's own words."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO

import pytest
from PIL import Image

from langchain_hugginggpt.agent import HuggingGPT, Settings
from langchain_hugginggpt.agent.links import links
from langchain_hugginggpt.agent.messages import human_message, request_of
from langchain_hugginggpt.tools import HUB_TASKS
from langchain_hugginggpt.tools.artifacts import ArtifactStore
from langchain_hugginggpt.tools.errors import MediaError
from langchain_hugginggpt.tools.fetching import Fetcher


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("What is on https://example.org/cat.jpg?", ["https://example.org/cat.jpg"]),
        ("Describe http://example.org/a, then https://example.org/b.", ["http://example.org/a", "https://example.org/b"]),
        ("Read this (see https://example.org/a_(b)).", ["https://example.org/a_(b)"]),
        ("HTTPS://EXAMPLE.ORG/A?q=1&r=2!", ["HTTPS://EXAMPLE.ORG/A?q=1&r=2"]),
        ("the same twice: https://a.org/x and https://a.org/x", ["https://a.org/x"]),
        ("Translate 'see https://example.org/a' to German", []),
        ("Don't fetch https://example.org/a, it's mine", ["https://example.org/a"]),
        ('Translate "https://example.org/a" to German', []),
        ("Translate “https://example.org/a” to German", []),
        ("`https://example.org/a` is code", []),
        ("ftp://example.org/a and file:///etc/passwd and https", []),
        ("", []),
        (" ".join(f"https://a.org/{n}" for n in range(20)), [f"https://a.org/{n}" for n in range(8)]),
    ],
)
def test_links(text: str, found: list[str]) -> None:
    assert list(links(text)) == found


class _Files(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path != "/notice.png":
            self.send_error(404)
            return
        out = BytesIO()
        Image.new("RGB", (40, 20), "white").save(out, "PNG")
        self.send_response(200)
        self.send_header("Content-Length", str(len(out.getvalue())))
        self.end_headers()
        self.wfile.write(out.getvalue())

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def address() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Files) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def test_what_a_request_names_by_address_is_a_file_of_it(address: str) -> None:
    store = ArtifactStore(fetcher=Fetcher(allowed_hosts=[address]))
    url = f"http://{address}/notice.png"
    request = request_of([human_message(f"What is on {url}?")], store, HUB_TASKS)
    (file,) = request.files
    assert (file.name, file.media_type) == (url, "image/png")
    assert request.file_names()[url] is file


def test_an_address_that_cannot_be_fetched_is_told(address: str) -> None:
    store = ArtifactStore(fetcher=Fetcher(allowed_hosts=[address]))
    with pytest.raises(MediaError, match="404"):
        request_of([human_message(f"What is on http://{address}/other.png?")], store, HUB_TASKS)
    with pytest.raises(MediaError, match=r"169\.254\.169\.254"):
        request_of([human_message("Summarise http://169.254.169.254/latest/meta-data/")], store, HUB_TASKS)


def test_a_store_that_fetches_nothing_leaves_addresses_alone() -> None:
    assert request_of([human_message("What is on https://example.org/cat.jpg?")], ArtifactStore(), HUB_TASKS).files == ()


def test_private_fetches_nothing() -> None:
    assert HuggingGPT.from_settings(Settings()).toolkit.store.fetches
    assert not HuggingGPT.from_settings(Settings(private=True)).toolkit.store.fetches


async def test_the_embedded_planner_works_on_it(address: str) -> None:
    agent = HuggingGPT.from_settings(Settings(allow_hosts=(address,)))
    url = f"http://{address}/notice.png"
    planned = await agent.planner.aplan(request_of([agent.message(f"Read the text in {url}")], agent.toolkit.store, HUB_TASKS), HUB_TASKS)
    assert [(t.task, dict(t.arguments)) for t in planned.tasks] == [("image-to-text", {"image": url})]
