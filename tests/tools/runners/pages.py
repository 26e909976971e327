"""Printed pages and calls of the embedded experts, for the tests beside this file."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from langchain_hugginggpt.index.card import ModelCard
from langchain_hugginggpt.tools.artifacts import Artifact, ArtifactStore
from langchain_hugginggpt.tools.hub_tasks import HUB_TASKS
from langchain_hugginggpt.tools.runners.embedded import EmbeddedRunner
from langchain_hugginggpt.tools.runners.embedded.table import EXPERTS
from langchain_hugginggpt.tools.runners.runner import RunnerOutput

RECEIPT = (
    "CORNER GROCERY",
    "14 Mill Lane, Marlow",
    "Date: 12/03/2024",
    ("Bread", "2.40"),
    ("Milk 2 x 1.10", "2.20"),
    ("Subtotal", "20.00"),
    ("TOTAL", "23.40"),
    ("Cash", "30.00"),
    ("Change", "6.60"),
    "Thank you for shopping",
)
NOTICE = (
    "The library is closed on Monday because the",
    "heating has to be repaired. Please use the side",
    "entrance on Tuesday morning.",
    "Yours sincerely,",
    "Anna Marsh",
)


def printed(lines: Sequence[str | tuple[str, str]], *, size: int = 28, width: int = 760) -> Image.Image:
    """A white page; a pair stands at the left and right margin of one line."""
    step = int(size * 1.7)
    page = Image.new("RGB", (width, 80 + len(lines) * step), "white")
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(size)
    for n, line in enumerate(lines):
        left, right = (line, "") if isinstance(line, str) else line
        draw.text((40, 40 + n * step), left, "black", font=font)
        draw.text((width - 40 - draw.textlength(right, font=font), 40 + n * step), right, "black", font=font)
    return page


def turned(page: Image.Image, degrees: float) -> Image.Image:
    """The page turned counter-clockwise on a white ground."""
    return page.rotate(degrees, expand=True, fillcolor="white", resample=Image.Resampling.BICUBIC)


def as_read(lines: Sequence[str | tuple[str, str]]) -> list[str]:
    return [line if isinstance(line, str) else " ".join(line) for line in lines]


def stored(store: ArtifactStore, page: Image.Image) -> Artifact:
    out = io.BytesIO()
    page.save(out, "PNG")
    return store.put(out.getvalue(), name="page.png")


def embedded_card(task: str) -> ModelCard:
    return ModelCard(id=EXPERTS[task].card_id, task=task)


def do(runner: EmbeddedRunner, task: str, **inputs: Any) -> RunnerOutput:
    """Run the embedded expert of a task."""
    return runner.run(HUB_TASKS.find(task), embedded_card(task), inputs)


def cases(name: str) -> Any:
    """A JSON file beside this one."""
    return json.loads((Path(__file__).parent / name).read_text(encoding="utf-8"))
