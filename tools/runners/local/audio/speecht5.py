"""SpeechT5: it makes spectrograms, and a second model, the vocoder, makes sound of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ....audio import float_wav_bytes
from ....errors import ModelRefusedError
from ...runner import NewMedia, RunnerOutput
from ..loaded import LoadedModel
from ..model_files import read_model_files
from .speech import Voice
from .windows import is_silent, long_enough, windows_at_pauses

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_VOCODER = "microsoft/speecht5_hifigan"
_LONGEST = 300
_LONGEST_SECONDS = 20.0
_NO_SPEAKER = "the voice is nobody's in particular: SpeechT5 wants the sample of a speaker, and none can be given"


def speecht5_voice(model: LoadedModel) -> Voice:
    """A voice of SpeechT5.

    Raises:
        ModelRefusedError: there is no vocoder on this machine.
    """
    vocoder = _vocoder(model)
    tokenizer = model.tokenizer
    unknown_id = tokenizer.unk_token_id

    def say(text: str) -> NDArray[np.float32]:
        import numpy as np

        text = "".join(c if known(c) else c.lower() for c in text)
        if not any(known(c) for c in text if c.isalnum()):
            return np.zeros(0, np.float32)
        ids = tokenizer(text, return_tensors="pt")["input_ids"].to(model.device)
        return _sound(model.model.generate_speech(ids, _speaker(model), vocoder=vocoder))

    @cache
    def known(character: str) -> bool:
        return unknown_id not in tokenizer(character, add_special_tokens=False)["input_ids"]

    return Voice(
        say=say,
        rate=int(vocoder.config.sampling_rate),
        longest=min(_LONGEST, int(model.config.max_text_positions) - 2),
        unknown=lambda text: {c for c in set(text) if c.isalnum() and not known(c) and not known(c.lower())},
        notes=(_NO_SPEAKER,),
    )


def speech_to_speech(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """The same words in another voice. Silent parts stay silent."""
    import numpy as np

    vocoder = _vocoder(model)
    rate, made_rate = int(model.feature_extractor.sampling_rate), int(vocoder.config.sampling_rate)
    parts: list[NDArray[np.float32]] = []
    for window in windows_at_pauses(inputs["audio"], rate=rate, longest=_LONGEST_SECONDS):
        if is_silent(window, rate=rate):
            parts.append(np.zeros(round(len(window) * made_rate / rate), np.float32))
            continue
        batch = model.on_device(model.feature_extractor(audio=long_enough(window, rate=rate), sampling_rate=rate, return_tensors="pt"))
        parts.append(_sound(model.model.generate_speech(batch["input_values"], _speaker(model), vocoder=vocoder)))
    sound = float_wav_bytes(np.concatenate(parts), rate=made_rate)
    return RunnerOutput(values={"audio": NewMedia(data=sound, media_type="audio/wav", name="speech.wav")}, notes=(_NO_SPEAKER,))


def _sound(made: Any) -> NDArray[np.float32]:
    samples: NDArray[np.float32] = made.float().cpu().numpy()
    return samples


def _speaker(model: LoadedModel) -> Any:
    import torch

    return torch.zeros(1, model.config.speaker_embedding_dim, device=model.device)


def _vocoder(model: LoadedModel) -> Any:
    return model.once("vocoder", lambda: _load_vocoder(model))


def _load_vocoder(model: LoadedModel) -> Any:
    import transformers

    folder = next((f for f in _vocoder_folders(model.files.folder) if (f / "config.json").is_file()), None)
    if folder is None:
        raise ModelRefusedError(
            f"{model.id!r} makes spectrograms, and the model that makes sound of them is not on this machine ({_VOCODER}).",
            remedy=f"Put it into the folder {str(model.files.folder / 'vocoder')!r}, or fetch it into the Hub's cache.",
        )
    files = read_model_files(folder, _VOCODER)  # refuses pickled weights
    make: Any = transformers.SpeechT5HifiGan
    loaded, info = make.from_pretrained(files.folder, use_safetensors=True, local_files_only=True, output_loading_info=True)
    if info["missing_keys"] or info["mismatched_keys"] or loaded.config.model_in_dim != model.config.num_mel_bins:
        raise ModelRefusedError(f"The vocoder in {str(folder)!r} is not whole, or not for {model.id!r}.", remedy=f"Fetch {_VOCODER} again.")
    return loaded.eval().to(model.device)


def _vocoder_folders(folder: Path) -> Iterator[Path]:
    """Where a vocoder may lie: in the model's folder, beside it, or in the Hub's cache beside it."""
    owner, name = _VOCODER.split("/")
    yield folder / "vocoder"
    yield folder.parent / name
    yield folder.parent.parent / owner / name
    if len(folder.parents) > 2:
        yield from sorted((folder.parents[2] / f"models--{owner}--{name}" / "snapshots").glob("*"))
