"""Tiny models of the tasks that write: translation, summaries, text, words for a blank."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import transformers as T

from tests.local_models.case import Case
from tests.local_models.samples import Samples
from tests.local_models.tokenizers import BERT, save, word_tokenizer

PAIRS = {
    "summarization": {"prefix": "summarize: ", "num_beams": 2, "max_length": 20, "min_length": 4, "early_stopping": True},
    "translation_en_to_de": {"prefix": "translate English to German: ", "num_beams": 1},
    "translation_en_to_fr": {"prefix": "translate English to French: "},
}
_CHAT = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}assistant:"
STORY = "A cat sat on the mat. The dog sat on the cat. John Smith works at Acme. Paris is the capital of France."


_T5: dict[str, Any] = {
    "d_model": 32, "d_kv": 8, "d_ff": 37, "num_layers": 2, "num_heads": 4, "decoder_start_token_id": 0, "pad_token_id": 0,
    "eos_token_id": 1,
}  # fmt: skip


def t5(folder: Path) -> None:
    tokenizer = word_tokenizer("t5")
    config = T.T5Config(vocab_size=len(tokenizer), **_T5)
    config.task_specific_params = PAIRS
    save(folder, tokenizer, T.T5ForConditionalGeneration(config))


_BART: dict[str, Any] = {
    "d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 2, "decoder_attention_heads": 2,
    "encoder_ffn_dim": 37, "decoder_ffn_dim": 37, "max_position_embeddings": 128,
}  # fmt: skip


def bart(folder: Path) -> None:
    tokenizer = word_tokenizer("bart")
    config = T.BartConfig(
        vocab_size=len(tokenizer), **_BART, bos_token_id=0, pad_token_id=1, eos_token_id=2, decoder_start_token_id=2, forced_eos_token_id=2
    )
    save(folder, tokenizer, T.BartForConditionalGeneration(config))


def marian(folder: Path) -> None:
    """From English into German; its tokenizer is sentencepiece."""
    import sentencepiece

    corpus = folder / "corpus.txt"
    corpus.write_text("\n".join([STORY, *STORY.split(". "), "abcdefghijklmnopqrstuvwxyz"]), "utf-8")
    sentencepiece.SentencePieceTrainer.train(
        input=str(corpus), model_prefix=str(folder / "source"), vocab_size=80, hard_vocab_limit=False, minloglevel=2,
        pad_id=-1, bos_id=-1, eos_id=0, unk_id=1,
    )  # fmt: skip
    corpus.unlink()
    (folder / "source.vocab").unlink()
    model = folder / "source.model"
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(model))
    names = [pieces.id_to_piece(n) for n in range(pieces.get_piece_size())] + ["<pad>"]
    (folder / "vocab.json").write_text(json.dumps({n: i for i, n in enumerate(names)}), "utf-8")
    model.rename(folder / "source.spm")
    (folder / "target.spm").write_bytes((folder / "source.spm").read_bytes())
    tokenizer = T.MarianTokenizer(
        str(folder / "source.spm"), str(folder / "target.spm"), str(folder / "vocab.json"),
        source_lang="en", target_lang="de", model_max_length=128,
    )  # fmt: skip
    pad = len(names) - 1
    config = T.MarianConfig(
        vocab_size=len(names), **_BART, pad_token_id=pad, eos_token_id=0, decoder_start_token_id=pad, forced_eos_token_id=0,
        decoder_vocab_size=len(names),
    )  # fmt: skip
    save(folder, tokenizer, T.MarianMTModel(config))


def nllb(folder: Path) -> None:
    """From and into four of NLLB's languages, with a tokenizer that puts the source's code first."""
    codes = ["eng_Latn", "deu_Latn", "fra_Latn", "zho_Hans"]
    characters = "abcdefghijklmnopqrstuvwxyz.,?!ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    tokenizer = T.NllbTokenizer(
        vocab={w: n for n, w in enumerate(["<s>", "<pad>", "</s>", "<unk>", "▁", *characters])},
        merges=[], additional_special_tokens=[*codes, "<mask>"], src_lang="eng_Latn", model_max_length=128,
    )  # fmt: skip
    config = T.M2M100Config(vocab_size=len(tokenizer), **_BART, bos_token_id=0, pad_token_id=1, eos_token_id=2, decoder_start_token_id=2)
    save(folder, tokenizer, T.M2M100ForConditionalGeneration(config))


def gpt2(folder: Path, *, chat: bool = True) -> None:
    tokenizer = word_tokenizer("gpt")
    if chat:
        tokenizer.chat_template = _CHAT
    config = T.GPT2Config(
        vocab_size=len(tokenizer), n_embd=32, n_layer=2, n_head=2, n_positions=128, bos_token_id=0, eos_token_id=0, pad_token_id=0
    )
    save(folder, tokenizer, T.GPT2LMHeadModel(config))


def llama(folder: Path) -> None:
    """Without a chat template; every word is as likely as every other, and the first that it may say is taken."""
    tokenizer = word_tokenizer("gpt")
    config = T.LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=37, num_hidden_layers=2, num_attention_heads=2,
        max_position_embeddings=128, bos_token_id=0, eos_token_id=0, pad_token_id=0,
    )  # fmt: skip
    model = T.LlamaForCausalLM(config)
    with torch.no_grad():
        model.model.norm.weight.zero_()
    model.generation_config.max_new_tokens = 5
    model.generation_config.suppress_tokens = [0, 1]
    save(folder, tokenizer, model)


def masked(folder: Path) -> None:
    """Takes "cat" for every missing word."""
    tokenizer = word_tokenizer()
    model = T.BertForMaskedLM(T.BertConfig(vocab_size=len(tokenizer), **BERT))
    with torch.no_grad():
        model.cls.predictions.bias[tokenizer.convert_tokens_to_ids("cat")] = 10
    save(folder, tokenizer, model)


def some_text(port: str) -> Any:
    def check(values: Mapping[str, Any], samples: Samples) -> None:
        assert isinstance(values[port], str)
        assert values[port].strip()
        assert not any(special in values[port] for special in ("</s>", "<pad>", "<|endoftext|>", "assistant:"))

    return check


def holds(port: str, *words: str) -> Any:
    def check(values: Mapping[str, Any], samples: Samples) -> None:
        assert any(w.lower() in values[port].lower() for w in words), values[port]

    return check


def cat_first(values: Mapping[str, Any], samples: Samples) -> None:
    assert values["labels"][0]["label"] == "cat"
    scores = [e["score"] for e in values["labels"]]
    assert scores == sorted(scores, reverse=True)
    assert 0 < sum(scores) <= 1.01


def capital_first(values: Mapping[str, Any], samples: Samples) -> None:
    assert values["labels"][0]["label"] == "capital"


_TABLE = [{"name": "Paris", "population": 12}, {"name": "London", "population": 7}]
_INTO_GERMAN = {"text": "The cat sat on the mat.", "source_language": "English", "target_language": "German"}

CASES: tuple[Case, ...] = (
    Case(
        task="translation",
        kind="t5",
        build=t5,
        inputs=lambda s: _INTO_GERMAN,
        check=some_text("text"),
        live="google-t5/t5-small",
        live_check=holds("text", "Katze"),
        half=True,
    ),
    Case(task="translation", kind="bart", build=bart, inputs=lambda s: {"text": STORY}, check=some_text("text"), half=True),
    Case(task="translation", kind="marian", build=marian, inputs=lambda s: _INTO_GERMAN, check=some_text("text"), half=True),
    Case(task="translation", kind="nllb", build=nllb, inputs=lambda s: _INTO_GERMAN, check=some_text("text"), half=True),
    Case(
        task="summarization",
        kind="t5",
        build=t5,
        inputs=lambda s: {"text": STORY, "max_sentences": 2},
        check=some_text("summary"),
        live="google-t5/t5-small",
        half=True,
    ),
    Case(task="summarization", kind="bart", build=bart, inputs=lambda s: {"text": STORY}, check=some_text("summary"), half=True),
    Case(
        task="text-generation",
        kind="gpt2-chat",
        build=gpt2,
        inputs=lambda s: {"prompt": "What is the capital of France?", "context": "Paris is great."},
        check=some_text("text"),
        live="HuggingFaceTB/SmolLM2-135M-Instruct",
        live_check=holds("text", "Paris"),
        half=True,
    ),
    Case(
        task="text-generation",
        kind="llama",
        build=llama,
        inputs=lambda s: {"prompt": "Once there was a cat"},
        check=some_text("text"),
        live="HuggingFaceTB/SmolLM2-135M",
        half=True,
    ),
    Case(task="text-generation", kind="t5", build=t5, inputs=lambda s: {"prompt": "Say yes"}, check=some_text("text"), half=True),
    Case(
        task="fill-mask",
        kind="bert-for-masks",
        build=masked,
        inputs=lambda s: {"text": "Paris is the ___ of France."},
        check=cat_first,
        live="distilbert/distilroberta-base",
        live_check=capital_first,
        half=True,
    ),
    Case(task="table-to-text", kind="t5", build=t5, inputs=lambda s: {"table": _TABLE}, check=some_text("text"), half=True),
    Case(task="tabular-to-text", kind="t5", build=t5, inputs=lambda s: {"table": _TABLE}, check=some_text("text"), half=True),
)
