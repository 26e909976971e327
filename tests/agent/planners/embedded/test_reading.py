"""Which words of a request instruct, which are quoted, and which are the text to work on."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langchain_hugginggpt.agent.planners.embedded.reading import Reading, absent_files, found_in, hidden_quotes, normal_form, read

LETTER = "Dear all, the meeting is moved to Tuesday. Please bring your own cups, as ours are gone. Yours, Ann"


def at(text: str, *words: str) -> Reading:
    """Read, with these words being those that ask."""
    return read(text, [("notes.txt", "text"), ("cat.png", "image")], [text.index(w) for w in words])


def raws(reading: Reading) -> list[str]:
    return [s.raw for s in reading.sentences]


@pytest.mark.parametrize(
    ("text", "asked", "said"),
    [
        (f"Shorten this:\n{LETTER}", ["Shorten"], ["Shorten this:"]),
        (f"{LETTER}\n\nShorten this.", ["Shorten"], ["Shorten this."]),
        (f"Shorten this.\n\n{LETTER}\n\nThen read it.", ["Shorten", "read it"], ["Shorten this.", "Then read it."]),
    ],
)
def test_a_block_of_text_stands_after_before_or_between_what_instructs(text: str, asked: list[str], said: list[str]) -> None:
    reading = at(text, *asked)
    assert reading.payload == LETTER
    assert raws(reading) == said


def test_a_block_around_what_instructs_and_a_block_of_several_lines() -> None:
    first, rest = LETTER[:42], LETTER[43:]
    assert at(f"{first}\nShorten it.\n{rest}", "Shorten").payload == f"{first}\n{rest}"
    poem = "one two three four\n\nfive six seven eight\nnine ten eleven twelve"
    assert at(f"Translate it\n{poem}", "Translate").payload == poem
    assert at("Translate it\nonly a few words more", "Translate").payload == ""  # too little to be a text
    assert at(LETTER, "Dear").payload == ""  # one line is an instruction, however long
    assert at("Shorten it\n'Few words.'", "Shorten").payload == "Few words."  # quoted, however short


def test_a_block_that_is_one_quoted_text_and_quotes_outside_of_a_block() -> None:
    block = "A long quoted text that fills the whole block, twelve words at least."
    reading = at(f'Read this.\n"{block}"', "Read")
    assert (reading.payload, reading.quotes) == (block, ())
    reading = at(f"Does 'meeting' occur in it?\n{LETTER}", "occur")
    assert (reading.payload, reading.quotes) == (LETTER, ("meeting",))  # though the word stands in the block as well


def test_list_entries_that_instruct_and_those_to_work_on() -> None:
    orders = at("Do two things:\n- shorten the letter\n- read it aloud", "shorten", "read")
    assert orders.items == ()
    assert raws(orders) == ["Do two things:", "- shorten the letter", "- read it aloud"]
    work = at("Which of these are angry?\n- I hate it\n* 'lovely'\n3) meh\n(d) so so", "Which")
    assert work.items == ("I hate it", "lovely", "meh", "so so")
    assert raws(work) == ["Which of these are angry?"]
    mixed = at("1. Translate them\n2. one\n3. two", "Translate")
    assert (mixed.items, raws(mixed)) == (("one", "two"), ["1. Translate them"])
    assert at("Which is it?\n- I hate it", "Which").items == ()  # one alone is no list


def test_what_follows_a_colon() -> None:
    (sentence,) = at("Translate to French: the dog barks at night", "Translate").sentences
    assert (sentence.head, sentence.tail) == ("Translate to French", "the dog barks at night")
    (sentence,) = at("As audio, please: the gist of this article", "audio", "gist").sentences
    assert (sentence.head, sentence.tail) == ("As audio, please, the gist of this article", "")  # it instructs as well
    (sentence,) = at("Sort it: good, bad, ugly", "Sort", "good").sentences
    assert sentence.tail == "good, bad, ugly"  # a row of choices is none, whoever is heard in it
    (sentence,) = at("notes.txt: shorten it", "shorten").sentences
    assert (sentence.head, sentence.tail) == ("the text file, shorten it", "")
    (sentence,) = at('Say "one: two" at 10:30', "Say").sentences
    assert (sentence.head, sentence.tail) == ('Say "…" at 10:30', "")


def test_quotes_with_stops_in_them_are_not_cut() -> None:
    reading = at("Say 'First. Second! Third?' and then 'It's the fourth.'; stop -> go. End", "Say")
    assert raws(reading) == ["Say 'First. Second! Third?' and then 'It's the fourth.'", "stop", "go.", "End"]
    assert reading.quotes == reading.sentences[0].quotes == ("First. Second! Third?", "It's the fourth.")
    assert hidden_quotes("a 'b. c' d") == 'a "QQQQ" d'


def test_a_row_of_quotes() -> None:
    assert at("Compare 'a b', “c d” and «e f», then say 'z'", "Compare").run == ("a b", "c d", "e f")
    assert at("Say 'a' loudly, 'b' softly", "Say").run == ()
    assert at("'a', 'b'. But rather: 'c', 'd' or 'e'", "But").run == ("c", "d", "e")


@pytest.mark.parametrize("text", ["Translate  this text.  Then\tread it.", "Translate\u00a0this text. Then read it."])
def test_white_space_of_any_kind_loses_no_sentence(text: str) -> None:
    reading = at(text, "Translate", "Then")
    assert [s.start for s in reading.sentences] == [0, text.index("Then")]
    assert [s.raw.split() for s in reading.sentences] == [["Translate", "this", "text."], ["Then", "read", "it."]]
    assert reading.sentence_at(text.index("read")) == 1


def test_where_a_character_stands() -> None:
    reading = at("One two.  Three four.", "One")
    assert [reading.sentence_at(i) for i in (0, 7, 8, 9, 10, 15, 99)] == [0, 0, 0, 0, 1, 1, 1]
    assert at("", *[]).sentence_at(3) == -1
    assert found_in("a  b", "a b", 0) == (0, 4)
    assert found_in("a  b", "a b", 1) is None


def test_normal_form() -> None:
    files = [("cat.png", "image"), ("a cat.png", "audio"), ("x.glb", "object3d"), ("y.json", "json")]
    assert normal_form("Hear the A CAT.png,  see CAT.png and 'x'", files) == 'Hear the recording, see the image and "…"'
    assert normal_form("x.glb y.json z.json", files) == "the 3D object the file z.json"


def test_files_that_are_named_and_not_given() -> None:
    text = "Compare a.png with B.PNG and the old one.jpg, then see report.pdf, report.pdf and v2.5."
    assert absent_files(text, ["b.png", "artifact-1"]) == ["a.png", "one.jpg", "report.pdf"]
    assert absent_files("e.g. nothing", []) == []


@pytest.mark.parametrize(
    "piece",
    [
        "x",
        "'",
        '"a',
        " 'a",
        "‘a",
        " ‘a",
        "“a",
        "«a",
        "„a",
        "`a",
        "a.b?",
        "a: b ",
        "some words in a line\n",
        "- item\n",
        "x, y/z or ",
        "\ud800",
        "é。",
    ],
)
def test_100_kb_are_read(piece: str) -> None:
    """Whatever it is made of; quotes that are never closed once took minutes."""
    text = piece * (100_000 // len(piece))
    reading = read(text, [("cat.png", "image")], [0, 50_000])
    assert all(text[s.start :].startswith(s.raw) for s in reading.sentences)
    assert sum(map(len, (*raws(reading), reading.payload, *reading.items))) <= len(text)


@settings(max_examples=150, deadline=None)
@given(st.text(st.sampled_from("ab .,:;'\"“”\n-1)→"), max_size=60), st.lists(st.integers(0, 60), max_size=3))
def test_sentences_are_the_users_own_words(text: str, places: list[int]) -> None:
    reading = read(text, [("a", "image")], places)
    assert all(text[s.start : s.start + len(s.raw)] == s.raw for s in reading.sentences)
    starts = [s.start for s in reading.sentences]
    assert starts == sorted(starts)
