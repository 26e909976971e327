"""The fastest path for many texts that keeps the vectors: MiniLM in torch, in bfloat16 where the processor computes it.

benchmarks/RESULTS.md has the rates. Every batch is computed by one thread, and as many of them run as there are cores: threads that share
one batch wait for the slowest of them dozens of times in each batch, which halves the rate wherever another process uses a core.
int8 in onnxruntime is little faster (1.2 times) and its vectors are others (cosine 0.94): not worth it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ..minilm import Encoder, MiniLM, readable

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from ..minilm import Floats

LEAST = 400
"""From how many texts on loading torch is worth it."""
_TOKENS = 2048
_GPU_TOKENS = 65_536
_AT_ONCE = 4096  # texts: what their tokens take in memory stays bounded


def bulk(encoder: Encoder, texts_expected: int | None = None) -> Encoder:
    """The encoder to use for so many texts.

    Args:
        encoder: any.
        texts_expected: about how many; None: many.

    Returns:
        For MiniLM and at least 400 texts, where torch is installed, an engine in torch of the same name, whose vectors have a cosine of
        0.9999 or more with MiniLM's. Anything else: the encoder that was given.
    """
    few = texts_expected is not None and texts_expected < LEAST
    if few or not isinstance(encoder, MiniLM) or find_spec("torch") is None:
        return encoder
    return TorchMiniLM(encoder)


class TorchMiniLM:
    """MiniLM in torch, on the GPU where there is one. Loaded on first use; remembers no texts; safe to share between threads.

    Args:
        encoder: whose tokenizer and weights it uses.
        half: compute in 16 bits; default: where the machine does that fast (a GPU, AVX-512 BF16, AMX).
    """

    def __init__(self, encoder: MiniLM, *, half: bool | None = None) -> None:
        self._encoder = encoder
        self._half = half
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """The encoder's: their vectors are the same."""
        return self._encoder.name

    def encode(self, texts: Sequence[str]) -> Floats:
        """Unit vectors, shape (len(texts), dimension), float32, in the order of `texts`. Text beyond 256 tokens is not read.

        Give it many texts at once, some hundred or more: they are sorted by length, and shared out between cores.
        """
        import numpy as np

        out = np.empty((len(texts), self._encoder.dimension), np.float32)
        with self._lock:
            network = self._network
        with network.workers() as pool:
            for start in range(0, len(texts), _AT_ONCE):
                slice_ = texts[start : start + _AT_ONCE]
                tokens = network.tokens(slice_)
                batches = list(_batches(tokens, network.batch_tokens))
                done = pool.map(network.run, ([tokens[i] for i in batch] for batch in batches))
                for batch, vectors in zip(batches, done, strict=True):
                    out[start + np.array(batch)] = vectors
        return out

    @cached_property
    def _network(self) -> _Network:
        return _Network(self._encoder, half=self._half)


