"""What each hosted task is asked, and what must come out: the server answers from what it is sent (tests/hosted_replies.py)."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from langchain_hugginggpt.tools.artifacts import Artifact, ArtifactStore
from langchain_hugginggpt.tools.media import load_image, wav_bytes
from langchain_hugginggpt.tools.task import Kind
from tests.hosted_replies import MP4


class Files:
    """Files that tasks are run on; no package is needed but what the toolkit has anyway."""

    def __init__(self, store: ArtifactStore) -> None:
        self.store = store

    @staticmethod
    def drawn() -> Image.Image:
        """96 x 64 pixels: a red square on grey."""
        image = Image.new("RGB", (96, 64), (200, 200, 200))
        ImageDraw.Draw(image).rectangle((8, 16, 39, 47), fill=(220, 30, 30))
        return image

    def saved(self, name: str, image: Image.Image | None = None, **options: Any) -> Artifact:
        """A picture; the format by the name's suffix."""
        out = io.BytesIO()
        (image or self.drawn()).save(out, Path(name).suffix[1:].upper().replace("JPG", "JPEG"), **options)
        return self.store.put(out.getvalue(), name=name)

    @cached_property
    def picture(self) -> Artifact:
        """`drawn` as PNG."""
        return self.saved("shapes.png")

    @cached_property
    def lying(self) -> Artifact:
        """`drawn` lying on its side, with EXIF data that turn it upright."""
        exif = Image.Exif()
        exif[0x0112] = 6
        return self.saved("lying.jpg", self.drawn().transpose(Image.Transpose.ROTATE_90), exif=exif, quality=95)

    @cached_property
    def sound(self) -> Artifact:
        """Two seconds at 16 kHz."""
        return self.store.put(wav_bytes(b"\x00\x10" * 32_000, rate=16_000), name="tone.wav")

    @cached_property
    def video(self) -> Artifact:
        """As far as can be told from outside."""
        return self.store.put(MP4, name="clip.mp4")


Inputs = Callable[[Files], Mapping[str, Any]]
Check = Callable[[Mapping[str, Any], Files], None]


@dataclass(frozen=True, kw_only=True)
class HostedCase:
    """A task, its arguments, and what must hold of the output by port."""

    task: str
    inputs: Inputs
    check: Check
    kind: str = ""

    @property
    def id(self) -> str:
        return self.task + (f"--{self.kind}" if self.kind else "")


def _gives(**expected: Any) -> Check:
    def check(values: Mapping[str, Any], files: Files) -> None:
        assert {k: v for k, v in values.items() if k in expected} == expected

    return check


def _scores(**expected: float) -> Check:
    def check(values: Mapping[str, Any], files: Files) -> None:
        assert [e["label"] for e in values["labels"]] == list(expected)
        assert [e["score"] for e in values["labels"]] == pytest.approx(list(expected.values()), abs=0.001)

    return check


def _seconds(seconds: float, rate: int) -> Check:
    def check(values: Mapping[str, Any], files: Files) -> None:
        assert values["audio"].media_type == "audio/wav"
        assert values["audio"].size == 44 + 2 * seconds * rate

    return check


def _colour(colour: tuple[int, int, int]) -> Check:
    def check(values: Mapping[str, Any], files: Files) -> None:
        assert load_image(values["image"]).getpixel((5, 5)) == colour

    return check


def _same_picture(values: Mapping[str, Any], files: Files) -> None:
    assert values["image"].media_type == "image/jpeg"  # as the server sent it
    image = load_image(values["image"])
    assert image.size == (96, 64)
    red, green, _ = image.getpixel((20, 30))  # type: ignore[misc]
    assert red > 180
    assert green < 80


def _grey(values: Mapping[str, Any], files: Files) -> None:
    red, green, blue = load_image(values["image"]).getpixel((20, 30))  # type: ignore[misc]
    assert max(red, green, blue) - min(red, green, blue) < 5


def _a_clip(values: Mapping[str, Any], files: Files) -> None:
    assert values["video"].kind is Kind.VIDEO
    assert values["video"].read_bytes() == MP4


def _two_masks(values: Mapping[str, Any], files: Files) -> None:
    assert values["regions"] == [{"label": "background", "score": None}, {"label": "square", "score": 0.5}]
    masks = [Image.open(m.path) for m in values["masks"]]
    assert [(m.format, m.mode, m.size) for m in masks] == [("PNG", "L", (96, 64))] * 2
    assert [m.getpixel((20, 30)) for m in masks] == [0, 255]
    assert [m.getpixel((2, 2)) for m in masks] == [255, 0]


_NAMES = "Ünlü Ada met Bob."
_ROWS = [{"city": "Paris", "people": 2.1}, {"city": "Rome", "people": 2.8}, {"city": None}]
_ROOMS = [{"size": 40, "floor": 1}, {"size": 80, "floor": 2}]
_SQUARE = [{"label": "square", "score": 0.98, "box": {"xmin": 8, "ymin": 16, "xmax": 40, "ymax": 48}}]


def _case(task: str, inputs: Mapping[str, Any] | Inputs, check: Check, kind: str = "") -> HostedCase:
    given: Inputs = inputs if callable(inputs) else lambda _: inputs
    return HostedCase(task=task, inputs=given, check=check, kind=kind)


