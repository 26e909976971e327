"""Tiny models that compare a recording with labels (CLAP), with and without what reads long recordings as a whole (fusion)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import transformers as T

from tests.local_models.case import Case
from tests.local_models.samples import Samples
from tests.local_models.text import save
from tests.local_models.tokenizers import word_tokenizer

HZ = 16_000


def clap(folder: Path, *, fusion: bool = False) -> None:
    tokenizer = word_tokenizer("bart")
    text = T.ClapTextConfig(
        vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=130, initializer_factor=20.0,
    )  # fmt: skip
    sound = T.ClapAudioConfig(
        spec_size=64, num_mel_bins=16, patch_embeds_hidden_size=8, hidden_size=16, depths=[1, 1], num_attention_heads=[1, 2], window_size=4,
        enable_fusion=fusion, fusion_type="aff_2d" if fusion else None, aff_block_r=2,
    )  # fmt: skip
    extractor = T.ClapFeatureExtractor(
        feature_size=16, sampling_rate=HZ, hop_length=160, max_length_s=2, fft_window_size=512, frequency_max=8000,
        truncation="fusion" if fusion else "rand_trunc",
    )  # fmt: skip
    save(folder, tokenizer, extractor, T.ClapModel(T.ClapConfig(text_config=text, audio_config=sound, projection_dim=16)))


def clap_with_fusion(folder: Path) -> None:
    clap(folder, fusion=True)


SOUNDS = ["a person speaking", "a dog", "你好 {}"]


def shares_of_sounds(values: Mapping[str, Any], samples: Samples) -> None:
    assert {e["label"] for e in values["labels"]} == set(SOUNDS)
    scores = [e["score"] for e in values["labels"]]
    assert scores == sorted(scores, reverse=True)
    assert sum(scores) == pytest.approx(1, abs=1e-4)
    assert scores[0] - scores[-1] > 1e-4  # the labels are told apart


def a_person_speaks(values: Mapping[str, Any], samples: Samples) -> None:
    assert values["labels"][0]["label"] == SOUNDS[0]


CASES: tuple[Case, ...] = (
    Case(
        task="audio-classification",
        kind="clap",
        build=clap,
        inputs=lambda s: {"audio": s.example("recording.wav"), "candidate_labels": SOUNDS},
        check=shares_of_sounds,
        live="laion/clap-htsat-unfused",
        live_check=a_person_speaks,
    ),
    Case(
        task="audio-classification",
        kind="clap-fusion",
        build=clap_with_fusion,
        inputs=lambda s: {"audio": s.example("recording.wav"), "candidate_labels": SOUNDS},
        check=shares_of_sounds,
    ),
)
