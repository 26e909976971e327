"""Tiny models of the tasks in tools/runners/local/video."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import transformers as T

from tests.local_models.case import Case
from tests.local_models.samples import Samples
from tests.local_models.text import labels, save
from tests.local_models.tokenizers import word_tokenizer

SMALL: dict[str, Any] = {
    "image_size": 32, "patch_size": 16, "num_frames": 4, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
    "intermediate_size": 37,
}  # fmt: skip


def processor() -> Any:
    return T.VideoMAEImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})


def videomae(folder: Path) -> None:
    save(folder, processor(), T.VideoMAEForVideoClassification(T.VideoMAEConfig(tubelet_size=2, **SMALL, **labels("run", "jump"))))


def timesformer(folder: Path) -> None:
    save(folder, processor(), T.TimesformerForVideoClassification(T.TimesformerConfig(**SMALL, **labels("run", "jump"))))


DECODER: dict[str, Any] = {
    "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 2,
    "max_position_embeddings": 448, "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0,
}  # fmt: skip


def hearing(folder: Path) -> None:
    """Qwen2-Audio: text and sound."""
    tokenizer = word_tokenizer("gpt", longest=4096)
    marks = ["<|AUDIO|>", "<|audio_bos|>", "<|audio_eos|>", "<|im_start|>", "<|im_end|>"]
    tokenizer.add_special_tokens({"additional_special_tokens": marks})
    config = T.Qwen2AudioConfig(
        audio_config={"num_mel_bins": 16, "d_model": 16, "encoder_layers": 1, "encoder_attention_heads": 2, "encoder_ffn_dim": 16},
        text_config={"model_type": "qwen2", "vocab_size": len(tokenizer), **DECODER},
        audio_token_index=tokenizer.convert_tokens_to_ids("<|AUDIO|>"),
    )
    extractor = T.WhisperFeatureExtractor(feature_size=16)  # type: ignore[no-untyped-call]
    processor = T.Qwen2AudioProcessor(feature_extractor=extractor, tokenizer=tokenizer)  # type: ignore[no-untyped-call]
    save(folder, T.Qwen2AudioForConditionalGeneration(config), processor)


def seeing(folder: Path) -> None:
    """Idefics3, which SmolVLM is: text and several pictures."""
    tokenizer = word_tokenizer("gpt", longest=4096)
    marks = ["<image>", "<fake_token_around_image>", "<end_of_utterance>", "<global-img>"]
    tokenizer.add_special_tokens({"additional_special_tokens": marks})
    config = T.Idefics3Config(
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"), scale_factor=2,
        vision_config={
            "image_size": 32, "patch_size": 8, "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2
        },
        text_config={"model_type": "llama", "vocab_size": len(tokenizer), **DECODER},
    )  # fmt: skip
    pictures = T.Idefics3ImageProcessorPil(size={"longest_edge": 32}, max_image_size={"longest_edge": 32})
    processor = T.Idefics3Processor(image_processor=pictures, tokenizer=tokenizer, image_seq_len=4)
    processor.chat_template = (
        "{% for m in messages %}{{ m['role'] }}: {% for c in m['content'] %}{% if c['type'] == 'image' %}<image>"
        "{% else %}{{ c['text'] }}{% endif %}{% endfor %}\n{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}"
    )
    save(folder, T.Idefics3ForConditionalGeneration(config), processor)


def only_new_words(values: Mapping[str, Any], samples: Samples) -> None:
    assert values["text"].strip()
    assert not any(mark in values["text"] for mark in ("<image>", "<|AUDIO|>", "assistant:", "These pictures"))


def two_classes(values: Mapping[str, Any], samples: Samples) -> None:
    assert {e["label"] for e in values["labels"]} == {"run", "jump"}
    assert sum(e["score"] for e in values["labels"]) == pytest.approx(1, abs=0.01)
    assert values["labels"][0]["score"] >= values["labels"][1]["score"]


def many_classes(values: Mapping[str, Any], samples: Samples) -> None:
    assert len(values["labels"]) == 400
    assert sum(e["score"] for e in values["labels"]) == pytest.approx(1, abs=0.01)


CASES: tuple[Case, ...] = (
    Case(
        task="video-classification",
        kind="videomae",
        build=videomae,
        inputs=lambda s: {"video": s.video},
        check=two_classes,
        live="MCG-NJU/videomae-base-finetuned-kinetics",
        live_check=many_classes,
        half=True,
    ),
    Case(
        task="video-classification",
        kind="timesformer",
        build=timesformer,
        inputs=lambda s: {"video": s.video},
        check=two_classes,
        half=True,
    ),
    Case(
        task="audio-text-to-text",
        kind="qwen2-audio",
        build=hearing,
        inputs=lambda s: {"audio": s.sound, "question": "What is heard?"},
        check=only_new_words,
        half=True,
    ),
    Case(
        task="video-text-to-text",
        kind="idefics3",
        build=seeing,
        inputs=lambda s: {"video": s.video, "question": "What moves?"},
        check=only_new_words,
        live="HuggingFaceTB/SmolVLM-256M-Instruct",
        half=True,
    ),
    Case(
        task="any-to-any",
        kind="idefics3",
        build=seeing,
        inputs=lambda s: {"prompt": "What is red?", "image": s.picture, "video": s.video},
        check=only_new_words,
        live="HuggingFaceTB/SmolVLM-256M-Instruct",
        half=True,
    ),
    Case(
        task="any-to-any",
        kind="qwen2-audio",
        build=hearing,
        inputs=lambda s: {"prompt": "Say something about it.", "audio": s.sound},
        check=only_new_words,
        half=True,
    ),
)
