"""What of a card is encoded, and what is searched by words."""

from __future__ import annotations

import time

import pytest

from langchain_hugginggpt.index import ModelCard
from langchain_hugginggpt.index.text import MOST_PASSAGES, card_facts, card_passages, card_text, well_formed

README = """\
# Speech-to-German

<!-- a note
to myself -->
![badge](https://img.shields.io/x.svg) <a href="https://zoo.org">Home</a>

Writes down **German** speech, see [the paper](https://arxiv.org/abs/1).

| dataset | WER |
|---------|-----|
| tedlium | 7.1 |

```python
from transformers import AutoModelForCTC
my_model = AutoModelForCTC.from_pretrained("zoo/german")
```

## Training procedure

Secret sauce.

### Training hyperparameters

- learning_rate: 5e-05

## Intended uses

[More Information Needed]

## Limitations

Noisy rooms.

## Citation

@misc{zoo}
"""
SPEECH = ModelCard(
    id="zoo/german",
    task="automatic-speech-recognition",
    library="transformers",
    languages=("de", "multilingual"),
    tags=("transformers", "audio", "license:mit", "Audio"),
    datasets=("common_voice",),
    text=README,
)


def words(n: int) -> str:
    return " ".join(f"word{i}" for i in range(n))


def test_a_short_card_is_one_text() -> None:
    assert card_passages(SPEECH) == (
        "zoo/german. automatic speech recognition. German, multilingual, audio, Audio, common_voice. "
        "Speech-to-German: Home Writes down German speech, see the paper. Limitations: Noisy rooms",
    )


def test_facts_name_languages_and_leave_out_frameworks_and_repeated_facts() -> None:
    assert card_facts(SPEECH) == "German, multilingual, audio, Audio, common_voice"
    assert card_facts(ModelCard(id="a/b", task="x")) == ""


def test_code_is_searched_by_words_and_not_encoded() -> None:
    text = card_text(SPEECH)
    assert "Auto Model For CTC" in text
    assert "my model" in text
    assert text.startswith("zoo/german. automatic speech recognition. German")
    assert "tedlium" not in text
    assert not any("CTC" in passage for passage in card_passages(SPEECH))


def test_code_without_an_end_goes_on_to_the_end() -> None:
    card = ModelCard(id="a/b", task="x", text="Before.\n```\nimport torch\n# After.")
    assert card_passages(card) == ("a/b. x. Before",)
    assert "import torch" in card_text(card)


def test_a_section_that_every_readme_has_ends_at_the_next_of_its_level() -> None:
    text = "## Citation\ncite me\n### BibTeX\n@misc\n## Speakers\nAnna\n# Framework versions\n1.0\n## Deeper\nstill"
    assert card_passages(ModelCard(id="a/b", task="x", text=text)) == ("a/b. x. Speakers: Anna",)


def test_a_card_without_text() -> None:
    assert card_passages(ModelCard(id="a/b", task="text-generation")) == ("a/b. text generation",)
    assert card_text(ModelCard(id="a/b", task="text-generation")) == "a/b. text generation"


def test_a_long_card_goes_on_in_passages_of_its_own_name() -> None:
    passages = card_passages(ModelCard(id="a/b", task="text-to-image", tags=("art",), text=words(200)))
    first, second, third = passages
    assert first == f"a/b. text to image. art. {words(80)}"
    assert second.startswith("a/b. text to image. word80 word81")
    assert third.endswith("word199")
    said = [w for p in passages for w in p.split() if w.startswith("word")]
    assert said == words(200).split()


@pytest.mark.parametrize(("count", "passages"), [(80, 1), (94, 1), (95, 2), (160, 2), (80 * MOST_PASSAGES + 500, MOST_PASSAGES)])
def test_how_many_passages(count: int, passages: int) -> None:
    assert len(card_passages(ModelCard(id="a/b", task="x", text=words(count)))) == passages


@pytest.mark.parametrize("piece", ["<!--", "![", "[", "](", "<", "`", "```\n", "|", "# ", "#", "https://", "-", "[more information", "\n"])
def test_no_text_takes_long(piece: str) -> None:
    card = ModelCard(id="a/b", task="x", text=piece * 1_000_000)
    began = time.perf_counter()
    assert card_passages(card)[0].startswith("a/b. x")
    assert card_text(card).startswith("a/b. x")
    assert time.perf_counter() - began < 2


def test_halves_of_surrogate_pairs() -> None:
    assert well_formed("a\ud83db") == "a\ufffdb"
    card = ModelCard(id="a/b", task="x", text="half \ud83d")
    for text in (card_text(card), *card_passages(card)):
        assert text.encode()
