"""What was found, drawn on a copy of the picture."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from PIL import Image

from langchain_hugginggpt.index.card import ModelCard
from langchain_hugginggpt.tools.artifacts import Artifact, ArtifactStore
from langchain_hugginggpt.tools.drawing import drawn
from langchain_hugginggpt.tools.errors import MediaError
from langchain_hugginggpt.tools.experts import Candidate, Experts
from langchain_hugginggpt.tools.hub_tasks import HUB_TASKS
from langchain_hugginggpt.tools.runners.runner import NewMedia
from langchain_hugginggpt.tools.tool import HubTaskTool
from tests.fakes import ScriptedRunner


def png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path)


@pytest.fixture
def white(store: ArtifactStore) -> Artifact:
    return store.put(png(Image.new("RGB", (200, 100), "white")), name="white.png")


def picture(task: str, source: Artifact, values: dict[str, Any]) -> Image.Image:
    (made,) = drawn(HUB_TASKS[task], {"image": source}, values)
    assert made.media_type == "image/jpeg"
    return Image.open(io.BytesIO(made.data)).convert("RGB")


def is_white(image: Image.Image, at: tuple[int, int]) -> bool:
    """JPEG keeps colours nearly."""
    brightness = min(cast("tuple[int, ...]", image.getpixel(at)))
    assert brightness > 245 or brightness < 215, "neither white nor drawn on"
    return brightness > 245


def box(label: str, *corners: int, score: float = 0.9) -> dict[str, Any]:
    return {"label": label, "score": score, "box": dict(zip(("xmin", "ymin", "xmax", "ymax"), corners, strict=True))}


def test_boxes_are_drawn_where_they_are_and_nothing_else(white: Artifact) -> None:
    image = picture("object-detection", white, {"objects": [box("cat", 50, 40, 150, 90)]})
    assert image.size == (200, 100)
    assert not is_white(image, (100, 90))  # the lower edge
    assert not is_white(image, (150, 65))  # the right one
    assert is_white(image, (130, 75))  # inside
    assert is_white(image, (20, 70))  # outside
    other = picture("object-detection", white, {"objects": [box("cat", 50, 40, 150, 90), box("dog", 10, 60, 30, 95)]})
    cat, dog = (np.array(other.getpixel(at), int) for at in ((100, 90), (20, 95)))
    assert np.abs(cat - dog).max() > 60  # another colour for another label


def test_masks_tint_what_they_cover(white: Artifact) -> None:
    mask = Image.new("L", (200, 100), 0)
    mask.paste(255, (0, 0, 100, 100))
    file = NewMedia(data=png(mask), media_type="image/png", name="m.png")
    for task, values in (
        ("image-segmentation", {"masks": [file], "regions": [{"label": "sky", "score": 0.9}]}),
        ("mask-generation", {"masks": [file]}),
    ):
        image = picture(task, white, values)
        assert not is_white(image, (5, 90))
        assert is_white(image, (150, 90))


def test_points(white: Artifact) -> None:
    image = picture("keypoint-detection", white, {"keypoints": [{"label": "nose", "x": 60.0, "y": 30.0, "score": 1.0, "figure": 0}]})
    assert not is_white(image, (60, 30))
    assert is_white(image, (80, 50))


def test_a_large_picture_is_drawn_small_and_the_places_move_with_it(store: ArtifactStore) -> None:
    large = store.put(png(Image.new("RGB", (4000, 2000), "white")), name="large.png")
    image = picture("object-detection", large, {"objects": [box("cat", 1000, 800, 3000, 1800)]})
    assert image.size == (2000, 1000)
    assert any(not is_white(image, (1000, y)) for y in range(897, 904))


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1)])
def test_odd_pictures_and_odd_boxes_are_drawn(size: tuple[int, int], store: ArtifactStore) -> None:
    source = store.put(png(Image.new("RGB", size, "white")), name="odd.png")
    objects = [box("a long label that does not fit anywhere " * 5, 0, 0, *size), box("", -5, -5, 9999, 9999), box("字 🦊", 5, 5, 1, 1)]
    assert picture("zero-shot-object-detection", source, {"objects": objects}).size == size


def test_nothing_found_nothing_drawn(white: Artifact) -> None:
    assert drawn(HUB_TASKS["object-detection"], {"image": white}, {"objects": []}) == ()
    assert drawn(HUB_TASKS["image-classification"], {"image": white}, {"labels": [{"label": "a", "score": 1.0}]}) == ()


def test_a_mask_that_is_no_picture_costs_the_drawing_only(white: Artifact) -> None:
    bad = NewMedia(data=b"\x89PNG\r\n\x1a\nx", media_type="image/png", name="m.png")
    with pytest.raises(MediaError, match="cannot be drawn"):
        drawn(HUB_TASKS["mask-generation"], {"image": white}, {"masks": [bad]})


def called(task: str, store: ArtifactStore, source: Artifact, values: dict[str, Any]) -> Any:
    runner = ScriptedRunner({"a/b": values})
    tool = HubTaskTool(HUB_TASKS[task], experts=Experts(lambda: pytest.fail("no index"), [runner]), store=store)
    candidates = [Candidate(card=ModelCard(id="a/b", task=task), runner=runner, score=1.0, why="")]
    return tool.invoke({"type": "tool_call", "id": "1", "name": task, "args": {"image": source.id, "candidates": candidates}})


def test_whoever_runs_the_task_the_picture_comes_with_the_result(store: ArtifactStore) -> None:
    source = store.put(png(Image.new("RGB", (200, 100), "white")), name="white.png")
    message = called("object-detection", store, source, {"objects": [box("cat", 50, 40, 150, 90)]})
    (view,) = message.artifact["artifacts"]
    assert view["media_type"] == "image/jpeg"
    assert list(message.artifact["output"]) == ["objects"]  # no port carries it
    assert f"picture that shows it: {view['id']}" in message.content
    assert "cat (0.90) at 50, 40 to 150, 90" in message.content


def test_no_masks_are_a_result(store: ArtifactStore) -> None:
    source = store.put(png(Image.new("RGB", (20, 10), "white")), name="white.png")
    message = called("mask-generation", store, source, {"masks": []})
    assert message.artifact["status"] == "ok"
    assert message.artifact["output"] == {"masks": []}
