"""Requests that are not English: they are told from English ones, and the planner says that it does not understand them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langchain_hugginggpt.agent import EmbeddedPlanner, Request
from langchain_hugginggpt.agent.planners.embedded.english import is_english
from langchain_hugginggpt.agent.planners.embedded.telling import tell
from langchain_hugginggpt.evaluation.training.own import FOLDER
from langchain_hugginggpt.evaluation.training.written import parse_written, read_written
from langchain_hugginggpt.index.minilm import MiniLM
from langchain_hugginggpt.tools import HUB_TASKS, TaskTable
from tests.agent.planners.embedded.blank import TASKS, weights
from tests.fakes import file

ENCODER = MiniLM()
TABLE = TaskTable([HUB_TASKS[n] for n in TASKS])
HERE = Path(__file__).parent / "languages"
PATOIS = "Dis ting nah work, wah gwaan wid di audio?"
GERMAN = "Fasse bitte diesen Brief zusammen"


def english(request: Request) -> bool:
    return is_english(tell(request).text, ENCODER.pieces)


def lines(name: str) -> list[list[str]]:
    found = (HERE / name).read_text("utf-8").splitlines()
    return [[f.strip() for f in line.split("||")] for line in found if line.strip() and not line.startswith("#")]


def test_english_with_mistakes_slang_names_and_foreign_texts_is_english() -> None:
    requests = [parse_written(f"{' || '.join([*fields, ''][:2])} || -", HUB_TASKS).request for fields in lines("english.txt")]
    assert len(requests) == 80
    assert [r.text for r in requests if not english(r)] == [PATOIS]


def test_other_languages_are_not() -> None:
    found: dict[str, list[bool]] = {}
    for language, *rest in lines("others.txt"):
        found.setdefault(language, []).append(not english(parse_written(" || ".join(rest), HUB_TASKS).request))
    asked = "de fr es pt it nl pl tr fi ru zh ja ar hi".split()
    assert {k: len(v) for k, v in found.items() if len(v) > 1} == dict.fromkeys(asked, 8)
    assert {k: sum(v) for k, v in found.items() if not all(v)} == {"fi": 7}  # `Poista tausta kuvasta`: no sign but broken words
    assert len(found) == len(asked) + 10


def test_nearly_no_request_of_the_training_is_taken_for_another_language() -> None:
    requests = list(read_written(sorted(FOLDER.glob("*.txt")), HUB_TASKS))
    flagged = Counter(w.mode for w in requests if not english(w.request))
    assert len(requests) > 6000
    assert flagged.total() / len(requests) < 0.001


@pytest.mark.parametrize(
    ("text", "is_it"),
    [
        ("", True),
        ("...", True),
        ("12 34", True),
        ("Merci", True),  # too little to tell
        ("OCR", True),
        ("Das ist gut", False),
        ("Translate: das ist gut", True),
        ("Das ist gut. Translate that", True),
        ("Das ist gut. 'Translate that'", False),
        ("Hello! Das ist gut", False),
        ("Übersetze die Datei the_and_of.txt", False),
        ("make the THE DER DAS logo", True),
        ("de-noise the clip", True),
        ("Что это", False),
        ("Что это? What is it", True),
        ("Say “Что это”", True),
        ("этo", False),
        ("CT scan α", True),  # one letter of another script
    ],
)
def test_one_sign_at_a_time(text: str, is_it: bool) -> None:
    assert is_english(text, ENCODER.pieces) is is_it


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300))
def test_any_text_gets_an_answer(text: str) -> None:
    assert is_english(text, len) in (True, False)


def test_long_and_odd_texts_take_no_time_to_speak_of() -> None:
    """What would cost the square of the length would take minutes here."""
    parts = ["'", " 'a", '"', "“", "„", "«", "「", "‘", "a.b", "de-", "x:// ", "www.", ": ", "é", "’", "'a'b", "a", "a-"]
    for a, b in product(parts, ["", " "]):
        is_english((a + b) * (100_000 // len(a + b)), len)


def planner(*asked: float, **own: Any) -> EmbeddedPlanner:
    return EmbeddedPlanner(ENCODER, weights(own_bias=asked, **own))


LETTER = Request(text=GERMAN, files=(file("brief.txt", "text/plain"),))


@pytest.mark.parametrize(
    ("asked", "own", "guess"),
    [
        ((-9, 9, -9, -9), {}, " Did you mean summarization?"),
        ((-9, 1.5, -9, -9), {}, ""),  # 0.82: too little to name it
        ((-9, -9, -9, 9), {}, ""),  # sure, and the picture is not there
        ((-9, 9, -9, -9), {"mode_bias": [-9, 9, -9]}, ""),  # small talk, or so it seems
        ((-9, 9, -9, -9), {"mode_bias": [-9, -9, 9]}, ""),
    ],
)
def test_the_planner_says_what_it_understands(asked: tuple[float, ...], own: dict[str, Any], guess: str) -> None:
    plan = planner(*asked, **own).plan(LETTER, TABLE)
    assert (plan.tasks, plan.confidence, plan.repairs, plan.answer) == ((), 0.0, (), "")
    assert plan.question.startswith(f"The request does not look English, and this planner understands nothing else.{guess} Please say it")
    assert "--llm" in plan.question
    assert "--encoder" in plan.question
    said = planner(*asked, **own).plan(replace(LETTER, text="Sum up this letter"), TABLE)
    assert "does not look English" not in said.question
    assert said.confidence


def test_what_is_plausible_is_left_open_in_its_order() -> None:
    asked = (2, -9, 9, -2)
    known, unknown = (planner(*asked).plausible(r, TABLE) for r in (Request(text="Sum it up"), LETTER))
    assert max(known.values()) > 0.9
    assert all(0.25 <= p <= 0.5 for p in unknown.values())
    assert sorted(unknown, key=lambda n: unknown[n]) == sorted(known, key=lambda n: known[n])


class Polyglot(MiniLM):
    """The same under another name, as an encoder of many languages has one."""

    name = "polyglot sha256:0123456789abcdef"


def test_with_another_encoder_no_language_is_looked_for() -> None:
    made = replace(weights(own_bias=[-9, 9, -9, -9]), encoder=Polyglot.name)
    plan = EmbeddedPlanner(Polyglot(), made).plan(LETTER, TABLE)
    assert [t.task for t in plan.tasks] == ["summarization"]
    assert plan.confidence == 1.0
    assert plan.repairs == ()
    assert max(EmbeddedPlanner(Polyglot(), made).plausible(LETTER, TABLE).values()) > 0.9
    unsure = replace(weights(own_bias=[-9, -9, -9, -9]), encoder=Polyglot.name)
    asked = EmbeddedPlanner(Polyglot(), unsure).plan(LETTER, TABLE)
    assert asked.question
    assert "English" not in asked.question
    assert "in English" in planner(-9, -9, -9, -9).plan(Request(text="Do it"), TABLE).question
