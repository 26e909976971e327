"""Sound: windows, silence, long recordings, voices, and what is refused."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
import transformers as T

from langchain_hugginggpt.index.card import ModelCard
from langchain_hugginggpt.tools.artifacts import Artifact
from langchain_hugginggpt.tools.audio import float_wav_bytes, read_blocks
from langchain_hugginggpt.tools.errors import InputError, MediaError, ModelRefusedError
from langchain_hugginggpt.tools.hub_tasks import HUB_TASKS
from langchain_hugginggpt.tools.runners.local import LocalRunner
from langchain_hugginggpt.tools.runners.local.audio.languages import language_code
from langchain_hugginggpt.tools.runners.local.audio.recognition import joined
from langchain_hugginggpt.tools.runners.local.audio.speech import pieces
from langchain_hugginggpt.tools.runners.local.audio.windows import is_silent, quietest, windows_at_pauses
from langchain_hugginggpt.tools.runners.local.table import LOCAL
from langchain_hugginggpt.tools.runners.runner import RunnerOutput
from langchain_hugginggpt.tools.runners.workers import Workers
from tests.local_models import audio
from tests.local_models.case import Case
from tests.local_models.samples import Samples
from tests.local_models.text import labels, save

HZ = audio.HZ
Built = Callable[[Case], Path]


def case(task: str, kind: str) -> Case:
    return next(c for c in audio.CASES if (c.task, c.kind) == (task, kind))


CTC, WHISPER = case("automatic-speech-recognition", "wav2vec2-ctc"), case("automatic-speech-recognition", "whisper")
VITS, SPEECHT5 = case("text-to-speech", "vits"), case("text-to-speech", "speecht5")


def run(local: LocalRunner, task: str, model: str, **inputs: Any) -> RunnerOutput:
    return local.run(HUB_TASKS[task], ModelCard(id=model, task=task), inputs)


def loud(seconds: float) -> np.ndarray:
    at = np.arange(round(seconds * HZ)) / HZ
    return 0.4 * np.sin(2 * np.pi * (300 + 200 * np.sin(2 * np.pi * 0.7 * at)) * at)


def quiet(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * HZ))


def wav(samples: Samples, *parts: np.ndarray) -> Artifact:
    return samples.store.put(float_wav_bytes(np.concatenate(parts), rate=HZ))


def sound(output: RunnerOutput, tmp_path: Path) -> tuple[np.ndarray, int]:
    path = tmp_path / "made.wav"
    path.write_bytes(output.values["audio"].data)
    samples, rate = soundfile.read(path)
    return samples, rate


# Windows


def test_windows_are_cut_in_the_pauses_and_are_all_of_the_recording(samples: Samples) -> None:
    recording = wav(samples, loud(8), quiet(0.4), loud(9), quiet(0.4), loud(5))
    windows = list(windows_at_pauses(recording, rate=HZ, longest=10))
    assert np.array_equal(np.concatenate(windows), np.concatenate(list(read_blocks(recording, rate=HZ))))
    ends = np.cumsum([len(w) for w in windows]) / HZ
    assert len(windows) == 3
    assert 8 < ends[0] < 8.4
    assert 17.4 < ends[1] < 17.8


@pytest.mark.parametrize("seconds", [0.0001, 0.1, 9.99, 10, 10.01, 30, 61.3])
def test_windows_without_pauses_are_never_too_long(samples: Samples, seconds: float) -> None:
    recording = wav(samples, loud(seconds))
    windows = list(windows_at_pauses(recording, rate=HZ, longest=10))
    assert sum(len(w) for w in windows) == round(seconds * HZ)
    assert all(0 < len(w) <= 10 * HZ for w in windows)
    assert len(windows) <= seconds // (10 * 2 / 3) + 1


def test_a_window_that_is_too_short_to_look_for_a_pause_is_cut_at_its_end() -> None:
    assert quietest(np.zeros(100, np.float32), rate=HZ) == 100


def test_the_quietest_place_need_not_be_silent() -> None:
    window = np.concatenate([loud(8), 0.2 * loud(0.5), loud(1.5)]).astype(np.float32)
    assert 8 * HZ < quietest(window, rate=HZ) < 8.5 * HZ


@pytest.mark.parametrize(
    ("samples_", "silent"),
    [(quiet(1), True), (0.0005 * loud(1), True), (0.01 * loud(1), False), (np.r_[quiet(1), 0.5], False)],
)
def test_silence(samples_: np.ndarray, silent: bool) -> None:
    assert is_silent(samples_.astype(np.float32), rate=HZ) is silent


def test_a_call_that_is_given_up_ends_before_the_next_window(samples: Samples) -> None:
    recording, seen = wav(samples, loud(30)), []

    def work(job: Any) -> None:
        for window in windows_at_pauses(recording, rate=HZ, longest=5):
            seen.append(len(window))
            job.abandon()

    job = Workers(1).submit(work)
    with pytest.raises(CancelledError):
        job.future.result(timeout=10)
    time.sleep(0.3)  # long enough for further windows
    assert len(seen) == 1


# Speech to text


def test_a_long_recording_is_transcribed_in_windows(built: Built, local: LocalRunner, samples: Samples) -> None:
    built(CTC)
    long = wav(samples, loud(25), quiet(0.6), loud(27), quiet(0.6), loud(4))
    parts = [samples.store.put(float_wav_bytes(w, rate=HZ)) for w in windows_at_pauses(long, rate=HZ, longest=30)]
    assert len(parts) == 3
    alone = [run(local, CTC.task, CTC.id, audio=p).values["text"] for p in parts]
    output = run(local, CTC.task, CTC.id, audio=long)
    assert output.values["text"] == joined(alone)
    assert output.notes == ("transcribed in 3 parts, cut where the recording is quietest",)


@pytest.mark.parametrize("kind", ["wav2vec2-ctc", "whisper"])
@pytest.mark.parametrize("seconds", [1 / HZ, 1, 65])
def test_silence_is_not_transcribed(kind: str, seconds: float, built: Built, local: LocalRunner, samples: Samples) -> None:
    of = case("automatic-speech-recognition", kind)
    built(of)
    output = run(local, of.task, of.id, audio=wav(samples, quiet(seconds)))
    assert output.values == {"text": ""}
    assert "silent" in output.notes[0]


@pytest.mark.parametrize("kind", ["wav2vec2-ctc", "whisper"])
def test_a_click_is_long_enough(kind: str, built: Built, local: LocalRunner, samples: Samples) -> None:
    of = case("automatic-speech-recognition", kind)
    built(of)
    assert isinstance(run(local, of.task, of.id, audio=wav(samples, np.array([0.5]))).values["text"], str)


@pytest.mark.parametrize("name", ["a.flac", "a.mp3", "a.ogg", "a.wav"])
def test_any_format_at_any_rate(name: str, built: Built, local: LocalRunner, samples: Samples) -> None:
    built(CTC)
    output = run(local, CTC.task, CTC.id, audio=samples.recording(name, rate=44_100))
    assert set(output.values["text"]) <= {*audio.LETTERS, *" <unk></s>"}


def test_the_language_is_heard_once(built: Built, samples: Samples, tmp_path: Path) -> None:
    """The decoder begins with the same language in all windows; it is asked for one (a lone first token) in the first only."""
    shutil.copytree(built(WHISPER), tmp_path / "m" / "whisper")
    runner = LocalRunner(models=[tmp_path / "m"], device="cpu")
    card = ModelCard(id="whisper", task=WHISPER.task)
    began: list[list[int]] = []

    def note(_: Any, __: Any, given: Mapping[str, Any]) -> None:
        if given.get("past_key_values") is None or given["past_key_values"].get_seq_length() == 0:
            began.append(given["input_ids"][0].tolist())

    row = LOCAL[WHISPER.task]
    with runner._model(row, runner._places.find(row, card)) as (_, loaded):
        loaded.model.model.decoder.register_forward_pre_hook(note, with_kwargs=True)
        languages = {f"<|{n}|>": loaded.tokenizer.convert_tokens_to_ids(f"<|{n}|>") for n in ("en", "de", "transcribe", "notimestamps")}
    runner.run(HUB_TASKS[WHISPER.task], card, {"audio": wav(samples, loud(4), quiet(0.5), loud(4), quiet(0.5), loud(3))})
    assert [len(b) for b in began] == [1, 4, 4, 4]
    assert began[1] == began[2] == began[3]
    assert began[1][1] in (languages["<|en|>"], languages["<|de|>"])
    assert began[1][2:] == [languages["<|transcribe|>"], languages["<|notimestamps|>"]]


def test_whisper_is_not_given_two_limits(built: Built, local: LocalRunner, samples: Samples, caplog: pytest.LogCaptureFixture) -> None:
    """transformers says so, in each window."""
    built(WHISPER)
    run(local, WHISPER.task, WHISPER.id, audio=samples.sound)
    assert "max_length" not in caplog.text


@pytest.mark.parametrize(
    ("texts", "whole"),
    [([], ""), (["", " "], ""), ([" a b", "c "], "a b c"), (["你好", "世界"], "你好世界"), (["안녕", "세계"], "안녕 세계"),
     (["你好", "ok"], "你好 ok")],
)  # fmt: skip
def test_texts_are_joined(texts: list[str], whole: str) -> None:
    assert joined(texts) == whole


def test_a_recording_that_is_none(built: Built, local: LocalRunner, samples: Samples) -> None:
    built(CTC)
    with pytest.raises(MediaError, match="cannot be read as a recording"):
        run(local, CTC.task, CTC.id, audio=samples.store.put(b"fLaC" + bytes(100)))


# Classes and activity


def of_bias(model: Any, head: Any, bias: list[float]) -> Any:
    """A model that says the same of everything."""
    torch.nn.init.zeros_(head.weight)
    head.bias.data = torch.tensor(bias)
    return model


def test_scores_are_the_mean_over_the_recording(models: Path, local: LocalRunner, samples: Samples) -> None:
    folder = models / "always-up"
    model = T.Wav2Vec2ForSequenceClassification(T.Wav2Vec2Config(classifier_proj_size=16, **audio.WAV2VEC2, **labels("yes", "no", "up")))
    save(folder, audio.wav2vec2_extractor(), of_bias(model, model.classifier, [0.0, 1.0, 2.0]))
    output = run(local, "audio-classification", "always-up", audio=wav(samples, loud(70)))
    wanted = torch.tensor([0.0, 1.0, 2.0]).softmax(0).tolist()[::-1]
    assert [e["label"] for e in output.values["labels"]] == ["up", "no", "yes"]
    assert [e["score"] for e in output.values["labels"]] == pytest.approx(wanted, abs=0.01)
    assert output.notes == ("scores are the mean over 3 parts of the recording",)


def frames(folder: Path, bias: list[float], *names: str) -> None:
    model = T.Wav2Vec2ForAudioFrameClassification(T.Wav2Vec2Config(**audio.WAV2VEC2, **labels(*names)))
    save(folder, audio.wav2vec2_extractor(), of_bias(model, model.classifier, bias))


def test_speech_goes_on_over_the_borders_of_windows(models: Path, local: LocalRunner, samples: Samples) -> None:
    frames(models / "one-speaker", [5.0, -5.0], "ann", "ben")
    output = run(local, "voice-activity-detection", "one-speaker", audio=wav(samples, loud(70.5)))
    assert output.values["segments"] == [{"start": 0.0, "end": 70.5, "label": "ann"}]
    assert "same speaker" in output.notes[0]


def test_silent_windows_hold_no_speech(models: Path, local: LocalRunner, samples: Samples) -> None:
    frames(models / "speech", [5.0, 9.0], "silence", "speech")
    output = run(local, "voice-activity-detection", "speech", audio=wav(samples, loud(5), quiet(90), loud(3.25)))
    segments = output.values["segments"]
    assert all("label" not in s for s in segments)
    assert segments[0]["start"] == 0
    assert segments[-1]["end"] == 98.25
    assert sum(s["end"] - s["start"] for s in segments) < 45


def test_what_is_no_speech_is_left_out(models: Path, local: LocalRunner, samples: Samples) -> None:
    frames(models / "noise", [9.0, 5.0], "Noise", "speech")
    assert run(local, "voice-activity-detection", "noise", audio=samples.sound).values == {"segments": []}


def test_a_short_recording_ends_where_it_ends(models: Path, local: LocalRunner, samples: Samples) -> None:
    frames(models / "short", [5.0, -5.0], "ann", "ben")
    output = run(local, "voice-activity-detection", "short", audio=wav(samples, loud(0.1)))
    assert output.values["segments"] == [{"start": 0.0, "end": 0.1, "label": "ann"}]


# Text to speech


@pytest.mark.parametrize("of", [VITS, SPEECHT5], ids=lambda c: c.kind)
def test_every_sentence_is_read(of: Case, built: Built, local: LocalRunner, tmp_path: Path) -> None:
    built(of)
    rate, lengths = 0, []
    for count in (1, 2, 4):
        made, rate = sound(run(local, of.task, of.id, text=" ".join(["The lazy dog jumps over it."] * count)), tmp_path)
        lengths.append(len(made) / rate)
    assert rate == HZ
    assert lengths[0] > 0.1
    assert lengths[1] == pytest.approx(2 * lengths[0] + 0.25, rel=0.1)
    assert lengths[2] == pytest.approx(4 * lengths[0] + 0.75, rel=0.1)


@pytest.mark.parametrize("of", [VITS, SPEECHT5], ids=lambda c: c.kind)
def test_signs_that_a_model_does_not_know_are_named(of: Case, built: Built, local: LocalRunner) -> None:
    built(of)
    notes = " ".join(run(local, of.task, of.id, text="The dog has 3 ducks and 1 猫.").notes)
    assert "does not know these signs: 1, 3, 猫" in notes


@pytest.mark.parametrize("of", [VITS, SPEECHT5], ids=lambda c: c.kind)
@pytest.mark.parametrize("text", ["你好世界。", "مرحبا بالعالم", "2026"])
def test_a_text_in_another_script_is_refused(of: Case, text: str, built: Built, local: LocalRunner) -> None:
    built(of)
    with pytest.raises(ModelRefusedError, match="knows no letter of 'text'"):
        run(local, of.task, of.id, text=text)


@pytest.mark.parametrize("text", ["", "  \n ", "🙂🙂", "... !?"])
def test_a_text_without_words(text: str, built: Built, local: LocalRunner) -> None:
    built(VITS)
    with pytest.raises(InputError, match="nothing that can be spoken"):
        run(local, VITS.task, VITS.id, text=text)


def test_a_text_that_is_too_long(built: Built, local: LocalRunner) -> None:
    built(VITS)
    with pytest.raises(ModelRefusedError, match=r"'text' has 60,\d\d\d characters; .* at most 50,000"):
        run(local, VITS.task, VITS.id, text="dog " * 15_000 + "dog")


@pytest.mark.parametrize("language", ["en", "EN-us", "eng", "English", "en_GB", ""])
def test_a_voice_speaks_its_own_language(language: str, built: Built, local: LocalRunner) -> None:
    built(VITS)
    assert run(local, VITS.task, VITS.id, text="dog", language=language).values["audio"].data[:4] == b"RIFF"


@pytest.mark.parametrize("language", ["de", "German", "enm", "Klingon"])
def test_a_voice_of_another_language_is_refused(language: str, built: Built, local: LocalRunner) -> None:
    built(VITS)
    with pytest.raises(ModelRefusedError, match=f"speaks the language 'eng', not '{language}'"):
        run(local, VITS.task, VITS.id, text="dog", language=language)


def test_a_voice_that_does_not_tell_its_language_says_so(built: Built, local: LocalRunner) -> None:
    built(case("text-to-speech", "speecht5"))
    found = run(local, "text-to-speech", "text-to-speech--speecht5", text="good day", language="Klingon")
    assert any("whether it is 'Klingon' is not known" in n for n in found.notes)


def test_languages() -> None:
    assert language_code("de") == language_code("DEU") == language_code("German") == language_code("de-AT") == "deu"
    assert language_code("cmn") == language_code("zh-Hant") == "zho"
    assert language_code("tlh") == "tlh"


def test_long_sentences_are_cut_between_words() -> None:
    text = "The dog sat on the mat, " * 40
    parts = pieces(text, 60)
    assert " ".join(parts).split() == text.split()
    assert all(0 < len(p) <= 60 for p in parts)
    assert "".join(pieces("x" * 500, 60)) == "x" * 500


# The vocoder of SpeechT5


def without_vocoder(built: Built, folder: Path) -> Path:
    shutil.copytree(built(SPEECHT5), folder)
    shutil.rmtree(folder / "vocoder")
    return folder


def test_without_a_vocoder_it_is_refused(built: Built, tmp_path: Path) -> None:
    without_vocoder(built, tmp_path / "m" / "voice")
    with pytest.raises(ModelRefusedError, match=r"not on this machine \(microsoft/speecht5_hifigan\)"):
        run(LocalRunner(models=[tmp_path / "m"], device="cpu"), SPEECHT5.task, "voice", text="dog")


def test_a_vocoder_beside_the_model_is_found(built: Built, tmp_path: Path) -> None:
    folder = without_vocoder(built, tmp_path / "m" / "microsoft" / "speecht5_tts")
    audio.vocoder(folder.parent / "speecht5_hifigan")
    runner = LocalRunner(models=[tmp_path / "m"], device="cpu")
    output = run(runner, SPEECHT5.task, "microsoft/speecht5_tts", text="dog")
    assert len(sound(output, tmp_path)[0]) > 1000
    assert "nobody's in particular" in output.notes[0]


def test_a_pickled_vocoder_is_refused(built: Built, tmp_path: Path) -> None:
    folder = without_vocoder(built, tmp_path / "m" / "voice")
    audio.vocoder(folder / "vocoder")
    (folder / "vocoder" / "model.safetensors").rename(folder / "vocoder" / "pytorch_model.bin")
    with pytest.raises(ModelRefusedError, match=r"only there as pytorch_model\.bin"):
        run(LocalRunner(models=[tmp_path / "m"], device="cpu"), SPEECHT5.task, "voice", text="dog")


def test_another_voice_keeps_silence(built: Built, local: LocalRunner, samples: Samples, tmp_path: Path) -> None:
    of = case("audio-to-audio", "speecht5")
    built(of)
    made, rate = sound(run(local, of.task, of.id, audio=wav(samples, quiet(3))), tmp_path)
    assert len(made) == 3 * rate
    assert not made.any()


# Music


def test_music_wants_words(built: Built, local: LocalRunner) -> None:
    of = case("text-to-audio", "musicgen")
    built(of)
    with pytest.raises(InputError, match="'prompt' holds no text"):
        run(local, of.task, of.id, prompt=" \n")


def test_what_music_cannot_read_of_a_prompt_is_noted(built: Built, local: LocalRunner) -> None:
    of = case("text-to-audio", "musicgen")
    built(of)
    assert run(local, of.task, of.id, prompt="great song " * 200).notes == ("the prompt has 1,001 tokens; the model read the first 128",)


def test_values_are_plain(built: Built, local: LocalRunner, samples: Samples) -> None:
    of = case("audio-classification", "ast")
    built(of)
    found: Mapping[str, Any] = run(local, of.task, of.id, audio=samples.sound).values
    assert all(type(e["score"]) is float and type(e["label"]) is str for e in found["labels"])
