from __future__ import annotations

import pytest

from langchain_hugginggpt.index.languages import TWO_LETTERS, language_code, language_name, languages_named


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("en", "en"), ("EN", "en"), ("eng", "en"), (" English ", "en"), ("deu", "de"), ("ger", "de"), ("zh_Hans", "zh"), ("pt-BR", "pt"),
        ("scottish gaelic", "gd"), ("yue", "yue"), ("multilingual", "multilingual"), ("code-mixed", "code-mixed"), ("ben-x", "bn"),
        ("german-like", "german-like"),
    ],
)  # fmt: skip
def test_codes(said: str, code: str) -> None:
    assert language_code(said) == code


def test_iso_639_1_has_184_codes() -> None:
    assert len(TWO_LETTERS) == 184
    assert all(len(c) == 2 for c in TWO_LETTERS)
    assert TWO_LETTERS.isdisjoint({"tf", "ai", "us"})


def test_names() -> None:
    assert (language_name("de"), language_name("nb"), language_name("multilingual")) == ("German", "Norwegian Bokmål", "multilingual")


def test_languages_that_words_name() -> None:
    assert languages_named("translate from german to french, as it is".replace(",", "").split()) == {"de", "fr"}
    assert languages_named(["en", "is", "no"]) == set()  # words that are also codes
