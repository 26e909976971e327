"""Claims of a reply, and whether the trace of its run bears them out."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from langchain_hugginggpt.agent import Plan, Trace
from langchain_hugginggpt.agent.response import EmbeddedResponder
from langchain_hugginggpt.evaluation.metrics.claims import claims_of
from langchain_hugginggpt.evaluation.metrics.evidence import readings
from langchain_hugginggpt.evaluation.metrics.faithfulness import faithfulness
from langchain_hugginggpt.tools import HUB_TASKS
from tests.evaluation.traces import reply


def claimed(text: str, *files: str) -> list[tuple[str, str]]:
    return [(str(c.kind), c.text + c.unit) for c in claims_of(text, files)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Nothing to look up: two words, Monday.", []),
        ("It says \"a b\", “c d”, „e f“, «g h», ‘i j’, 'k l' and `m n`.", ["a b", "c d", "e f", "g h", "i j", "k l", "m n"]),
        ("'The staff couldn't have been nicer' isn't the dogs' or the cats' word.", ["The staff couldn't have been nicer"]),
        ("> first line\n> second line\nnot this", ["first line\nsecond line"]),
        ("```text\nin a block\n```\n", ["in a block"]),
        ('One mark " is none,\n\nand so is " another.', []),
        ("He wrote: \"I paid 49 euros for 'it'\".", ["I paid 49 euros for 'it'"]),  # the number belongs to the quote
        ('An empty "" or " - " says nothing.', []),
    ],
)
def test_quotes(text: str, found: list[str]) -> None:
    assert claimed(text) == [("quote", words) for words in found]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Audio: /out/a1.wav (audio/wav, 575 kB)", [("artifact", "/out/a1.wav"), ("number", "575kb")]),
        ("See **fox.png**, `owl.png` and artifact-00112233445566aa.", ["fox.png", "owl.png", "artifact-00112233445566aa"]),
        ("It is my scan 7.png.", ["my scan 7.png"]),  # a known name may hold blanks
        ("It is /elsewhere/my_scan.png", ["/elsewhere/my_scan.png"]),
        ("It is at https://example.org/2024/x.", ["https://example.org/2024/x"]),
        ("Version 1.2 of README, e.g. this, and/or that.", [("number", "1.2")]),
    ],
)
def test_files(text: str, found: list[str | tuple[str, str]]) -> None:
    assert claimed(text, "my scan 7.png", "my_scan.png") == [f if isinstance(f, tuple) else ("artifact", f) for f in found]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("98 %, 98%, 0.98, -0.08, 1e-7", ["98%", "98%", "0.98", "-0.08", "1e-7"]),
        ("1. first\n  2) second\n- 3. third: 12", ["12"]),  # the numbering of a list
        ("The 2nd of 21 at 16:42", ["21", "16", "42"]),
        ("from 5-8 s, 48,000 or 25,72", ["5", "8", "48,000", "25,72"]),
        ("all-MiniLM-L6-v2, stable-diffusion-xl-base-1.0, GPT-4", []),  # digits inside names
        ("250 ms of 3 per cent", ["250ms", "3percent"]),
    ],
)
def test_numbers(text: str, found: list[str]) -> None:
    assert claimed(text) == [("number", n) for n in found]


def test_marks_of_tasks() -> None:
    assert claimed("So it is [1]. And [2, 3], (task 4).") == [("task", "[1]"), ("task", "[2, 3]"), ("task", "task 4")]


@pytest.mark.parametrize(
    ("token", "values"),
    [
        ("48,000", [[48000.0]]),
        ("25,72", [[25.72], [25.0, 72.0]]),
        ("1.340", [[1.34], [1340.0]]),
        ("1,340.50", [[1340.5]]),
        ("1.340,50", [[1340.5], [1.34, 50.0]]),
        ("1.2.3", [[1.0, 2.0, 3.0]]),
        ("-0.5", [[-0.5]]),
        ("2e3", [[2000.0]]),
        ("1e999", []),
        ("1e" + "9" * 5000, []),  # more digits than Python reads
    ],
)
def test_readings_of_a_number(token: str, values: list[list[float]]) -> None:
    assert [[value for value, _ in reading] for reading in readings(token)] == values


@pytest.mark.parametrize(
    "text",
    [
        "The letter is a complaint (0.98, that is 98 %) [2].",
        "It asks for 49 euros: \"Please REFUND the\nprice of 49 euros\", and 'in all' 1340 crowns.",
        "It begins “Dear Brightwater … 49 euros.”",  # what is left out may be missing
        "I wrote speech.wav (575 kB, 0.57 MB): /out/00112233445566aa.wav or out/00112233445566aa.wav.",
        "The file is artifact-00112233445566aa; I read `my scan 7.png`.",
        "Four tasks ran, 4 of 4, in 3.0 s; `m/summarization` took 500 ms (task 3).",
        "There are 2 labels.",  # the length of an output
        "I was to answer in 2 words.",
    ],
)
def test_what_holds(text: str) -> None:
    found = faithfulness(reply(text))
    assert found.claims
    assert found.unsupported == ()


@pytest.mark.parametrize(
    ("text", "unsupported"),
    [
        ("The letter is a complaint (0.97).", ["0.97"]),
        ("It cost 51 euros, or 13,400 crowns.", ["51", "13,400"]),
        ('It says "please refund the price of 490 euros".', ["please refund the price of 490 euros"]),
        ('It says "49 euros … Dear Sir".', ["49 euros … Dear Sir"]),
        ("See /out/ffffffffffffffff.wav, fox.png and artifact-ffffffffffffffff.", None),
        ("See /elsewhere/speech.wav.", ["/elsewhere/speech.wav"]),  # right name, wrong place
        ("575 MB", ["575"]),
        ("As task 5 says [7].", ["task 5", "[7]"]),
        ("Two texts of a trace are not one: “price of 49 euros. complaint”", ["price of 49 euros. complaint"]),
    ],
)
def test_what_does_not_hold(text: str, unsupported: list[str] | None) -> None:
    found = faithfulness(reply(text))
    if unsupported is None:
        assert found.unsupported == found.claims
    else:
        assert [c.text for c in found.unsupported] == unsupported


@pytest.mark.parametrize(("text", "holds"), [("It rose by 7.", False), ("It rose by 7.0.", True), ("It rose by 7 %.", True), ("17", True)])
def test_a_bare_digit_is_not_something_rounded(text: str, holds: bool) -> None:
    grown = Trace(text="It rose by 6.98 %, from 16.8.", plan=Plan())
    assert (faithfulness(replace(reply(text), trace=grown)).unsupported == ()) == holds


def test_the_score_by_hand() -> None:
    assert faithfulness(reply("A complaint (0.98) about 50 euros [2].")).score == (2.0, 3.0)
    assert faithfulness(reply("It is a complaint.")).score is None


def test_without_a_plan_there_is_nothing_to_refer_to() -> None:
    chat = reply("The capital has 3 million people [1].", made=Plan(), ran=())
    assert [c.text for c in faithfulness(chat).unsupported] == ["3", "[1]"]


def test_the_embedded_renderer_is_faithful() -> None:
    run = reply()
    text = next(EmbeddedResponder(HUB_TASKS).stream(None, run.trace))  # type: ignore[arg-type]  # it reads the trace only
    found = faithfulness(replace(run, text=text))
    assert len(found.claims) > 10
    assert found.unsupported == ()


@pytest.mark.parametrize(
    "piece", ["'", '"', '"a ', "“a ", "'a ", "> ", "[1,", "1,", "1.", "a.wav/", "`", "```\n", "```x\na\n", "a.a.", "\n\n", "a"]
)
def test_hostile_replies_cost_little(piece: str) -> None:
    began = time.perf_counter()
    faithfulness(reply(piece * 30_000))
    assert time.perf_counter() - began < 5


def test_lone_surrogates_and_odd_values_do_not_break_it() -> None:
    odd = Trace(text="\ud800", plan=Plan(), results=())
    assert faithfulness(replace(reply('"\ud800x" 5'), trace=odd)).score == (0.0, 2.0)
