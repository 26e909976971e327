"""Music from a description."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....audio import float_wav_bytes
from ....errors import InputError
from ...runner import NewMedia, RunnerOutput
from ..loaded import LoadedModel

_SECONDS = 10.0


def music(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """Ten seconds of what a prompt describes; each time another piece. What the model cannot read of a long prompt is noted."""
    prompt = str(inputs["prompt"]).strip()
    if not prompt:
        raise InputError("'prompt' holds no text.", remedy="Say what to make.")
    codec = model.config.audio_encoder
    tokens = round(_SECONDS * codec.frame_rate)
    longest = min(model.tokenizer.model_max_length, 512)  # T5 was trained on no longer texts
    whole = len(model.tokenizer(prompt, verbose=False)["input_ids"])
    batch = model.on_device(model.tokenizer(prompt, return_tensors="pt", truncation=True, max_length=longest))
    made = model.model.generate(
        input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], do_sample=True, max_new_tokens=tokens
    )[0]
    samples = made.float().cpu().numpy().T  # (samples, channels)
    notes = (f"the prompt has {whole:,} tokens; the model read the first {longest:,}",) if whole > longest else ()
    sound = float_wav_bytes(samples, rate=int(codec.sampling_rate))
    return RunnerOutput(values={"audio": NewMedia(data=sound, media_type="audio/wav", name="music.wav")}, notes=notes)
