"""Tasks that are asked for in conversation, with files as parts of a message."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ....index.errors import ExpertError
from ...artifacts import Artifact
from ..runner import RunnerOutput
from .replies import part, sequence, shown, text
from .row import HostedRow, Inputs, Way
from .uploads import data_url, in_base64, picture, recording

CONTINUED = "the model was not asked in conversation: it goes on from the prompt rather than following it as an instruction"
THOUGHT = "the model's thoughts before its answer were left out"
CUT_OFF = "the text ends where the model was stopped, at its greatest length"
_THOUGHTS_END = "</think>"
_FORMATS = {"audio/wav": "wav", "audio/mpeg": "mp3", "audio/flac": "flac", "audio/ogg": "ogg", "audio/mp4": "m4a", "audio/webm": "webm"}

_Part = dict[str, Any]


def words(said: str) -> _Part:
    """A text as a part of a message."""
    return {"type": "text", "text": said}


def way(parts: Callable[[Inputs], list[_Part]]) -> Way:
    """A way to ask in conversation with one message of these parts."""

    def ask(inputs: Inputs) -> dict[str, Any]:
        made = parts(inputs)
        alone = len(made) == 1 and made[0]["type"] == "text"
        return {"messages": [{"role": "user", "content": made[0]["text"] if alone else made}]}  # not every server takes parts

    return Way(method="chat_completion", ask=ask, read=_read, served="conversational")


def _picture(artifact: Artifact) -> _Part:
    return {"type": "image_url", "image_url": {"url": data_url(picture(artifact))}}


def _recording(artifact: Artifact) -> _Part:
    form = _FORMATS.get(artifact.media_type)
    if form is None:
        raise ExpertError(
            f"{artifact.name!r} ({artifact.media_type}) is of no format that is sent in conversation.", remedy="Convert it to wav."
        )
    return {"type": "input_audio", "input_audio": {"data": in_base64(recording(artifact)), "format": form}}


def _video(artifact: Artifact) -> _Part:
    return {"type": "video_url", "video_url": {"url": data_url(recording(artifact))}}


_PARTS: dict[str, Callable[[Artifact], _Part]] = {"image": _picture, "audio": _recording, "video": _video}


def _about(ports: tuple[str, ...], said: str) -> Callable[[Inputs], list[_Part]]:
    """Files at these ports that were given, and after them what is said about them."""
    return lambda inputs: [*(_PARTS[p](inputs[p]) for p in ports if p in inputs), words(inputs[said])]


def _read(reply: Any, _: Inputs) -> RunnerOutput:
    choice = sequence(part(reply, "choices"), "choices", least=1)[0]
    message, reason = part(choice, "message"), part(choice, "finish_reason")
    if reason == "content_filter":
        raise ExpertError("the provider's filter held the answer back")
    content = part(message, "content")
    if content is None:
        raise ExpertError(f"it holds no text (it ended because of {shown(reason)})")
    thought, answer = _split(text(content, "the text"))
    notes = (*((THOUGHT,) if thought else ()), *((CUT_OFF,) if reason == "length" else ()))
    return RunnerOutput(values={"text": text(answer, "the text")}, notes=notes, usage=_usage(part(reply, "usage")))


def _split(content: str) -> tuple[bool, str]:
    """Whether a model wrote down its thoughts, and what it wrote after them."""
    found = content.rpartition(_THOUGHTS_END)
    return bool(found[1]), found[2]


def _usage(told: Any) -> dict[str, float]:
    """As far as it was told in numbers; dollars are called differently by different providers."""
    names = {"prompt_tokens": "input_tokens", "completion_tokens": "output_tokens", "estimated_cost": "usd", "cost": "usd"}
    found = {ours: part(told, theirs) for theirs, ours in names.items() if part(told, theirs) is not None}
    return {n: float(v) for n, v in found.items() if type(v) in (int, float) and math.isfinite(v) and v >= 0}


ROWS: tuple[HostedRow, ...] = tuple(
    HostedRow(task=task, ways=(way(_about(ports, said)),))
    for task, ports, said in (
        ("image-text-to-text", ("image",), "prompt"),
        ("audio-text-to-text", ("audio",), "question"),
        ("video-text-to-text", ("video",), "question"),
        ("any-to-any", ("image", "audio", "video"), "prompt"),
    )
)
