"""Speech by espeak-ng, called in this process: https://github.com/espeak-ng/espeak-ng/blob/master/src/include/espeak-ng/speak_lib.h

The library comes with the package `espeakng-loader`. It is robotic, quick, and knows some hundred languages.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import re
import threading
from collections.abc import Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ....index.errors import ExpertError
from ...errors import InputError
from ...media import wav_bytes
from ..runner import NewMedia, RunnerOutput
from .inputs import text_of

if TYPE_CHECKING:
    from .engines import Engines

MAX_CHARACTERS = 20_000
"""Some twenty minutes of speech."""
WORDS_PER_MINUTE = 165

_SYNCHRONOUS, _DO_NOT_EXIT = 2, 0x8000
_UTF8, _RATE, _BY_CHARACTER = 1, 1, 1
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
_ALIASES = {"zh": "cmn", "zh-cn": "cmn", "zh-hk": "yue", "no": "nb", "en-uk": "en", "iw": "he", "in": "id"}
_FIRST_CHOICE = {"english": "en", "french": "fr", "spanish": "es", "portuguese": "pt", "chinese": "cmn", "norwegian": "nb"}
"""Languages with several voices."""
_COMMON = ("ar", "de", "en", "es", "fr", "hi", "it", "ja", "ko", "nl", "pl", "pt", "ru", "tr", "uk", "zh")
_PROCESS_LOCK = threading.Lock()
"""The library keeps its state in the process: one sentence at a time, whoever asks."""

_MARKUP = re.compile(r"[*_`#|<>~^\\•–—·▪◦‣=]+(?=\s|$)|(?:^|(?<=\s))[*_`#|<>~^\\•·▪◦‣=]+|\*\*|`")
_DASH = re.compile(r"\s+[-–—]+\s+")
_UNENDED = re.compile(r"(?<=[^\s.!?…:;,。！？、])[ \t]*\n+[ \t]*")


class _Voice(ctypes.Structure):
    """espeak_VOICE."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_void_p),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("xx1", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    )


class Speaker:
    """espeak-ng, loaded on first use. One text at a time, from any thread."""

    def speak(self, text: str, *, language: str = "en") -> tuple[bytes, int]:
        """16-bit little-endian mono samples, and their rate in Hz.

        Args:
            text: what to say.
            language: a language code such as `en`, `en-us`, `de`, `pt-br`, or the English name of a language.

        Raises:
            InputError: no voice speaks that language.
            ExpertError: the library refused the text.
        """
        with _PROCESS_LOCK:
            library, rate, voices = _library()
            voice = _voice_of(language, voices)
            heard: list[bytes] = []

            def take(samples: Any, count: int, _: Any) -> int:
                if count > 0 and samples:
                    heard.append(ctypes.string_at(samples, 2 * count))
                return 0

            callback = _CALLBACK(take)  # must outlive the call
            library.espeak_SetSynthCallback(callback)
            if library.espeak_SetVoiceByName(voice.encode()) != 0:
                raise ExpertError(f"espeak-ng has no voice {voice!r} although it lists one.", remedy="Choose another language.")
            library.espeak_SetParameter(_RATE, WORDS_PER_MINUTE, 0)
            data = text.encode("utf-8", errors="replace").replace(b"\0", b" ") + b"\0"
            failed = library.espeak_Synth(data, len(data), 0, _BY_CHARACTER, 0, _UTF8, None, None) or library.espeak_Synchronize()
            if failed:
                raise ExpertError(f"espeak-ng could not speak the text (error {failed}).")
        return b"".join(heard), rate


