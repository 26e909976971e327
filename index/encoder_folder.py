"""A folder with a sentence encoder, as sentence-transformers and transformers write it: what it must hold, and how it is read.

Two kinds are read: BERT, and (XLM-)RoBERTa, which is the same but for where it begins to count positions. Nothing in such a folder is
run: weights are taken from safetensors only.

Source: https://huggingface.co/docs/transformers/model_doc/bert and .../xlm-roberta; https://sbert.net for `1_Pooling`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, Field, ValidationError

from .errors import CallerError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

    Floats = NDArray[np.float32]

MODEL, TOKENIZER, CONFIG = "model.safetensors", "tokenizer.json", "config.json"
LEAST_LAYERS = 3
_ANY = -1
_POOLING = Path("1_Pooling/config.json")
_PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt")
_ROBERTA = ("roberta", "xlm-roberta")
_NUMBERS = ("F32", "F16")
_LINEAR = ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense")
_NORMS = ("attention.output.LayerNorm", "output.LayerNorm")
_AS_FOLDER = "Name a folder as sentence-transformers or transformers write it, of a BERT or XLM-RoBERTa encoder."


class _Config(BaseModel):
    model_type: str
    hidden_size: int = Field(ge=1)
    num_hidden_layers: int = Field(ge=1)
    num_attention_heads: int = Field(ge=1)
    intermediate_size: int = Field(ge=1)
    max_position_embeddings: int = Field(default=512, ge=8)
    layer_norm_eps: float = Field(default=1e-12, gt=0)
    hidden_act: str = "gelu"
    position_embedding_type: str = "absolute"
    pad_token_id: int | None = Field(default=0, ge=0)


class _Pooling(BaseModel):
    pooling_mode_mean_tokens: bool = True
    pooling_mode: str = "mean"


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How an encoder is built. What is not given is as in all-MiniLM-L6-v2.

    Attributes:
        layers: how many.
        units: of a state.
        heads: of attention.
        inner: units of the middle of the feed-forward part.
        eps: of the layer norms.
        positions: for how many tokens there are positions.
        first: position of the first token.
        pad: number of the token that fills up.
    """

    layers: int = 6
    units: int = 384
    heads: int = 12
    inner: int = 1536
    eps: float = 1e-12
    positions: int = 512
    first: int = 0
    pad: int = 0

    @property
    def top(self) -> tuple[int, int]:
        """Numbers of the two top layers, counted from 0: those that a training adapts."""
        return self.layers - 2, self.layers - 1


def read_shape(folder: Path) -> Shape:
    """What `config.json` says.

    Raises:
        CallerError: a file is missing, or the encoder is of another kind than those that are read.
    """
    _check_files(folder)
    path = folder / CONFIG
    try:
        config = _Config.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as e:
        raise CallerError(f"The encoder's {str(path)!r} cannot be read: {_first(e)}.", remedy=_AS_FOLDER) from e
    roberta = config.model_type in _ROBERTA
    faults = [
        (not roberta and config.model_type != "bert", f"a {config.model_type!r} model; only 'bert', 'roberta' and 'xlm-roberta' are read"),
        (config.hidden_act != "gelu", f"a model with the activation {config.hidden_act!r}; only 'gelu' is computed"),
        (config.position_embedding_type != "absolute", f"a model with {config.position_embedding_type!r} positions, not absolute ones"),
        (config.num_hidden_layers < LEAST_LAYERS, f"a model of {config.num_hidden_layers} layers; at least {LEAST_LAYERS} are needed"),
        (config.hidden_size % config.num_attention_heads > 0, f"{config.hidden_size} units for {config.num_attention_heads} heads"),
    ]
    for wrong, what in faults:
        if wrong:
            raise CallerError(f"The encoder in {str(folder)!r} is {what}.", remedy=_AS_FOLDER)
    _check_pooling(folder)
    pad = config.pad_token_id or 0
    first = pad + 1 if roberta else 0
    return Shape(
        layers=config.num_hidden_layers,
        units=config.hidden_size,
        heads=config.num_attention_heads,
        inner=config.intermediate_size,
        eps=config.layer_norm_eps,
        positions=config.max_position_embeddings - first,
        first=first,
        pad=pad,
    )


def _check_files(folder: Path) -> None:
    if not folder.is_dir():
        raise CallerError(f"There is no folder {str(folder)!r} with an encoder.", remedy=_AS_FOLDER)
    missing = [name for name in (CONFIG, TOKENIZER, MODEL) if not (folder / name).is_file()]
    if not missing:
        return
    remedy = _AS_FOLDER
    pickled = sorted(p.name for pattern in _PICKLED for p in folder.glob(pattern))
    if MODEL in missing and pickled:
        remedy = (
            f"{pickled[0]!r} is not read, since pickled weights can run code. Where you trust it, convert it: "
            "transformers' AutoModel.from_pretrained(FOLDER).save_pretrained(FOLDER, safe_serialization=True)."
        )
    elif TOKENIZER in missing and CONFIG not in missing:
        remedy = "Write it: transformers' AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER)."
    raise CallerError(f"The encoder's folder {str(folder)!r} holds no {' and no '.join(missing)}.", remedy=remedy)


