"""How each task is answered: from what was sent, so that a wrong request gets a wrong answer or none.

Whatever the client library has an output type for is made of that type.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
import re
import wave
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import huggingface_hub as hf
import numpy as np
from PIL import Image

from langchain_hugginggpt.tools.media import wav_bytes

CHATS = ("text-generation", "image-text-to-text", "any-to-any", "audio-text-to-text", "video-text-to-text")
"""Tasks that are answered in conversation."""

MP4 = b"\0\0\0\x18ftypisom\0\0\0\0isomiso2" + b"\0\0\0\x08moov" + b"\0\0\0\x0cmdat\1\2\3\4"
"""Boxes of a video, as far as they can be told from outside."""

Given = tuple[bytes, str] | Any
"""Content with its type, or what is written as JSON."""


class Refused(Exception):
    """What a server says to a request that it does not like."""

    def __init__(self, words: str, status: int = 400) -> None:
        super().__init__(words)
        self.status = status


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """The body as JSON."""
        if self.headers.get("content-type") != "application/json":
            raise Refused(f"JSON is wanted, not {self.headers.get('content-type')}", 415)
        read: dict[str, Any] = json.loads(self.body)
        return read

    @property
    def text(self) -> str:
        """`inputs`, a text."""
        text = self.json["inputs"]
        if not isinstance(text, str) or not text:
            raise Refused("inputs must be a text")
        return text

    @property
    def parameters(self) -> dict[str, Any]:
        """As JSON; empty where the body is a file."""
        if self.headers.get("content-type") != "application/json":
            return {}
        found: dict[str, Any] = self.json.get("parameters", {})
        return found

    def file(self, kind: str) -> bytes:
        """A file as the body, with its type, or in base64 as `inputs`."""
        given = self.headers.get("content-type")
        if given == "application/json":
            return decoded(self.json["inputs"])
        if given is None or not given.startswith(kind + "/"):
            raise Refused(f"Content type {given!r} not supported", 415)
        return self.body

    def picture(self) -> Image.Image:
        """A picture as the body."""
        return opened(self.file("image"))

    def sound(self) -> tuple[int, float]:
        """Rate and seconds of a wav file as the body."""
        return measured(self.file("audio"))


Reply = Callable[[Asked], Given]


def decoded(text: str) -> bytes:
    """Of base64."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError, TypeError) as e:
        raise Refused("no base64") from e


def opened(data: bytes) -> Image.Image:
    """A picture as a server reads it: it does not turn it upright."""
    try:
        return Image.open(io.BytesIO(data)).convert("RGB")
    except OSError as e:
        raise Refused("cannot identify image file") from e


def measured(data: bytes) -> tuple[int, float]:
    """Rate and seconds of a wav file."""
    try:
        with wave.open(io.BytesIO(data)) as f:
            return f.getframerate(), f.getnframes() / f.getframerate()
    except (wave.Error, EOFError) as e:
        raise Refused("Soundfile is either not in the correct format or is malformed") from e


def png(image: Image.Image) -> bytes:
    """As a file."""
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def red(image: Image.Image) -> Any:
    """Where a picture is red: an array of booleans, rows first."""
    at = np.asarray(image).astype(int)
    return (at[..., 0] > 150) & (at[..., 1] < 100) & (at[..., 2] < 100)


def _labels(one: Callable[..., Any], scores: Mapping[str, float]) -> list[Any]:
    return [one(label=label, score=score) for label, score in scores.items()]


def _feeling(asked: Asked) -> Given:
    good = asked.text.lower().count("good")
    scores = {"POSITIVE": 0.9 if good else 0.2, "NEGATIVE": 0.1 if good else 0.8}
    best = sorted(scores.items(), key=lambda e: -e[1])[: asked.parameters.get("top_k", 1)]
    return [_labels(hf.TextClassificationOutputElement, dict(reversed(best)))]  # in any order: not every server sorts


def _choice(one: Callable[..., Any], asked: Asked, text: str) -> Given:
    labels = asked.parameters["candidate_labels"]
    weights = {label: (3.0 if label in text else 1.0) for label in labels}
    return _labels(one, {label: w / sum(weights.values()) for label, w in weights.items()})


