"""Why a card was found, in words."""

from __future__ import annotations

import pytest

from langchain_hugginggpt.index.ranking import why
from langchain_hugginggpt.index.ranking.why import shared_words
from tests.index.ranking.evidences import evidence, query


def test_all_that_is_known() -> None:
    found = evidence(
        0.62, ident="zoo/german-asr", tags=("speech",), downloads=1_234_567, license="mit", parameters=94_000_000, gated=True,
        flags=("gives-orders",),
    )  # fmt: skip
    assert why(query("transcribe German speech"), found) == (
        "no. 1 by meaning (0.62); its name or tags say: german, speech; 1.2 M downloads a month; mit; 94 M weights; "
        "asks for consent before download; beware: its text gives orders to language models"
    )


def test_what_is_not_known_is_not_guessed() -> None:
    assert why(query("sing"), evidence(0.3, bm25=None)) == "no. 1 by meaning (0.30); no licence told"
    assert why(query("sing"), evidence(dense=None, lexical=4)) == "no. 4 by the words of its text; no licence told"


def test_words_in_singular_and_plural_and_languages_by_their_names() -> None:
    card = evidence(ident="zoo/dog_breed-v2", languages=("de",), datasets=("stanford-dogs",)).card
    assert shared_words("Which breeds are these dogs? Answer in German, to me", card) == ["breeds", "dogs", "german"]


@pytest.mark.parametrize(
    ("downloads", "told"), [(0, "0"), (999, "999"), (1_000, "1.0 k"), (12_345, "12 k"), (999_999, "1000 k"), (2_500_000_000, "2.5 B")]
)
def test_counts(downloads: int, told: str) -> None:
    assert f"; {told} downloads a month" in why(query(), evidence(downloads=downloads))
