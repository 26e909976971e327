"""Tokenizers for tiny models: every word and character is known, so that nothing becomes the unknown token."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import transformers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

WORDS = (
    "the a cat dog sat on mat paris is capital of france who what where how many people live in london and was built by john smith "
    "works at acme corp good bad great terrible movie i love hate this translate english to german summarize : . , ? ! red green "
    "blue total 12 7 3 year name city population question answer"
).split()
_FAST: Any = transformers.PreTrainedTokenizerFast
_SPECIAL = {
    "bert": ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"],
    "t5": ["<pad>", "</s>", "<unk>"],
    "gpt": ["<|endoftext|>", "<unk>"],
    "bart": ["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
}
_NAMES: dict[str, dict[str, str]] = {
    "bert": {"unk_token": "[UNK]", "pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"},
    "t5": {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"},
    "gpt": {"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<unk>", "pad_token": "<|endoftext|>"},
    "bart": {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "cls_token": "<s>", "sep_token": "</s>",
             "unk_token": "<unk>", "mask_token": "<mask>"},
}  # fmt: skip

BERT: dict[str, Any] = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 37, "max_position_embeddings": 128
}  # fmt: skip


def labels(*names: str) -> dict[str, Any]:
    """Arguments of a config that name its classes."""
    return {"id2label": dict(enumerate(names)), "label2id": {n: i for i, n in enumerate(names)}}


def save(folder: Path, *parts: Any) -> None:
    """Write a model and what belongs to it."""
    for part in parts:
        part.save_pretrained(folder)


def word_tokenizer(style: str = "bert", *, extra: tuple[str, ...] = (), longest: int = 128) -> Any:
    """A tokenizer over WORDS with single characters for all else.

    Args:
        style: `bert`, `t5`, `gpt` or `bart`: special tokens and where they stand.
        extra: further words.
        longest: model_max_length.
    """
    characters = [chr(c) for c in range(33, 127)]
    vocabulary = list(dict.fromkeys([*_SPECIAL[style], *WORDS, *extra, *characters, *("##" + c for c in characters)]))
    ids = {w: i for i, w in enumerate(vocabulary)}
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token=_NAMES[style]["unk_token"], max_input_chars_per_word=200))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    if style == "bert":
        tokenizer.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", ids["[CLS]"]), ("[SEP]", ids["[SEP]"])]
        )
    elif style == "t5":
        tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    elif style == "bart":
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
        )
    return _FAST(tokenizer_object=tokenizer, model_max_length=longest, **_NAMES[style])


def clip_tokenizer() -> tuple[Any, int, int]:
    """For CLIP and OWL-ViT, with the ids of its begin and end: these must be the last ids and never 0."""
    tokenizer = word_tokenizer("gpt")
    inner = tokenizer.backend_tokenizer
    inner.add_special_tokens(["<|startoftext|>", "<|eot|>"])
    begin, end = inner.token_to_id("<|startoftext|>"), inner.token_to_id("<|eot|>")
    inner.post_processor = processors.TemplateProcessing(
        single="<|startoftext|> $A <|eot|>", special_tokens=[("<|startoftext|>", begin), ("<|eot|>", end)]
    )
    names = {"bos_token": "<|startoftext|>", "eos_token": "<|eot|>", "pad_token": "<|eot|>", "unk_token": "<unk>"}
    made = _FAST(tokenizer_object=inner, model_max_length=16, **names)
    return made, begin, end
