"""What was found in a picture, drawn on a copy of it, for people to look at. The same for every runner."""

from __future__ import annotations

import colorsys
import io
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .artifacts import Artifact
from .errors import MediaError
from .media import load_image
from .runners.runner import NewMedia
from .task import HubTask, Kind

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

    Color = tuple[int, int, int]

_LONGEST_SIDE = 2_000  # pixels; larger pictures are drawn on at this size
_MOST = 200  # boxes, masks or points that are drawn
_VEIL = 110  # of 255: how much of a mask's colour covers the picture


def drawn(task: HubTask, inputs: Mapping[str, Any], values: Mapping[str, Any]) -> tuple[NewMedia, ...]:
    """Pictures that show an output, as JPEG.

    Args:
        task: the task.
        inputs: by input port, as runners get them.
        values: by output port, as runners give them; they have been checked.

    Returns:
        One picture for tasks that find something in one (objects, key points, regions, masks) and did; else none.

    Raises:
        MediaError: the picture cannot be read any more, or a mask is no picture.
    """
    draw = _DRAWN.get(task.name)
    source = next((inputs[p.name] for p in task.inputs if p.kind is Kind.IMAGE and isinstance(inputs.get(p.name), Artifact)), None)
    found = values.get(next((p.name for p in task.outputs), ""))
    if draw is None or source is None or not found:
        return ()
    picture = load_image(source)
    scale = min(1.0, _LONGEST_SIDE / max(picture.size))
    if scale < 1:
        picture = picture.resize((max(1, round(picture.width * scale)), max(1, round(picture.height * scale))))
    out = io.BytesIO()
    try:
        draw(picture, values, scale).save(out, "JPEG", quality=92, subsampling=0)  # twenty times as fast as PNG, a fifth of its size
    except (OSError, ValueError) as e:  # a mask that is no picture
        raise MediaError(f"What {task.name} gave cannot be drawn: {e}.") from e
    return (NewMedia(data=out.getvalue(), media_type="image/jpeg", name=f"{task.name}.jpg"),)


def _boxes(picture: Image.Image, values: Mapping[str, Any], scale: float) -> Image.Image:
    from PIL import ImageDraw

    pen = ImageDraw.Draw(picture)
    objects = values["objects"][:_MOST]
    colors = _colors([o["label"] for o in objects])
    wide = _line(picture)
    for one in reversed(objects):  # the surest on top
        corners = [one["box"][k] * scale for k in ("xmin", "ymin", "xmax", "ymax")]
        color = colors[one["label"]]
        pen.rectangle((min(corners[0], corners[2]), min(corners[1], corners[3]), max(corners[0::2]), max(corners[1::2])), None, color, wide)
    for one in reversed(objects):
        at = (one["box"]["xmin"] * scale, one["box"]["ymin"] * scale)
        _tag(pen, picture, at, f"{one['label']} {one['score']:.2f}", colors[one["label"]])
    return picture


def _points(picture: Image.Image, values: Mapping[str, Any], scale: float) -> Image.Image:
    from PIL import ImageDraw

    pen = ImageDraw.Draw(picture)
    points = values["keypoints"][: _MOST * 5]
    colors = _colors([str(p["figure"]) for p in points])
    reach = 2 * _line(picture)
    for p in points:
        x, y = p["x"] * scale, p["y"] * scale
        pen.ellipse((x - reach, y - reach, x + reach, y + reach), colors[str(p["figure"])], "white")
    return picture


def _masks(picture: Image.Image, values: Mapping[str, Any], _: float) -> Image.Image:
    from PIL import Image, ImageDraw

    regions = values.get("regions") or []
    names = [str(r["label"]) for r in regions] or [str(i + 1) for i in range(len(values["masks"]))]
    colors = _colors(names)
    places = []
    for file, name in zip(values["masks"][:_MOST], names, strict=False):
        with Image.open(io.BytesIO(file.data)) as opened:
            mask = opened.convert("L").resize(picture.size)
        picture.paste(Image.new("RGB", picture.size, colors[name]), mask=mask.point(lambda v: v * _VEIL // 255))
        if (box := mask.getbbox()) is not None:
            places.append((box, name))
    pen = ImageDraw.Draw(picture)
    for box, name in places:
        _tag(pen, picture, ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2), name, colors[name])
    return picture


def _tag(pen: ImageDraw.ImageDraw, picture: Image.Image, at: tuple[float, float], text: str, color: Color) -> None:
    """Words on a plate, kept inside the picture."""
    from PIL import ImageFont

    font = ImageFont.load_default(max(10, round(max(picture.size) / 50)))
    left, top, right, bottom = pen.textbbox((0, 0), text[:60], font=font)
    x = min(max(0.0, at[0]), max(0.0, picture.width - (right - left)))
    y = min(max(0.0, at[1]), max(0.0, picture.height - (bottom - top)))
    pen.rectangle((x, y, x + right - left + 2, y + bottom - top + 2), fill=color)
    pen.text((x + 1 - left, y + 1 - top), text[:60], fill="black" if sum(color) > 380 else "white", font=font)


def _line(picture: Image.Image) -> int:
    return max(1, round(max(picture.size) / 300))


def _colors(names: Sequence[str]) -> dict[str, Color]:
    """A colour for each name, apart from each other in the order in which they come (steps of the golden angle)."""
    step = (math.sqrt(5) - 1) / 2
    colors: dict[str, Color] = {}
    for i, name in enumerate(dict.fromkeys(names)):
        red, green, blue = colorsys.hsv_to_rgb((0.02 + i * step) % 1, 0.85, 0.9)
        colors[name] = (round(red * 255), round(green * 255), round(blue * 255))
    return colors


_DRAWN: Mapping[str, Callable[[Image.Image, Mapping[str, Any], float], Image.Image]] = {
    "object-detection": _boxes,
    "zero-shot-object-detection": _boxes,
    "keypoint-detection": _points,
    "image-segmentation": _masks,
    "mask-generation": _masks,
}
