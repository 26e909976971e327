from __future__ import annotations

import json
from typing import Any

import pytest

from langchain_hugginggpt.index import ModelCard
from langchain_hugginggpt.index.errors import CallerError, CardError, HuggingGPTError
from langchain_hugginggpt.index.text import card_text, well_formed

FULL = ModelCard(
    id="org/name",
    task="translation",
    library="transformers",
    license="apache-2.0",
    languages=("en", "de"),
    tags=("a", "b"),
    downloads=0,
    likes=3,
    parameters=1,
    gated=False,
    datasets=("squad",),
    bytes=4,
    formats=("safetensors",),
    providers=("hf-inference",),
    flags=("gives-orders",),
    last_modified="2026-11-01",
    source="here",
    text='Übersetzt "Texte".\nZweite Zeile.',
)


@pytest.mark.parametrize("card", [FULL, ModelCard(id="a/b", task="t")], ids=["full", "bare"])
def test_a_card_survives_json(card: ModelCard) -> None:
    assert ModelCard.from_json(json.loads(json.dumps(card.as_json()))) == card


def test_json_holds_every_field() -> None:
    data = FULL.as_json()
    assert list(data)[:3] == ["id", "task", "library"]
    assert len(data) == 18
    assert data["languages"] == ["en", "de"]
    assert (data["downloads"], data["gated"]) == (0, False)


def test_fields_that_are_not_known_are_ignored_and_null_means_unknown() -> None:
    assert ModelCard.from_json({"id": "a", "task": "t", "colour": "red", "likes": None}) == ModelCard(id="a", task="t")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"id": None}, "no 'id'"),
        ({"id": "  "}, "no 'id'"),
        ({"id": 5}, "no 'id'"),
        ({"task": ""}, "no 'task'"),
        ({"task": ["t"]}, "no 'task'"),
        ({"languages": "en"}, "'languages' must be a list of strings, not 'en'"),
        ({"tags": [1]}, "'tags' must be a list of strings"),
        ({"formats": {"a": 1}}, "'formats' must be a list of strings"),
        ({"datasets": "squad"}, "'datasets' must be a list of strings"),
        ({"providers": [None]}, "'providers' must be a list of strings"),
        ({"flags": [["a"]]}, "'flags' must be a list of strings"),
        ({"bytes": 0}, "'bytes' must be a whole number from 1, not 0"),
        ({"downloads": 2**63}, "'downloads' must be a whole number from 0, not 9223372036854775808"),
        ({"downloads": -1}, "'downloads' must be a whole number from 0, not -1"),
        ({"likes": True}, "'likes' must be a whole number"),
        ({"likes": 1.5}, "'likes' must be a whole number from 0, not 1.5"),
        ({"parameters": "7B"}, "'parameters' must be a whole number from 1, not '7B'"),
        ({"parameters": 0}, "'parameters' must be a whole number from 1, not 0"),
        ({"library": 5}, "'library' must be a string, not 5"),
        ({"license": ["mit"]}, "'license' must be a string"),
        ({"last_modified": 2026}, "'last_modified' must be a string"),
        ({"source": {}}, "'source' must be a string"),
        ({"text": ["a"]}, "'text' must be a string"),
        ({"gated": "auto"}, "'gated' must be true or false, not 'auto'"),
        ({"gated": 1}, "'gated' must be true or false"),
    ],
)
def test_a_field_of_the_wrong_type_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(CardError, match=said):
        ModelCard.from_json({**FULL.as_json(), **change})


def test_a_message_about_a_bad_card_is_short() -> None:
    with pytest.raises(CardError) as e:
        ModelCard.from_json({"text": "x" * 10_000})
    assert len(str(e.value)) < 300


def test_card_errors_are_the_callers() -> None:
    assert issubclass(CardError, CallerError)
    assert issubclass(CallerError, HuggingGPTError)


def test_a_bare_card_has_no_empty_parts() -> None:
    assert card_text(ModelCard(id="a/b", task="t")) == "a/b. t"


def test_halves_of_surrogate_pairs_are_replaced() -> None:
    assert well_formed("a\ud83db \U0001f600") == "a\ufffdb \U0001f600"
    card_text(ModelCard(id="a/b", task="t", text="\udc00")).encode()
