"""The embedded catalogue: complete, honest and well formed."""

from __future__ import annotations

from collections import Counter
from importlib.resources import files

import pytest

from langchain_hugginggpt.index.card import ModelCard
from langchain_hugginggpt.index.catalogue import cards_of, load_catalogue
from langchain_hugginggpt.index.errors import CardError
from langchain_hugginggpt.tools.hub_tasks import HUB_TASKS

ENOUGH = 3

# Tasks for which the Hub has fewer than three well-known models, with the number that the catalogue has.
EXCEPTIONS = {
    "table-to-text": 2,  # one ToTTo fine-tune and one table generalist; everybody else uses a large language model
    "tabular-to-text": 2,  # two table language models, which the Hub tags text-generation
}

EMBEDDED = {
    "embedded/rapidocr-image-to-text": "image-to-text",
    "embedded/ocr-answer": "document-question-answering",
    "embedded/espeak-ng": "text-to-speech",
    "embedded/silero-vad": "voice-activity-detection",
    "embedded/minilm-zero-shot": "zero-shot-classification",
    "embedded/minilm-sentiment": "text-classification",
    "embedded/minilm-similarity": "sentence-similarity",
    "embedded/minilm-features": "feature-extraction",
    "embedded/minilm-ranking": "text-ranking",
    "embedded/extractive-summary": "summarization",
    "embedded/answer-sentence": "question-answering",
}

CARDS = load_catalogue()
HUB_CARDS = [card for card in CARDS if not card.id.startswith("embedded/")]
EMBEDDED_CARDS = [card for card in CARDS if card.id.startswith("embedded/")]


def name_of(card: ModelCard) -> str:
    return card.id


def test_there_are_many_models() -> None:
    assert len(HUB_CARDS) >= 200


def test_it_is_read_once() -> None:
    assert load_catalogue() is CARDS


def test_no_model_is_listed_twice_for_a_task() -> None:
    assert [pair for pair, count in Counter((card.id, card.task) for card in CARDS).items() if count > 1] == []


def test_tasks_are_the_hubs_in_their_order_and_embedded_experts_come_last() -> None:
    order = list(HUB_TASKS)
    assert {card.task for card in CARDS} <= set(order)
    assert list(CARDS) == HUB_CARDS + EMBEDDED_CARDS
    for cards in (HUB_CARDS, EMBEDDED_CARDS):
        places = [order.index(card.task) for card in cards]
        assert places == sorted(places)


@pytest.mark.parametrize("task", HUB_TASKS)
def test_every_task_has_experts(task: str) -> None:
    count = sum(card.task == task for card in HUB_CARDS)
    if task in EXCEPTIONS:
        assert count == EXCEPTIONS[task]
    else:
        assert count >= ENOUGH


@pytest.mark.parametrize("card", CARDS, ids=name_of)
def test_a_row_says_what_is_known_and_where_from(card: ModelCard) -> None:
    assert 60 <= len(card.text) <= 700
    assert card.text == " ".join(card.text.split())
    assert all(len(code) == 2 and code.islower() for code in card.languages)
    assert card.parameters is None or card.parameters > 0


@pytest.mark.parametrize("card", HUB_CARDS, ids=name_of)
def test_a_hub_row_names_its_page_and_that_it_was_not_fetched(card: ModelCard) -> None:
    assert card.id.count("/") == 1
    assert card.source == f"https://huggingface.co/{card.id}; facts as known to the editors in 2026-11, not fetched"


@pytest.mark.parametrize("card", EMBEDDED_CARDS, ids=name_of)
def test_an_embedded_row_says_that_it_ships_with_the_project(card: ModelCard) -> None:
    assert (card.library, card.source) == ("hugginggpt-embedded", "ships with langchain-hugginggpt")
    assert card.license is not None


def test_the_embedded_experts_are_there() -> None:
    assert {card.id: card.task for card in EMBEDDED_CARDS} == EMBEDDED


def test_no_two_texts_are_equal() -> None:
    assert [text for text, count in Counter(card.text for card in CARDS).items() if count > 1] == []


def test_facts_that_change_every_day_are_left_out() -> None:
    assert [card.id for card in CARDS if (card.downloads, card.likes, card.last_modified) != (None, None, None)] == []


def test_the_file_has_one_card_a_line_without_empty_fields() -> None:
    text = files("langchain_hugginggpt.index").joinpath("catalogue.jsonl").read_text(encoding="utf-8")
    assert text.endswith("\n")
    assert text.count("\n") == len(CARDS)
    assert "null" not in text
    assert "[]" not in text


def test_empty_text_holds_no_cards() -> None:
    assert cards_of("\n") == ()


@pytest.mark.parametrize(
    ("line", "said"),
    [("{", "Line 2: Expecting"), ("[]", r"Line 2: A model card must be a JSON object, not '\[\]'"), ("{}", "Line 2: .*no 'id'")],
)
def test_a_broken_line_is_named(line: str, said: str) -> None:
    with pytest.raises(CardError, match=said):
        cards_of('{"id": "org/name", "task": "translation"}\n' + line)
