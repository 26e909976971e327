"""Skeletons of people as OpenPose draws them, of the key points of COCO."""

from __future__ import annotations

import colorsys
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL import Image

_JOINTS = (
    "nose", "neck", "right shoulder", "right elbow", "right wrist", "left shoulder", "left elbow", "left wrist", "right hip", "right knee",
    "right ankle", "left hip", "left knee", "left ankle", "right eye", "left eye", "right ear", "left ear",
)  # fmt: skip
"""In OpenPose's order, which gives them their colours: once around the circle of hues."""
_LIMBS = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13), (1, 0), (0, 14), (14, 16),
    (0, 15), (15, 17),
)  # fmt: skip
_SURE = 0.3
_SIDE = 1024
_THICKNESS = 8 / 512
"""Of limbs and joints, by the shorter side: what ControlNets for poses were trained on."""
_DIMMED = 0.6
_SIDES = {"l": "left", "r": "right"}
Point = tuple[float, float]


def skeleton(points: Sequence[Mapping[str, Any]], size: tuple[int, int]) -> Image.Image | None:
    """The bodies among key points, drawn on black.

    Args:
        points: of keypoint-detection (see `Keypoint`), in pixels. Those that are no joints, or that the model is not sure of, are left out.
        size: width and height of the picture that they are in.

    Returns:
        A picture in the proportions of `size`, its longer side 1,024 pixels; None where no two joints are there to draw a limb between.
    """
    from PIL import Image, ImageDraw

    scale = _SIDE / max(size)
    drawn = Image.new("RGB", (max(1, round(size[0] * scale)), max(1, round(size[1] * scale))))
    draw = ImageDraw.Draw(drawn)
    thick = max(2.0, _THICKNESS * min(drawn.size))
    limbs = 0
    for body in _bodies(points):
        at = {_JOINTS.index(name): (x * scale, y * scale) for name, (x, y) in body.items()}
        for number, (one, other) in enumerate(_LIMBS):
            if one in at and other in at:
                draw.line((at[one], at[other]), fill=_colour(number, _DIMMED), width=round(thick))
                limbs += 1
        for number, (x, y) in at.items():
            draw.ellipse((x - thick / 2, y - thick / 2, x + thick / 2, y + thick / 2), fill=_colour(number))
    return drawn if limbs else None


def _bodies(points: Sequence[Mapping[str, Any]]) -> list[dict[str, Point]]:
    """Joints of each body by their names, with a neck in the middle between the shoulders."""
    found: dict[int, dict[str, Point]] = {}
    for point in points:
        name = _joint(str(point["label"]))
        if name in _JOINTS and point["score"] >= _SURE:
            found.setdefault(int(point["figure"]), {}).setdefault(name, (float(point["x"]), float(point["y"])))
    for body in found.values():
        if "neck" not in body and "left shoulder" in body and "right shoulder" in body:
            (a, b), (c, d) = body["left shoulder"], body["right shoulder"]
            body["neck"] = ((a + c) / 2, (b + d) / 2)
    return list(found.values())


def _joint(label: str) -> str:
    """`L_Shoulder`, `left_shoulder` and `Left Shoulder` are `left shoulder`."""
    return " ".join(_SIDES.get(word, word) for word in re.findall(r"[a-z]+", label.lower()))


def _colour(number: int, light: float = 1.0) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(number / len(_JOINTS), 1.0, light)
    return round(red * 255), round(green * 255), round(blue * 255)
