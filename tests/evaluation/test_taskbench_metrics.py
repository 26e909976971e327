"""TaskBench's arithmetic: each rule by hand, and the whole against the official scorer's own figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from langchain_hugginggpt.evaluation import LaidOutPlan, Recorded, evaluate_planning, load_taskbench, planning_json
from langchain_hugginggpt.evaluation.metrics import taskbench
from langchain_hugginggpt.evaluation.metrics.counts import Counts
from langchain_hugginggpt.evaluation.metrics.taskbench import Parts, official_parts, strict_parts
from tests.evaluation.taskbench_files import OUTPUT_TYPES, link, node

SHARED = Path(__file__).parents[3] / "shared" / "data" / "taskbench"
TOOLS = frozenset(OUTPUT_TYPES)


def plan(*nodes: Any, links: Any = ()) -> LaidOutPlan:
    return LaidOutPlan(task_nodes=list(nodes), task_links=list(links))


def official(label: LaidOutPlan, made: LaidOutPlan) -> tuple[Parts, Parts]:
    sides = official_parts(label, made, OUTPUT_TYPES)
    assert sides is not None
    return sides


def test_names_are_sets_over_the_tool_list() -> None:
    label = Parts(names=("Summarization", "Summarization", "Denoising", "Text-to-Speech"))
    made = Parts(names=("Summarization", "Image Editing", "Flying", "Summarization"))
    assert taskbench.n_f1(label, made, TOOLS) == Counts(tp=1, fp=1, fn=1)  # Denoising and Flying are no tools, twice is once
    assert taskbench.n_f1(Parts(), Parts(names=("Flying",)), TOOLS) == Counts()


def test_links_come_from_references_and_not_from_task_links() -> None:
    nodes = [node("Automatic Speech Recognition", "example.wav"), node("Summarization", "<node-0>"), node("Text-to-Speech", "<node-0>")]
    label, made = official(plan(*nodes), plan(*nodes[:2], links=[link("Summarization", "Text-to-Speech")]))
    assert label.links == (("Automatic Speech Recognition", "Summarization"), ("Automatic Speech Recognition", "Text-to-Speech"))
    assert taskbench.e_f1(label, made) == Counts(tp=1, fn=1)


def test_kinds_and_values_of_arguments() -> None:
    label, _ = official(
        plan(
            node("Image Editing", "Make it blue.", "'example.JPG'", "a.b.jpg"),
            node("Visual Question Answering", "<node-0>", "What is it?"),
            node("Tabular Classification", "see example.wave"),
            node("Sentence Similarity", {"name": "<node-1>"}, ["two", "words"]),
        ),
        plan(),
    )
    assert label.arguments == (
        ("Image Editing-text", "Make it blue."),
        ("Image Editing-text", "'example.JPG'"),  # endings are compared as they are
        ("Image Editing-image", "a.b.jpg"),
        ("Visual Question Answering-image", "Image Editing"),  # a reference: the kind and the name of what it refers to
        ("Visual Question Answering-text", "What is it?"),
        ("Tabular Classification-audio", "see example.wave"),  # an ending anywhere in the text
        ("Sentence Similarity-text", "Visual Question Answering"),  # a dict is its first value
        ("Sentence Similarity-text", "two words"),  # a list is its parts
    )


def test_counts_of_arguments() -> None:
    label = Parts(arguments=(("A-text", "x"), ("A-text", "y"), ("B-image", "z")))
    made = Parts(arguments=(("A-text", "y"), ("A-text", "w"), ("B-audio", "z")))
    assert taskbench.t_f1(label, made) == Counts(tp=1, fp=1, fn=1)
    assert taskbench.v_f1(label, made) == Counts(tp=1, fp=2, fn=2)


def test_what_an_argument_refers_to_outside_the_tool_list_or_without_an_output() -> None:
    label, _ = official(
        plan(node("Denoising", "a.wav"), node("Sentence Similarity", "<node-0>"), node("Summarization", "<node-1>")), plan()
    )
    assert label.arguments[1:] == (("Sentence Similarity-other", "Denoising"), ("Summarization-none", "Sentence Similarity"))


def test_an_argument_that_refers_to_its_own_node_is_left_out() -> None:
    label, _ = official(plan(node("Summarization", "<node-0>", "a text")), plan())
    assert label.arguments == (("Summarization-text", "a text"),)
    assert label.links == ()


@pytest.mark.parametrize("broken", ["<node-7>", "<node-x>", "<node-0.text>", 5, None, {}, [1, 2], "> <node-0"])
def test_an_argument_that_cannot_be_read_counts_as_the_one_before_it(broken: Any) -> None:
    _, made = official(plan(), plan(node("Summarization", "a text", broken), node("Text-to-Speech", broken)))
    assert made.arguments == (("Summarization-text", "a text"), ("Summarization-text", "a text"), ("Text-to-Speech-text", "a text"))


def test_the_one_before_it_may_be_of_the_label() -> None:
    _, made = official(plan(node("Summarization", "of the label")), plan(node("Summarization", "<node-9>")))
    assert made.arguments == (("Summarization-text", "of the label"),)
    label, _ = official(plan(node("Summarization", "<node-9>")), plan())
    assert label.arguments == (("Summarization-?", "?"),)


def test_underscores_are_blanks_in_names_but_not_in_the_target_of_a_link() -> None:
    label, _ = official(plan(node("Image_Editing", "x"), node("Tabular_Classification", "<node-0>")), plan())
    assert label.names == ("Image Editing", "Tabular Classification")
    assert label.links == (("Image Editing", "Tabular_Classification"),)


@pytest.mark.parametrize("nodes", [[{"name": "Summarization"}], [{"task": 3, "arguments": []}], "Summarization", None, [None]])
def test_a_plan_that_cannot_be_read_is_dropped_officially_and_empty_strictly(nodes: Any) -> None:
    made = LaidOutPlan(task_nodes=nodes)
    assert official_parts(plan(node("Summarization", "x")), made, OUTPUT_TYPES) is None
    assert strict_parts(made, OUTPUT_TYPES) == Parts()


def test_a_label_without_arguments_is_dropped_officially_and_kept_strictly() -> None:
    label = plan({"task": "Summarization", "parameters": {"text": "x"}})
    assert official_parts(label, plan(), OUTPUT_TYPES) is None
    assert strict_parts(label, OUTPUT_TYPES).arguments == (("Summarization-text", "x"),)
    _, made = official(plan(node("Summarization", "x")), plan({"task": "Summarization"}))
    assert made.names == ("Summarization",)


def test_strict_links_are_those_given() -> None:
    made = plan(
        node("Automatic Speech Recognition", "a.wav"),
        node("Summarization", "<node-0>"),
        links=[link("Summarization", "Image_Editing"), {"start_task": "A", "end_task": "B"}, {"source": "A"}, "A -> B", None],
    )
    assert strict_parts(made, OUTPUT_TYPES).links == (("Summarization", "Image Editing"), ("A", "B"))


def test_strict_values_are_compared_by_their_first_100_characters() -> None:
    text = "word " * 40
    label = strict_parts(plan(node("Summarization", text[:100] + "…")), OUTPUT_TYPES)
    made = strict_parts(plan(node("Summarization", text)), OUTPUT_TYPES)
    assert taskbench.v_f1(label, made) == Counts(tp=1)


@pytest.mark.parametrize(
    ("label", "made", "expected"),
    [
        ((), (), 0.0),
        (("Summarization",), (), 1.0),
        (("Summarization", "Text-to-Speech"), ("Text-to-Speech", "Summarization"), 0.5),  # 2 of 4: one goes and comes
        (("Summarization", "Text-to-Speech"), ("Summarization",), 1 / 3),
        (("Denoising",), ("Flying",), 0.0),  # outside the tool list all are alike
    ],
)
def test_edit_distance(label: tuple[str, ...], made: tuple[str, ...], expected: float) -> None:
    assert taskbench.edit_distance(Parts(names=label), Parts(names=made), TOOLS) == pytest.approx((expected, 1.0))


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared/data/taskbench")
@pytest.mark.parametrize("name", ["codellama-13b", "mistral-7b-instruct-v0.2", "corrupted-labels"])
def test_agrees_with_the_official_scorer_to_four_decimals(name: str) -> None:
    wanted = json.loads((SHARED / "official_scores.json").read_text())[name]
    evaluation = evaluate_planning(load_taskbench(SHARED), Recorded(path=SHARED / f"predictions_{name}.jsonl"))
    found = planning_json(evaluation)["official"]
    assert (found["samples"], found["scored"]) == (wanted["samples"], wanted["scored"])
    for key in ("n_f1", "e_f1", "t_f1", "v_f1"):
        assert found[key] / 100 == pytest.approx(wanted[key], abs=5e-5)
    assert found["edit_distance"] == pytest.approx(wanted["edit_distance"], abs=5e-5)
