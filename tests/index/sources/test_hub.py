from __future__ import annotations

import datetime
import json
import sys
from typing import Any

import pytest
from huggingface_hub import HfApi

from langchain_hugginggpt.index.errors import CallerError, RemoteError
from langchain_hugginggpt.index.problems import Problems
from langchain_hugginggpt.index.sources import First, HubAccess, HubSource, SourceCard, SourceError
from langchain_hugginggpt.index.sources.hub import EXPAND
from tests.index.sources.hub_server import Answer, HubServer
from tests.index.sources.shapes import card, ids, listed, resumed_anywhere


def rows(count: int) -> list[dict[str, Any]]:
    """Newest first: one for each minute."""
    return [listed(f"org/m{i}", lastModified=f"2026-01-01T00:{59 - i:02}:00.000Z") for i in range(count)]


def source(hub: HubServer, *, tasks: tuple[str, ...] = (), authors: tuple[str, ...] = (), **access: Any) -> HubSource:
    return HubSource(tasks=tasks, authors=authors, access=HubAccess(**{"endpoint": hub.url, "token": "hf_x", "readmes": False, **access}))


def test_cards_over_all_pages_in_the_hubs_order() -> None:
    with HubServer(rows(7), page=3) as hub:
        problems = Problems()
        found = list(source(hub).read(problems))
    assert [f.card for f in found] == [card(f"org/m{i}", last_modified="2026-01-01", source=hub.url) for i in range(7)]
    assert {f.share for f in found} == {None}
    assert not problems
    assert [s.query.get("cursor") for s in hub.listings] == [None, ["3"], ["6"]]
    assert {s.headers["authorization"] for s in hub.listings} == {"Bearer hf_x"}


def test_it_asks_what_hfapi_asks() -> None:
    with HubServer(rows(5), page=2) as hub:
        asked = source(hub, tasks=("text-classification",), authors=("org",), search="m")
        found = ids(list(asked.read(Problems())))
        ours = list(hub.listings)
        hub.seen.clear()
        api = HfApi(endpoint=hub.url, token="hf_x")
        theirs = api.list_models(
            pipeline_tag="text-classification",
            author="org",
            search="m",
            sort="last_modified",
            expand=list(EXPAND),
        )
        assert found == [m.id for m in theirs]
        assert [s.query for s in ours] == [s.query for s in hub.listings]
        assert [s.headers["authorization"] for s in ours] == [s.headers["authorization"] for s in hub.listings]


def test_the_token_goes_nowhere_but_to_the_endpoint() -> None:
    with HubServer(rows(4), page=2, links="https://elsewhere.example") as hub:
        assert len(list(source(hub).read(Problems()))) == 4
        assert len(hub.listings) == 2


def test_reading_goes_on_behind_any_card_without_the_pages_before() -> None:
    with HubServer(rows(7), page=3) as hub:
        resumed_anywhere(source(hub))
        resumed_anywhere(First(source(hub), 5))
        fifth = list(source(hub).read(Problems()))[4]
        hub.seen.clear()
        assert ids(list(source(hub).read(Problems(), after=fifth.cursor))) == ["org/m5", "org/m6"]
        assert [s.query.get("cursor") for s in hub.listings] == [["3"], ["6"]]


def test_a_page_whose_last_card_is_gone_is_read_again() -> None:
    with HubServer(rows(6), page=3) as hub:
        fifth = list(source(hub).read(Problems()))[4]
        del hub.rows[4]
        assert ids(list(source(hub).read(Problems(), after=fifth.cursor))) == ["org/m3", "org/m5"]