def _check_pooling(folder: Path) -> None:
    """sentence-transformers says here how it makes one vector of many; where it says nothing, the mean is taken."""
    path = folder / _POOLING
    if not path.is_file():
        return
    try:
        pooling = _Pooling.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as e:
        raise CallerError(f"The encoder's {str(path)!r} cannot be read: {_first(e)}.", remedy=_AS_FOLDER) from e
    if not pooling.pooling_mode_mean_tokens or pooling.pooling_mode != "mean":
        raise CallerError(f"The encoder in {str(folder)!r} does not pool by the mean.", remedy="Choose one that does.")


def read_weights(folder: Path, shape: Shape) -> dict[str, Floats]:
    """The encoder's weights, by their names in `model.safetensors`; what is no part of it (a pooler, say) is left out.

    Raises:
        CallerError: the file is torn, or does not hold what `config.json` says.
    """
    import numpy as np
    from safetensors import SafetensorError, safe_open

    path = folder / MODEL
    out: dict[str, Floats] = {}
    try:
        with safe_open(str(path), framework="numpy") as f:
            there = set(f.keys())
            for name, size in _expected(shape):
                found = f.get_slice(name) if name in there else None
                sizes = tuple(found.get_shape()) if found is not None else ()
                if found is None or len(sizes) != len(size) or any(want not in (_ANY, got) for want, got in zip(size, sizes, strict=True)):
                    is_ = f"of shape {sizes}" if found is not None else "missing"
                    raise CallerError(f"{str(path)!r} is not what {CONFIG} says: its {name!r} is {is_}.", remedy=_AS_FOLDER)
                if found.get_dtype() not in _NUMBERS:
                    raise CallerError(
                        f"{str(path)!r} holds numbers of the type {found.get_dtype()}.",
                        remedy="Save it with 32 or 16 bits (float32, float16).",
                    )
                out[name] = f.get_tensor(name).astype(np.float32, copy=False)
    except (OSError, SafetensorError) as e:
        raise CallerError(f"The encoder's {str(path)!r} cannot be read: {e}.", remedy="Fetch it again.") from e
    return out


def _expected(shape: Shape) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Names of weights, with their shapes."""
    for name, rows in (("word", _ANY), ("position", shape.first + shape.positions), ("token_type", _ANY)):
        yield f"embeddings.{name}_embeddings.weight", (rows, shape.units)
    norms = ["embeddings.LayerNorm"]
    for layer in (f"encoder.layer.{i}." for i in range(shape.layers)):
        sizes = dict.fromkeys(_LINEAR, (shape.units, shape.units))
        sizes |= {"intermediate.dense": (shape.inner, shape.units), "output.dense": (shape.units, shape.inner)}
        for name, size in sizes.items():
            yield f"{layer}{name}.weight", size
            yield f"{layer}{name}.bias", size[:1]
        norms += [layer + name for name in _NORMS]
    for name in norms:
        yield name + ".weight", (shape.units,)
        yield name + ".bias", (shape.units,)


def read_tokenizer(folder: Path, shape: Shape, longest: int) -> Tokenizer:
    """The tokenizer, which cuts after `longest` tokens and fills up batches, whatever its own file says of that.

    Raises:
        CallerError: the file cannot be read, or the tokenizer marks no begin and end of a text.
    """
    from tokenizers import Tokenizer

    path = folder / TOKENIZER
    try:
        found: Tokenizer = Tokenizer.from_file(str(path))
    except Exception as e:  # tokenizers raises nothing more special
        raise CallerError(f"The encoder's {str(path)!r} cannot be read: {e}.", remedy=_AS_FOLDER) from e
    if len(found.encode("").ids) < 2:  # one before the text, one behind it
        raise CallerError(
            f"The tokenizer {str(path)!r} puts no token before and behind a text, as BERT needs it ([CLS] and [SEP], or <s> and </s>).",
            remedy=_AS_FOLDER,
        )
    found.enable_truncation(min(longest, shape.positions))
    found.enable_padding(pad_id=shape.pad, pad_token=found.id_to_token(shape.pad) or "[PAD]")
    return found


def check_vocabulary(folder: Path, tokenizer: Tokenizer, rows: int) -> None:
    """Raises CallerError where the tokenizer knows tokens that the model has no row for: it is another model's."""
    if (size := tokenizer.get_vocab_size()) > rows:
        raise CallerError(
            f"{TOKENIZER} in {str(folder)!r} knows {size} tokens, and the model {rows}: they are of two encoders.", remedy=_AS_FOLDER
        )


def digest(folder: Path) -> str:
    """SHA-256 of the model file, in hex. Raises CallerError when it cannot be read."""
    import hashlib

    path = folder / MODEL
    try:
        with path.open("rb") as f:
            return hashlib.file_digest(f, "sha256").hexdigest()
    except OSError as e:
        raise CallerError(f"The encoder's {str(path)!r} cannot be read: {_first(e)}.", remedy="Check its rights.") from e


def _first(error: OSError | ValidationError) -> str:
    """What is wrong, in one line."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    fault = error.errors(include_url=False)[0]
    return f"{'.'.join(map(str, fault['loc'])) or 'it'}: {fault['msg']}"
