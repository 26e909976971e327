from __future__ import annotations

import re

import pytest

from langchain_hugginggpt.index.sources.front_matter import FrontMatterError, read, split


@pytest.mark.parametrize(
    ("readme", "front", "text"),
    [
        ("---\na: b\n---\nText", "a: b\n", "\nText"),
        ("\n\n---\r\na: b\r\n---\r\nText", "a: b\r\n", "\nText"),
        ("---\n---\nText", "", "\nText"),
        ("--- \na: b\n---  ", "a: b\n", ""),
        ("# Title\n---\na: b\n---\n", "", "# Title\n---\na: b\n---\n"),
        ("---\nA rule that is never closed", "", "---\nA rule that is never closed"),
        ("", "", ""),
    ],
)
def test_a_readme_is_split(readme: str, front: str, text: str) -> None:
    assert split(readme) == (front, text)


def test_everything_is_text_and_only_what_a_card_needs_is_read() -> None:
    front = """
# about it
language:
- en
- no
license: 2020-13-45
"tags": [1.0, true, on]
pipeline_tag: translation
widget:
- text: "unbalanced
model-index:
- name: x
  results: [
datasets: wmt14
"""
    assert read(front) == {
        "language": ["en", "no"],
        "license": "2020-13-45",
        "tags": ["1.0", "true", "on"],
        "pipeline_tag": "translation",
        "datasets": "wmt14",
    }


def test_none_and_json() -> None:
    assert read("") == {}
    assert read("# nothing but this\n") == {}
    assert read('{"license": "mit"}') == {"license": "mit"}


BOMB = "tags: &a [x, x]\ndatasets: &b [*a, *a]\nlanguage: [*b, *b]"


@pytest.mark.parametrize(
    ("front", "said"),
    [
        ("tags: [a", "expected"),
        ("tags:\n\t- a", "cannot start any token"),
        ("just words", "begins with 'just words'"),
        ("- a\n- b", "begins with"),
        (BOMB, "aliases"),
        ("tags: " + "[" * 30_000, "nested too deep"),
        ("tags:\n" + "- " * 30_000, "nested too deep"),
        ('{"a":' * 10_000, "nested too deep"),
        ("tags: [" + "a, " * 30_000 + "]", "too long"),
        ("license: \x00", "not allowed"),
    ],
    ids=lambda v: re.sub(r"\W+", "-", v[:20]),
)
def test_what_is_not_yaml_or_grows(front: str, said: str) -> None:
    with pytest.raises(FrontMatterError, match=said):
        read(front)