@lru_cache(maxsize=1)
def _library() -> tuple[ctypes.CDLL, int, dict[str, str]]:
    """The library, its sample rate in Hz, and its voice files by language. Begun once in a process: begun again, it may crash."""
    import espeakng_loader  # type: ignore[import-untyped]

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    library.espeak_Initialize.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_int]
    library.espeak_SetSynthCallback.argtypes = [_CALLBACK]
    library.espeak_SetVoiceByName.argtypes = [ctypes.c_char_p]
    library.espeak_ListVoices.argtypes = [ctypes.c_void_p]
    library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
    number, size, position, pointer = ctypes.c_uint, ctypes.c_size_t, ctypes.c_int, ctypes.c_void_p
    library.espeak_Synth.argtypes = [pointer, size, number, position, number, number, pointer, pointer]
    rate = library.espeak_Initialize(_SYNCHRONOUS, 0, os.fsencode(espeakng_loader.get_data_path()), _DO_NOT_EXIT)
    if rate <= 0:
        raise ExpertError(f"espeak-ng could not start (error {rate}).", remedy="Reinstall espeakng-loader.")
    return library, rate, _voices(library)


class SpeakText:
    """text-to-speech: a text read aloud as a wav file."""

    def __init__(self, _: Engines) -> None:
        self._speaker = Speaker()

    def __call__(self, inputs: Mapping[str, Any]) -> RunnerOutput:
        text = speakable(text_of(inputs, "text"))
        if not any(c.isalnum() for c in text):
            raise InputError("'text' holds nothing that can be spoken.", remedy="Give a text that has words.")
        if len(text) > MAX_CHARACTERS:
            raise InputError(
                f"The text has {len(text):,} characters; at most {MAX_CHARACTERS:,} are read aloud.",
                remedy="Summarise it first, or read a part.",
            )
        language = text_of(inputs, "language") if inputs.get("language") else "en"
        samples, rate = self._speaker.speak(text, language=language)
        if not samples:
            raise ExpertError("espeak-ng made no sound of the text.", remedy="Give the language of the text.")
        return RunnerOutput(values={"audio": NewMedia(data=wav_bytes(samples, rate=rate), media_type="audio/wav", name="speech.wav")})


def speakable(text: str) -> str:
    """A text as it should be read aloud: without bullets and markup, with a pause at the end of each line."""
    lines = (" ".join(_MARKUP.sub(" ", _DASH.sub(", ", line.strip().removeprefix("- "))).split()) for line in text.splitlines())
    return _UNENDED.sub(".\n", "\n".join(line for line in lines if line))


def _voice_of(language: str, voices: Mapping[str, str]) -> str:
    """The file name of the voice for a language code, with or without a region, or for a language's English name."""
    wanted = language.strip().lower().replace("_", "-")
    wanted = _ALIASES.get(wanted, wanted)
    for name in (wanted, wanted.partition("-")[0]):
        if name in voices:
            return voices[name]
    near = get_close_matches(wanted, sorted(voices), n=1, cutoff=0.6) or get_close_matches(wanted, _COMMON, n=1, cutoff=0.1)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    raise InputError(f"No voice speaks the language {language[:40]!r}.", remedy=f"{hint}Use a code such as 'en', 'de', 'fr' or 'es'.")


def _voices(library: ctypes.CDLL) -> dict[str, str]:
    """Voice files by language code and by language name, lower case.

    A voice is chosen by the name of its file: `en-gb` and `fr-fr`, which are listed as languages, are refused as names.
    """
    listed = library.espeak_ListVoices(None)
    codes: dict[str, str] = {}
    names: dict[str, str] = {}
    for number in itertools.count():
        if not listed[number]:
            break
        voice = listed[number].contents
        file = voice.identifier.decode("utf-8", "replace").rpartition("/")[2]
        for code in _entries(voice.languages):
            codes.setdefault(code.lower(), file)
        name = voice.name.decode("utf-8", "replace").lower()
        names[name] = file
        names.setdefault(re.split(r"[ _(]", name)[0], file)
    files = {file.lower(): file for file in codes.values()}
    return names | codes | files | {language: files[file] for language, file in _FIRST_CHOICE.items() if file in files}


def _entries(address: int) -> list[str]:
    """Language codes at `address`: a priority byte and a NUL-terminated code for each, and a zero byte after the last."""
    found: list[str] = []
    while ctypes.string_at(address, 1) != b"\0":
        code = ctypes.string_at(address + 1)
        found.append(code.decode("ascii", "replace"))
        address += len(code) + 2
    return found
