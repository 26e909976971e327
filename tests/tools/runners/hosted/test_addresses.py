"""Where calls go: to the address that was named, and nowhere else on the way."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from langchain_hugginggpt.index.card import ModelCard
from langchain_hugginggpt.index.errors import ExpertError
from langchain_hugginggpt.tools.hub_tasks import HUB_TASKS
from langchain_hugginggpt.tools.runners.hosted import HostedRunner
from langchain_hugginggpt.tools.runners.hosted.client import is_loopback
from tests.hosted_server import Fault, HostedServer

_TASK = HUB_TASKS["text-classification"]
_TEXT = {"text": "good"}


@pytest.fixture
def elsewhere() -> Iterator[HostedServer]:
    with HostedServer() as running:
        yield running


@pytest.fixture(params=["this machine", "another machine"])
def _kind_of_address(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's server is on this machine; calls to other machines are made by huggingface_hub's own session."""
    if request.param == "another machine":
        monkeypatch.setattr("langchain_hugginggpt.tools.runners.hosted.client.is_loopback", lambda _: False)


def _runner(url: str) -> tuple[HostedRunner, ModelCard]:
    runner = HostedRunner(token="own", hub=False, endpoints={_TASK.name: url}, timeout=20.0)
    return runner, ModelCard(id=url, task=_TASK.name)


@pytest.mark.usefixtures("_kind_of_address")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_to_another_origin_is_followed(server: HostedServer, elsewhere: HostedServer, status: int) -> None:
    server.always[_TASK.name] = Fault(status=status, headers={"Location": elsewhere.url(_TASK.name)}, body="")
    runner, card = _runner(server.url(_TASK.name))
    with pytest.raises(ExpertError) as caught:
        runner.run(_TASK, card, _TEXT)
    assert elsewhere.calls == []
    assert f"it sends callers elsewhere (to {elsewhere.address})" in caught.value.message
    assert caught.value.remedy == "Name the address where it really is."
    assert not caught.value.retryable
    assert "elsewhere" in runner.availability(_TASK, card).why


@pytest.mark.usefixtures("_kind_of_address")
@pytest.mark.parametrize("to", ["https://{host}/x", "//{name}/x", "http://user:pa55@{name}:1/x?key=pa55"])
def test_another_scheme_or_port_is_another_origin(server: HostedServer, to: str) -> None:
    host = server.address.removeprefix("http://")
    location = to.format(host=host, name=host.partition(":")[0])
    server.always[_TASK.name] = Fault(status=307, headers={"Location": location}, body="")
    runner, card = _runner(server.url(_TASK.name))
    with pytest.raises(ExpertError, match="elsewhere") as caught:
        runner.run(_TASK, card, _TEXT)
    assert "pa55" not in str(caught.value)
    assert len(server.calls) == 1


@pytest.mark.usefixtures("_kind_of_address")
@pytest.mark.parametrize("whole", [True, False])
def test_a_redirect_within_the_origin_is_followed_with_all_that_was_sent(server: HostedServer, whole: bool) -> None:
    url = server.url(_TASK.name)
    server.faults.append(Fault(status=307, headers={"Location": url if whole else f"/tasks/{_TASK.name}"}, body=""))
    runner, card = _runner(f"{url}/")
    assert runner.run(_TASK, card, _TEXT).values["labels"]
    first, second = server.calls
    assert first.body == second.body
    assert first.headers["authorization"] == second.headers["authorization"] == "Bearer own"


@pytest.mark.usefixtures("_kind_of_address")
@pytest.mark.parametrize("headers", [{}, {"Location": "/tasks/text-classification"}])
def test_redirects_to_nowhere_and_in_a_ring_end(server: HostedServer, headers: dict[str, str]) -> None:
    server.always[_TASK.name] = Fault(status=307, headers=headers, body="")
    runner, card = _runner(server.url(_TASK.name))
    with pytest.raises(ExpertError, match=r"sends callers elsewhere \(307\)"):
        runner.run(_TASK, card, _TEXT)
    assert len(server.calls) <= 6


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_no_proxy_sees_what_is_sent_to_this_machine(
    server: HostedServer, elsewhere: HostedServer, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import close_session

    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, elsewhere.address)
    close_session()  # it reads the environment when it is made
    try:
        runner, card = _runner(server.url(_TASK.name))
        assert runner.run(_TASK, card, _TEXT).values["labels"]
    finally:
        close_session()
    assert [call.method for call in elsewhere.calls if call.method == "POST"] == []
    assert len(server.calls) == 1


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://localhost:8080/x", True),
        ("http://LOCALHOST", True),
        ("https://127.0.0.1/", True),
        ("http://127.9.9.9", True),
        ("http://[::1]:80/", True),
        ("http://user@localhost/", True),
        ("http://localhost.example.org", False),
        ("http://localhost@example.org/", False),
        ("http://10.0.0.1/", False),
        ("http://[::1", False),
        ("", False),
    ],
)
def test_what_is_on_this_machine(url: str, here: bool) -> None:
    assert is_loopback(url) is here
