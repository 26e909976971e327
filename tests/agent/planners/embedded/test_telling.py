"""What the network reads of a request and of a task."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langchain_hugginggpt.agent import Made, Request, Turn
from langchain_hugginggpt.agent.planners.embedded.scoring import fitting
from langchain_hugginggpt.agent.planners.embedded.telling import (
    GIVEN,
    KINDS,
    PAIR_FEATURES,
    Literal,
    described,
    flags,
    gives,
    literals,
    pair_features,
    root_features,
    takes,
    tell,
)
from langchain_hugginggpt.tools import HUB_TASKS, HubTask, Kind, Port
from tests.fakes import file

CAT, DOG, TALK = file("cat.png", "image/png"), file("dog.png", "image/png"), file("talk.m4a", "audio/mp4")
SHEET = file("q3.csv", "text/csv")
ASR, SPEECH, SIMILAR = (HUB_TASKS[n] for n in ("automatic-speech-recognition", "text-to-speech", "sentence-similarity"))
WORDS = "word " * 40


def test_literals_are_files_and_quoted_texts() -> None:
    text = "Say 'It's 5 o'clock.' and \"Bye\", then read 'talk.wav' and talk.wav."
    assert literals(text, (file("talk.wav", "audio/wav"), file("other.png", "image/png"))) == [
        Literal(text="other.png", kind=Kind.IMAGE, start=0),  # attached, and not named
        Literal(text="It's 5 o'clock.", kind=Kind.TEXT, start=5),
        Literal(text="Bye", kind=Kind.TEXT, start=27),
        Literal(text="talk.wav", kind=Kind.AUDIO, start=44),
    ]
    assert literals("", ()) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("‘one’ “two” 'three' \"four\"", ["one", "two", "three", "four"]),
        ("the dogs' bowl and the cats' bed", []),  # apostrophes that quote nothing
        ("don't, won't and can't", []),
        ("('in brackets')", ["in brackets"]),
        ("'a stop. And another! Then?' is quoted", ["a stop. And another! Then?"]),
        ("Sing 'Rock around the '50s clock' now", ["Rock around the '50s clock"]),
        ("'over\ntwo lines'", []),
        ("Say 'twice' and 'twice'", ["twice"]),
        ("'' and \"\"", []),
        ("“a “nested“ one”", ["a “nested“ one"]),
    ],
)
def test_what_counts_as_quoted(text: str, found: list[str]) -> None:
    assert [x.text for x in literals(text, ())] == found


@pytest.mark.parametrize("mark", [" '", "‘", " ‘", "“", " “", " ''", " '‘“"])
def test_many_quotes_that_are_never_closed(mark: str) -> None:
    """100 kB of them; each once looked for its end in all the rest, which took most of a minute."""
    text = f"{mark}a" * (100_000 // (len(mark) + 1))
    assert literals(text, ()) == []
    assert len(tell(Request(text=text)).text) <= 1004


def test_long_quotes_are_cut_and_places_found_again() -> None:
    text = f"Translate '{WORDS}' into French, then read it."
    short = tell(Request(text=text))
    assert short.text == "Translate 'word word word word word word word ...' into French, then read it."
    at = short.text.index("French")
    assert text[short.original(at) :].startswith("French")
    assert short.original(3) == 3
    assert tell(Request(text="Say 'hello'.")).text == "Say 'hello'."


def test_a_long_request_loses_its_middle() -> None:
    text = "begin " + "word " * 1000 + "end"
    told = tell(Request(text=text))
    assert told.text.startswith("begin word")
    assert told.text.endswith("word end")
    assert told.text.count("...") == 1
    assert len(told.text) < 1010
    assert told.original(len(told.text) - 3) == len(text) - 3
    assert tell(Request(text="word " * 200)).text == "word " * 200  # 1000 characters are read whole
    assert len(tell(Request(text="x" * 100_000)).text) == 1004


def test_a_quote_that_runs_into_the_middle_does_not_save_it() -> None:
    text = "word " * 60 + f"'{WORDS}{WORDS}' " + "word " * 1000 + "end"
    told = tell(Request(text=text))
    assert len(told.text) < 1010
    assert told.original(len(told.text) - 3) == len(text) - 3


def test_files_are_named_by_what_they_are() -> None:
    text = "Compare CAT.png with dog.png, and 'mycat.png' with talk.m4a and q3.csv."
    told = tell(Request(text=text, files=(CAT, DOG, TALK, SHEET)))
    assert told.text == "Compare example.jpg with example.jpg, and 'mycat.png' with example.wav and example.csv."
    for word, place in (("with", 0), ("and", 0), ("mycat", 0)):
        assert told.original(told.text.index(word, place)) == text.index(word, place)
    assert told.original(told.text.rindex("and")) == text.rindex("and")
    thing = file("cup.glb", "model/gltf-binary")
    assert tell(Request(text="Look at cup.glb", files=(thing,))).text == "Look at cup.glb"  # there is no name for what nothing flows of


NAMES = ("F1.PNG", "MY F2.WAV", "F.F3.CSV")
PIECES = st.one_of(
    st.sampled_from(["W", "W W W ", "'W W'", "'" + "W " * 60 + "'", "“" + "W" * 99 + "”", '"W" ', ". ", "\n", "W " * 300]),
    st.sampled_from([f" {n} " for n in NAMES]),
    st.sampled_from([f"'{NAMES[0]}'", f"'{'W ' * 16}{NAMES[1]} {'W ' * 40}'"]),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, max_size=12))
def test_every_character_outside_a_cut_is_found_again(pieces: list[str]) -> None:
    numbers = iter(range(10_000))
    text = re.sub("W", lambda _: f"W{next(numbers)};", "".join(pieces))
    kinds = ("image/png", "audio/wav", "text/csv")
    told = tell(Request(text=text, files=tuple(file(n, k) for n, k in zip(NAMES, kinds, strict=True))))
    kept = list(re.finditer(r"W\d+;", told.text))
    assert [text[told.original(m.start()) : told.original(m.end() - 1) + 1] for m in kept] == [m[0] for m in kept]
    if len(text) < 80:
        assert len(kept) == text.count("W") - sum(n.count("W") * text.count(n) for n in NAMES)
    length = len(told.text) - sum(told.text.count(f"example.{e}") * 11 for e in ("jpg", "wav", "csv"))
    assert length <= 1010


def test_what_a_request_brings_along() -> None:
    n = len(KINDS)
    assert KINDS == (Kind.TEXT, Kind.IMAGE, Kind.AUDIO, Kind.VIDEO, Kind.TABLE)

    def told(text: str, *files: object, earlier: tuple[object, ...] = ()) -> tuple[set[Kind], set[Kind], bool, bool]:
        turns = (Turn(role="user", text="", made=tuple(Made(artifact=f) for f in earlier)),)  # type: ignore[arg-type]
        found = tell(Request(text=text, files=files, history=turns if earlier else ())).given  # type: ignore[arg-type]
        assert len(found) == GIVEN == 12
        assert set(found) <= {0.0, 1.0}
        kinds, several = ({k for k, x in zip(KINDS, part, strict=True) if x} for part in (found[:n], found[n : 2 * n]))
        return kinds, several, bool(found[-2]), bool(found[-1])

    assert told("Hello") == (set(), set(), False, False)
    assert told("Look at this", CAT, DOG, TALK) == ({Kind.IMAGE, Kind.AUDIO}, {Kind.IMAGE}, False, False)
    assert told("Say 'Hello'") == ({Kind.TEXT}, set(), True, False)
    assert told("Compare 'a b' with 'c d'") == ({Kind.TEXT}, {Kind.TEXT}, True, False)
    assert told("Look at 'cat.png'", CAT) == ({Kind.IMAGE}, set(), False, False)  # a file's name is no text to work on
    assert told("one\ntwo") == (set(), set(), False, False)
    assert told("Shorten\nthis text\nof mine") == ({Kind.TEXT}, set(), False, False)
    assert told("And again", earlier=(CAT,)) == ({Kind.IMAGE}, set(), False, True)
    assert told("And this one", TALK, earlier=(CAT,)) == ({Kind.AUDIO}, set(), False, False)  # what is attached is meant
    assert told("What now?", file("board.json", "application/json")) == ({Kind.TABLE}, set(), False, False)


def test_what_the_network_knows_of_a_task() -> None:
    assert (takes(ASR), gives(ASR)) == ((Kind.AUDIO,), (Kind.TEXT,))
    assert takes(SIMILAR) == (Kind.TEXT, Kind.TEXT)
    assert takes(SPEECH) == (Kind.TEXT,)  # what is not required is not told
    assert takes(HUB_TASKS["reinforcement-learning"]) == (Kind.TABLE,)  # JSON is given as it is
    assert gives(HUB_TASKS["object-detection"]) == (Kind.TEXT,)  # JSON can be read
    counts = HubTask(
        name="count_Rows-of", summary="Count.", inputs=(Port(name="t", kind=Kind.TABLE),), outputs=(Port(name="n", kind=Kind.NUMBER),)
    )
    assert gives(counts) == ()
    assert described(counts) == "count Rows of. Count. Takes table, gives a score."
    assert described(SIMILAR).endswith(" Takes text and text, gives text.")
    nothing = HubTask(name="dice", summary="Throw a dice.", inputs=(), outputs=(Port(name="n", kind=Kind.TABLE),))
    assert described(nothing) == "dice. Throw a dice. Takes nothing, gives table."
    assert flags(ASR) == [0, 0, 1, 0, 0, 1, 0, 0, 0, 0]
    assert flags(nothing) == [0, 0, 0, 0, 0, 1, 0, 0, 0, 1]  # a table can be read as text as well


def test_what_is_known_of_pairs() -> None:
    """Recognition at 0.1, a summary at 0.5, speech at 0.3; an audio file is given."""
    kinds = np.array([flags(HUB_TASKS[n]) for n in (ASR.name, "summarization", SPEECH.name)], np.float32)
    spots = np.repeat(np.array([[0.1], [0.5], [0.3]], np.float32), 5, 1)
    brought = np.zeros(GIVEN, np.float32)
    brought[KINDS.index(Kind.AUDIO)] = 1
    found = pair_features(spots, kinds, brought, np.array([3.0, 0.0, -3.0], np.float32))
    assert found.shape == (3, 3, PAIR_FEATURES)
    assert found.dtype == np.float32
    assert fitting(kinds).tolist() == [[0, 1, 1], [0, 0, 1], [1, 0, 0]]
    first, last = found[0, 1], found[1, 0]  # from recognition to summary, and back
    assert first[:5] == pytest.approx([np.tanh(0.8)] * 5)
    assert first[5] == pytest.approx(np.tanh(1.6))
    assert first[6] == pytest.approx(1 / (1 + np.exp(-4.8)))
    assert first[7:14].tolist() == [0, 0, 0, 1, 0, 0, 0]  # two steps on
    assert last[7:14].tolist() == [1, 0, 0, 0, 0, 0, 0]  # two steps back
    assert first[14:19].tolist() == [1, 0, 1, 1, 1]  # one between them: it could take from the first, and not feed the second
    assert last[14:19].tolist() == [0, 0, 0, 0, 0]
    assert first[19:21].tolist() == [1, 0]  # nothing nearer could feed it; something nearer could take
    assert first[21:26].tolist() == [1, 0, 0, 0, 0]  # text flows
    assert first[26:31].tolist() == [0, 0, 0, 0, 0]
    assert last[26:31].tolist() == [0, 0, 1, 0, 0]  # the recording that recognition takes is given
    assert first[31:] == pytest.approx([3 / 4, np.tanh(1), 0, 1 / 4, 2 / 4, 0, 2 / 4])
    roots = root_features(found, brought)
    assert roots.shape == (3, 2 + GIVEN)
    assert roots[:, 0].tolist() == [0, 0.5, 0.25]  # ranks
    assert roots[:, 1].tolist() == [0.25, 0.25, 0.5]  # how many could feed it
    assert (roots[:, 2:] == brought).all()
