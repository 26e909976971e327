"""Tiny models of the tasks in tools/runners/local/audio."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
import transformers as T
from tokenizers import pre_tokenizers

from tests.local_models.audio_labels import CASES as LABEL_CASES
from tests.local_models.case import Case
from tests.local_models.samples import INPUTS, Samples
from tests.local_models.text import BERT, labels, save
from tests.local_models.tokenizers import word_tokenizer

LETTERS = "abcdefghijklmnopqrstuvwxyz'"
WAV2VEC2: dict[str, Any] = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 37, "conv_dim": (16, 16),
    "conv_stride": (5, 64), "conv_kernel": (10, 64), "num_feat_extract_layers": 2, "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 2,
}  # fmt: skip
HZ = 16_000


def wav2vec2_extractor() -> Any:
    return T.Wav2Vec2FeatureExtractor(feature_size=1, sampling_rate=HZ, padding_value=0.0, do_normalize=True, return_attention_mask=False)  # type: ignore[no-untyped-call]


def letter_tokenizer(folder: Path) -> Any:
    """As CTC models have it: a token for each letter, `|` between words."""
    vocabulary = {c: i for i, c in enumerate(["<pad>", "<s>", "</s>", "<unk>", "|", *LETTERS])}
    path = folder / "vocab.json"
    path.write_text(json.dumps(vocabulary))
    return T.Wav2Vec2CTCTokenizer(str(path), pad_token="<pad>", word_delimiter_token="|")  # type: ignore[no-untyped-call]


def ctc(folder: Path) -> None:
    tokenizer = letter_tokenizer(folder)
    config = T.Wav2Vec2Config(vocab_size=len(tokenizer), pad_token_id=0, **WAV2VEC2)
    processor = T.Wav2Vec2Processor(feature_extractor=wav2vec2_extractor(), tokenizer=tokenizer)  # type: ignore[no-untyped-call]
    save(folder, processor, T.Wav2Vec2ForCTC(config))


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
    of: Any = model.generation_config
    of.no_timestamps_token_id = vocabulary["<|notimestamps|>"]
    of.is_multilingual = True
    of._from_model_config = False  # it would be made anew from the model's config, without these
    of.lang_to_id = {"<|en|>": vocabulary["<|en|>"], "<|de|>": vocabulary["<|de|>"]}
    of.task_to_id = {"transcribe": vocabulary["<|transcribe|>"], "translate": vocabulary["<|translate|>"]}
    of.suppress_tokens = [vocabulary[s] for s in special[1:]]
    extractor = T.WhisperFeatureExtractor(feature_size=80, chunk_length=5)  # type: ignore[no-untyped-call]
    save(folder, T.WhisperProcessor(extractor, tokenizer), model)  # type: ignore[no-untyped-call]


def speech_encoder_decoder(folder: Path) -> None:
    """Any encoder of speech with any decoder of text: Wav2Vec2 and BERT here."""
    tokenizer = word_tokenizer()
    decoder = T.BertConfig(vocab_size=len(tokenizer), **BERT, is_decoder=True, add_cross_attention=True)
    config = T.SpeechEncoderDecoderConfig.from_encoder_decoder_configs(T.Wav2Vec2Config(**WAV2VEC2), decoder)
    config.decoder_start_token_id, config.pad_token_id, config.eos_token_id = 2, 0, 3
    model: Any = T.SpeechEncoderDecoderModel(config=config)
    model.generation_config.decoder_start_token_id, model.generation_config.pad_token_id = 2, 0
    model.generation_config.eos_token_id, model.generation_config._from_model_config = 3, False
    save(folder, tokenizer, wav2vec2_extractor(), model)


def speecht5_listener(folder: Path) -> None:
    tokenizer = character_tokenizer(folder)
    model = T.SpeechT5ForSpeechToText(T.SpeechT5Config(vocab_size=len(tokenizer), **SPEECHT5))
    save(folder, T.SpeechT5Processor(T.SpeechT5FeatureExtractor(num_mel_bins=16), tokenizer), model)  # type: ignore[no-untyped-call]


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


def vits(folder: Path) -> None:
    path = folder / "vocab.json"
    path.write_text(json.dumps({c: i for i, c in enumerate("_ abcdefghijklmnopqrstuvwxyz'")}))
    tokenizer = T.VitsTokenizer(str(path), pad_token="_", unk_token="_", phonemize=False, language="eng")
    config = T.VitsConfig(
        vocab_size=tokenizer.vocab_size, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, ffn_dim=16, flow_size=16,
        spectrogram_bins=9, duration_predictor_num_flows=1, duration_predictor_filter_channels=16, prior_encoder_num_flows=1,
        posterior_encoder_num_wavenet_layers=1, prior_encoder_num_wavenet_layers=1, upsample_initial_channel=16, upsample_rates=[8, 8],
        upsample_kernel_sizes=[16, 16], resblock_kernel_sizes=[3], resblock_dilation_sizes=[[1, 3]], depth_separable_num_layers=1,
        depth_separable_channels=2, use_stochastic_duration_prediction=False, sampling_rate=HZ,
    )  # fmt: skip
    save(folder, tokenizer, T.VitsModel(config))


SPEECHT5: dict[str, Any] = {
    "hidden_size": 24, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2, "decoder_attention_heads": 2,
    "encoder_ffn_dim": 16, "decoder_ffn_dim": 16, "num_mel_bins": 16, "speech_decoder_prenet_units": 16, "speech_decoder_postnet_units": 16,
    "speaker_embedding_dim": 8, "max_speech_positions": 4000, "max_text_positions": 60, "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 2, "conv_dim": (16, 16), "conv_stride": (5, 64), "conv_kernel": (10, 64), "num_feat_extract_layers": 2,
}  # fmt: skip


def vocoder(folder: Path) -> None:
    config = T.SpeechT5HifiGanConfig(
        model_in_dim=16, upsample_initial_channel=16, upsample_rates=[4, 4], upsample_kernel_sizes=[8, 8], resblock_kernel_sizes=[3],
        resblock_dilation_sizes=[[1, 3]], initializer_range=0.3,
    )  # fmt: skip
    T.SpeechT5HifiGan(config).save_pretrained(folder)


def never_ends(model: Any) -> Any:
    """A model that speaks for as long as it may: it does not see the end before."""
    torch.nn.init.constant_(model.speech_decoder_postnet.prob_out.bias, -9.0)
    return model


def character_tokenizer(folder: Path) -> Any:
    """Of SpeechT5: sentencepiece over single characters."""
    import sentencepiece

    out = io.BytesIO()
    lines = iter(["the quick brown fox jumps over the lazy dog . , ' ? !"] * 5)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=lines, model_writer=out, model_type="char", vocab_size=60, hard_vocab_limit=False, minloglevel=2,
        bos_id=0, pad_id=1, eos_id=2, unk_id=3,
    )  # fmt: skip
    (folder / "spm_char.model").write_bytes(out.getvalue())
    return T.SpeechT5Tokenizer(str(folder / "spm_char.model"))


def speecht5(folder: Path) -> None:
    tokenizer = character_tokenizer(folder)
    model = never_ends(T.SpeechT5ForTextToSpeech(T.SpeechT5Config(vocab_size=len(tokenizer) + 5, **SPEECHT5)))
    save(folder, T.SpeechT5Processor(T.SpeechT5FeatureExtractor(num_mel_bins=16), tokenizer), model)  # type: ignore[no-untyped-call]
    vocoder(folder / "vocoder")


def speecht5_voices(folder: Path) -> None:
    extractor = T.SpeechT5FeatureExtractor(num_mel_bins=16)
    save(folder, extractor, never_ends(T.SpeechT5ForSpeechToSpeech(T.SpeechT5Config(vocab_size=20, **SPEECHT5))))
    vocoder(folder / "vocoder")


def musicgen(folder: Path) -> None:
    tokenizer = word_tokenizer("t5")
    text = T.T5Config(vocab_size=len(tokenizer), d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2, pad_token_id=0, eos_token_id=1)
    codec = T.EncodecConfig(
        sampling_rate=1000, upsampling_ratios=[10, 10], num_filters=4, hidden_size=8, codebook_size=32, codebook_dim=8,
        num_residual_layers=1, num_lstm_layers=1, target_bandwidths=[0.1], kernel_size=3, last_kernel_size=3,
    )  # fmt: skip
    decoder = T.MusicgenDecoderConfig(
        vocab_size=32, hidden_size=16, ffn_dim=16, num_hidden_layers=1, num_attention_heads=2, num_codebooks=2, pad_token_id=32,
        bos_token_id=32, max_position_embeddings=256,
    )  # fmt: skip
    model = T.MusicgenForConditionalGeneration(T.MusicgenConfig(text_encoder=text, audio_encoder=codec, decoder=decoder))
    of: Any = model.generation_config
    of.decoder_start_token_id = of.pad_token_id = of.bos_token_id = 32
    of.guidance_scale = 3.0
    save(folder, tokenizer, model)


def of_letters(values: Mapping[str, Any], samples: Samples) -> None:
    assert values["text"]
    assert set(values["text"]) <= {*LETTERS, *" <unk></s>"}


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


def heard(values: Mapping[str, Any]) -> tuple[Any, int]:
    """Samples and rate of the sound that was made."""
    samples, rate = soundfile.read(values["audio"].path)
    assert np.isfinite(samples).all()
    assert np.abs(samples).max() > 0
    return samples, rate


def two_sentences(values: Mapping[str, Any], samples: Samples) -> None:
    """There is a pause of a quarter of a second, and nowhere else is it that quiet for so long."""
    sound, rate = heard(values)
    assert rate == HZ
    quiet = np.convolve(sound == 0, np.ones(rate // 4), mode="valid") >= rate // 4 - 0.5
    assert quiet.any()
    assert quiet.argmax() > 0
    assert not quiet[-1]


def some_sound(values: Mapping[str, Any], samples: Samples) -> None:
    sound, rate = heard(values)
    assert rate == HZ
    assert len(sound) > 1000


def ten_seconds(values: Mapping[str, Any], samples: Samples) -> None:
    sound, rate = heard(values)
    assert len(sound) / rate == pytest.approx(10, abs=0.5)


def the_words(values: Mapping[str, Any], samples: Samples) -> None:
    """Most of what is said in examples/inputs/recording.wav; the voice is robotic."""
    said = json.loads((INPUTS / "recording.json").read_text())["speech"]
    wanted = {w for s in said for w in s["text"].lower().split() if len(w) > 3}
    assert len(wanted & set(re.findall("[a-z]+", values["text"].lower()))) >= len(wanted) / 2


def somebody_speaks(values: Mapping[str, Any], samples: Samples) -> None:
    assert any(e["label"].startswith("Speech") for e in values["labels"][:5])


CASES: tuple[Case, ...] = (
    Case(
        task="automatic-speech-recognition",
        kind="wav2vec2-ctc",
        build=ctc,
        inputs=lambda s: {"audio": s.example("recording.wav")},
        check=of_letters,
        live="facebook/wav2vec2-base-960h",
        live_check=the_words,
        half=True,
    ),
    Case(
        task="automatic-speech-recognition",
        kind="whisper",
        build=whisper,
        inputs=lambda s: {"audio": s.example("recording.wav")},
        check=some_text,
        live="openai/whisper-tiny",
        live_check=the_words,
        half=True,
    ),
    Case(
        task="automatic-speech-recognition",
        kind="speech-encoder-decoder",
        build=speech_encoder_decoder,
        inputs=lambda s: {"audio": s.sound},
        check=some_text,
        half=True,
    ),
    Case(
        task="automatic-speech-recognition",
        kind="speecht5",
        build=speecht5_listener,
        inputs=lambda s: {"audio": s.sound},
        check=some_text,
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
        inputs=lambda s: {"audio": s.example("recording.wav")},
        check=each_for_itself,
        live="MIT/ast-finetuned-audioset-10-10-0.4593",
        live_check=somebody_speaks,
        half=True,
    ),
    *LABEL_CASES,
    Case(
        task="voice-activity-detection",
        kind="wav2vec2-frames",
        build=frame_classifier,
        inputs=lambda s: {"audio": s.sound},
        check=within_two_seconds,
    ),
    Case(
        task="text-to-speech",
        kind="vits",
        build=vits,
        inputs=lambda s: {"text": "The cat sat on the mat. Who is there?", "language": "en"},
        check=two_sentences,
        live="facebook/mms-tts-eng",
    ),
    Case(
        task="text-to-speech",
        kind="speecht5",
        build=speecht5,
        inputs=lambda s: {"text": "The lazy dog. Who is there?"},
        check=two_sentences,
    ),
    Case(
        task="audio-to-audio",
        kind="speecht5",
        build=speecht5_voices,
        inputs=lambda s: {"audio": s.tone(0.5)},
        check=some_sound,
    ),
    Case(
        task="text-to-audio",
        kind="musicgen",
        build=musicgen,
        inputs=lambda s: {"prompt": "a great song"},
        check=ten_seconds,
    ),
)
