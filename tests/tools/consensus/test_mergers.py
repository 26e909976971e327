"""What is made of several answers, by kind: agreed values worked out by hand, and what holds for all of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langchain_hugginggpt.index.errors import ExpertError
from langchain_hugginggpt.tools import HUB_TASKS
from langchain_hugginggpt.tools.consensus import found
from langchain_hugginggpt.tools.consensus.agreed import Agreed
from langchain_hugginggpt.tools.consensus.rules import incomparable, rule_for
from langchain_hugginggpt.tools.forms import FORMS
from langchain_hugginggpt.tools.outputs import check_output
from tests.tools.consensus.merging import ENCODER, TASKS, agreed, score, value

_scores = st.floats(0, 1)
_words = st.sampled_from(["cat", "Cat", "a dog", "house_cat", "LABEL_1", "", "7", "鳥"])
_numbers = st.floats(allow_nan=False, allow_infinity=False)
_spans = st.tuples(st.integers(0, 30), st.integers(0, 30)).map(sorted)
_texts = st.one_of(st.text(max_size=40), st.lists(_words, max_size=12).map(" ".join))
_corner = st.integers(-5, 40)


def _entity(span: list[int], label: str, score: float) -> dict[str, Any]:
    return {"label": label, "score": score, "start": span[0], "end": span[1], "text": "x" * (span[1] - span[0])}


def _ranked(order: Sequence[int], scores: Sequence[float]) -> list[dict[str, Any]]:
    return [{"text": f"text {i}", "index": i, "score": s} for i, s in zip(order, scores, strict=False)]


_boxes = st.fixed_dictionaries(dict.fromkeys(("xmin", "ymin", "xmax", "ymax"), _corner))
VALUES: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "text-classification": st.fixed_dictionaries(
        {"labels": st.lists(st.one_of(_words, st.fixed_dictionaries({"label": _words, "score": _scores})), max_size=5)}
    ),
    "weigh": st.fixed_dictionaries({"grams": st.one_of(_numbers, st.integers(-(10**400), 10**400))}),
    "sentence-similarity": st.fixed_dictionaries({"scores": st.lists(st.floats(-1, 1), max_size=4)}),
    "tabular-regression": st.fixed_dictionaries({"predictions": st.lists(_numbers, max_size=4)}),
    "tabular-classification": st.fixed_dictionaries(
        {"predictions": st.lists(st.one_of(_words, st.booleans(), st.integers(0, 2)), max_size=4)}
    ),
    "time-series-forecasting": st.fixed_dictionaries(
        {"forecast": st.lists(st.dictionaries(st.sampled_from(["a", "b"]), _numbers, max_size=2), max_size=3)}
    ),
    "object-detection": st.fixed_dictionaries(
        {"objects": st.lists(st.fixed_dictionaries({"label": _words, "score": _scores, "box": _boxes}), max_size=4)}
    ),
    "keypoint-detection": st.fixed_dictionaries(
        {
            "keypoints": st.lists(
                st.fixed_dictionaries(
                    {"label": _words, "x": st.floats(0, 99), "y": st.floats(0, 99), "score": _scores, "figure": st.integers(0, 2)}
                ),
                max_size=4,
            )
        }
    ),
    "token-classification": st.fixed_dictionaries({"entities": st.lists(st.builds(_entity, _spans, _words, _scores), max_size=4)}),
    "voice-activity-detection": st.fixed_dictionaries(
        {"segments": st.lists(_spans.map(lambda s: {"start": s[0] / 4, "end": s[1] / 4}), max_size=4)}
    ),
    "text-ranking": st.builds(
        lambda order, scores: {"best": f"text {order[0]}", "ranking": _ranked(order, scores)},
        st.permutations(range(4)),
        st.lists(_scores, min_size=1, max_size=4),
    ),
    "summarization": st.fixed_dictionaries({"summary": _texts}),
    "automatic-speech-recognition": st.fixed_dictionaries({"text": _texts}),
    "translation": st.fixed_dictionaries({"text": _texts}),
    "image-to-text": st.fixed_dictionaries({"text": _texts}),
    "question-answering": st.fixed_dictionaries({"answer": _texts, "score": _scores}),
    "graph-ml": st.fixed_dictionaries(
        {"predictions": st.recursive(st.one_of(_words, _numbers, st.none()), lambda s: st.lists(s, max_size=3), max_leaves=6)}
    ),
}


@pytest.mark.parametrize("task", VALUES)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_what_holds_for_every_kind(task: str, data: st.DataObject) -> None:
    values = data.draw(st.lists(VALUES[task], min_size=2, max_size=4))
    found = agreed(task, *values)
    assert 0 <= score(found) <= 1
    for port in TASKS[task].outputs:
        check_output(task, port, found.values[port.name])
    assert found.agreement is not None
    assert found.agreement.dissent.items() <= found.agreement.experts.items()
    mixed = agreed(task, *data.draw(st.permutations(values)))
    assert score(mixed) == pytest.approx(score(found), abs=1e-6)


@pytest.mark.parametrize("task", VALUES)
@settings(max_examples=20, deadline=None)
@given(data=st.data(), count=st.integers(2, 4))
def test_equal_answers_agree_and_stand_as_they_are(task: str, data: st.DataObject, count: int) -> None:
    one = data.draw(VALUES[task])
    found = agreed(task, *[one] * count)
    assert (score(found), dict(found.values), found.agreement and found.agreement.dissent) == (1.0, one, {})
    rule = rule_for(TASKS[task], ENCODER)
    assert rule.merge([one[rule.port.name]] * count).score == pytest.approx(1.0)


@pytest.mark.parametrize("task", ["text-classification", "weigh", "sentence-similarity", "tabular-regression", "object-detection",
                                  "voice-activity-detection", "text-ranking"])  # fmt: skip
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_merged_values_are_the_same_in_any_order(task: str, data: st.DataObject) -> None:
    values = data.draw(st.lists(VALUES[task], min_size=2, max_size=4))
    port = "ranking" if task == "text-ranking" else TASKS[task].output.name

    def plain(found: Agreed) -> str:
        made = found.values[port]
        if task == "object-detection":
            made = [{**o, "label": o["label"].casefold()} for o in made]
        if task == "text-classification":  # a label is spelled as the first expert that lists it does
            made = [e.casefold() if isinstance(e, str) else {**e, "label": e["label"].casefold()} for e in made]
        return json.dumps(made, sort_keys=True)

    assert plain(agreed(task, *data.draw(st.permutations(values)))) == plain(agreed(task, *values))


def test_every_task_has_a_rule_or_a_reason_and_every_form_is_thought_of() -> None:
    for task in HUB_TASKS.values():
        if not incomparable(task):
            assert rule_for(task, ENCODER).definition.endswith(".")
    assert {t for t, _ in FORMS} - {t.name for t in HUB_TASKS.values() if incomparable(t)} <= VALUES.keys() | {
        "zero-shot-object-detection", "text-retrieval", "visual-document-retrieval"
    }  # fmt: skip


def labels(**scores: float) -> list[dict[str, Any]]:
    return [{"label": k, "score": v} for k, v in scores.items()]


def test_labels_are_averaged_and_what_is_not_listed_counts_as_nothing() -> None:
    found = agreed("text-classification", labels(cat=0.6, dog=0.4), labels(dog=0.5, bird=0.5))
    assert [e["label"] for e in found.values["labels"]] == ["dog", "cat", "bird"]
    assert [e["score"] for e in found.values["labels"]] == pytest.approx([0.45, 0.3, 0.25])
    assert score(found) == pytest.approx(0.5 * 0.4)  # one of two votes, times what both have in common


def test_labels_are_matched_by_spelling_only() -> None:
    assert score(agreed("text-classification", labels(Traffic_Light=1.0), [{"label": "traffic  light", "score": 1.0}])) == 1.0
    for other in ("1", "LABEL_2", "label1"):
        assert score(agreed("text-classification", labels(LABEL_1=1.0), [{"label": other, "score": 1.0}])) == 0.0
    found = agreed("text-classification", labels(LABEL_1=1.0), labels(LABEL_1=0.5))
    assert "have no names" in found.notes[0]


def test_label_sets_that_have_nothing_in_common_are_low_agreement() -> None:
    found = agreed("image-classification", labels(cat=0.9), [{"label": "tabby, tabby cat", "score": 0.8}], labels(**{"Egyptian cat": 0.7}))
    assert score(found) == 0.0
    assert found.values["labels"][0] == {"label": "cat", "score": pytest.approx(0.3)}
    assert found.notes[0].startswith("the experts disagree (agreement 0.00 of 1): m0/x says cat (0.90); m1/x says tabby, tabby cat")


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [
        ([], [], 1.0),
        ([], labels(a=1.0), 0.0),
        (labels(a=0.0), labels(a=0.0, b=0.0), 0.0),
        (["a", "b"], ["a"], 0.5),
        (["a"], labels(a=1.0), 1.0),
    ],
)
def test_labels_at_the_edges(one: Any, other: Any, wanted: float) -> None:
    assert score(agreed("fill-mask", one, other)) == wanted


def test_numbers() -> None:
    assert value("weigh", 1, 5, 100) == 5
    assert value("weigh", 1.0, 2.0) == 1.5
    assert score(agreed("weigh", 8, 10)) == pytest.approx(0.8)
    assert score(agreed("weigh", -1, 1)) == 0.0
    assert score(agreed("weigh", 0, 0.0)) == 1.0
    assert value("weigh", 1.7e308, 1.6e308) == pytest.approx(1.65e308)
    assert value("sentence-similarity", [0.1, 0.9], [0.3, 0.7], [0.2, 0.8]) == [0.2, 0.8]
    assert score(agreed("sentence-similarity", [0.1], [0.0])) == pytest.approx(0.9)
    assert value("tabular-regression", [1.0, 2.0], [3.0], [5.0, 6.0]) == [3.0, 4.0]
    assert value("tabular-regression", [1.0, 2.0], [3.0]) == [2.0]


def test_classes_are_voted_on() -> None:
    assert value("tabular-classification", ["a", "b"], ["A", "c"], ["d", "b"]) == ["a", "b"]
    assert score(agreed("tabular-classification", ["a", "b"], ["a", "c"])) == 0.5
    assert score(agreed("tabular-classification", [], ["a"])) == 0.0
    assert score(agreed("tabular-classification", [1], [True])) == 0.0


def test_forecasts_by_step_and_column() -> None:
    one, two, three = [{"y": 1.0}, {"y": 4.0}], [{"y": 2.0}, {"y": 5.0, "z": 1.0}], [{"y": 9.0}]
    assert value("time-series-forecasting", one, two, three) == [{"y": 2.0}, {"y": 4.5}]
    assert score(agreed("time-series-forecasting", [{"y": 0.1}, {"y": 10.0}], [{"y": 0.2}, {"y": 10.0}])) == pytest.approx(0.995)
    assert value("time-series-forecasting", [{"a": 1.0}], [{"b": 1.0}]) == [{"a": 1.0}]
    assert score(agreed("time-series-forecasting", [{"a": 1.0}], [{"b": 1.0}])) == 0.0


def thing(label: str, score_: float, x: int, y: int, side: int = 10) -> dict[str, Any]:
    return {"label": label, "score": score_, "box": {"xmin": x, "ymin": y, "xmax": x + side, "ymax": y + side}}


def test_objects_that_most_found() -> None:
    one = [thing("cat", 0.8, 0, 0), thing("dog", 0.9, 50, 50)]
    two = [thing("Cat", 0.8, 2, 0), thing("bird", 0.9, 90, 90)]
    three = [thing("cat", 0.4, 4, 0), thing("dog", 0.5, 51, 50)]
    found = agreed("object-detection", one, two, three)
    cat, dog = sorted(found.values["objects"], key=lambda o: o["label"].casefold())
    assert cat["score"] == pytest.approx(2 / 3)
    assert cat["box"] == {"xmin": 2, "ymin": 0, "xmax": 12, "ymax": 10}  # (0.8 × 0 + 0.8 × 2 + 0.4 × 4) / 2, rounded
    assert (dog["label"], dog["score"]) == ("dog", 0.7)
    assert found.agreement is not None
    assert found.agreement.dissent == {"m1/x": "1 × Cat, 1 × bird"}
    assert found.agreement.score == pytest.approx(0.5)  # of each pair the boxes of one thing meet


def test_objects_of_one_place_and_two_labels_are_two_and_crowds_stay_crowds() -> None:
    assert value("object-detection", [thing("cat", 0.9, 0, 0)], [thing("dog", 0.9, 0, 0)]) == []
    crowd = [thing("man", 0.9, 0, 0), thing("man", 0.8, 2, 0), thing("man", 0.7, 40, 0)]
    shifted = [thing("man", 0.9, 0, 1), thing("man", 0.8, 2, 1), thing("man", 0.7, 40, 1)]
    found = agreed("object-detection", crowd, shifted)
    assert len(found.values["objects"]) == 3
    assert score(found) == 1.0
    assert score(agreed("object-detection", [], [])) == 1.0
    assert score(agreed("object-detection", [], crowd)) == 0.0


def point(label: str, x: float, y: float, figure: int = 0) -> dict[str, Any]:
    return {"label": label, "x": x, "y": y, "score": 0.5, "figure": figure}


def test_points_of_figures_that_are_counted_in_another_order() -> None:
    one = [point("nose", 0, 0, 0), point("nose", 100, 0, 1), point("ear", 101, 50, 1)]
    two = [point("nose", 101, 0, 0), point("ear", 100, 50, 0), point("nose", 1, 0, 1)]
    found = agreed("keypoint-detection", one, two)
    made = {(p["label"], p["x"]): p["figure"] for p in found.values["keypoints"]}
    assert made.keys() == {("nose", 0.5), ("nose", 100.5), ("ear", 100.5)}
    assert made["nose", 100.5] == made["ear", 100.5] != made["nose", 0.5]
    assert score(found) == 1.0
    assert score(agreed("keypoint-detection", one, [point("nose", 60, 30)])) == 0.0


def test_entities_by_span_and_label() -> None:
    whole = "Anna Bell lives in Rome"
    anna = {"label": "PER", "score": 0.9, "start": 0, "end": 9, "text": whole[:9]}
    short = {"label": "PER", "score": 0.6, "start": 0, "end": 4, "text": whole[:4]}
    rome = {"label": "LOC", "score": 0.8, "start": 19, "end": 23, "text": whole[19:]}
    found = agreed("token-classification", [anna, rome], [anna], [{**rome, "label": "ORG"}, {**anna, "end": 8, "text": whole[:8]}])
    (one,) = found.values["entities"]
    assert (one["start"], one["end"], one["text"], one["score"]) == (0, 9, "Anna Bell", pytest.approx(0.9))
    assert value("token-classification", [anna], [short]) == []
    assert score(agreed("token-classification", [anna], [rome])) == 0.0


def speech(*stretches: tuple[float, float], **more: str) -> list[dict[str, Any]]:
    return [{"start": s, "end": e, **more} for s, e in stretches]


def test_speech_where_most_hear_it() -> None:
    found = agreed("voice-activity-detection", speech((0, 4)), speech((2, 6)), speech((3, 8)))
    assert found.values["segments"] == speech((2.0, 6.0))
    assert score(agreed("voice-activity-detection", speech((0, 4)), speech((2, 6)))) == pytest.approx(1 / 3)
    assert score(agreed("voice-activity-detection", speech((0, 2), (2, 4)), speech((0, 4)))) == 1.0
    assert score(agreed("voice-activity-detection", [], speech((0, 4)))) == 0.0
    assert score(agreed("voice-activity-detection", speech((0, 4), label="A"), speech((0, 4), label="B"))) == 0.0
    assert value("voice-activity-detection", speech((0, 4), label="A"), speech((1, 4), label="a")) == speech((1.0, 4.0), label="A")


def ranking(*order: int) -> dict[str, Any]:
    return {"best": f"text {order[0]}", "ranking": _ranked(order, [0.9] * 9)}


def test_rankings_by_mean_rank_and_the_best_follows() -> None:
    found = agreed("text-ranking", ranking(0, 1, 2), ranking(1, 0, 2), ranking(1, 2, 0))
    assert [r["index"] for r in found.values["ranking"]] == [1, 0, 2]
    assert [r["score"] for r in found.values["ranking"]] == pytest.approx([5 / 6, 0.5, 1 / 6])
    assert found.values["best"] == "text 1"
    assert score(found) == pytest.approx((2 / 3 + 1 / 3 + 2 / 3) / 3)
    assert score(agreed("text-ranking", ranking(0, 1, 2), ranking(2, 1, 0))) == 0.0
    assert [r["index"] for r in value("text-retrieval", _ranked([4, 2], [1, 1]), _ranked([2, 7], [1, 1]))] == [2, 4, 7]


def test_other_ports_come_from_the_expert_whose_answer_it_is() -> None:
    found = agreed("question-answering", {"answer": "no", "score": 0.9}, {"answer": "Yes", "score": 0.4}, {"answer": "yes", "score": 0.3})
    assert found.values == {"answer": "Yes", "score": 0.4}
    assert score(found) == pytest.approx(1 / 3)


def test_json_of_no_form() -> None:
    one, two, three = {"go": [1.0, 2.0], "to": "A"}, {"go": [1.0, 1.0], "to": "a"}, {"stop": True}
    assert value("robotics", one, two, three) == one
    assert score(agreed("robotics", one, two)) == pytest.approx((0.75 + 1) / 2)
    assert score(agreed("robotics", [], {})) == 0.0
    deep: Any = []
    for _ in range(900):
        deep = [deep]
    assert agreed("robotics", deep, [deep]).values["actions"] in (deep, [deep])


def test_thousands_of_things_are_compared_by_neighbours_only(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0
    closeness = found.ENTITIES.closeness

    def counted(a: Any, b: Any) -> float:
        nonlocal asked
        asked += 1
        return closeness(a, b)

    monkeypatch.setattr(found, "ENTITIES", replace(found.ENTITIES, closeness=counted))
    tagged = [_entity([10 * i, 10 * i + 6], "PER", 0.5) for i in range(2000)]
    shifted = [_entity([10 * i + 1, 10 * i + 7], "PER", 0.5) for i in range(2000)]
    assert score(agreed("token-classification", tagged, shifted)) == 1.0
    assert asked < 20 * 2000


def test_of_very_many_objects_the_surest_are_compared() -> None:
    many = [thing("cat", i / 1000, 100 * i, 0) for i in range(310)]
    merged = agreed("object-detection", many, many[1:])
    assert len(merged.values["objects"]) == 300
    assert "the 300 surest finds" in merged.notes[0]


def test_scores_that_are_no_probabilities_are_left_out_of_the_comparison() -> None:
    raw = labels(positive=3.7)
    some = agreed("text-classification", raw, labels(dog=1.0), labels(dog=1.0, cat=0.0))
    assert some.values["labels"][0]["label"] == "dog"
    assert some.agreement is not None
    assert list(some.agreement.experts) == ["m1/x", "m2/x"]
    assert some.agreement.failures == {"m0/x": "its scores, as 3.7, are not between 0 and 1 and cannot be compared"}
    assert some.nearest in (1, 2)
    one = agreed("text-classification", raw, labels(dog=1.0))
    assert (one.values["labels"], one.agreement) == (labels(dog=1.0), None)
    none = agreed("text-classification", raw, raw)
    assert (none.values["labels"], none.agreement) == (raw, None)
    assert "could not be compared" in none.notes[0]


@pytest.mark.parametrize("huge", [1e308, -1e308, 10**400])
def test_a_score_that_no_model_can_mean_is_refused(huge: float) -> None:
    with pytest.raises(ExpertError, match="no labels"):
        check_output("text-classification", HUB_TASKS["text-classification"].output, labels(a=huge))
    check_output("text-classification", HUB_TASKS["text-classification"].output, labels(a=-7.5))
