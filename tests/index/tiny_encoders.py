"""Sentence encoders of a few units, with random weights, in folders as transformers writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

Floats = NDArray[np.float32]

SENTENCES = [
    "Describe the picture for me",
    "Sum up the report and read it aloud",
    "Write down what is said in the talk",
    "Beschreibe mir das Bild",
    "Fasse den Bericht zusammen",
    "Резюмируй отчёт",
    "把报告总结一下",
    "Résume le rapport",
]


def words() -> Tokenizer:
    """Whole words, as BERT frames them."""
    made = Tokenizer(models.WordLevel({"[PAD]": 0, "[UNK]": 1}, unk_token="[UNK]"))
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.train_from_iterator(SENTENCES, trainers.WordLevelTrainer(special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]"], show_progress=False))
    ids = [(t, made.token_to_id(t)) for t in ("[CLS]", "[SEP]")]
    made.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]", special_tokens=ids)
    return made


def unigram() -> Tokenizer:
    """Pieces of words, as XLM-RoBERTa's: a mark for each space, and other numbers for its special tokens."""
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    made = Tokenizer(models.Unigram())
    made.normalizer = normalizers.NFKC()
    made.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    trainer = trainers.UnigramTrainer(vocab_size=120, special_tokens=special, unk_token="<unk>", show_progress=False)
    made.train_from_iterator(SENTENCES, trainer)
    ids = [(t, made.token_to_id(t)) for t in ("<s>", "</s>")]
    made.post_processor = processors.TemplateProcessing(single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=ids)
    return made


def tiny_encoder(folder: Path, *, kind: str = "bert", seed: int = 1, layers: int = 3, units: int = 32, **config: Any) -> Path:
    """Write an encoder.

    Args:
        folder: is made.
        kind: `bert` with whole words, or `xlm-roberta` with pieces.
        seed: of the weights.
        layers, units: how big; with four heads.
        config: what else `config.json` says, or says otherwise.
    """
    folder.mkdir(parents=True)
    tokenizer = unigram() if kind == "xlm-roberta" else words()
    tokenizer.save(str(folder / "tokenizer.json"))
    positions, inner = 40, 48
    facts = {
        "architectures": ["XLMRobertaModel" if kind == "xlm-roberta" else "BertModel"],
        "model_type": kind,
        "hidden_size": units,
        "num_hidden_layers": layers,
        "num_attention_heads": 4,
        "intermediate_size": inner,
        "max_position_embeddings": positions,
        "layer_norm_eps": 1e-5,
        "hidden_act": "gelu",
        "type_vocab_size": 1,
        "pad_token_id": 1 if kind == "xlm-roberta" else 0,
        "vocab_size": tokenizer.get_vocab_size(),
    }
    (folder / "config.json").write_text(json.dumps(facts | config), "utf-8")
    save_file(random_weights(seed, tokenizer.get_vocab_size(), positions, layers, units, inner), folder / "model.safetensors")
    return folder


def random_weights(seed: int, tokens: int, positions: int, layers: int, units: int, inner: int) -> dict[str, Floats]:
    """By their names in transformers; with a pooler, which nobody needs."""
    sizes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (tokens, units),
        "embeddings.position_embeddings.weight": (positions, units),
        "embeddings.token_type_embeddings.weight": (1, units),
        "pooler.dense.weight": (units, units),
        "pooler.dense.bias": (units,),
    }
    norms = ["embeddings.LayerNorm"]
    for layer in (f"encoder.layer.{i}" for i in range(layers)):
        linear = {f"attention.self.{n}": (units, units) for n in ("query", "key", "value")}
        linear |= {"attention.output.dense": (units, units), "intermediate.dense": (inner, units), "output.dense": (units, inner)}
        for name, size in linear.items():
            sizes |= {f"{layer}.{name}.weight": size, f"{layer}.{name}.bias": size[:1]}
        norms += [f"{layer}.attention.output.LayerNorm", f"{layer}.output.LayerNorm"]
    chance = np.random.default_rng(seed)
    spread = {"embeddings.word_embeddings.weight": 1.0}  # so that words, not their places, make the difference
    out = {name: chance.normal(scale=spread.get(name, 0.1), size=size).astype(np.float32) for name, size in sizes.items()}
    for name in norms:
        out[name + ".weight"] = chance.normal(1, 0.1, units).astype(np.float32)
        out[name + ".bias"] = chance.normal(0, 0.1, units).astype(np.float32)
    return out
