"""Text to speech, whatever the kind of model."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ....audio import float_wav_bytes
from ....errors import InputError, ModelRefusedError
from ....sentences import sentences
from ...embedded.speech import speakable
from ...runner import NewMedia, RunnerOutput
from ...workers import check_abandoned
from ..loaded import LoadedModel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MOST_CHARACTERS = 50_000  # about an hour
_PAUSE_SECONDS = 0.25


@dataclass(frozen=True, kw_only=True)
class Voice:
    """What can say a sentence.

    Attributes:
        say: samples in [-1, 1] of a text without line breaks, of at most `longest` characters; no samples where it knows no sign of it.
        rate: samples a second.
        longest: characters that it says at once.
        unknown: the letters and digits of a text that it does not know, and so leaves out.
        notes: what a listener must know.
    """

    say: Callable[[str], NDArray[np.float32]]
    rate: int
    longest: int
    unknown: Callable[[str], set[str]]
    notes: tuple[str, ...] = ()


def text_to_speech(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """A text of any length read aloud, sentence by sentence, with short pauses between them.

    Raises:
        InputError: nothing in the text can be spoken.
        ModelRefusedError: the text is too long, in another language or in a script that the model does not know.
    """
    import numpy as np

    text = speakable(str(inputs["text"]))
    if not any(c.isalnum() for c in text):
        raise InputError("'text' holds nothing that can be spoken.", remedy="Give a text that has words.")
    if len(text) > _MOST_CHARACTERS:
        raise ModelRefusedError(
            f"'text' has {len(text):,} characters; {model.id!r} reads at most {_MOST_CHARACTERS:,} aloud.", remedy="Read a part of it."
        )
    voice = _voice(model, str(inputs.get("language") or ""))
    parts: list[NDArray[np.float32]] = []
    for piece in pieces(text, voice.longest):
        check_abandoned()
        said = voice.say(piece)
        if len(said):
            parts += [said, np.zeros(int(_PAUSE_SECONDS * voice.rate), np.float32)]
    unknown = sorted(voice.unknown(text))
    if not parts:
        raise ModelRefusedError(
            f"{model.id!r} knows no letter of 'text' ({text.strip()[:40]!r}).", remedy="Choose a model of the language of the text."
        )
    notes = voice.notes
    if unknown:
        more = ", …" if len(unknown) > 20 else ""
        notes = (*notes, f"left out, since the model does not know these signs: {', '.join(unknown[:20])}{more}")
    sound = float_wav_bytes(np.concatenate(parts[:-1]), rate=voice.rate)
    return RunnerOutput(values={"audio": NewMedia(data=sound, media_type="audio/wav", name="speech.wav")}, notes=notes)


def pieces(text: str, longest: int) -> list[str]:
    """The sentences of a text; those longer than `longest` characters are cut between words, and words longer than that too."""
    return [part for s in sentences(text) for part in textwrap.wrap(s, longest, break_on_hyphens=False)]


def _voice(model: LoadedModel, language: str) -> Voice:
    if model.config.model_type == "vits":
        from .vits import vits_voice

        return vits_voice(model, language)
    from .speecht5 import speecht5_voice

    voice = speecht5_voice(model)
    if not language:
        return voice
    told = f"{model.id!r} does not say which language it speaks; whether it is {language[:40]!r} is not known"
    return replace(voice, notes=(*voice.notes, told))
