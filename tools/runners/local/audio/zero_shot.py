"""Classes that the request names, by a model that was trained to tell which text fits a recording.

Y. Wu et al., "Large-scale Contrastive Language-Audio Pretraining with Feature Fusion and Keyword-to-Caption Augmentation", 2023
(https://arxiv.org/abs/2211.06687). Not by transformers' pipeline: it would read the labels anew for each part of a recording, and
fails at labels with braces in them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .....index.errors import ExpertError
from ....audio import read_windows
from ....errors import ModelRefusedError
from ...runner import RunnerOutput
from ...workers import check_abandoned
from ..loaded import LoadedModel

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

MOST_LABELS = 1_000
TEMPLATE = "This is a sound of {}."
ONE_LABEL = "only one label was given: its score is 1 whatever the recording holds"
_TOGETHER = 32


def zero_shot_audio_classification(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """The labels, best first, with scores that add up to 1: the mean over the parts of a recording, each weighing as much as it is long.

    Raises:
        ExpertError: no labels, more than 1,000, or one that is longer than the model reads.
    """
    labels = _labels(model, inputs)
    texts = _of_texts(model, labels)
    extractor = model.feature_extractor
    rate = extractor.sampling_rate
    scores = texts.new_zeros(len(labels))
    samples = parts = 0
    for window in read_windows(inputs["audio"], rate=rate, seconds=extractor.nb_max_samples / rate):
        check_abandoned()
        logits = texts @ _of_sound(model, window) * model.model.logit_scale_a.float().cpu().exp()
        scores += logits.softmax(0) * len(window)
        samples += len(window)
        parts += 1
    ranked = sorted(zip(labels, (scores / samples).tolist(), strict=True), key=lambda e: -e[1])
    if not all(math.isfinite(score) for _, score in ranked):
        raise ModelRefusedError(f"{model.id!r} gave scores that are no numbers (NaN).", remedy="Choose another model.")
    notes = (
        *((ONE_LABEL,) if len(labels) == 1 else ()),
        *((f"scores are the mean over {parts} parts of the recording",) if parts > 1 else ()),
    )
    return RunnerOutput(values={"labels": [{"label": label, "score": score} for label, score in ranked]}, notes=notes)


def _labels(model: LoadedModel, inputs: Mapping[str, Any]) -> list[str]:
    labels = list(dict.fromkeys(inputs.get("candidate_labels") or ()))
    if not labels:
        raise ExpertError(
            f"{model.id!r} has no classes of its own; it chooses between labels that are given.",
            remedy="Give 'candidate_labels', or choose a model that has classes.",
        )
    if len(labels) > MOST_LABELS:
        raise ExpertError(
            f"'candidate_labels' holds {len(labels):,} labels; {model.id!r} compares at most {MOST_LABELS:,}.", remedy="Give fewer labels."
        )
    return labels


def _of_texts(model: LoadedModel, labels: Sequence[str]) -> torch.Tensor:
    """A vector of length 1 for each label, (labels, width), in float32.

    Raises:
        ModelRefusedError: a label is longer than the model reads.
    """
    import torch

    sentences = [TEMPLATE.replace("{}", label, 1) for label in labels]
    config = model.config.text_config
    longest = min(int(config.max_position_embeddings) - int(config.pad_token_id or 0) - 1, model.tokenizer.model_max_length)
    for label, ids in zip(labels, model.tokenizer(sentences, verbose=False)["input_ids"], strict=True):
        if len(ids) > longest:
            raise ModelRefusedError(
                f"A label of 'candidate_labels' is too long for {model.id!r}: {label[:60]!r} has {len(label):,} characters, and at most "
                f"{longest} tokens are read.",
                remedy="Give shorter labels.",
            )
    made = []
    for start in range(0, len(sentences), _TOGETHER):
        check_abandoned()
        read = model.tokenizer(sentences[start : start + _TOGETHER], padding=True, return_tensors="pt")
        batch = model.on_device({name: read[name] for name in ("input_ids", "attention_mask")})
        made.append(model.model.get_text_features(**batch).pooler_output.float().cpu())
    return torch.nn.functional.normalize(torch.cat(made), dim=-1)


def _of_sound(model: LoadedModel, window: NDArray[np.float32]) -> torch.Tensor:
    """A vector of length 1, (width,), in float32. A short window is repeated until it fills what the model takes."""
    import torch

    extractor = model.feature_extractor
    truncation = "fusion" if model.config.audio_config.enable_fusion else "rand_trunc"  # what a model was trained on; some files say else
    read = extractor(window, sampling_rate=extractor.sampling_rate, truncation=truncation, return_tensors="pt")
    vector = model.model.get_audio_features(**model.on_device(read)).pooler_output.float().cpu()
    return torch.nn.functional.normalize(vector[0], dim=-1)
