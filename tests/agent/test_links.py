"""Addresses in a request's own words."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO

import pytest
from PIL import Image

from langchain_hugginggpt.agent import HuggingGPT, Settings
from langchain_hugginggpt.agent.links import Link, links, read_links
from langchain_hugginggpt.agent.messages import human_message, request_of
from langchain_hugginggpt.tools import HUB_TASKS, HubToolkit
from langchain_hugginggpt.tools.artifacts import ArtifactStore
from langchain_hugginggpt.tools.fetching import Fetched, Fetcher
from tests.agent.plans import plan
from tests.agent.stubs import FixedPlanner


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
        (" ".join(f"https://a.org/{n}" for n in range(20)), [f"https://a.org/{n}" for n in range(3)]),
        ("Is this letter friendly?\nDear Anna, see https://example.org/a", []),
        ("Is this friendly? " + "word " * 100 + "https://example.org/a", []),
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
    text = f"What is on {url}?"
    (link,) = read_links(text, store)
    request = request_of([human_message(text)], store, HUB_TASKS, links=[Link.from_json(link.as_json())])
    (file,) = request.files
    assert (file.name, file.media_type) == (url, "image/png")
    assert request.file_names()[url] is file


def test_an_address_that_cannot_be_fetched_is_told_and_costs_nothing_else(address: str) -> None:
    agent = HuggingGPT(toolkit=HubToolkit(store=ArtifactStore(fetcher=Fetcher(allowed_hosts=[address]))))
    for url, why in ((f"http://{address}/other.png", "404"), ("http://169.254.169.254/latest/meta-data/", "169.254.169.254")):
        reply = agent.ask(f"Is this positive or negative: I loved the place, more at {url}")
        (result,) = reply.trace.results
        assert result.status == "ok"
        assert f"Not done: {url} was left out: " in reply.text
        assert why in reply.text


def test_where_nothing_is_fetched_this_is_told() -> None:
    agent = HuggingGPT(toolkit=HubToolkit(store=ArtifactStore()))
    reply = agent.ask("Summarise https://example.org/report")
    assert "Not done: https://example.org/report was left out: Addresses are not fetched here" in reply.text
    assert "Download the file and attach it" in reply.text


def test_addresses_are_fetched_once_for_a_run_and_side_by_side() -> None:
    begun, asked = threading.Barrier(3), []

    class Meeting(Fetcher):
        def fetch(self, url: str) -> Fetched:
            asked.append(url)
            begun.wait(10)  # all three are there
            return Fetched(data=b"It rains in " + url[-1:].encode() * 3, media_type="text/plain", name="", url=url)

    urls = [f"https://example.org/{n}" for n in "abc"]
    agent = HuggingGPT(toolkit=HubToolkit(store=ArtifactStore(fetcher=Meeting())), planner=FixedPlanner(plan()))
    reply = agent.ask("Compare " + " ".join(urls))
    assert sorted(asked) == urls
    assert [f.name for f in reply.trace.files] == urls


def test_an_address_is_known_in_the_next_turn() -> None:
    class Page(Fetcher):
        def fetch(self, url: str) -> Fetched:
            return Fetched(data=b"The library is closed on Monday.", media_type="text/plain", name="page", url=url)

    store = ArtifactStore(fetcher=Page())
    agent = HuggingGPT(toolkit=HubToolkit(store=store), planner=FixedPlanner(plan()))
    url = "https://example.org/page"
    asked = human_message(f"Summarise {url}")
    first = agent.invoke([asked])
    request = request_of([asked, first, human_message("Now read it aloud")], store, HUB_TASKS)
    made = [m.artifact.name for turn in request.history for m in turn.made]
    assert made == [url]


def test_private_fetches_nothing() -> None:
    assert HuggingGPT.from_settings(Settings()).toolkit.store.fetches
    assert not HuggingGPT.from_settings(Settings(private=True)).toolkit.store.fetches


async def test_the_embedded_planner_works_on_it(address: str) -> None:
    agent = HuggingGPT.from_settings(Settings(allow_hosts=(address,)))
    url = f"http://{address}/notice.png"
    text = f"Read the text in {url}"
    request = request_of([agent.message(text)], agent.toolkit.store, HUB_TASKS, links=read_links(text, agent.toolkit.store))
    planned = await agent.planner.aplan(request, HUB_TASKS)
    assert [(t.task, dict(t.arguments)) for t in planned.tasks] == [("image-to-text", {"image": url})]
