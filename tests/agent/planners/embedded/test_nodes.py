"""The tasks that a request asks for, one node for each time that it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from langchain_hugginggpt.agent import Request
from langchain_hugginggpt.agent.planners.embedded.nodes import Node, nodes
from langchain_hugginggpt.agent.planners.embedded.reading import read
from langchain_hugginggpt.tools import HUB_TASKS, Artifact
from tests.fakes import file

OCR, SUM, TTS, TRANSLATE, SIMILAR, CLASSIFY, VQA = range(7)
TASKS = [
    HUB_TASKS[n]
    for n in (
        "image-to-text",
        "summarization",
        "text-to-speech",
        "translation",
        "sentence-similarity",
        "text-classification",
        "visual-question-answering",
    )
]
A, B, C = (file(f"{x}.png", "image/png") for x in "abc")


def made(
    text: str,
    asked: Mapping[int, str],
    links: Sequence[tuple[int, int]] = (),
    twice: Sequence[int] | None = (),
    files: Sequence[Artifact] = (),
) -> list[Node]:
    """The nodes of the tasks that `asked` names, in that order, each with a word at which it is asked for."""
    places = {i: text.index(word) for i, word in asked.items()}
    request = Request(text=text, files=tuple(files))
    reading = read(text, [(f.name, str(f.kind)) for f in files], list(places.values()))
    return nodes(request, reading, TASKS, list(asked), links, places, twice)


def told(found: Sequence[Node]) -> list[tuple[str, int, str | None, int | None, tuple[str, ...]]]:
    assert [n.id for n in found] == [str(i) for i in range(1, len(found) + 1)]
    return [(n.id, TASKS.index(n.task), n.file.name if n.file else None, n.copy, n.parents) for n in found]


def test_one_task() -> None:
    (node,) = made("Good day. Read a.png", {OCR: "Read"}, files=[A, B])
    assert (node.words, node.sentence, node.parents, node.file, node.copy) == ("Read a.png", 1, (), None, None)
    assert made("Read a.png", {}) == []


def test_the_same_for_several_files() -> None:
    found = made("Read all three", {OCR: "Read"}, twice=[OCR], files=[A, B, C])
    assert told(found) == [("1", OCR, "a.png", 0, ()), ("2", OCR, "b.png", 1, ()), ("3", OCR, "c.png", 2, ())]


def test_what_follows_goes_along_file_by_file() -> None:
    found = made("Read a.png and b.png and say them", {OCR: "Read", TTS: "say"}, [(OCR, TTS)], [OCR, TTS], [A, B])
    assert told(found) == [("1", OCR, "a.png", 0, ()), ("2", TTS, None, 0, ("1",)), ("3", OCR, "b.png", 1, ()), ("4", TTS, None, 1, ("3",))]


def test_what_takes_from_all_copies_comes_last() -> None:
    asked = {OCR: "Read", SIMILAR: "compare", TTS: "say"}
    found = made("Read a.png and b.png and say them, and compare all", asked, [(OCR, TTS), (OCR, SIMILAR)], [OCR, TTS], [A, B])
    assert [x[1] for x in told(found)] == [OCR, TTS, OCR, TTS, SIMILAR]
    assert found[-1].parents == ("1", "3")
    assert found[-1].copy is None


def test_files_of_which_none_or_all_are_named_are_all_meant() -> None:
    for text in ("Read what is written there", "Read a.png and B.PNG"):
        assert [n.file for n in made(text, {OCR: "Read"}, files=[A, B])] == [A, B]
    (node,) = made("Read b.png", {OCR: "Read"}, files=[A, B])
    assert node.file is None
    both = made("Read the one and describe the other", {OCR: "Read", VQA: "describe"}, files=[A, B])
    assert [(TASKS.index(n.task), n.copy) for n in both] == [(OCR, None), (VQA, None)]  # two tasks share them
    found = made("Read and say them", {OCR: "Read", TTS: "say"}, [(OCR, TTS)], files=[A, B])
    assert [n.parents for n in found] == [(), ("1",), (), ("3",)]
    (node,) = made("Read what is written there", {OCR: "Read"}, files=[A, B], twice=None)  # where each is meant once
    assert node.copy is None


def test_copies_by_language_and_by_quote() -> None:
    found = made("Translate 'good day' into French, German and Dutch", {TRANSLATE: "Translate"}, twice=[TRANSLATE])
    assert [(n.copy, n.file) for n in found] == [(0, None), (1, None), (2, None)]
    found = made("Translate 'one', 'two', 'three' and 'four'", {TRANSLATE: "Translate"}, twice=[TRANSLATE])
    assert [n.copy for n in found] == [0, 1, 2, 3]
    found = made("Say 'one', 'two' and 'three'", {TTS: "Say"}, twice=[TTS])
    assert [n.copy for n in found] == [0, 1, 2]
    found = made("Translate these into French:\n- one\n- two\n- three", {TRANSLATE: "Translate"}, twice=[TRANSLATE])
    assert [n.copy for n in found] == [0, 1, 2]


def test_copies_that_nothing_tells_apart_are_two_and_never_very_many() -> None:
    assert len(made("Read it, and again", {OCR: "Read"}, twice=[OCR], files=[A])) == 2
    many = ", ".join(f"'{i}'" for i in range(200))
    assert len(made(f"Say {many}", {TTS: "Say"}, twice=[TTS])) == 50


def test_a_task_that_takes_several_is_asked_for_once() -> None:
    assert len(made("How alike are 'a', 'b' and 'c'?", {SIMILAR: "alike"}, twice=[SIMILAR])) == 1


def test_copies_of_what_takes_from_one() -> None:
    found = made("Read it and translate it into French and German", {OCR: "Read", TRANSLATE: "trans"}, [(OCR, TRANSLATE)], [TRANSLATE], [A])
    assert told(found) == [("1", OCR, None, None, ()), ("2", TRANSLATE, None, 0, ("1",)), ("3", TRANSLATE, None, 1, ("1",))]


def test_parents_stand_in_the_order_of_the_plan() -> None:
    found = made("Read it, sum it up, say both", {OCR: "Read", SUM: "sum", TTS: "say"}, [(SUM, TTS), (OCR, TTS)], files=[A])
    assert found[-1].parents == ("1", "2")


def test_the_words_that_ask() -> None:
    asked = {SUM: "Sum", CLASSIFY: "sort", TTS: "read"}
    found = made("Sum up the letter, sort it into good, bad or ugly, and then read it aloud.", asked)
    assert [n.words for n in found] == ["Sum up the letter", "sort it into good, bad or ugly", "read it aloud."]
    found = made("Sum it up. As I said, it is long. Then read it.", {SUM: "Sum", TTS: "read"})
    assert [(n.words, n.sentence) for n in found] == [("Sum it up.", 0), ("Then read it.", 2)]
    found = made("For my aunt, who is old, sum up 'a, and b' and read it", {SUM: "sum", TTS: "read"})
    assert [n.words for n in found] == ["For my aunt, who is old, sum up 'a, and b'", "read it"]
    both = made("Read the gist aloud", {SUM: "Read", TTS: "Read"})
    assert {n.words for n in both} == {"Read the gist aloud"}
    near = made("Read the gist aloud", {SUM: "gist", TTS: "aloud"})
    assert {n.words for n in near} == {"Read the gist aloud"}  # no seam between them
