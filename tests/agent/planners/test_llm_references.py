"""References that cannot be right as written, and the links that a plan lists besides (TaskBench's `task_links`)."""

from __future__ import annotations

from itertools import chain
from typing import Any

import pytest

from langchain_hugginggpt.agent.planners.llm.references import References


def of(names: str, refs: list[list[str]], links: str = "") -> References:
    pairs = [(a, b) for a, _, b in (link.partition(">") for link in links.split())]
    return References([None] * len(refs), names.split(), [[f"<node-{r}>" for r in task] for task in refs], pairs)


def meant(references: References, refs: list[list[str]]) -> list[list[Any]]:
    return [[references.resolve(i, r) for r in task] for i, task in enumerate(refs)]


@pytest.mark.parametrize(
    ("names", "refs", "links", "read"),
    [
        ("a b c", [[], ["0"], ["1"]], "a>b b>c", [[], ["0"], ["1"]]),
        ("a b c", [[], ["0"], ["1"]], "b>a", [[], ["0"], ["1"]]),  # links never change what can be right
        ("a b c", [[], ["1"], ["2"]], "a>b b>c", [[], ["0"], ["1"]]),  # all count from 1
        ("a b c d", [[], ["1"], ["3"], ["5"]], "a>b b>c c>d", [[], ["0"], ["1"], ["2"]]),  # to itself, to nothing
        ("a b c d", [[], ["0"], ["0", "2"], []], "a>c b>c", [[], ["0"], ["0", "1"], []]),
        ("a b c", [["1"], ["2"], []], "c>a a>b", [["2"], ["0"], []]),  # forwards, and the links say otherwise
        ("a b c d", [[], ["2"], ["1"], ["1"]], "a>d d>c c>b", [[], ["2"], ["3"], ["0"]]),  # in a circle
        ("a b c", [[], ["2"], ["1"]], "b>c", [[], [None], ["1"]]),  # in a circle, and the links know the reverse only
        ("a b c", [[], ["2"], ["1"]], "", [[], ["2"], ["1"]]),  # in a circle, and nothing tells
        ("a x x", [[], ["0"], ["2"]], "a>x-1 x-1>x-2", [[], ["0"], ["1"]]),  # links that number tasks of one name
        ("a b c d", [[], [], ["9"], []], "a>c b>c", [[], [], ["9"], []]),  # two could be meant
    ],
)
def test_what_references_mean(names: str, refs: list[list[str]], links: str, read: list[list[Any]]) -> None:
    found = of(names, refs, links)
    assert meant(found, refs) == read
    written = [str(int(w) + found.shift) for task in refs for w in task]
    assert len(found.repairs) == sum(r not in (w, None) for r, w in zip(chain(*read), written, strict=True))


@pytest.mark.parametrize(
    ("text", "ident"),
    [
        ("%{Object Detection.output}%", "0"),
        ("{{object_detection}}", "0"),
        ("<output of object-detection>", "0"),
        ("{text}", None),
        ("Object Detection", None),
        ("<translation>", None),  # its own name
    ],
)
def test_a_placeholder_with_the_name_of_a_task(text: str, ident: str | None) -> None:
    assert References([None, None], ["Object Detection", "Translation"], [["<node-0>"], []]).placeholder(1, text) == ident


def test_links_that_arguments_do_not_mention() -> None:
    found = of("a b c", [[], [], ["0"]], "a>c b>c a>b")
    assert [found.linked(i) for i in range(3)] == [[], ["0"], ["1"]]
