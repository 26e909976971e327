"""A random ViT-L and a decoder of 1.2 billion weights, in 16-bit numbers where the device computes them. See `benchmarks/experts.py`."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.by_hand import BY_HAND
from benchmarks.experts import Sample, Worker, compared
from benchmarks.experts_turns import resident
from benchmarks.startup import table
from langchain_hugginggpt.tools import ArtifactStore
from tests.local_models.samples import Samples
from tests.local_models.tokenizers import word_tokenizer


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Of both models.

    Attributes:
        width, layers, heads: of the picture's model.
        side: pixels of what it sees, in patches of 16.
        text_width, text_layers, text_heads, vocabulary: of the decoder.
        tokens: that it writes.
    """

    width: int = 1024
    layers: int = 24
    heads: int = 16
    side: int = 224
    text_width: int = 2048
    text_layers: int = 16
    text_heads: int = 32
    vocabulary: int = 128_256
    tokens: int = 64


TINY = Sizes(width=32, layers=2, heads=2, side=32, text_width=32, text_layers=2, text_heads=4, vocabulary=300, tokens=8)
_VIT, _DECODER = "image-classification--vit", "text-generation--llama"
HEAD = ("task--model", "by hand, ms", "ours, ms", "overhead, ms", "%", "pairs", "ours, a second", "memory, MB", "≤ 5 % or 3 ms")


def vit(folder: Path, sizes: Sizes) -> None:
    """ViT-L/16 and its kind, with 1,000 classes."""
    import transformers as T  # noqa: N812

    config = T.ViTConfig(
        hidden_size=sizes.width, num_hidden_layers=sizes.layers, num_attention_heads=sizes.heads, intermediate_size=4 * sizes.width,
        image_size=sizes.side, id2label={n: f"class {n}" for n in range(1000)},
    )  # fmt: skip
    T.ViTForImageClassification(config).save_pretrained(folder)
    T.ViTImageProcessorPil(size={"height": sizes.side, "width": sizes.side}).save_pretrained(folder)


def decoder(folder: Path, sizes: Sizes) -> None:
    """Of the shape of Llama 3.2 1B. It never ends by itself."""
    import torch
    import transformers as T  # noqa: N812

    tokenizer = word_tokenizer("gpt", longest=2048)
    config = T.LlamaConfig(
        vocab_size=max(sizes.vocabulary, len(tokenizer)), hidden_size=sizes.text_width, num_hidden_layers=sizes.text_layers,
        num_attention_heads=sizes.text_heads, num_key_value_heads=sizes.text_heads // 4, intermediate_size=4 * sizes.text_width,
        max_position_embeddings=2048, tie_word_embeddings=True, bos_token_id=0, eos_token_id=None, pad_token_id=0,
    )  # fmt: skip
    model: Any = T.LlamaForCausalLM(config)
    model.to(torch.bfloat16)
    model.generation_config.max_new_tokens = sizes.tokens
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def samples(sizes: Sizes, seconds: float) -> list[tuple[Sample, float, float]]:
    """Both models: the times, units a second (pictures, tokens), and the bytes of memory at the most, in which the model is twice."""
    import torch

    worker = Worker()
    on_gpu = torch.cuda.is_available()
    found: list[tuple[Sample, float, float]] = []
    with tempfile.TemporaryDirectory() as scratch:
        picture = Samples(ArtifactStore(Path(scratch) / "files")).picture
        todo: tuple[tuple[str, Any, dict[str, Any], str, int], ...] = (
            (_VIT, vit, {"image": picture}, _VIT, 1),
            (_DECODER, decoder, {"prompt": "Once there was a cat"}, "text-generation--gpt2-chat", sizes.tokens),
        )
        for name, build, inputs, by_hand, units in todo:
            folder = Path(scratch) / name
            folder.mkdir()
            worker(partial(build, folder, sizes))
            if on_gpu:
                torch.cuda.reset_peak_memory_stats()
            sample = compared(name, folder, inputs, BY_HAND[by_hand], seconds, worker)
            memory = torch.cuda.max_memory_allocated() if on_gpu else resident()
            found.append((sample, units * 1000 / sample.ours, memory))
    return found


def report(seconds: float, sizes: Sizes | None = None) -> str:
    """The table."""
    from benchmarks.experts import machine

    body = []
    for s, speed, memory in samples(sizes or Sizes(), seconds):
        share, verdict = f"{s.overhead / s.hand:+.1%}", "kept" if s.kept else "MISSED"
        times = (f"{s.hand:.2f}", f"{s.ours:.2f}", f"{s.overhead:+.2f}", share, str(s.calls))
        body.append((s.id, *times, f"{speed:.1f}", f"{memory / 1e6:.0f}", verdict))
    return (
        f"{machine()} Memory holds the model twice, once for each side; on a GPU its own at the most, else the process's at the end; "
        f"a second: pictures, tokens.\n\n{table(HEAD, body)}"
    )
