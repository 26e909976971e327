"""Tiny models of the tasks in tools/runners/local/video."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import transformers as T

from tests.local_models.case import Case
from tests.local_models.samples import Samples
from tests.local_models.text import labels, save

SMALL: dict[str, Any] = {
    "image_size": 32, "patch_size": 16, "num_frames": 4, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
    "intermediate_size": 37,
}  # fmt: skip


def processor() -> Any:
    return T.VideoMAEImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})


def videomae(folder: Path) -> None:
    save(folder, processor(), T.VideoMAEForVideoClassification(T.VideoMAEConfig(tubelet_size=2, **SMALL, **labels("run", "jump"))))


def timesformer(folder: Path) -> None:
    save(folder, processor(), T.TimesformerForVideoClassification(T.TimesformerConfig(**SMALL, **labels("run", "jump"))))


def two_classes(values: Mapping[str, Any], samples: Samples) -> None:
    assert {e["label"] for e in values["labels"]} == {"run", "jump"}
    assert sum(e["score"] for e in values["labels"]) == pytest.approx(1, abs=0.01)
    assert values["labels"][0]["score"] >= values["labels"][1]["score"]


CASES: tuple[Case, ...] = (
    Case(
        task="video-classification",
        kind="videomae",
        build=videomae,
        inputs=lambda s: {"video": s.video},
        check=two_classes,
        live="MCG-NJU/videomae-base-finetuned-kinetics",
        live_check=lambda v, s: None,
        half=True,
    ),
    Case(
        task="video-classification",
        kind="timesformer",
        build=timesformer,
        inputs=lambda s: {"video": s.video},
        check=two_classes,
        half=True,
    ),
)
