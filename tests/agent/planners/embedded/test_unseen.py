"""Tasks that training never saw."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from langchain_hugginggpt.agent import EmbeddedPlanner, Request
from langchain_hugginggpt.agent.planners.embedded.scoring import Scorer, Scores
from langchain_hugginggpt.agent.planners.embedded.telling import tell
from langchain_hugginggpt.agent.planners.embedded.unseen import FEATURES, Unseen, parts_of
from langchain_hugginggpt.index.minilm import MiniLM
from langchain_hugginggpt.tools import HUB_TASKS, HubTask, Kind, Port, TaskTable
from tests.agent.planners.embedded.blank import TASKS, weights
from tests.fakes import file

CALORIES = HubTask(
    name="calorie-estimation",
    summary="Estimate how many calories a dish has.",
    inputs=(Port(name="recipe", kind=Kind.TEXT),),
    outputs=(Port(name="calories", kind=Kind.TEXT),),
)
STARS = HubTask(
    name="starIdentification",
    summary="Name the stars in a photo of the night sky.",
    inputs=(Port(name="photo", kind=Kind.IMAGE),),
    outputs=(Port(name="stars", kind=Kind.TEXT),),
)
MIXED = TaskTable([*(HUB_TASKS[n] for n in TASKS), CALORIES, STARS])
NEAR = np.array([20, 0, 0, 0, 0, 0, 0, 0, -10], np.float32)  # asked for from a cosine of 0.5 on
FOOD = "Read me the menu, and estimate how many calories the dish has."


@pytest.fixture(scope="module")
def encoder() -> MiniLM:
    return MiniLM()


def scored(table: TaskTable, rows: list[int], text: str, encoder: MiniLM, **own: object) -> tuple[Scores, Scores]:
    """As the network says, and with what the unseen tasks get."""
    told = tell(Request(text=text))
    scores = Scorer(weights(own_bias=own.get("bias", [0, 0, 0, 0])), table, encoder).score(told)
    return scores, Unseen(table, rows, NEAR, encoder).score(told, scores)


def test_a_task_is_found_by_what_it_says_of_itself(encoder: MiniLM) -> None:
    before, after = scored(MIXED, [4, 5], FOOD, encoder)
    assert after.tasks[4] > 0 > after.tasks[5]
    assert after.tasks[:4].tolist() == (before.tasks[:4] - 3).tolist()  # doubtful, beside one that is clear
    assert FOOD.index("estimate") <= after.places[4] < len(FOOD)
    assert after.places[4] == after.peaks[4]
    assert after.places[:4].tolist() == before.places[:4].tolist()
    near = int(np.abs(before.characters - after.places[4]).argmin())
    assert after.spots[4] == pytest.approx(near / 40)
    assert before.tasks[4] == 0  # what came in was not changed
    _, after = scored(MIXED, [4, 5], "Name the stars in this photo of the night sky", encoder)
    assert after.tasks[5] > 0 > after.tasks[4]


def test_a_known_task_that_was_heard_in_the_same_words_loses(encoder: MiniLM) -> None:
    told = tell(Request(text=FOOD))
    scores = Scorer(weights(), MIXED, encoder).score(told)
    at = np.array([FOOD.index("menu"), FOOD.index("calories"), *[0] * 4], np.float32)
    sure = np.array([5, 5, 5, 5, 0, 0], np.float32)
    after = Unseen(MIXED, [4, 5], NEAR, encoder).score(told, replace(scores, peaks=at, tasks=sure))
    assert after.tasks[:4].tolist() == [5, 2, 5, 5]
    far = Unseen(MIXED, [4, 5], NEAR - np.eye(FEATURES, dtype=np.float32)[-1] * 20, encoder).score(told, replace(scores, peaks=at))
    assert far.tasks[:4].tolist() == [0, 0, 0, 0]  # nobody asks for calories now


def test_features(encoder: MiniLM) -> None:
    request = Request(text=FOOD, files=(file("sky.jpg", "image/jpeg"),))
    told = tell(request)
    scores = Scorer(weights(own_bias=[2, 0, -1, 0]), MIXED, encoder).score(told)
    parts = parts_of(told.text)
    found, heard = Unseen(MIXED, [4, 5], NEAR, encoder).features(parts, told, scores, [4, 5])
    assert found.shape == (2, FEATURES)
    (calories, stars) = found
    assert "calories" in parts[heard[0]][0]
    vectors = encoder.encode([p for p, _ in parts])
    texts = [CALORIES.summary.rstrip("."), f"calorie estimation. {CALORIES.summary}"]
    best = (vectors @ encoder.encode(texts).T).max()
    assert calories[0] == pytest.approx(best, abs=1e-5)
    assert calories[1] > 0 > stars[1]  # nearer than any known task, there
    assert calories[2] > 0 > stars[2]  # nearer than the other, there
    assert calories[3] == pytest.approx(1 / (1 + np.exp(-2)))  # how sure the known ones are
    assert calories[4:6].tolist() == [0, 0]
    assert stars[4:6].tolist() == [0, 1]  # the picture that it takes is given
    assert calories[6] == pytest.approx((vectors @ encoder.encode(["calorie estimation"]).T).max(), abs=1e-5)
    assert calories[7] > 0 > stars[7]
    assert [calories[8], stars[8]] == [1, 1]
    bare = tell(Request(text=FOOD))
    (_, lacking), _ = Unseen(MIXED, [4, 5], NEAR, encoder).features(parts, bare, scores, [4, 5])
    assert lacking[4:6].tolist() == [1, 0]


def test_a_table_of_unseen_tasks_only(encoder: MiniLM) -> None:
    planner = EmbeddedPlanner(encoder, replace(weights(), head=weights().head | {"unseen.weight": NEAR}))
    table = TaskTable([CALORIES, STARS])
    plan = planner.plan(Request(text="Estimate how many calories this dish has: 'lentil soup with bread'"), table)
    assert [(t.task, t.arguments) for t in plan.tasks] == [("calorie-estimation", {"recipe": "lentil soup with bread"})]
    plan = planner.plan(Request(text="Name the stars in this photo of the night sky", files=(file("sky.jpg", "image/jpeg"),)), table)
    assert [(t.task, t.arguments) for t in plan.tasks] == [("starIdentification", {"photo": "sky.jpg"})]
    alone = TaskTable([CALORIES])
    found, _ = Unseen(alone, [0], NEAR, encoder).features([("soup", 0)], tell(Request(text="soup")), _blank(alone, encoder), [0])
    assert found[0, 1] == found[0, 2] == found[0, 7] == found[0, 0]  # nothing to compare with


def _blank(table: TaskTable, encoder: MiniLM) -> Scores:
    return Scorer(weights(), table, encoder).score(tell(Request(text="soup")))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Read it. Then say it, and sing it", [("Read it.", 0), ("Then say it, and sing it", 9), ("say it", 14), ("sing it", 26)]),
        ("Read  it and\tsay it", [("Read it and say it", 0), ("Read it", 0), ("say it", 13)]),  # white space of any kind
        ("", [(".", 0)]),
        ("Go. Go. Go.", [("Go.", 0)]),
    ],
)
def test_parts_of_a_request(text: str, parts: list[tuple[str, int]]) -> None:
    assert parts_of(text) == parts


def test_parts_are_never_many() -> None:
    assert len(parts_of("one, two, three, four. " * 100 + ", ".join(f"word{i}" for i in range(200)))) <= 24
