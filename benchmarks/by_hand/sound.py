"""Tasks of recordings and videos."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from benchmarks.by_hand.opening import Inputs, frames, sound, split, wav
from langchain_hugginggpt.tools.runners.local.loaded import LoadedModel


def speech_recognition(m: LoadedModel, i: Inputs, s: Inputs) -> Any:
    """In as many seconds at once as the model takes."""
    rate = m.feature_extractor.sampling_rate
    size = int(getattr(m.feature_extractor, "chunk_length", 30) * rate)
    samples = sound(i["audio"])
    hear = m.pipeline("automatic-speech-recognition")
    parts = [samples[n : n + size] for n in range(0, len(samples), size)]
    return " ".join(hear({"raw": part, "sampling_rate": rate}, **({"generate_kwargs": dict(s)} if s else {}))["text"] for part in parts)


def audio_classification(m: LoadedModel, i: Inputs, _s: Inputs) -> Any:
    """In windows as long as the model's, so that nothing is cut off."""
    rate, samples = m.feature_extractor.sampling_rate, sound(i["audio"])
    size = int(getattr(m.feature_extractor, "max_length", 3000) / 100 * rate)
    classify = m.pipeline("audio-classification")
    return [classify({"raw": samples[n : n + size], "sampling_rate": rate}, top_k=None) for n in range(0, len(samples), size)]


def voice_activity(m: LoadedModel, i: Inputs, _s: Inputs) -> Any:
    batch = m.feature_extractor(sound(i["audio"]), sampling_rate=m.feature_extractor.sampling_rate, return_tensors="pt").to(m.device)
    return (m.model(**batch).logits[0] > 0).tolist()


def vits_speech(m: LoadedModel, i: Inputs, _s: Inputs) -> bytes:
    parts = [m.model(**m.tokenizer(t, return_tensors="pt").to(m.device)).waveform[0].cpu().numpy() for t in split(i["text"])]
    return wav(np.concatenate(parts), m.config.sampling_rate)


def _vocoder(m: LoadedModel) -> Any:
    import transformers

    make: Any = transformers.SpeechT5HifiGan
    return m.once("by hand", lambda: make.from_pretrained(m.files.folder / "vocoder").to(m.device))


def speecht5_speech(m: LoadedModel, i: Inputs, _s: Inputs) -> bytes:
    nobody = torch.zeros(1, m.config.speaker_embedding_dim, device=m.device)
    read = [m.tokenizer(t.lower(), return_tensors="pt")["input_ids"].to(m.device) for t in split(i["text"])]
    parts = [m.model.generate_speech(ids, nobody, vocoder=_vocoder(m)).cpu().numpy() for ids in read]
    return wav(np.concatenate(parts), _vocoder(m).config.sampling_rate)


def speech_to_speech(m: LoadedModel, i: Inputs, _s: Inputs) -> bytes:
    nobody = torch.zeros(1, m.config.speaker_embedding_dim, device=m.device)
    read = m.feature_extractor(audio=sound(i["audio"]), sampling_rate=m.feature_extractor.sampling_rate, return_tensors="pt")
    made = m.model.generate_speech(read["input_values"].to(m.device), nobody, vocoder=_vocoder(m))
    return wav(made.cpu().numpy(), _vocoder(m).config.sampling_rate)


def music(m: LoadedModel, i: Inputs, s: Inputs) -> bytes:
    made = m.model.generate(**m.tokenizer(i["prompt"], return_tensors="pt").to(m.device), **s)[0]
    return wav(made.float().cpu().numpy().T, m.config.audio_encoder.sampling_rate)


def video_classification(m: LoadedModel, i: Inputs, _s: Inputs) -> Any:
    batch = m.image_processor(frames(i["video"], m.config.num_frames), return_tensors="pt").to(m.device, getattr(torch, m.dtype))
    return m.model(**batch).logits[0].softmax(-1).tolist()