def _entities(asked: Asked) -> Given:
    if asked.parameters.get("aggregation_strategy") not in ("simple", "first", "average", "max"):
        raise Refused("this would be B- and I- pieces")
    return [
        hf.TokenClassificationOutputElement(entity_group="PER", score=0.9, word=m[0].lower(), start=m.start(), end=m.end())
        for m in re.finditer(r"\b[A-ZÜ]\w+\b", asked.text)
    ]


def _answer(asked: Asked) -> Given:
    question, context = asked.json["inputs"]["question"], asked.json["inputs"]["context"]
    words = [m for m in re.finditer(r"\w+", context) if m[0][0].isupper() and m[0].lower() not in question.lower()]
    return hf.QuestionAnsweringOutputElement(answer=words[-1][0], score=0.75, start=words[-1].start(), end=words[-1].end())


def _cell(asked: Asked) -> Given:
    table = asked.json["inputs"]["table"]
    if not all(isinstance(c, str) for column in table.values() for c in column):
        raise Refused("cells must be texts")
    names, numbers = list(table.values())[:2]
    row = next((i for i, name in enumerate(names) if name in asked.json["inputs"]["query"]), 0)
    return hf.TableQuestionAnsweringOutputElement(answer=numbers[row], cells=[numbers[row]], coordinates=[[row, 1]], aggregator="NONE")


def _vector(asked: Asked) -> Given:
    return [[float(len(asked.text)), float(len(asked.text.split())), 1.0]]


def _similar(asked: Asked) -> Given:
    given = asked.json["inputs"]
    own = set(given["source_sentence"].lower().split())
    return [len(own & set(s.lower().split())) / len(own | set(s.lower().split())) for s in given["sentences"]]


def _blank(asked: Asked) -> Given:
    if "[MASK]" not in asked.text:
        raise Refused("No mask_token ([MASK]) found on the input")
    return [
        hf.FillMaskOutputElement(score=s, sequence=asked.text.replace("[MASK]", w), token=n, token_str=w)
        for n, (w, s) in enumerate({"capital": 0.7, "heart": 0.2}.items())
    ]


def _spoken(asked: Asked) -> Given:
    rate, seconds = asked.sound()
    return hf.AutomaticSpeechRecognitionOutput(text=f" {seconds:g} seconds at {rate}")


def _made_wav(seconds: float) -> bytes:
    return wav_bytes(b"\x10\x20" * int(seconds * 8_000), rate=8_000)


def _kinds_of_sound(asked: Asked) -> Given:
    _, seconds = asked.sound()
    return _labels(hf.AudioClassificationOutputElement, {"short": 0.25, "long": 0.75} if seconds > 1 else {"short": 1.0})


def _cleaned(asked: Asked) -> Given:
    sound = base64.b64encode(asked.file("audio")).decode()
    return [{"blob": sound, "content-type": "audio/wav", "label": "clean"}]


def _kinds_of_picture(asked: Asked) -> Given:
    share = float(red(asked.picture()).mean())
    return _labels(hf.ImageClassificationOutputElement, {"grey": 1 - share, "red": share})


def _objects(asked: Asked) -> Given:
    ys, xs = np.nonzero(red(asked.picture()))
    box = hf.ObjectDetectionBoundingBox(xmin=int(xs.min()), ymin=int(ys.min()), xmax=int(xs.max()) + 1, ymax=int(ys.max()) + 1)
    return [hf.ObjectDetectionOutputElement(label="square", score=0.98, box=box)]


def _masks(asked: Asked) -> Given:
    inside = red(asked.picture())
    made = {"background": ~inside, "square": inside}
    return [
        {
            "label": n,
            "score": None if n == "background" else 0.5,
            "mask": base64.b64encode(png(Image.fromarray(np.uint8(m) * 255))).decode(),
        }
        for n, m in made.items()
    ]


def _caption(asked: Asked) -> Given:
    image = asked.picture()
    return [hf.ImageToTextOutput(generated_text=f"a picture of {image.width} by {image.height}")]


def _painted(asked: Asked) -> Given:
    colour = "red" if "red" in asked.text else "blue"
    return png(Image.new("RGB", (32, 24), "black" if asked.parameters.get("negative_prompt") == colour else colour)), "image/png"


def _repainted(asked: Asked) -> Given:
    image = asked.picture()
    turned = image.convert("L").convert("RGB") if asked.parameters.get("prompt") == "grey" else image
    out = io.BytesIO()
    turned.save(out, "JPEG")
    return out.getvalue(), "image/jpeg"