CASES = (
    _case("text-classification", {"text": "a good film"}, _scores(POSITIVE=0.9, NEGATIVE=0.1)),
    _case(
        "zero-shot-classification", {"text": "all about sports", "candidate_labels": ["food", "sports"]}, _scores(sports=0.75, food=0.25)
    ),
    _case("zero-shot-classification", {"text": "anything", "candidate_labels": ["one"]}, _scores(one=1.0), "one-label"),
    _case(
        "token-classification",
        {"text": _NAMES},
        _gives(
            entities=[
                {"label": "PER", "score": 0.9, "start": 0, "end": 4, "text": "Ünlü"},
                {"label": "PER", "score": 0.9, "start": 5, "end": 8, "text": "Ada"},
                {"label": "PER", "score": 0.9, "start": 13, "end": 16, "text": "Bob"},
            ]
        ),
    ),
    _case("token-classification", {"text": "no names here"}, _gives(entities=[]), "none"),
    _case("question-answering", {"question": "Where is Ada?", "context": "Ada is in Paris now."}, _gives(answer="Paris", score=0.75)),
    _case("table-question-answering", {"question": "How many people live in Rome?", "table": _ROWS}, _gives(answer="2.8")),
    _case("translation", {"text": "Hello", "source_language": "en", "target_language": "de"}, _gives(text="en>de: Hello")),
    _case("translation", {"text": "Hello", "target_language": "de"}, _gives(text=">: Hello"), "half-told"),
    _case("summarization", {"text": "A cat sat. It slept."}, _gives(summary="A cat sat.")),
    _case("feature-extraction", {"text": "two words"}, _gives(embedding=[9.0, 2.0, 1.0])),
    _case("sentence-similarity", {"source_sentence": "a cat", "sentences": ["a cat", "the dog"]}, _gives(scores=[1.0, 0.0])),
    _case("fill-mask", {"text": "Paris is the ___ of France."}, _scores(capital=0.7, heart=0.2)),
    _case("text-generation", {"prompt": "Sum up.", "context": "A text."}, _gives(text="You sent: Sum up.\n\nA text.")),
    _case("automatic-speech-recognition", lambda f: {"audio": f.sound}, _gives(text="2 seconds at 16000")),
    _case("audio-classification", lambda f: {"audio": f.sound}, _scores(long=0.75, short=0.25)),
    _case("audio-to-audio", lambda f: {"audio": f.sound}, _seconds(2, 16_000)),
    _case("text-to-speech", {"text": "three words here"}, _seconds(3, 8_000)),
    _case("text-to-audio", {"prompt": "rain falls"}, _seconds(2, 8_000)),
    _case("image-classification", lambda f: {"image": f.picture}, _scores(grey=0.8333, red=0.1667)),
    _case("object-detection", lambda f: {"image": f.picture}, _gives(objects=_SQUARE)),
    _case("object-detection", lambda f: {"image": f.lying}, lambda v, f: _near_square(v), "turned"),
    _case("image-segmentation", lambda f: {"image": f.picture}, _two_masks),
    _case("image-to-text", lambda f: {"image": f.lying}, _gives(text="a picture of 96 by 64")),
    _case("text-to-image", {"prompt": "a red wall"}, _colour((255, 0, 0))),
    _case("text-to-image", {"prompt": "a red wall", "negative_prompt": "red"}, _colour((0, 0, 0)), "negative"),
    _case("image-to-image", lambda f: {"image": f.picture}, _same_picture),
    _case("image-to-image", lambda f: {"image": f.picture, "prompt": "grey"}, _grey, "prompted"),
    _case("image-to-video", lambda f: {"image": f.picture, "prompt": "it turns"}, _a_clip),
    _case("text-to-video", {"prompt": "a cat runs"}, _a_clip),
    _case(
        "zero-shot-image-classification", lambda f: {"image": f.picture, "candidate_labels": ["blue", "red"]}, _scores(red=0.75, blue=0.25)
    ),
    _case("visual-question-answering", lambda f: {"image": f.lying, "question": "Red?"}, _gives(answer="Red? 96x64")),
    _case("document-question-answering", lambda f: {"image": f.picture, "question": "Sum?"}, _gives(answer="Sum? 96x64", score=0.5)),
    _case("tabular-classification", {"table": _ROOMS}, _gives(predictions=["small", "big"])),
    _case("tabular-regression", {"table": _ROOMS}, _gives(predictions=[80.0, 160.0])),
    _case("image-text-to-text", lambda f: {"image": f.lying, "prompt": "What?"}, _gives(text="You sent: 96x64; What?")),
    _case("audio-text-to-text", lambda f: {"audio": f.sound, "question": "What?"}, _gives(text="You sent: 2 s of wav; What?")),
    _case(
        "video-text-to-text",
        lambda f: {"video": f.video, "question": "What?"},
        _gives(text=f"You sent: a video of {len(MP4)} bytes; What?"),
    ),
    _case("any-to-any", lambda f: {"prompt": "Hi"}, _gives(text="You sent: Hi")),
    _case(
        "any-to-any",
        lambda f: {"prompt": "Hi", "image": f.picture, "audio": f.sound},
        _gives(text="You sent: 96x64; 2 s of wav; Hi"),
        "files",
    ),
)


def _near_square(values: Mapping[str, Any]) -> None:
    """JPEG blurs the sides of the square by a pixel."""
    assert {k: pytest.approx(v, abs=1) for k, v in _SQUARE[0]["box"].items()} == values["objects"][0]["box"]  # type: ignore[attr-defined]
