"""Tasks on recordings."""

from __future__ import annotations

from typing import Any

from ....index.errors import ExpertError
from ...task import Kind
from ..runner import RunnerOutput
from .replies import file, labels, part, sequence, shown, text
from .row import HostedRow, Inputs, Way, Where, row
from .uploads import recording


def _heard(inputs: Inputs) -> dict[str, Any]:
    return {"audio": recording(inputs["audio"])}


def _to_classify(inputs: Inputs) -> dict[str, Any]:
    if inputs.get("candidate_labels"):
        raise ExpertError(
            "Hosted models have labels of their own for recordings.", remedy="Leave 'candidate_labels' out, or use a local model."
        )
    return _heard(inputs)


def _transcript(reply: Any, _: Inputs) -> RunnerOutput:
    words = text(part(reply, "text"), "the transcript", may_be_empty=True)  # nobody may have spoken
    return RunnerOutput(values={"text": words}, notes=() if words else ("it heard no words",))


def _changed(reply: Any, _: Inputs) -> RunnerOutput:
    tracks = sequence(reply, "recordings", least=1)
    made = [file(part(track, "blob"), Kind.AUDIO, f"track-{n}") for n, track in enumerate(tracks, 1)]
    names = ", ".join(shown(part(track, "label")) for track in tracks)
    return RunnerOutput(values={"audio": made[0]}, notes=(f"the first of {len(made)} recordings: {names}",) if len(made) > 1 else ())


def _sound(reply: Any, _: Inputs) -> RunnerOutput:
    return RunnerOutput(values={"audio": file(reply, Kind.AUDIO, "sound")})


ROWS: tuple[HostedRow, ...] = (
    row("automatic-speech-recognition", "automatic_speech_recognition", _heard, _transcript),
    row("audio-classification", "audio_classification", _to_classify, lambda reply, _: RunnerOutput(values={"labels": labels(reply)})),
    row("audio-to-audio", "audio_to_audio", _heard, _changed),
    row("text-to-speech", "text_to_speech", lambda i: {"text": i["text"]}, _sound),
    HostedRow(  # the client has no method for it, and no provider; at an endpoint it is what speech is: a text for a recording
        task="text-to-audio", ways=(Way(method="text_to_speech", ask=lambda i: {"text": i["prompt"]}, read=_sound, where=Where.ENDPOINT),)
    ),
)
