"""Which tasks are taken, what flows between them, and in which order they run."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from langchain_hugginggpt.agent.planners.embedded.search import choose, complete, feasible, margin, ordered, wire
from langchain_hugginggpt.agent.planners.embedded.weights import Decoding
from langchain_hugginggpt.tools import HUB_TASKS, HubTask, Kind, Port

TASKS = [HUB_TASKS[n] for n in ("automatic-speech-recognition", "summarization", "text-to-speech", "image-classification")]
COST = Decoding(spoken=True, link=-0.4, parent=2.0, child=0.5)


def links(**scores: float) -> Any:
    """Logits by `_from_to`, -5 for the rest."""
    found = np.full((4, 4), -5.0, np.float32)
    for pair, score in scores.items():
        a, b = pair.strip("_").split("_")
        found[int(a), int(b)] = score
    return found


def test_links_fit_by_kind_have_no_cycle_and_cost_when_there_are_many() -> None:
    chosen = [0, 1, 2]
    assert wire(chosen, links(_0_1=3.0, _1_2=2.0, _0_2=0.5), TASKS, {Kind.AUDIO}, COST) == [(0, 1), (1, 2)]
    # speech gives audio, which a summary does not take; and recognition of the speech would close a circle
    assert wire(chosen, links(_0_1=3.0, _1_2=2.0, _2_0=1.9, _2_1=9.0), TASKS, {Kind.AUDIO}, COST) == [(0, 1), (1, 2)]
    # one parent costs nothing, a second child a little, a second parent much
    assert wire(chosen, links(_0_1=3.0, _0_2=2.0, _1_2=0.9), TASKS, {Kind.AUDIO}, COST) == [(0, 1), (0, 2)]
    assert wire(chosen, links(_0_1=3.0, _0_2=0.0), TASKS, {Kind.AUDIO}, COST) == [(0, 1)]  # 0.0 - 0.5 is below -0.4
    assert wire(chosen, links(_0_1=3.0, _0_2=0.0), TASKS, {Kind.AUDIO}, Decoding(spoken=True, child=0.3)) == [(0, 1), (0, 2)]


def test_what_is_not_chosen_is_not_linked() -> None:
    assert wire([0, 2], links(_0_1=9.0, _1_2=9.0), TASKS, {Kind.AUDIO}, COST) == []
    assert wire([0], links(_0_0=9.0), TASKS, {Kind.AUDIO}, COST) == []


def test_a_parent_of_a_kind_that_is_there_costs_more_and_a_task_that_lacks_its_input_takes_one_rather() -> None:
    scores = links(_0_2=3.0, _1_2=2.5)
    assert wire([0, 1, 2], scores, TASKS, {Kind.AUDIO, Kind.TEXT}, Decoding(spoken=True, parent=0.5)) == [(0, 2), (1, 2)]
    assert wire([0, 1, 2], scores, TASKS, {Kind.AUDIO, Kind.TEXT}, Decoding(spoken=True, parent=0.5, full=3.0)) == [(0, 2)]
    weak = links(_0_1=-1.0)
    assert wire([0, 1], weak, TASKS, {Kind.AUDIO}, Decoding(spoken=True)) == []
    assert wire([0, 1], weak, TASKS, {Kind.AUDIO}, Decoding(spoken=True, lacking=1.0)) == [(0, 1)]
    assert wire([0, 1], weak, TASKS, {Kind.AUDIO, Kind.TEXT}, Decoding(spoken=True, lacking=1.0)) == []


def test_a_task_that_nothing_feeds_takes_its_best_parent() -> None:
    assert wire([0, 2], links(), TASKS, {Kind.TEXT}, COST) == [(2, 0)]  # recognition needs a recording: only the speech makes one
    assert wire([0, 2], links(), TASKS, {Kind.AUDIO}, COST) == []
    assert wire([0, 1], links(), TASKS, set(), COST) == []  # nothing makes a recording; a text may come out of the request's own words


def test_a_table_can_be_read_as_text() -> None:
    table = HubTask(
        name="table", summary="", inputs=(Port(name="i", kind=Kind.IMAGE),), outputs=(Port(name="o", kind=Kind.TABLE),)
    )  # fmt: skip
    assert wire([0, 1], links(_0_1=1.0), [table, TASKS[1]], {Kind.IMAGE}, COST) == [(0, 1)]
    assert wire([0, 1], links(_1_0=1.0), [table, TASKS[1]], {Kind.IMAGE}, COST) == []


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(-6, 6, width=32), min_size=16, max_size=16), st.sets(st.sampled_from(list(Kind))))
def test_every_plan_can_be_run_in_some_order(scores: list[float], kinds: set[Kind]) -> None:
    chosen = [0, 1, 2, 3]
    found = wire(chosen, np.array(scores, np.float32).reshape(4, 4), TASKS, kinds, Decoding(spoken=True, link=-9.0, parent=0, child=0))
    assert len(set(found)) == len(found)
    order = ordered(chosen, found, np.array([3, 2, 1, 0], np.float32))
    assert sorted(order) == chosen
    assert all(order.index(a) < order.index(b) for a, b in found)


def test_order_is_that_of_the_words_where_links_leave_it_free() -> None:
    places = np.array([50, 10, 30, 5], np.float32)
    assert ordered([0, 1, 2], [(0, 1)], places) == [2, 0, 1]
    for chosen in permutations([0, 1, 2, 3]):
        assert ordered(chosen, [], places) == [3, 1, 2, 0]
    assert ordered([], [], places) == []


def test_by_how_much_a_choice_was_made() -> None:
    scores = np.array([3, 1, -9], np.float32)
    assert [margin(scores, chosen) for chosen in ([0, 1], [0], [0, 2], [0, 1, 2])] == [1, -1, -9, -9]
    assert margin(scores[:1], [0]) == 3


def test_a_task_that_makes_what_another_lacks_is_put_in() -> None:
    tasks = [*TASKS, HUB_TASKS["visual-question-answering"], HUB_TASKS["text-to-image"], HUB_TASKS["unconditional-image-generation"]]
    scores = np.array([-1, -2, -3, -4, 2, -1.5, -1.7], np.float32)
    low = Decoding(maker=-2)
    assert complete([4], scores, tasks, {Kind.TEXT}, low) == [4, 5]  # an image is asked about, and none is there
    assert complete([4], scores, tasks, {Kind.IMAGE}, low) == [4]
    assert complete([4], scores, tasks, {Kind.TEXT}, Decoding(maker=-1)) == [4]  # too unlikely
    assert complete([4], -scores, tasks, {Kind.TEXT}, low) == [4, 6]  # the likeliest of those that make one
    assert complete([4, 3], scores, tasks, {Kind.TEXT}, low) == [4, 3, 5]  # one for both
    assert complete([4, 5], scores, tasks, {Kind.TEXT}, low) == [4, 5]
    assert complete([1], scores, tasks, {Kind.AUDIO}, low) == [1, 0]  # recognition makes text of the recording that is there


def test_what_is_chosen() -> None:
    assert choose(np.array([0.3, -0.2, 0.0, -3.0], np.float32), Decoding(node=-0.1)) == [0, 2]
    assert choose(np.array([-4.0, -3.0], np.float32), Decoding(spoken=True)) == [1]


def test_a_text_that_nothing_gives_comes_from_the_likeliest_task_that_makes_one() -> None:
    scores = np.array([-0.5, 3.0, -4.0, -5.0], np.float32)
    assert complete([1], scores, TASKS, {Kind.AUDIO}, Decoding(maker=-1.0)) == [1, 0]  # a summary of a recording: it is transcribed
    assert complete([1], scores, TASKS, {Kind.AUDIO}, Decoding(maker=0.0)) == [1, 0]  # the only bridge, though it is not likely
    assert complete([1], scores, TASKS, {Kind.AUDIO}, Decoding(maker=0.0, spoken=True)) == [1]
    assert complete([1], scores, TASKS, {Kind.TEXT}, Decoding(maker=-1.0)) == [1]


def test_what_no_file_can_feed_gives_way_to_what_one_can() -> None:
    scores = np.array([2.0, 1.0, -4.0, -6.0], np.float32)
    assert feasible([0], scores, TASKS, {Kind.IMAGE}) == [3]  # a picture is there and no recording
    assert feasible([0], scores, TASKS, {Kind.AUDIO}) == [0]
    assert feasible([0], scores, TASKS, {Kind.TEXT}) == [1]
    assert feasible([0], np.array([2.0, -4.0, -4.0, -6.0], np.float32), TASKS, {Kind.TEXT}) == [0]  # better to ask for the recording
    assert feasible([0], scores, TASKS, set()) == [0]
