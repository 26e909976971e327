"""A model's folder, looked at before anything in it is loaded."""

from __future__ import annotations

import json
import struct
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ....index.errors import CardError
from ...errors import ModelRefusedError

PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".msgpack", ".h5", ".npy")
"""Suffixes of weights that run code when they are loaded, or that this project does not read."""
_LONGEST_JSON = 20 * 2**20
_LONGEST_HEADER = 100 * 2**20  # safetensors' own limit
_LONGEST_CARD = 2**20
_SIZES = {"F64": 8, "I64": 8, "U64": 8, "F32": 4, "I32": 4, "U32": 4, "F16": 2, "BF16": 2, "I16": 2, "U16": 2, "BOOL": 1}
_FLOATS = ("F64", "F32", "F16", "BF16")
_CONFIGS = {"model_index.json": "diffusers", "modules.json": "sentence-transformers", "config.json": "transformers"}


@dataclass(frozen=True, kw_only=True)
class ModelFiles:
    """A model's folder.

    Attributes:
        id: Hub id, or the name of the folder among those that the user named.
        folder: where it lies.
        layout: `transformers`, `sentence-transformers`, `diffusers` (a whole pipeline, or one module of it) or `skops`.
        config: what is in config.json, or model_index.json; empty where there is none.
        weights: the files that its loader reads.
        base: the model that it stands on, such as the Stable Diffusion that a ControlNet steers; None for most.
    """

    id: str
    folder: Path
    layout: str
    config: Mapping[str, Any]
    weights: tuple[Path, ...]
    base: ModelFiles | None = None

    @property
    def architectures(self) -> tuple[str, ...]:
        """Names of the classes that the weights were made for; empty where config.json does not say."""
        named = self.config.get("architectures") or self.config.get("_class_name") or ()
        return tuple(str(n) for n in named) if isinstance(named, list) else (str(named),) if named else ()

    @cached_property
    def facts(self) -> Mapping[str, Any]:
        """The front matter of README.md, as on the Hub (`base_model`, `tags`, …), texts and lists of them; empty where there is none that
        can be read."""
        return _facts(self.folder / "README.md")

    @cached_property
    def stamp(self) -> str:
        """Another one as soon as a file of the weights or the config is another, its base's included: what is loaded is known by it."""
        of_base = f" on {self.base.id} {self.base.stamp}" if self.base is not None else ""
        configs = [p for n in _CONFIGS if (p := self.folder / n).is_file()]
        try:
            return " ".join(f"{(s := p.stat()).st_size}.{s.st_mtime_ns}" for p in (*configs, *self.weights)) + of_base
        except OSError as e:
            raise ModelRefusedError(f"The folder of {self.id!r} has changed while it was looked at: {e.strerror}.") from e

    @property
    def bytes_on_disk(self) -> int:
        """Size of the weights' files."""
        return sum(p.stat().st_size for p in self.weights)

    def bytes_in_memory(self, float_bytes: int | None = None) -> int:
        """What the weights take once they are loaded, counted from the headers of the safetensors files; those of the base included. Of
        skops files, which may be packed a thousandfold: what they unpack to.

        Args:
            float_bytes: size of a floating-point number there; None: as stored.

        Raises:
            ModelRefusedError: a file is truncated or damaged.
        """
        if self.layout == "skops":
            return sum(_unpacked(p) for p in self.weights)
        of_base = self.base.bytes_in_memory(float_bytes) if self.base is not None else 0
        return of_base + sum(read_header(p, self.id).bytes(float_bytes) for p in self.weights)


@dataclass(frozen=True, kw_only=True)
class Header:
    """Of a safetensors file: name, type and shape of each tensor. https://huggingface.co/docs/safetensors"""

    tensors: Mapping[str, tuple[str, int]]

    def bytes(self, float_bytes: int | None) -> int:
        """What the tensors take."""
        return sum(n * (float_bytes if float_bytes and t in _FLOATS else _SIZES.get(t, 1)) for t, n in self.tensors.values())


def read_header(path: Path, model: str) -> Header:
    """The header of a safetensors file; it is checked that the file is as long as the header says.

    Raises:
        ModelRefusedError: it is not; the file is cut off or damaged, or is none.
    """
    damaged = ModelRefusedError(
        f"The weights of {model!r} are damaged: {path.name} is cut off or is no safetensors file.",
        remedy="Fetch or save the model again.",
    )
    try:
        with path.open("rb") as f:
            (length,) = struct.unpack("<Q", f.read(8))
            if length > _LONGEST_HEADER:
                raise damaged
            tensors = json.loads(f.read(length))
            tensors.pop("__metadata__", None)
            end = max((int(t["data_offsets"][1]) for t in tensors.values()), default=0)
            if path.stat().st_size != 8 + length + end:
                raise damaged
            return Header(tensors={str(n): (str(t["dtype"]), _count(t["shape"])) for n, t in tensors.items()})
    except OSError as e:
        raise ModelRefusedError(f"The weights of {model!r} cannot be read: {path.name}: {e.strerror}.") from e
    except (struct.error, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as e:
        raise damaged from e


def _unpacked(path: Path) -> int:
    """Size of the files in a zip file; zipfile reads no more of them than they say here. Of any other file, its own size."""
    try:
        with zipfile.ZipFile(path) as packed:
            return sum(i.file_size for i in packed.infolist())
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):  # what is wrong with it, its loader says
        return path.stat().st_size if path.exists() else 0


