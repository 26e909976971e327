"""Skeletons that are drawn of key points."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from langchain_hugginggpt.tools.runners.local.diffusion.skeleton import skeleton


def points(figure: int = 0, **places: tuple[float, float]) -> list[dict[str, Any]]:
    return [{"label": n, "x": x, "y": y, "score": 0.9, "figure": figure} for n, (x, y) in places.items()]


def at(drawn: Image.Image | None, x: float, y: float) -> tuple[int, ...]:
    assert drawn is not None
    return tuple(int(v) for v in np.asarray(drawn)[round(y), round(x)])


def test_a_skeleton_has_openpose_colours_at_the_right_places() -> None:
    """Sides are the person's own: the right arm is the warm one."""
    body = points(Nose=(50, 10), R_Shoulder=(30, 30), L_Shoulder=(70, 30), R_Elbow=(20, 60), right_wrist=(20, 90), L_Hip=(60, 90))
    drawn = skeleton(body, (100, 100))
    scale = 10.24
    assert drawn is not None
    assert drawn.size == (1024, 1024)
    assert at(drawn, 50 * scale, 10 * scale) == (255, 0, 0)  # nose
    assert at(drawn, 50 * scale, 30 * scale) == (255, 85, 0)  # neck: between the shoulders
    assert at(drawn, 30 * scale, 30 * scale) == (255, 170, 0)  # right shoulder
    assert at(drawn, 70 * scale, 30 * scale) == (85, 255, 0)  # left shoulder
    assert at(drawn, 40 * scale, 30 * scale) == (153, 0, 0)  # neck to right shoulder, dimmed
    assert at(drawn, 20 * scale, 75 * scale) == (153, 153, 0)  # right elbow to wrist
    assert at(drawn, 55 * scale, 60 * scale) == (0, 153, 153)  # neck to left hip
    assert at(drawn, 90 * scale, 90 * scale) == (0, 0, 0)


def test_unsure_points_and_other_marks_are_left_out() -> None:
    body = points(L_Hip=(10, 10), L_Knee=(10, 50), mark=(90, 90))
    sure = skeleton(body, (100, 50))
    assert sure is not None
    assert sure.size == (1024, 512)
    body[1]["score"] = 0.1
    assert skeleton(body, (100, 50)) is None
    assert skeleton([], (1, 1)) is None
    assert skeleton(points(mark=(1, 1), Nose=(2, 2)), (10, 10)) is None


def test_limbs_stay_within_a_body() -> None:
    two = [*points(0, L_Hip=(10, 10)), *points(1, L_Knee=(90, 90))]
    assert skeleton(two, (100, 100)) is None
    assert skeleton([*two, *points(1, L_Hip=(90, 10))], (100, 100)) is not None


@pytest.mark.parametrize("size", [(1, 1), (1, 100_000), (100_000, 1)])
def test_skeletons_of_every_size(size: tuple[int, int]) -> None:
    drawn = skeleton(points(L_Hip=(0, 0), L_Knee=(size[0], size[1])), size)
    assert drawn is not None
    assert max(drawn.size) == 1024
