"""Speech to text."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ....artifacts import Artifact
from ...runner import RunnerOutput
from ..loaded import LoadedModel
from .windows import is_silent, long_enough, windows_at_pauses

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LONGEST_SECONDS = 30.0
_BEGIN_TOKENS = 8  # what Whisper's text begins with (language, task) and some room
_MOST_TOKENS = 900


def speech_recognition(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """The words of a recording of any length, in windows of at most 30 seconds that are cut where it is quiet.

    Silence is left out, since models put words into it; a recording of nothing else gives an empty text. A model of many languages
    listens to the first window for which it is; the others are taken to be in the same one.
    """
    recording: Artifact = inputs["audio"]
    rate = model.feature_extractor.sampling_rate
    recognise = model.pipeline("automatic-speech-recognition")
    options: dict[str, Any] | None = None
    texts: list[str] = []
    heard = 0
    for window in windows_at_pauses(recording, rate=rate, longest=_longest(model)):
        if is_silent(window, rate=rate):
            continue
        heard += 1
        window = long_enough(window, rate=rate)
        if options is None:
            options = _options(model, window, rate)
        texts.append(recognise({"raw": window, "sampling_rate": rate}, **options)["text"])
    text = joined(texts)
    notes: tuple[str, ...] = ()
    if not heard:
        notes = ("the recording is silent: there is nothing to transcribe",)
    elif not text:
        notes = ("no speech was recognised in the recording",)
    elif heard > 1:
        notes = (f"transcribed in {heard} parts, cut where the recording is quietest",)
    return RunnerOutput(values={"text": text}, notes=notes)


def joined(texts: list[str]) -> str:
    """Texts one after the other, with a space between them except between signs of scripts that are written without."""
    whole = ""
    for text in (t.strip() for t in texts):
        if whole and text and not (_is_wide(whole[-1]) and _is_wide(text[0])):
            whole += " "
        whole += text
    return whole


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in ("W", "F") and "HANGUL" not in unicodedata.name(character, "")


def _longest(model: LoadedModel) -> float:
    """Seconds that the model takes at once, at most 30."""
    return min(_LONGEST_SECONDS, float(getattr(model.feature_extractor, "chunk_length", None) or _LONGEST_SECONDS))


def _options(model: LoadedModel, window: NDArray[np.float32], rate: int) -> dict[str, Any]:
    """How a model that writes is to do so: as much as it can, and Whisper in the language that it hears."""
    if not model.model.can_generate():
        return {}
    options: dict[str, Any] = {"max_new_tokens": _room(model.config), "max_length": None}
    languages = getattr(model.model.generation_config, "lang_to_id", None)
    if model.config.model_type == "whisper" and getattr(model.model.generation_config, "is_multilingual", False) and languages:
        features = model.on_device(model.feature_extractor(window, sampling_rate=rate, return_tensors="pt"))
        heard = int(model.model.detect_language(input_features=features["input_features"])[0])
        options |= {"language": next(name for name, i in languages.items() if i == heard), "task": "transcribe"}
    return options


def _room(config: Any) -> int:
    """How many tokens a model may write for a window: those of its positions, but no more than thirty a second (some write letters)."""
    names = ("max_target_positions", "max_text_positions", "max_position_embeddings")
    found = (getattr(part, n, None) for part in (getattr(config, "decoder", None), config) for n in names)
    positions = next((int(p) for p in found if p), _MOST_TOKENS)
    return max(1, min(positions - _BEGIN_TOKENS, _MOST_TOKENS))