def _animated(asked: Asked) -> Given:
    asked.picture()
    return MP4, "video/mp4"


def _seen(asked: Asked) -> Given:
    size, question = opened(decoded(asked.json["image"])).size, asked.json["question"]
    return [hf.VisualQuestionAnsweringOutputElement(answer=f"{question} {size[0]}x{size[1]}", score=s) for s in (0.25,)]


def _read(asked: Asked) -> Given:
    given = asked.json["inputs"]
    size = opened(decoded(given["image"])).size
    return [
        hf.DocumentQuestionAnsweringOutputElement(answer=a, score=s, start=0, end=1)
        for a, s in (("nothing", 0.1), (f"{given['question']} {size[0]}x{size[1]}", 0.5))
    ]


def _columns(asked: Asked) -> list[list[Any]]:
    table = asked.json["table"]
    return [list(row) for row in zip(*table.values(), strict=True)]


def _chatted(asked: Asked) -> Given:
    content = asked.json["messages"][-1]["content"]
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    said = [_part(part) for part in parts]
    message = hf.ChatCompletionOutputMessage(role="assistant", content="You sent: " + "; ".join(said))
    choice = hf.ChatCompletionOutputComplete(finish_reason="stop", index=0, message=message)
    usage = hf.ChatCompletionOutputUsage(prompt_tokens=7, completion_tokens=11, total_tokens=18)
    return hf.ChatCompletionOutput(choices=[choice], created=1, id="1", model="m", system_fingerprint="f", usage=usage)


def _part(part: Mapping[str, Any]) -> str:
    if part["type"] == "text":
        return str(part["text"])
    if part["type"] == "image_url":
        return "x".join(map(str, opened(_of_url(part["image_url"]["url"], "image")).size))
    if part["type"] == "input_audio":
        given = part["input_audio"]
        return f"{measured(decoded(given['data']))[1]:g} s of {given['format']}"
    if part["type"] == "video_url":
        return f"a video of {len(_of_url(part['video_url']['url'], 'video'))} bytes"
    raise Refused(f"unknown content part {part['type']}", 422)


def _of_url(url: str, kind: str) -> bytes:
    head, _, body = url.partition(",")
    if not head.startswith(f"data:{kind}/") or not head.endswith(";base64"):
        raise Refused("addresses are not fetched here")
    return decoded(body)


REPLIES: Mapping[str, Reply] = {
    "chat": _chatted,
    "text-generation": lambda a: [{"generated_text": a.text + " and so on"}],
    "text-classification": _feeling,
    "zero-shot-classification": lambda a: _choice(hf.ZeroShotClassificationOutputElement, a, a.text),
    "token-classification": _entities,
    "question-answering": _answer,
    "table-question-answering": _cell,
    "translation": lambda a: [
        hf.TranslationOutput(translation_text="{src_lang}>{tgt_lang}: ".format(**{"src_lang": "", "tgt_lang": "", **a.parameters}) + a.text)
    ],
    "summarization": lambda a: [hf.SummarizationOutput(summary_text=a.text.split(".")[0] + ".")],
    "feature-extraction": _vector,
    "sentence-similarity": _similar,
    "fill-mask": _blank,
    "automatic-speech-recognition": _spoken,
    "audio-classification": _kinds_of_sound,
    "audio-to-audio": _cleaned,
    "text-to-speech": lambda a: (_made_wav(len(a.text.split())), "audio/wav"),
    "text-to-audio": lambda a: (_made_wav(len(a.text.split())), "audio/wav"),
    "image-classification": _kinds_of_picture,
    "object-detection": _objects,
    "image-segmentation": _masks,
    "image-to-text": _caption,
    "text-to-image": _painted,
    "image-to-image": _repainted,
    "image-to-video": _animated,
    "text-to-video": lambda a: (MP4 if a.text else b"", "video/mp4"),
    "zero-shot-image-classification": lambda a: _choice(
        hf.ZeroShotImageClassificationOutputElement, a, "red" if red(a.picture()).any() else "grey"
    ),
    "visual-question-answering": _seen,
    "document-question-answering": _read,
    "tabular-classification": lambda a: ["big" if float(row[0]) > 50 else "small" for row in _columns(a)],
    "tabular-regression": lambda a: [2.0 * float(row[0]) for row in _columns(a)],
}
"""By Hub task, and `chat`."""
