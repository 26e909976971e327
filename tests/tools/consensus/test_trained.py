"""Agreement of classifiers that have really learned: the agreed answer is as good as the best one's, and better where they agree."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import transformers

from langchain_hugginggpt.index import ModelCard
from langchain_hugginggpt.tools import HUB_TASKS, ArtifactStore, Candidate, Experts, HubTaskTool, LocalRunner
from tests.local_models.panels import DIGIT_PANEL, build_digits, held_out_digits
from tests.local_models.trained import picture_of

TASK = "image-classification"
HELD_OUT = 200
PANEL = [m for m in DIGIT_PANEL if m.name != "vit"]  # the one that takes long to train
NOISE = 0.35


@dataclass(frozen=True, kw_only=True)
class Read:
    """One picture: what it is, what each expert said, the agreed label, and the agreement."""

    right: str
    said: dict[str, str]
    agreed: str
    score: float


def no_index() -> Any:
    raise AssertionError("candidates are given")


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> list[Read]:
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    root: Path = tmp_path_factory.mktemp("panel")
    ids = build_digits(root, held_out=HELD_OUT, panel=PANEL)
    runner, store = LocalRunner(models=[root], device="cpu"), ArtifactStore(root)
    tool = HubTaskTool(HUB_TASKS[TASK], experts=Experts(no_index, [runner]), store=store)
    candidates = [Candidate(card=ModelCard(id=i, task=TASK), runner=runner, score=1.0, why="") for i in ids]
    chance = np.random.default_rng(0)
    made = []
    for picture, right in zip(*held_out_digits(HELD_OUT), strict=True):
        encoded = io.BytesIO()
        picture_of(np.clip(picture + chance.normal(0, NOISE, picture.shape), 0, 1), 8).save(encoded, "PNG")
        file = store.put(encoded.getvalue(), name="digit.png", media_type="image/png")
        arguments = {"image": file.id, "candidates": candidates, "agree": len(ids)}
        result = tool.invoke({"type": "tool_call", "id": "1", "name": TASK, "args": arguments}).artifact
        said = {m: s.split()[0] for m, s in result["agreement"]["experts"].items()}
        made.append(Read(right=right, said=said, agreed=result["output"]["labels"][0]["label"], score=result["agreement"]["score"]))
    return made


def accuracy(labels: list[str], read: list[Read]) -> float:
    return sum(label == r.right for label, r in zip(labels, read, strict=True)) / len(read)


def test_the_agreed_answer_is_as_good_as_the_best_single_one(read: list[Read]) -> None:
    single = {m: accuracy([r.said[m] for r in read], read) for m in read[0].said}
    assert len(single) == len(PANEL)
    assert max(single.values()) - min(single.values()) > 0.02, "the experts are of unequal quality"
    assert max(single.values()) < 0.99, "there is something to be won"
    assert accuracy([r.agreed for r in read], read) >= max(single.values()) - 0.02, single  # room for chance: 4 of 200 pictures


def test_where_they_agree_more_they_are_right_more_often(read: list[Read]) -> None:
    ordered = sorted(read, key=lambda r: r.score)
    low, high = ordered[: HELD_OUT // 3], ordered[-HELD_OUT // 3 :]
    assert accuracy([r.agreed for r in high], high) > accuracy([r.agreed for r in low], low) + 0.05
