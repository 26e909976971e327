"""Tiny models of the tasks in tools/runners/local/audio."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import transformers as T
from tokenizers import pre_tokenizers

from tests.local_models.case import Case
from tests.local_models.samples import Samples
from tests.local_models.text import labels, save

LETTERS = "abcdefghijklmnopqrstuvwxyz'"
WAV2VEC2: dict[str, Any] = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 37, "conv_dim": (16, 16),
    "conv_stride": (5, 64), "conv_kernel": (10, 64), "num_feat_extract_layers": 2, "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 2,
}  # fmt: skip
HZ = 16_000


def wav2vec2_extractor() -> Any:
    return T.Wav2Vec2FeatureExtractor(
        feature_size=1, sampling_rate=HZ, padding_value=0.0, do_normalize=True, return_attention_mask=False
    )  # type: ignore[no-untyped-call]


def letter_tokenizer(folder: Path) -> Any:
    """As CTC models have it: a token for each letter, `|` between words."""
    vocabulary = {c: i for i, c in enumerate(["<pad>", "<s>", "</s>", "<unk>", "|", *LETTERS])}
    path = folder / "vocab.json"
    path.write_text(json.dumps(vocabulary))
    return T.Wav2Vec2CTCTokenizer(str(path), pad_token="<pad>", word_delimiter_token="|")


def ctc(folder: Path) -> None:
    tokenizer = letter_tokenizer(folder)
    config = T.Wav2Vec2Config(vocab_size=len(tokenizer), pad_token_id=0, **WAV2VEC2)
    save(folder, T.Wav2Vec2Processor(feature_extractor=wav2vec2_extractor(), tokenizer=tokenizer), T.Wav2Vec2ForCTC(config))


def whisper(folder: Path) -> None:
    special = ["<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|de|>", "<|translate|>", "<|transcribe|>", "<|nospeech|>",
               "<|notimestamps|>"]  # fmt: skip
    vocabulary = {c: i for i, c in enumerate([*sorted(pre_tokenizers.ByteLevel.alphabet()), *special])}
    end, start = vocabulary["<|endoftext|>"], vocabulary["<|startoftranscript|>"]
    tokenizer = T.WhisperTokenizer(
        vocab=vocabulary, merges=[], unk_token="<|endoftext|>", bos_token="<|endoftext|>", eos_token="<|endoftext|>",
        pad_token="<|endoftext|>", additional_special_tokens=special[1:],
    )  # fmt: skip
    config = T.WhisperConfig(
        vocab_size=len(vocabulary), d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2,
        encoder_ffn_dim=16, decoder_ffn_dim=16, pad_token_id=end, bos_token_id=end, eos_token_id=end, decoder_start_token_id=start,
        max_target_positions=32, num_mel_bins=80, max_source_positions=250,
    )  # fmt: skip
    model = T.WhisperForConditionalGeneration(config)
    of = model.generation_config
    assert of is not None
    of.no_timestamps_token_id = vocabulary["<|notimestamps|>"]
    of.is_multilingual = True
    of.lang_to_id = {"<|en|>": vocabulary["<|en|>"], "<|de|>": vocabulary["<|de|>"]}
    of.task_to_id = {"transcribe": vocabulary["<|transcribe|>"], "translate": vocabulary["<|translate|>"]}
    of.suppress_tokens = [vocabulary[s] for s in special[1:]]
    extractor = T.WhisperFeatureExtractor(feature_size=80, chunk_length=5)  # type: ignore[no-untyped-call]
    save(folder, T.WhisperProcessor(extractor, tokenizer), model)


def wav2vec2_classifier(folder: Path) -> None:
    config = T.Wav2Vec2Config(classifier_proj_size=16, **WAV2VEC2, **labels("yes", "no", "up"))
    save(folder, wav2vec2_extractor(), T.Wav2Vec2ForSequenceClassification(config))


def spectrogram_classifier(folder: Path) -> None:
    config = T.ASTConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, max_length=64, num_mel_bins=16, patch_size=8,
        frequency_stride=8, time_stride=8, problem_type="multi_label_classification", **labels("speech", "music"),
    )  # fmt: skip
    save(folder, T.ASTFeatureExtractor(num_mel_bins=16, max_length=64), T.ASTForAudioClassification(config))  # type: ignore[no-untyped-call]


def frame_classifier(folder: Path) -> None:
    save(folder, wav2vec2_extractor(), T.Wav2Vec2ForAudioFrameClassification(T.Wav2Vec2Config(**WAV2VEC2, **labels("A", "B"))))


def of_letters(values: Mapping[str, Any], samples: Samples) -> None:
    assert values["text"]
    assert set(values["text"]) <= set(LETTERS + " <unk>")


def some_text(values: Mapping[str, Any], samples: Samples) -> None:
    assert values["text"].strip()
    assert "<|" not in values["text"]


def three_classes(values: Mapping[str, Any], samples: Samples) -> None:
    assert {e["label"] for e in values["labels"]} == {"yes", "no", "up"}
    assert sum(e["score"] for e in values["labels"]) == pytest.approx(1, abs=0.01)


def each_for_itself(values: Mapping[str, Any], samples: Samples) -> None:
    assert {e["label"] for e in values["labels"]} == {"speech", "music"}
    assert all(0 < e["score"] < 1 for e in values["labels"])
    assert sum(e["score"] for e in values["labels"]) != pytest.approx(1, abs=1e-6)


def within_two_seconds(values: Mapping[str, Any], samples: Samples) -> None:
    segments = values["segments"]
    assert segments
    assert {s["label"] for s in segments} <= {"A", "B"}
    assert all(0 <= s["start"] < s["end"] <= 2 for s in segments)
    assert [s["start"] for s in segments] == sorted(s["start"] for s in segments)


CASES: tuple[Case, ...] = (
    Case(
        task="automatic-speech-recognition",
        kind="wav2vec2-ctc",
        build=ctc,
        inputs=lambda s: {"audio": s.sound},
        check=of_letters,
        live="facebook/wav2vec2-base-960h",
        live_check=lambda v, s: None,
        half=True,
    ),
    Case(
        task="automatic-speech-recognition",
        kind="whisper",
        build=whisper,
        inputs=lambda s: {"audio": s.sound},
        check=some_text,
        live="openai/whisper-tiny",
        live_check=lambda v, s: None,
        half=True,
    ),
    Case(
        task="audio-classification",
        kind="wav2vec2",
        build=wav2vec2_classifier,
        inputs=lambda s: {"audio": s.sound},
        check=three_classes,
        half=True,
    ),
    Case(
        task="audio-classification",
        kind="ast",
        build=spectrogram_classifier,
        inputs=lambda s: {"audio": s.sound},
        check=each_for_itself,
        live="MIT/ast-finetuned-audioset-10-10-0.4593",
        half=True,
    ),
    Case(
        task="voice-activity-detection",
        kind="wav2vec2-frames",
        build=frame_classifier,
        inputs=lambda s: {"audio": s.sound},
        check=within_two_seconds,
    ),
)
