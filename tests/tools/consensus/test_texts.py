"""When two texts say the same, and when not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langchain_hugginggpt.index.minilm import MiniLM
from langchain_hugginggpt.tools.consensus.texts import Text, by_meaning, by_pieces, by_words
from langchain_hugginggpt.tools.consensus.wording import denies, numbers, words
from tests.tools.consensus.merging import agreed, score


def test_the_agreed_text_is_one_that_somebody_gave() -> None:
    texts = ["the train leaves at nine", "the train leaves at night", "a train leaves at nine"]
    found = agreed("automatic-speech-recognition", *texts)
    assert found.values["text"] == texts[0]
    assert score(found) == pytest.approx((0.8 + 0.8 + 0.6) / 3)
    assert agreed("automatic-speech-recognition", *reversed(texts)).values["text"] == texts[0]


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [
        ("", "", 1.0), ("", "a", 0.0), ("Hello, world!", "hello world", 1.0), ("a b c", "a x c", 2 / 3), ("a b", "b a", 0.0),
        ("1,240 EUR", "1,250 EUR", 0.5), ("1,240 EUR", "1240 eur", 1.0), ("今天天气", "今天天色", 0.75), ("don’t", "don't", 1.0),
        ("a", "b c d", 0.0), ("a b c d", "b c d", 0.75),
    ],
)  # fmt: skip
def test_words_of_transcripts(one: str, other: str, wanted: float) -> None:
    assert by_words(Text(one), Text(other)) == by_words(Text(other), Text(one)) == pytest.approx(wanted)


def test_translations_by_pieces_of_words() -> None:
    near = by_pieces(Text("Die Katze sitzt auf der Matte"), Text("Die Katzen sitzen auf der Matte"))
    far = by_pieces(Text("Die Katze sitzt auf der Matte"), Text("Ein Hund läuft durch den Park"))
    assert far < 0.3 < 0.6 < near < 1
    assert by_pieces(Text("kostet 1.240 EUR"), Text("kostet 1.250 EUR")) == 0.0
    assert by_pieces(Text("..."), Text("!")) == 1.0


@pytest.fixture(scope="module")
def minilm() -> MiniLM:
    return MiniLM()


def meaning(one: str, other: str, encoder: MiniLM) -> float:
    return score(agreed("summarization", one, other, encoder=encoder))


def test_meaning_and_what_vectors_are_blind_to(minilm: MiniLM) -> None:
    same = meaning("A cat is lying on a red sofa in the room.", "There is a cat resting on the red couch.", minilm)
    other = meaning("A cat is lying on a red sofa in the room.", "The council approved the budget for next year.", minilm)
    assert other < 0.2 < 0.6 < same < 1
    assert meaning("The total of the invoice is 1,240 EUR.", "The total of the invoice is 1,250 EUR.", minilm) == 0.0
    assert meaning("The total of the invoice is 1,240 EUR.", "The invoice comes to a total of 1240 EUR.", minilm) > 0.7
    assert meaning("The dish is safe for children with allergies.", "The dish is not safe for children with allergies.", minilm) <= 0.5


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [("Yes", "yes.", 1.0), ("yes", "no", 0.0), ("The Eiffel Tower", "eiffel tower", 1.0), ("two", "2", 1.0),
     ("1,240 EUR", "1,250 EUR", 0.0),
     ("Paris", "Paris, France", 2 / 3), ("", "", 1.0), ("", "Paris", 0.0)],
)  # fmt: skip
def test_short_answers_by_their_words(one: str, other: str, wanted: float) -> None:
    assert by_meaning(Text(one), Text(other)) == by_meaning(Text(other), Text(one)) == pytest.approx(wanted)


OPPOSED = [
    ("The lid is not broken.", "The lid is broken.", 0.375),
    ("not guilty", "guilty", 0.375),
    ("Der Deckel ist nicht kaputt und das Glas ist ganz", "Der Deckel ist kaputt und das Glas ist ganz", 0.375),
    ("El perro no come pan", "El perro come pan", 0.375),
    ("Anna owes Ben 10 euros", "Ben owes Anna 10 euros", 0.7),
    ("Anna owes Ben 10 euros since last March", "Ben owes Anna 10 euros since last March", 0.75),
    ("The temperature was -5 degrees", "The temperature was 5 degrees", 0.0),
    ("The temperature was minus five degrees in the night", "The temperature was five degrees in the night", 0.0),
    ("It grew by 5 %", "It grew by 5 €", 0.0),
    ("The bag weighs 5 kg and belongs to Anna", "The bag weighs 5 g and belongs to Anna", 0.0),
    ("👍", "👎", 0.0),
    ("✓ done", "✗ done", 0.5),
    ("Sales rose by twenty million in the last quarter", "Sales rose by ninety million in the last quarter", 0.0),
    ("1.5 liters", "15 liters", 0.0),
    ("आज का दिन", "आज की दान", 0.4),
    ("มา", "มี", 0.0),
    ("كَتَبَ", "كُتِبَ", 0.0),
]


@pytest.mark.parametrize(("one", "other", "most"), OPPOSED)
def test_texts_that_say_something_else_are_not_agreement(one: str, other: str, most: float, minilm: MiniLM) -> None:
    for task in ("summarization", "question-answering", "image-to-text"):
        values = [{"answer": t, "score": 1.0} for t in (one, other)] if task == "question-answering" else [one, other]
        found = agreed(task, *values, encoder=minilm)
        assert score(found) <= most, task
        assert found.agreement is not None
        assert len(found.agreement.dissent) == 1, task


def test_not_counts_sentence_by_sentence(minilm: MiniLM) -> None:
    assert meaning("The dish is safe for children. It is not sweet.", "The dish is not safe for children. It is sweet.", minilm) < 0.375


@pytest.mark.parametrize(("one", "other", "_"), OPPOSED)
@pytest.mark.parametrize("task", ["automatic-speech-recognition", "translation"])
def test_a_transcript_or_translation_that_says_something_else_dissents(task: str, one: str, other: str, _: float) -> None:
    found = agreed(task, one, other)
    assert found.agreement is not None
    assert len(found.agreement.dissent) == 1
    assert score(found) < 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A man is riding a horse along the shore.", "A man rides a horse on the beach."),
        ("The council has approved the budget for next year.", "Next year's budget was approved by the council."),
        ("Two dogs play on the beach near the water.", "A couple of dogs are playing on a beach by the water."),
        ("One of the men holds a blue umbrella in the rain", "A man holds a blue umbrella in the rain"),
        ("The train leaves at nine o'clock in the morning.", "In the morning the train leaves at 9 o'clock."),
        ("Sales rose by twenty million in the last quarter.", "In the last quarter sales rose by 20 million."),
        ("The temperature fell to minus five degrees during the night.", "During the night the temperature fell to -5 degrees."),
        ("He didn't come to the party because he was ill.", "Because he was sick, he did not come to the party."),
        ("A small dog without a leash runs across the field.", "A small dog runs across the field with no leash."),
        ("Yesterday Anna gave Ben the old book", "Anna gave Ben the old book yesterday"),
        ("The total of the invoice is €1,240.", "The invoice comes to a total of 1240 euros."),
        ("blue and red", "red and blue"),
        ("$5 million", "five million dollars"),
        ("3,5 liters", "3.5 litres"),
    ],
)
def test_the_same_in_other_words_is_agreement(one: str, other: str, minilm: MiniLM) -> None:
    assert meaning(one, other, minilm) >= 0.6


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("आज का दिन, अच्छा!", ["आज", "का", "दिन", "अच्छा"]),
        ("كِتَابٌ جديد", ["كِتَابٌ", "جديد"]),
        ("cafe\u0301 CAFÉ", ["café", "café"]),
        ("twenty-one million two hundred and five cats and dogs", ["21000205", "cats", "and", "dogs"]),
        ("nineteen ninety-five, one two three", ["19", "95", "1", "2", "3"]),
        ("1.5 million or a hundred or two hundred and", ["1500000", "or", "a", "100", "or", "200", "and"]),
        ("seventy and eighty; zero", ["70", "and", "80", "0"]),
        ("1,240.00 1.240,50 3,5 007 1,2,3", ["1240", "1240.50", "3.5", "7", "1,2,3"]),
        ("-5 (−5) 3-5 a-5 minus six minus signs", ["-5", "-5", "3", "5", "a", "5", "-6", "minus", "signs"]),
        ("€5 10kg 5 percent $5 million", ["5", "€", "10", "kg", "5", "%", "5000000", "$"]),
        ("١٢ كتاب ５", ["12", "كتاب", "5"]),
        ("👍🏻 ❤\ufe0f | a ~ b ─", ["👍", "❤", "a", "b"]),
        ("snake_case it's mp3", ["snake", "case", "it's", "mp3"]),
        ("", []),
        ("\u0301 \u200d _", []),
    ],
)
def test_words_as_they_are_compared(text: str, wanted: list[str]) -> None:
    assert words(text) == wanted


@given(text=st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_text_can_be_read(text: str) -> None:
    assert all(w and not w.isspace() for w in words(text))
    assert numbers(text).counts.total() >= 0


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("It isn’t so", True), ("I cannot", True), ("No. 5 is alive", False), ("a note", False), ("これはペンではない", True), ("不是", True),
     ("Ce n'est pas vrai", True), ("यह नहीं है", True), ("ไม่มา", True)],
)  # fmt: skip
def test_what_says_not(text: str, wanted: bool) -> None:
    assert denies(text) is wanted


@given(one=st.lists(st.sampled_from("abc"), max_size=9), other=st.lists(st.sampled_from("abc"), max_size=9))
@settings(max_examples=300, deadline=None)
def test_word_errors_are_those_of_levenshtein(one: list[str], other: list[str]) -> None:
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    longest = max(len(one), len(other), 1)
    assert by_words(Text(" ".join(one)), Text(" ".join(other))) == pytest.approx(1 - row[-1] / longest)


def test_long_texts_are_compared_in_time() -> None:
    text = "word and another word, once more. " * 4000
    assert by_words(Text(text), Text(text + "x")) > 0.99
    assert by_pieces(Text(text), Text(text + "x")) > 0.99
