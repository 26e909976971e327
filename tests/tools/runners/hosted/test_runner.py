"""What the runner answers before it calls, and what it learns from calls."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from langchain_hugginggpt.index.card import ModelCard
from langchain_hugginggpt.index.errors import CallerError, ExpertError, RemoteError
from langchain_hugginggpt.tools.hub_tasks import HUB_TASKS
from langchain_hugginggpt.tools.runners.hosted import Account, Facts, HostedRunner
from langchain_hugginggpt.tools.runners.runner import Place
from tests.hosted_server import Fault, HostedServer
from tests.tools.runners.hosted.cases import Files

_TASK = HUB_TASKS["text-classification"]
_TOKEN = "hf_" + "x" * 34
_TEXT = {"text": "good"}


def _card(model: str, task: str = "text-classification", **more: Any) -> ModelCard:
    return ModelCard(id=model, task=task, **more)


@pytest.mark.parametrize(
    ("key", "url", "words"),
    [
        ("text-clasification", "http://a", "'text-classification'"),
        ("depth-estimation", "http://a", "depth-estimation"),
        ("org/../name", "http://a", "org/../name"),
        ("translation", "a.b/c", "https://a.b/c"),
        ("translation", "ftp://a/b", "'ftp'"),
        ("translation", "http://", "no host"),
        ("translation", "http:///x", "no host"),
        ("translation", "http://a:0/", "no host"),
        ("translation", "http://a:99999/", "cannot be read"),
        ("translation", "http://[::1", "cannot be read"),
        ("translation", "http://a/ b", "spaces"),
        ("translation", "http://a/\x1b[1m", "spaces"),
        ("translation", "", "neither http"),
        ("translation", "file:///etc/passwd", "'file'"),
    ],
)
def test_an_endpoint_that_cannot_be_called_is_the_callers_fault(key: str, url: str, words: str) -> None:
    with pytest.raises(CallerError) as caught:
        HostedRunner(endpoints={key: url})
    assert words in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "settings", [{"timeout": 0}, {"timeout": float("nan")}, {"concurrency": 0}, {"token": ""}, {"token": "a\nb"}, {"token": "hf_é"}]
)
def test_settings_that_make_no_sense(settings: dict[str, Any]) -> None:
    with pytest.raises(CallerError) as caught:
        HostedRunner(**settings)
    assert "a\nb" not in str(caught.value)


def test_credentials_in_an_address_are_shown_nowhere(server: HostedServer) -> None:
    secret = server.url("text-classification").replace("http://", "http://user:pa55@") + "?key=pa55"
    runner = HostedRunner(hub=False, endpoints={"text-classification": secret})
    (named,) = runner.availability(_TASK).named
    assert named == server.url("text-classification")
    assert runner.run(_TASK, _card(named), _TEXT).values["labels"]
    assert server.calls[0].path.endswith("?key=pa55")
    assert server.calls[0].headers["authorization"].startswith("Basic ")
    server.always["text-classification"] = Fault(status=500, body=f"at {secret} with {_TOKEN}")
    with pytest.raises(ExpertError) as caught:
        runner.run(_TASK, _card(named), _TEXT)
    assert "pa55" not in str(caught.value)
    assert _TOKEN not in str(caught.value)


def test_what_is_said_without_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = HostedRunner()
    assert "neither a token nor an endpoint" in alone.availability(_TASK).why
    assert "HF_TOKEN" in alone.availability(_TASK).remedy
    assert not alone.availability(HUB_TASKS["depth-estimation"]).supported
    with_token = HostedRunner(token=_TOKEN)
    assert with_token.availability(_TASK).ok
    assert with_token.availability(_TASK).models is None
    assert not with_token.availability(_TASK, _card("embedded/sentiment")).supported
    assert with_token.availability(_TASK, _card("org/name")).place is Place.HOSTED
    assert not with_token.availability(HUB_TASKS["tabular-regression"]).ok
    assert "--endpoint" in with_token.availability(HUB_TASKS["text-to-audio"]).remedy
    assert not HostedRunner(token=_TOKEN, hub=False).availability(_TASK, _card("org/name")).ok
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert "HF_HUB_OFFLINE" in with_token.availability(_TASK).why


def test_a_provider_that_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    runner = HostedRunner(token=_TOKEN, provider="together")
    assert "together does not serve this task" in runner.availability(_TASK).why
    chat = HUB_TASKS["text-generation"]
    assert runner.availability(chat, _card("org/name", "text-generation")).ok
    assert runner.availability(chat, _card("org/name", "text-generation", providers=("together", "groq"))).ok
    assert "groq" in runner.availability(chat, _card("org/name", "text-generation", providers=("groq",))).why


@pytest.mark.parametrize(
    "model", ["http://127.0.0.1:9/x", "https://evil.example", "../x", "a/../b", "a/b/c", "", "HTTP://X", "a b", "a/b\n"]
)
def test_a_model_that_is_named_like_an_address_is_never_called(model: str) -> None:
    """The client would send it the token."""
    runner = HostedRunner(token=_TOKEN)
    assert not runner.availability(_TASK, _card(model)).ok
    with pytest.raises(ExpertError, match="neither on the Hub nor"):
        runner.run(_TASK, _card(model), _TEXT)


def test_endpoints_by_task_and_by_model(server: HostedServer) -> None:
    runner = HostedRunner(
        hub=False, endpoints={"text-classification": server.url("text-classification"), "lab/own": server.url("translation")}
    )
    url = server.url("text-classification")
    assert runner.availability(_TASK).named == (url,)
    assert runner.availability(_TASK, _card(url)).place is Place.NAMED
    assert not runner.availability(_TASK, _card("lab/own", "translation")).ok, "it does something else"
    translation = HUB_TASKS["translation"]
    assert runner.availability(translation, _card("lab/own", "translation")).place is Place.NAMED
    assert not runner.availability(translation, _card(url, "translation")).ok
    assert runner.run(translation, _card("lab/own", "translation"), {"text": "x"}).values == {"text": ">: x"}


def test_a_model_that_was_named_without_a_task_is_told_apart(server: HostedServer) -> None:
    """What it does, the index knows."""
    runner = HostedRunner(hub=False, endpoints={"lab/own": server.url("translation")})
    told = runner.availability(_TASK)
    assert (told.named, told.unbound, told.models) == ((), ("lab/own",), ())
    with_hub = HostedRunner(token=_TOKEN, endpoints={"lab/own": server.url("translation")}).availability(_TASK)
    assert (with_hub.unbound, with_hub.models) == (("lab/own",), None)


@pytest.mark.parametrize(("heard", "notes"), [("", ("it heard no words",)), ("  ", ("it heard no words",)), ("so", ())])
def test_silence_is_said_to_be_silence(server: HostedServer, files: Files, heard: str, notes: tuple[str, ...]) -> None:
    task = HUB_TASKS["automatic-speech-recognition"]
    server.replies[task.name] = lambda _: {"text": heard}
    url = server.url(task.name)
    made = HostedRunner(hub=False, endpoints={task.name: url}).run(task, _card(url, task.name), {"audio": files.sound})
    assert (made.values, made.notes) == ({"text": heard.strip()}, notes)


@pytest.mark.parametrize("reply", [{}, {"text": None}, {"words": "so"}])
def test_a_reply_without_a_transcript_is_a_failure(server: HostedServer, files: Files, reply: Any) -> None:
    task = HUB_TASKS["automatic-speech-recognition"]
    server.replies[task.name] = lambda _: reply
    url = server.url(task.name)
    with pytest.raises(ExpertError):
        HostedRunner(hub=False, endpoints={task.name: url}).run(task, _card(url, task.name), {"audio": files.sound})


def test_the_token_of_the_machine_goes_to_no_foreign_endpoint(server: HostedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", _TOKEN)
    url = server.url("text-classification")
    HostedRunner(endpoints={"text-classification": url}).run(_TASK, _card(url), _TEXT)
    HostedRunner(endpoints={"text-classification": url}, token="own").run(_TASK, _card(url), _TEXT)
    assert [c.headers.get("authorization") for c in server.calls] == [None, "Bearer own"]


@pytest.mark.parametrize(
    ("status", "ok"), [(401, False), (402, False), (403, False), (404, False), (410, False), (422, True), (429, True), (503, True)]
)
def test_what_a_failure_tells_about_later_calls(status: int, ok: bool, server: HostedServer) -> None:
    now = 1000.0
    runner = HostedRunner(hub=False, endpoints=server.endpoints("translation", "text-classification"), facts=Facts(clock=lambda: now))
    url = server.url("text-classification")
    server.always["text-classification"] = Fault(status=status, body={"error": "no \x1b[31mway"})
    with pytest.raises(ExpertError) as caught:
        runner.run(_TASK, _card(url), _TEXT)
    assert caught.value.retryable is (status in (429, 503))
    assert "\x1b" not in str(caught.value)
    assert runner.availability(_TASK, _card(url)).ok is ok
    assert runner.availability(HUB_TASKS["translation"], _card(server.url("translation"))).ok
    if not ok:
        assert str(status) in runner.availability(_TASK, _card(url)).why
    del server.always["text-classification"]
    now += 16 * 60
    assert runner.availability(_TASK, _card(url)).ok
    runner.run(_TASK, _card(url), _TEXT)
    known = runner.availability(_TASK, _card(url))
    assert known.seconds is not None
    assert known.seconds < 10


def test_models_of_the_hub_by_provider_and_auto(server: HostedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.hub(monkeypatch)
    server.models |= {"lab/feelings": "text-classification", "lab/talks": "text-generation"}
    for provider in ("hf-inference", "auto", None):
        runner = HostedRunner(token=_TOKEN, provider=provider, bill_to="lab")
        assert runner.run(_TASK, _card("lab/feelings"), _TEXT).values["labels"][0]["label"] == "POSITIVE"
        call = server.calls[-1]
        assert call.path == "/hf-inference/models/lab/feelings"
        assert call.headers["authorization"] == f"Bearer {_TOKEN}"
        assert call.headers["x-hf-bill-to"] == "lab"
        assert runner.availability(_TASK, _card("lab/feelings")).place is Place.REACHED
    said = HostedRunner(token=_TOKEN).run(HUB_TASKS["text-generation"], _card("lab/talks", "text-generation"), {"prompt": "Hi"})
    assert said.values == {"text": "You sent: Hi"}
    assert said.usage == {"input_tokens": 7, "output_tokens": 11}
    assert server.calls[-1].path == "/v1/chat/completions"
    assert json.loads(server.calls[-1].body)["model"] == "lab/talks"


def test_a_model_that_the_hub_does_not_serve_is_remembered(server: HostedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.hub(monkeypatch)
    server.models["lab/other-thing"] = "translation"
    runner = HostedRunner(token=_TOKEN, provider="hf-inference")
    for model in ("lab/other-thing", "lab/is-not-there"):
        with pytest.raises(ExpertError) as caught:
            runner.run(_TASK, _card(model), _TEXT)
        assert not caught.value.retryable
        assert "not served" in runner.availability(_TASK, _card(model)).why
    assert runner.availability(_TASK, _card("lab/third")).ok


def test_a_model_that_does_not_chat_goes_on_from_the_prompt(server: HostedServer) -> None:
    del server.replies["chat"]
    url = server.url("text-generation")
    runner = HostedRunner(hub=False, endpoints={"text-generation": url})
    made = runner.run(HUB_TASKS["text-generation"], _card(url, "text-generation"), {"prompt": "Once"})
    assert made.values == {"text": "Once and so on"}
    assert "goes on from the prompt" in made.notes[0]


def test_a_mask_of_another_kind(server: HostedServer) -> None:
    server.faults.append(Fault(status=400, body={"error": "No mask_token (<mask>) found on the input"}))
    url = server.url("fill-mask")
    with pytest.raises(ExpertError, match="No mask_token"):
        HostedRunner(hub=False, endpoints={"fill-mask": url}).run(HUB_TASKS["fill-mask"], _card(url, "fill-mask"), {"text": "a ___"})
    assert [json.loads(c.body)["inputs"] for c in server.calls] == ["a [MASK]", "a <mask>"]


def test_who_the_token_belongs_to(server: HostedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.hub(monkeypatch)
    assert HostedRunner(token=_TOKEN).account() == Account(name="tester", role="read")
    with pytest.raises(RemoteError) as caught:
        HostedRunner(token="hf_wrong").account()
    assert caught.value.status == 401
    assert "hf_wrong" not in str(caught.value)
    with pytest.raises(RemoteError, match="no token"):
        HostedRunner().account()


async def test_cancelling_frees_the_caller_at_once(server: HostedServer) -> None:
    gate = server.hold()
    url = server.url("text-classification")
    runner = HostedRunner(hub=False, endpoints={"text-classification": url}, concurrency=1)
    call = asyncio.create_task(runner.arun(_TASK, _card(url), _TEXT))
    await asyncio.to_thread(server.wait_for, 1)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert (await runner.arun(_TASK, _card(url), _TEXT)).values["labels"], "its place is free although the server holds its call"
    gate.set()


async def test_calls_go_at_once_up_to_the_limit(server: HostedServer) -> None:
    gate = server.hold(times=12)
    url = server.url("text-classification")
    runner = HostedRunner(hub=False, endpoints={"text-classification": url}, concurrency=8)
    calls = [asyncio.create_task(runner.arun(_TASK, _card(url), _TEXT)) for _ in range(12)]
    await asyncio.to_thread(server.wait_for, 8)
    gate.set()
    assert len(await asyncio.gather(*calls)) == 12
    assert server.most_at_once == 8


def test_facts_are_kept_for_the_next_process(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "facts.json"
    facts = Facts(path)
    for seconds in (1.0, 9.0, 2.0):
        facts.answered("a", seconds, 0.25)
        assert json.loads(path.read_text("utf-8"))["a"]["took"] == [1.0], "more of the same is not written at once"
    facts.failed("b", "it is gone", "Choose another.")
    again = Facts(path)
    fact = again.about("a")
    assert fact is not None
    assert (fact.seconds, fact.cost) == (2.0, 0.25)
    assert again.about("b") == facts.about("b")
    for n in range(1_200):
        again._facts[f"n{n}"] = fact  # written once below, and not a thousand times
    again.answered("last", 1.0)
    assert len(again) == 1_000
    assert [p.name for p in path.parent.iterdir()] == ["facts.json"]


@pytest.mark.parametrize(
    "held",
    [
        "",
        "{",
        "[]",
        "5",
        '{"a": 5}',
        '{"a": {}}',
        '{"a": {"at": NaN, "until": 1, "took": [], "cost": null, "why": "", "remedy": ""}}',
        "[" * 99_999,
    ],
)
def test_a_damaged_file_of_facts_is_ignored(held: str, tmp_path: Path) -> None:
    path = tmp_path / "facts.json"
    path.write_text(held)
    facts = Facts(path)
    assert len(facts) == 0
    facts.answered("a", 1.0)
    assert Facts(path).about("a") is not None
