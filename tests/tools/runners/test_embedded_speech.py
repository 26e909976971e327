"""Speaking, and finding speech again."""

from __future__ import annotations

import io
import wave

import numpy as np
import pytest
from numpy.typing import NDArray

from langchain_hugginggpt.tools.artifacts import ArtifactStore
from langchain_hugginggpt.tools.errors import InputError
from langchain_hugginggpt.tools.media import load_wav, wav_bytes
from langchain_hugginggpt.tools.runners.embedded import EmbeddedRunner
from langchain_hugginggpt.tools.runners.embedded.speech import Speaker, speakable
from langchain_hugginggpt.tools.runners.embedded.voice_activity import SILENT, speech_stretches
from tests.tools.runners.pages import do


def _spoken(text: str) -> tuple[NDArray[np.int16], int]:
    samples, rate = Speaker().speak(text)
    return np.frombuffer(samples, "<i2"), rate


def test_speech_is_a_wav_file_whose_length_fits_the_text(embedded: EmbeddedRunner) -> None:
    made = do(embedded, "text-to-speech", text="The library is closed on Monday. Please use the side entrance.").values["audio"]
    assert (made.media_type, made.name) == ("audio/wav", "speech.wav")
    with wave.open(io.BytesIO(made.data)) as f:
        assert (f.getnchannels(), f.getsampwidth()) == (1, 2)
        assert 2.5 < f.getnframes() / f.getframerate() < 6


@pytest.mark.parametrize("language", ["en", "en-GB", "EN_us", "English", "de", "german", "fr", "zh", "pt-BR", "es-419", "fr-CA"])
def test_languages_are_known_by_code_and_name(embedded: EmbeddedRunner, language: str) -> None:
    assert len(do(embedded, "text-to-speech", text="radio", language=language).values["audio"].data) > 5000


def test_another_language_sounds_different(embedded: EmbeddedRunner) -> None:
    made = {do(embedded, "text-to-speech", text="Guten Morgen", language=x).values["audio"].data for x in ("en", "de")}
    assert len(made) == 2


def test_an_unknown_language_names_the_nearest(embedded: EmbeddedRunner) -> None:
    with pytest.raises(InputError, match=r"No voice speaks the language .germn.\. Did you mean .german.\?"):
        do(embedded, "text-to-speech", text="radio", language="germn")


def test_a_text_that_is_too_long_should_be_summarised_first(embedded: EmbeddedRunner) -> None:
    with pytest.raises(InputError, match=r"at most 20,000 are read aloud\. Summarise it first"):
        do(embedded, "text-to-speech", text="word " * 4001)


def test_lines_become_pauses_and_bullets_are_not_read() -> None:
    assert (
        speakable("# Title\n\n- first **item**\n• second - third\nA line\nends.") == "Title.\nfirst item.\nsecond, third.\nA line.\nends."
    )


def test_segments_begin_and_end_where_speech_does(embedded: EmbeddedRunner, store: ArtifactStore) -> None:
    speech, rate = _spoken("The library is closed on Monday. Please use the side entrance.")
    quiet = np.zeros(rate, np.int16)
    recording = np.concatenate([quiet, speech, quiet, quiet, speech, quiet])
    length = len(speech) / rate
    heard = do(embedded, "voice-activity-detection", audio=store.put(wav_bytes(recording.tobytes(), rate=rate))).values["segments"]
    assert [s["start"] for s in heard] == pytest.approx([1, 3 + length], abs=0.3)
    assert [s["end"] for s in heard] == pytest.approx([1 + length, 3 + 2 * length], abs=0.3)


@pytest.mark.parametrize("loudness", [0, 1500], ids=["silence", "noise"])
def test_nobody_speaks(embedded: EmbeddedRunner, store: ArtifactStore, loudness: int) -> None:
    samples = np.random.default_rng(0).normal(0, 1, 16_000 * 4) * loudness
    out = do(embedded, "voice-activity-detection", audio=store.put(wav_bytes(samples.astype("<i2").tobytes(), rate=16_000)))
    assert out.values == {"segments": []}
    assert out.notes == (SILENT,)


def test_rules_of_stretches() -> None:
    def at(*runs: tuple[float, int]) -> list[float]:
        return [p for p, count in runs for _ in range(count)]

    def stretches(*runs: tuple[float, int]) -> list[tuple[float, float]]:
        probabilities = at(*runs)
        return speech_stretches(probabilities, step=0.1, length=0.1 * len(probabilities))

    assert stretches((0.1, 5), (0.9, 10), (0.1, 10)) == [pytest.approx((0.47, 1.53))]
    assert stretches((0.9, 10), (0.1, 3), (0.9, 10)) == [pytest.approx((0, 2.3))], "a short pause does not cut"
    assert len(stretches((0.9, 10), (0.1, 8), (0.9, 10))) == 2
    assert stretches((0.1, 5), (0.9, 2), (0.1, 10)) == [], "a click is no speech"
    assert stretches((0.9, 5), (0.4, 20)) == [pytest.approx((0, 2.5))], "between the two thresholds speech goes on"


def test_resampling_takes_out_what_the_lower_rate_cannot_hold(store: ArtifactStore) -> None:
    def tone(hertz: float) -> NDArray[np.float32]:
        samples = (np.sin(2 * np.pi * hertz * np.arange(44_100) / 44_100) * 20_000).astype("<i2")
        return load_wav(store.put(wav_bytes(samples.tobytes(), rate=44_100)), rate=16_000)

    kept, removed = tone(1000)[1000:-1000], tone(10_000)[1000:-1000]
    assert len(tone(1000)) == 16_000
    assert np.abs(kept).max() == pytest.approx(20_000 / 32_768, rel=0.02)
    assert np.abs(removed).max() < 0.005