def _batches(tokens: Sequence[Sequence[int]], most: int) -> Iterator[list[int]]:
    """Places of texts of about one length, the longest first, so that little is filled up: at most so many tokens together, or one text."""
    order = sorted(range(len(tokens)), key=lambda i: -len(tokens[i]))
    start = 0
    while start < len(order):
        end = start + max(1, most // len(tokens[order[start]]))
        yield order[start:end]
        start = end


class _Network:
    """The forward pass of `index/minilm.py`: linear layers in 16 or 32 bits, everything else in 32."""

    def __init__(self, encoder: MiniLM, *, half: bool | None) -> None:
        import torch

        self._tokenizer, weights = encoder.parts()
        self._shape = encoder.shape
        gpu = torch.cuda.is_available()
        self._device = torch.device("cuda" if gpu else "cpu")
        self._dtype = _number(gpu, half)
        self._threads = 1 if gpu else torch.get_num_threads()
        self.batch_tokens = _GPU_TOKENS if gpu else _TOKENS
        self._w: dict[str, Tensor] = {}
        for name, weight in weights.items():
            linear = ".qkv." in name or ".dense." in name
            there = torch.from_numpy(weight.T if linear else weight)  # torch wants (out, in)
            self._w[name] = there.to(self._device, self._dtype if linear else torch.float32).contiguous()

    @contextmanager
    def workers(self) -> Iterator[ThreadPoolExecutor]:
        """Threads that torch computes in without any more threads. The setting is torch's, of the process: it is put back."""
        import torch

        before = torch.get_num_threads()
        try:
            with ThreadPoolExecutor(self._threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
                yield pool
        finally:
            torch.set_num_threads(before)

    def tokens(self, texts: Sequence[str]) -> list[list[int]]:
        """Numbers of the tokens of each text, begin and end included."""
        return [e.ids for e in self._tokenizer.encode_batch([readable(t) for t in texts])]

    def run(self, tokens: Sequence[Sequence[int]]) -> Floats:
        """Unit vectors (texts, units) of texts, given as the numbers of their tokens."""
        import torch
        from torch.nn import functional

        longest = max(map(len, tokens))
        ids = torch.tensor([[*t, *[self._shape.pad] * (longest - len(t))] for t in tokens], device=self._device)
        lengths = torch.tensor([len(t) for t in tokens], device=self._device)[:, None]
        there = torch.arange(longest, device=self._device)[None] < lengths
        with torch.inference_mode():
            states = self._states(ids, there)
            mean = (states * there[..., None]).sum(1) / lengths
            units: Floats = functional.normalize(mean, dim=1).cpu().numpy()
        return units

    def _states(self, ids: Tensor, there: Tensor) -> Tensor:
        emb, first = "embeddings.", self._shape.first
        x = (
            self._w[emb + "word_embeddings.weight"][ids]
            + self._w[emb + "position_embeddings.weight"][first : first + ids.shape[1]]
            + self._w[emb + "token_type_embeddings.weight"][0]
        )
        x = self._norm(x, emb + "LayerNorm")
        mask = None if bool(there.all()) else there[:, None, None]
        for i in range(self._shape.layers):
            x = self._layer(x, mask, f"encoder.layer.{i}.")
        return x

    def _layer(self, x: Tensor, mask: Tensor | None, prefix: str) -> Tensor:
        from torch.nn import functional

        texts, tokens, units = x.shape
        heads = self._shape.heads
        qkv = self._linear(x, prefix + "attention.self.qkv")
        q, k, v = qkv.view(texts, tokens, 3, heads, units // heads).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2).reshape(texts, tokens, units)
        x = self._norm(self._linear(mixed, prefix + "attention.output.dense") + x, prefix + "attention.output.LayerNorm")
        inner = functional.gelu(self._linear(x, prefix + "intermediate.dense"))
        return self._norm(self._linear(inner, prefix + "output.dense") + x, prefix + "output.LayerNorm")

    def _linear(self, x: Tensor, name: str) -> Tensor:
        from torch.nn import functional

        return functional.linear(x.to(self._dtype), self._w[name + ".weight"], self._w[name + ".bias"])

    def _norm(self, x: Tensor, name: str) -> Tensor:
        from torch.nn import functional

        return functional.layer_norm(x, (self._shape.units,), self._w[name + ".weight"], self._w[name + ".bias"], self._shape.eps)


def computes_bfloat16() -> bool:
    """Whether the processor has instructions for bfloat16; without, it is slower than 32 bits. Imports torch."""
    import torch

    tell: Callable[[], dict[str, Any]] = getattr(torch.cpu, "get_capabilities", dict)  # older versions of torch do not tell
    can = tell()
    return any(can.get(name) for name in ("avx512_bf16", "amx_bf16"))


def _number(gpu: bool, half: bool | None) -> torch.dtype:
    """bfloat16 on processors that compute it in hardware, float16 on a GPU, whose steps are finer."""
    import torch

    fast = gpu or computes_bfloat16()
    if not (fast if half is None else half):
        return torch.float32
    return torch.float16 if gpu else torch.bfloat16
