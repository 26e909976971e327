"""Replies that are not what they should be: none becomes an output, and the next candidate runs."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PIL import Image

from langchain_hugginggpt.tools.media import wav_bytes
from langchain_hugginggpt.tools.runners.hosted import HostedRunner
from langchain_hugginggpt.tools.runners.hosted.table import HOSTED
from langchain_hugginggpt.tools.runners.runner import NewMedia
from tests.hosted_replies import MP4, png
from tests.hosted_server import Fault, HostedServer
from tests.tools.runners.hosted.cases import CASES, Files
from tests.tools.runners.hosted.conftest import Standby, values

_NAN = float("nan")
_WAV = wav_bytes(b"\0\1" * 800, rate=8_000)
_PNG = png(Files.drawn())


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _jpeg() -> bytes:
    out = io.BytesIO()
    Files.drawn().save(out, "JPEG")
    return out.getvalue()


def _chat(content: Any, **more: Any) -> dict[str, Any]:
    return {"choices": [{"finish_reason": "stop", "index": 0, "message": {"role": "assistant", "content": content}, **more}]}


_LABELS: tuple[Any, ...] = (
    [],
    [{"label": "a"}],
    [{"score": 0.5}],
    [{"label": None, "score": 0.5}],
    [{"label": "", "score": 0.5}],
    [{"label": "a", "score": "0.5"}],
    [{"label": "a", "score": True}],
    [{"label": "a", "score": _NAN}],
    [{"label": "a", "score": float("inf")}],
    [{"label": "a", "score": 3.2}],
    [{"label": "a", "score": -0.2}],
    [1, 2],
    ["a"],
    [[{"label": "a", "score": 0.5}]],
    {"label": "a", "score": 0.5},
)
_CHOSEN = (*_LABELS[1:6], [{"label": "other", "score": 1.0}], {"labels": ["a"], "scores": [1.0]})
_BOX = {"xmin": 1, "ymin": 1, "xmax": 9, "ymax": 9}
_ENTITY = {"entity_group": "PER", "score": 0.9, "word": "Ada", "start": 0, "end": 3}
_PICTURES = (b"", b"no picture", _PNG[:-1], _PNG[:60], _jpeg()[:-200], MP4, {"error": "out of memory"})
_SOUNDS = (b"", b"no sound", _WAV[:-9], _WAV[:44], _PNG, {"error": "out of memory"}, "<html></html>")
_VIDEOS = (b"", b"no video", MP4[:-1], MP4[:24], _PNG, _WAV, {"error": "out of memory"})
_CHATS: tuple[Any, ...] = (
    {},
    {"choices": []},
    {"choices": [{}]},
    {"choices": [1]},
    {"choices": "x"},
    _chat(None),
    _chat(""),
    _chat(" "),
    _chat(5),
    _chat("<think>so</think> "),
    _chat("x", finish_reason="content_filter"),
    [_chat("x")],
)

WRONG: dict[str, tuple[Any, ...]] = {
    "text-classification": (
        *([w] if isinstance(w, list) else w for w in _LABELS[:-2]),
        [{"label": None, "score": 0.9}, {"label": "b", "score": 0.1}],
    ),
    "zero-shot-classification": _CHOSEN,
    "zero-shot-image-classification": _CHOSEN,
    "audio-classification": _LABELS,
    "image-classification": _LABELS,
    "token-classification": tuple(
        [_ENTITY | wrong]
        for wrong in (
            {"start": None},
            {"end": None},
            {"start": -1},
            {"end": 99},
            {"start": 3},
            {"start": 1.5},
            {"start": "0"},
            {"score": None},
            {"score": _NAN},
            {"entity_group": None},
            {"entity_group": None, "entity": "B-PER"},
        )
    ),
    "question-answering": (
        {},
        [],
        {"answer": "x"},
        {"score": 0.5},
        {"answer": "", "score": 0.1},
        {"answer": 5, "score": 0.5},
        {"answer": "x", "score": _NAN},
    ),
    "table-question-answering": ({}, {"answer": None}, {"answer": ""}, [], [{"answer": "x"}]),
    "translation": ([], [{}], {}, [{"translation_text": None}], [{"translation_text": " "}], [[]]),
    "summarization": ([], [{}], {}, [{"summary_text": None}], [{"summary_text": ""}]),
    "feature-extraction": (
        [],
        {},
        [[]],
        "x",
        [1.0, None],
        [[1.0, _NAN]],
        [1e39],
        [[1.0], [1.0, 2.0]],
        [[[[1.0], [2.0]], [[1.0], [2.0]]]],
        ["a"],
        None,
        5.0,
    ),
    "sentence-similarity": ([], [1.0], [1.0, 0.5, 0.2], [1.0, None], [1.0, _NAN], [1.0, 7.0], {"a": 1}, ["1.0", "0.5"], [[1.0, 0.5]], None),
    "fill-mask": (
        [],
        {},
        [[]],
        [{"token_str": "a"}],
        [{"score": 0.5}],
        [{"token_str": " ", "score": 0.5}],
        [{"token_str": "a", "score": _NAN}],
        [1],
    ),
    "text-generation": _CHATS,
    "image-text-to-text": _CHATS,
    "audio-text-to-text": _CHATS,
    "video-text-to-text": _CHATS,
    "any-to-any": _CHATS,
    "automatic-speech-recognition": ({}, {"nope": 1}, {"text": None}, {"text": 5}, [], [{"text": "x"}], "x"),
    "audio-to-audio": (
        [],
        {},
        [{}],
        *([{"blob": _b64(s), "label": "x"}] for s in _SOUNDS if isinstance(s, bytes)),
        [{"blob": "x", "label": "x"}],
        [{"blob": 5}],
    ),
    "text-to-speech": _SOUNDS,
    "text-to-audio": _SOUNDS,
    "object-detection": (
        {},
        [{}],
        [{"label": "a", "score": 0.5}],
        [{"label": "a", "score": 0.5, "box": None}],
        [{"label": "a", "score": 0.5, "box": [1, 1, 9, 9]}],
        *(
            [{"label": "a", "score": 0.5, "box": _BOX | wrong}]
            for wrong in ({"xmin": None}, {"xmin": _NAN}, {"xmin": 9}, {"ymax": 0}, {"xmin": 96, "xmax": 120})
        ),
        [{"label": None, "score": 0.5, "box": _BOX}],
        [{"label": "a", "score": None, "box": _BOX}],
    ),
    "image-segmentation": (
        {},
        [{}],
        [{"label": "a", "score": 0.5, "mask": None}],
        [{"label": "a", "score": 0.5, "mask": "x"}],
        [{"label": "a", "score": 0.5, "mask": _b64(_PNG[:-30])}],
        [{"label": "a", "score": _NAN, "mask": _b64(_PNG)}],
        [{"label": None, "score": 0.5, "mask": _b64(_PNG)}],
        [{"label": "a", "score": 0.5, "mask": _b64(png(Image.new("L", (64, 96))))}],
    ),
    "image-to-text": ([], {}, [{}], [{"generated_text": None}], [{"generated_text": 5}], [[]]),
    "text-to-image": _PICTURES,
    "image-to-image": _PICTURES,
    "image-to-video": _VIDEOS,
    "text-to-video": _VIDEOS,
    "visual-question-answering": ([], {}, [{}], [{"score": 0.5}], [{"answer": None, "score": 0.5}], [{"answer": "x", "score": _NAN}], [1]),
    "document-question-answering": ([], {}, [{}], [{"answer": "x"}], [{"answer": None, "score": 0.5}], [{"answer": "x", "score": 2}], [1]),
    "tabular-classification": ([], ["a"], ["a", "b", "c"], ["a", None], ["a", {}], ["a", 1.5], {"a": 1}, "ab", None),
    "tabular-regression": ([], [1.0], [1.0, 2.0, 3.0], [1.0, None], [1.0, "2"], [1.0, _NAN], [1.0, True], {"a": 1}, None),
}
EVERYWHERE: tuple[Any, ...] = ("", "<html><body>Sign in</body></html>", b"\xff\xfe\x00", "[" * 5_000, 5, {"error": "CUDA out of memory"})


def _cases() -> Iterator[Any]:
    for task, bodies in WRONG.items():
        for n, body in enumerate((*bodies, *EVERYWHERE)):
            yield pytest.param(task, body, id=f"{task}-{n}")


def test_every_task_is_tried() -> None:
    assert set(WRONG) == set(HOSTED)


@pytest.mark.parametrize(("task", "body"), list(_cases()))
def test_a_wrong_reply_is_no_output(
    task: str, body: Any, hosted: HostedRunner, server: HostedServer, files: Files, called: Callable[..., Any]
) -> None:
    case = next(c for c in CASES if c.task == task)
    server.always[task] = Fault(status=200, body=body)
    tool, call = called(task, case.inputs(files), (hosted, server.url(task)), (Standby(_standing(task)), "lab/second"))
    message = tool.invoke(call)
    tried = message.artifact["attempts"]
    assert [a["model"] for a in tried] == [server.url(task), "lab/second"], message.artifact
    assert server.url(task) in tried[0]["error"]
    assert len(tried[0]["error"]) < 700
    assert tried[0]["error"].isprintable()
    assert values(task, message)


def _standing(task: str) -> dict[str, Any]:
    """An output that is right for a task, as another runner gives it."""
    sound = NewMedia(data=_WAV, media_type="audio/wav", name="a.wav")
    image = NewMedia(data=_PNG, media_type="image/png", name="a.png")
    video = NewMedia(data=MP4, media_type="video/mp4", name="a.mp4")
    lists: dict[str, Any] = {n: [] for n in ("labels", "entities", "objects", "masks", "regions", "scores", "embedding", "predictions")}
    return {**lists, "text": "t", "answer": "a", "summary": "s", "score": 0.5, "audio": sound, "image": image, "video": video}