def test_several_tasks_and_authors() -> None:
    listing = [listed(f"{'ab'[i % 2]}/m{i}", pipeline_tag=("translation", "summarization")[i // 4]) for i in range(8)]
    with HubServer(listing, page=1) as hub:
        asked = source(hub, tasks=("summarization", "translation"), authors=("b", "a"))
        assert ids(list(asked.read(Problems()))) == ["b/m5", "b/m7", "a/m4", "a/m6", "b/m1", "b/m3", "a/m0", "a/m2"]
        resumed_anywhere(asked)


def test_changes_since_a_time() -> None:
    listing = [*rows(5), listed("org/undated", lastModified=None), *rows(9)[5:]]
    with HubServer(listing, page=2) as hub:
        delta = source(hub, since=datetime.datetime(2026, 1, 1, 1, 54, tzinfo=datetime.timezone(datetime.timedelta(hours=1))))
        assert ids(list(delta.read(Problems()))) == ["org/m0", "org/m1", "org/m2", "org/m3", "org/m4", "org/undated", "org/m5"]
        assert len(hub.listings) == 4
        assert (delta.complete, source(hub).complete) == (False, True)
        resumed_anywhere(delta)


def test_other_orders() -> None:
    with HubServer(rows(1)) as hub:
        list(source(hub, order="downloads").read(Problems()))
        assert hub.listings[0].query["sort"] == ["downloads"]
    with pytest.raises(CallerError, match="Changes since a time cannot be read by downloads"):
        HubAccess(order="downloads", since=datetime.datetime.now(datetime.UTC))


def test_nothing_found() -> None:
    with HubServer() as hub:
        assert list(source(hub, tasks=("translation", "summarization")).read(Problems())) == []
        assert len(hub.listings) == 2


@pytest.mark.parametrize(
    "refusal",
    [
        Answer(status=429, headers={"retry-after": "0"}),
        Answer(status=429, headers={"ratelimit": '"api";r=0;t=0', "ratelimit-policy": '"fixed window";"api";q=500;w=300'}),
        Answer(status=503),
    ],
    ids=["retry-after", "ratelimit", "unavailable"],
)
def test_a_busy_hub_is_waited_for(refusal: Answer) -> None:
    with HubServer(rows(2), first=[refusal]) as hub:  # HfApi.list_models would give up: it does not retry the first page
        assert ids(list(source(hub).read(Problems()))) == ["org/m0", "org/m1"]
        assert len(hub.listings) == 2


@pytest.mark.parametrize(("status", "remedy"), [(400, "anew"), (401, "token"), (403, "token"), (404, "endpoint"), (500, "--resume")])
def test_a_refusal_says_what_to_do(status: int, remedy: str) -> None:
    with HubServer(rows(2), first=[Answer(status=status, body=b'{"error": "no, never"}')]) as hub:
        with pytest.raises(RemoteError, match=rf"answered {status} to the listing.*no, never.*{remedy}") as e:
            list(source(hub, attempts=1).read(Problems()))
        assert e.value.status == status


@pytest.mark.parametrize("body", [b"<html>", b"{}", b"\xff"])
def test_a_listing_of_another_form(body: bytes) -> None:
    with HubServer(first=[Answer(status=200, body=body)]) as hub, pytest.raises(RemoteError, match="Check the endpoint"):
        list(source(hub).read(Problems()))


def test_odd_rows_are_counted_and_the_rest_read() -> None:
    listing = [
        listed("org/1", safetensors={"parameters": {}}),
        None,
        "x",
        {},
        listed("org/2", pipeline_tag=None),
        listed("org/3", lastModified="never", siblings=5, inferenceProviderMapping="x"),
        listed("../4"),
        listed("org/5"),
    ]
    wrong = {f"{what} has the wrong type (left out)": 1 for what in ("last_modified", "inferenceProviderMapping")}
    since = datetime.datetime(2025, 1, 1, tzinfo=datetime.UTC)
    for readmes in (False, True):
        with HubServer(listing) as hub:
            problems = Problems()
            assert ids(list(source(hub, readmes=readmes, since=since).read(problems))) == ["org/1", "org/3", "org/5"]
            assert dict(problems.counts) == {"row is not an object": 2, "id is missing or no model id": 2, "no task": 1, **wrong}
            assert problems.places["no task"] == ["hub: org/2"]
            assert len([s for s in hub.seen if s.path != "/api/models"]) == (4 if readmes else 0)


def test_readmes() -> None:
    readmes: dict[str, bytes | Answer] = {
        "org/m0": b"---\nlicense: other\n---\n# Zero\n",
        "org/m1": b"",
        "org/m2": b"Caf\xe9 " + b"x" * 50_000_000,
        "org/m3": Answer(status=200, body=b"all of it, though a part was asked for"),
    }
    with HubServer(rows(5), page=2, readmes=readmes) as hub:
        problems = Problems()
        found = list(source(hub, readmes=True).read(problems))
        assert [f.card.text[:20] for f in found] == ["# Zero", "", "Caf\ufffd xxxxxxxxxxxxxxx", "all of it, though a ", ""]
        assert found[0].card.license == "apache-2.0"
        assert not problems
        assert {s.headers["authorization"] for s in hub.seen} == {"Bearer hf_x"}
        resumed_anywhere(source(hub, readmes=True, workers=2))


def test_readmes_are_fetched_a_few_at_once_and_not_far_ahead() -> None:
    with HubServer(rows(60), readmes={f"org/m{i}": b"text" for i in range(60)}) as hub:
        reading = source(hub, readmes=True, workers=3).read(Problems())
        assert next(reading).card.text == "text"
        reading.close()  # type: ignore[attr-defined]
        assert len(hub.seen) <= 1 + 6
        assert 1 <= hub.busiest <= 3


def test_readmes_that_are_refused_leave_cards_without_text() -> None:
    refused: dict[str, bytes | Answer] = {f"org/m{i}": Answer(status=(401, 403)[i % 2]) for i in range(29)}
    with HubServer(rows(30), readmes={**refused, "org/m29": b"text"}) as hub:
        problems = Problems()
        assert [f.card.text for f in source(hub, readmes=True).read(problems)] == [*[""] * 29, "text"]
        kind = "README wants consent or a token (the card is kept without)"
        assert dict(problems.counts) == {kind: 29}
        assert problems.places[kind][1] == "The Hub answered 403 to the README of org/m1."


def test_when_readme_after_readme_fails_the_hub_is_down() -> None:
    broken = {5, *range(10, 30)}
    readmes: dict[str, bytes | Answer] = {f"org/m{i}": Answer(status=500) if i in broken else b"text" for i in range(30)}
    with HubServer(rows(30), readmes=readmes) as hub:
        asked, problems, found = source(hub, readmes=True, attempts=1), Problems(), list[SourceCard]()
        with pytest.raises(RemoteError, match="answered 500 to the README of org/m17"):
            found.extend(asked.read(problems))
        assert problems.counts == {"README cannot be fetched (the model is left out)": 1 + 7}
        assert ids(found) == [f"org/m{i}" for i in range(10) if i != 5]
        hub.readmes = dict.fromkeys(readmes, b"text")
        assert ids(list(asked.read(Problems(), after=found[-1].cursor))) == [f"org/m{i}" for i in range(10, 30)]


def test_a_model_whose_readme_fails_is_left_out_and_the_reading_is_not_complete() -> None:
    with HubServer(rows(3), readmes={"org/m0": b"text", "org/m1": Answer(status=500)}) as hub:
        asked, problems = source(hub, readmes=True, attempts=1), Problems()
        name = asked.name
        assert ids(list(asked.read(problems))) == ["org/m0", "org/m2"]
        assert problems.places == {"README cannot be fetched (the model is left out)": ["The Hub answered 500 to the README of org/m1."]}
        assert (asked.complete, asked.name) == (False, name)


def test_a_few_changes_of_which_none_can_be_read_are_asked_for_again() -> None:
    with HubServer(rows(2), readmes={f"org/m{i}": Answer(status=500) for i in range(2)}) as hub:
        asked = source(hub, readmes=True, attempts=1, since=datetime.datetime(2025, 1, 1, tzinfo=datetime.UTC))
        with pytest.raises(RemoteError, match="answered 500 to the README of org/m1"):
            list(asked.read(Problems()))


def test_a_hub_that_is_not_there() -> None:
    with HubServer() as hub:
        pass
    asked = HubSource(access=HubAccess(endpoint=hub.url, readmes=False, attempts=1))
    with pytest.raises(RemoteError, match=r"cannot be reached.*Check the connection"):
        list(asked.read(Problems()))


def test_cursors_of_other_sources_are_refused() -> None:
    with HubServer(rows(1)) as hub:
        for cursor in ("12:3", "x", "[0]", "{}", json.dumps([1, "", ""]), json.dumps([0, 5, ""]), json.dumps([0.5, "", ""])):
            with pytest.raises(SourceError, match="is no place"):
                list(source(hub).read(Problems(), after=cursor))


def test_other_questions_are_other_sources() -> None:
    with HubServer() as hub:
        since = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
        asked = [
            source(hub),
            source(hub, tasks=("translation",)),
            source(hub, readmes=True),
            source(hub, search="x"),
            source(hub, since=since),
        ]
        assert len({a.name for a in asked}) == len(asked)
        assert all("hf_x" not in a.name for a in asked)
        assert "hf_x" not in repr(HubAccess(token="hf_x"))


def test_without_huggingface_hub_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(SourceError, match=r"huggingface_hub' is not installed.*langchain-hugginggpt\[hub\]"):
        HubSource()