def _count(shape: list[int]) -> int:
    count = 1
    for n in shape:
        count *= int(n)
    return count


def read_model_files(folder: Path, ident: str) -> ModelFiles:
    """Look at a model's folder.

    Raises:
        ModelRefusedError: it holds no model, or one whose weights are only there in a form that is not read (pickled).
    """
    config_file = next((folder / n for n in _CONFIGS if (folder / n).is_file()), None)
    if config_file is None:
        return _of_skops(folder, ident, {})
    layout = _CONFIGS[config_file.name]
    if layout == "sentence-transformers":
        config_file = folder / "config.json"  # of the transformer that it begins with
    config = read_json(config_file, ident) if config_file.is_file() else {}
    if layout == "transformers" and "_class_name" in config:
        layout = "diffusers"  # one module, such as a ControlNet
    if layout == "transformers" and isinstance(config.get("sklearn"), dict):
        return _of_skops(folder, ident, config)
    weights = tuple(_whole_pipeline(folder) if config_file.name == "model_index.json" else _weights(folder, layout))
    if not weights:
        raise _without_weights(folder, ident)
    return ModelFiles(id=ident, folder=folder, layout=layout, config=config, weights=weights)


def read_json(path: Path, ident: str) -> Mapping[str, Any]:
    """A JSON object of a model's folder.

    Raises:
        ModelRefusedError: it is none, or longer than 20 MiB.
    """
    try:
        if path.stat().st_size > _LONGEST_JSON:
            raise ValueError("it is longer than 20 MiB")
        read = json.loads(path.read_text("utf-8"))
        if not isinstance(read, dict):
            raise TypeError("it is no JSON object")
    except (OSError, ValueError, TypeError, RecursionError) as e:
        raise ModelRefusedError(f"{path.name} of {ident!r} cannot be read: {e}.", remedy="Fetch or save the model again.") from e
    return read


def _facts(path: Path) -> Mapping[str, Any]:
    from ....index.sources import front_matter  # most models are run without their card

    try:
        with path.open("rb") as f:
            text = f.read(_LONGEST_CARD).decode("utf-8", "replace").lstrip("\ufeff")
        return front_matter.read(front_matter.split(text)[0])
    except (OSError, CardError):  # written by anybody; what it says is no more than useful
        return {}


def _of_skops(folder: Path, ident: str, config: Mapping[str, Any]) -> ModelFiles:
    """A model of scikit-learn. Which file it is in, its config.json says; without one, it is the only .skops file."""
    if not folder.is_dir():
        raise ModelRefusedError(f"The folder of {ident!r} is not there (any more): {str(folder)!r}.", remedy="Check the path.")
    found = sorted(p for p in folder.glob("*.skops") if p.is_file())
    declared = config.get("sklearn", {}).get("model")
    named = declared.get("file") if isinstance(declared, dict) else None
    if isinstance(named, str) and any(p.name == named for p in found):
        found = [folder / named]
    if not found:
        raise _without_weights(folder, ident)
    return ModelFiles(id=ident, folder=folder, layout="skops", config=config, weights=tuple(found[:1]))


def _weights(folder: Path, layout: str) -> Iterator[Path]:
    """The files that `from_pretrained` reads of one module: one file, or the shards that its list names."""
    for stem in ("model", "diffusion_pytorch_model", "adapter_model"):
        whole = folder / f"{stem}.safetensors"
        if whole.is_file():
            yield whole
            break
        listed = folder / f"{stem}.safetensors.index.json"
        if listed.is_file():
            names = read_json(listed, folder.name).get("weight_map", {})
            paths = [folder / str(n) for n in sorted(set(names.values()))] if isinstance(names, dict) else []
            if paths and all(p.is_file() and p.parent == folder for p in paths):
                yield from paths
                break
    if layout == "sentence-transformers":
        yield from sorted(p for p in folder.glob("*/model.safetensors") if p.is_file())


def _whole_pipeline(folder: Path) -> Iterator[Path]:
    yield from _weights(folder, "diffusers")  # the only part of a pipeline may lie in the folder itself
    for part in sorted(p for p in folder.iterdir() if p.is_dir()):
        yield from _weights(part, "diffusers")


def _without_weights(folder: Path, ident: str) -> ModelRefusedError:
    pickled = sorted(p.name for p in folder.rglob("*") if p.suffix in PICKLED)
    if pickled:
        return ModelRefusedError(
            f"The weights of {ident!r} are only there as {pickled[0]}, which may run code when it is loaded.",
            remedy="Choose a model with safetensors weights, or convert it (https://huggingface.co/docs/safetensors/convert-weights).",
        )
    return ModelRefusedError(f"The folder of {ident!r} holds no weights in safetensors form.", remedy="Fetch or save the model again.")
