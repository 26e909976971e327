"""Models of sentence-transformers: bi-encoders and cross-encoders, no weight left to chance, nothing pickled."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ....errors import ModelRefusedError
from ..devices import FLOAT_BYTES
from ..loaded import LoadedModel
from ..model_files import PICKLED, read_json
from .of_transformers import bytes_of, quiet, refuse_random, told

if TYPE_CHECKING:
    from ..devices import Device
    from ..model_files import ModelFiles

_OWN = "sentence_transformers."
_MAY_MISS = ("pooler.*", "*.pooler.*", "*position_ids")
_HOLDS_OTHERS = (".Router", ".Asym")  # modules with further modules in folders of their own
_OTHER_LIBRARIES = ("sparse_encoder", "multi_vector_encoder")


@dataclass(frozen=True, kw_only=True)
class SentenceTransformers:
    """Bi-encoders: a vector for each text. Folders with a modules.json.

    Attributes:
        half: whether 16-bit numbers do, where the device computes them fast.
    """

    half: bool = False
    packages: tuple[str, ...] = ("torch", "transformers", "sentence_transformers")

    @property
    def name(self) -> str:
        """Of the class."""
        return "sentence-transformers SentenceTransformer"

    def fits(self, files: ModelFiles) -> bool:
        """Whether the folder has modules, and does not say that they are a cross-encoder or another model."""
        return files.layout == "sentence-transformers" and _kind(files) == "SentenceTransformer"

    def expected(self, files: ModelFiles, device: Device) -> int:
        """Bytes that the weights will take."""
        return files.bytes_in_memory(FLOAT_BYTES[device.half if self.half else "float32"])

    def load(self, files: ModelFiles, device: Device) -> LoadedModel:
        """Load it; see `Loader`."""
        with told(files), quiet():
            from sentence_transformers import SentenceTransformer

            _check_modules(files)
            return _load(SentenceTransformer, files, device, device.half if self.half else "float32", may_miss=_MAY_MISS)


@dataclass(frozen=True, kw_only=True)
class CrossEncoders:
    """Cross-encoders: one score for a pair of texts. Folders that sentence-transformers wrote, and classifiers with one label.

    Attributes:
        half: whether 16-bit numbers do, where the device computes them fast.
    """

    half: bool = False
    packages: tuple[str, ...] = ("torch", "transformers", "sentence_transformers")

    @property
    def name(self) -> str:
        """Of the class."""
        return "sentence-transformers CrossEncoder"

    def fits(self, files: ModelFiles) -> bool:
        """Whether the folder says that it is a cross-encoder, or holds a classifier with one label."""
        if files.layout == "sentence-transformers":
            return _kind(files) == "CrossEncoder"
        classifier = any(fnmatchcase(a, "*ForSequenceClassification") for a in files.architectures)
        return files.layout == "transformers" and classifier and len(files.config.get("id2label") or (0, 1)) == 1

    def expected(self, files: ModelFiles, device: Device) -> int:
        """Bytes that the weights will take."""
        return files.bytes_in_memory(FLOAT_BYTES[device.half if self.half else "float32"])

    def load(self, files: ModelFiles, device: Device) -> LoadedModel:
        """Load it; see `Loader`."""
        with told(files), quiet():
            from sentence_transformers import CrossEncoder

            if files.layout == "sentence-transformers":
                _check_modules(files)
            loaded = _load(CrossEncoder, files, device, device.half if self.half else "float32", may_miss=("*position_ids",))
            if loaded.model.num_labels != 1:
                raise ModelRefusedError(
                    f"{files.id!r} does something else: it tells {loaded.model.num_labels} classes apart, and one score is wanted.",
                    remedy="Choose a model that was trained for the task.",
                )
            return loaded


def _kind(files: ModelFiles) -> str:
    """What the folder says it is; folders from before version 5 do not say."""
    path = files.folder / "config_sentence_transformers.json"
    try:
        said = json.loads(path.read_text("utf-8")).get("model_type", "SentenceTransformer") if path.is_file() else "SentenceTransformer"
    except (OSError, ValueError, AttributeError):
        return "SentenceTransformer"  # `load` says what is wrong with it
    return str(said)


def _check_modules(files: ModelFiles) -> None:
    """Refuse modules that are code of the folder, or whose weights are pickled."""
    for module in json.loads((files.folder / "modules.json").read_text("utf-8")):
        kind, place = str(module["type"]), (files.folder / str(module["path"])).resolve()
        if not kind.startswith(_OWN):
            raise ModelRefusedError(
                f"{files.id!r} wants to run code of its own ({kind}), which is not done here.",
                remedy="Choose a model made of sentence-transformers' own modules.",
            )
        if any(f".{other}." in kind for other in _OTHER_LIBRARIES):
            raise ModelRefusedError(
                f"{files.id!r} does something else: it holds {kind}, and a model that makes one vector of a text is wanted.",
                remedy="Choose a model that was trained for the task.",
            )
        if not place.is_relative_to(files.folder.resolve()):
            raise ModelRefusedError(f"{files.id!r} names a part outside its own folder: {module['path']!r}.")
        _check_pickles(files, place)
        if kind.endswith(_HOLDS_OTHERS):
            for inner in sorted(p for p in place.rglob("*") if p.is_dir()):
                _check_pickles(files, inner)
        _check_elsewhere(files, place)


def _check_elsewhere(files: ModelFiles, place: Path) -> None:
    """Refuse a transformer that takes its tokenizer from another place: sentence-transformers would ask the Hub for it."""
    for path in sorted(p for p in place.rglob("sentence_*_config.json") if p.is_file()):
        named = read_json(path, files.id).get("tokenizer_name_or_path")
        if named is not None:
            raise ModelRefusedError(
                f"{files.id!r} takes its tokenizer from elsewhere ({named!r:.80}), which is not done here.",
                remedy="Save it with its own tokenizer, or choose another model.",
            )


def _check_pickles(files: ModelFiles, place: Path) -> None:
    pickled = sorted(p.name for p in place.glob("*") if p.suffix in PICKLED)
    if pickled and not any(place.glob("*.safetensors")):
        part = f"{place.name}/{pickled[0]}" if place != files.folder.resolve() else pickled[0]
        raise ModelRefusedError(
            f"Weights of {files.id!r} are only there as {part}, which may run code when it is loaded.",
            remedy="Choose a model with safetensors weights, or convert it (https://huggingface.co/docs/safetensors/convert-weights).",
        )


def _load(kind: Any, files: ModelFiles, device: Device, dtype: str, *, may_miss: Sequence[str]) -> LoadedModel:
    import torch

    model = kind(
        str(files.folder),
        device=device.name,
        local_files_only=True,
        trust_remote_code=False,
        model_kwargs={"dtype": getattr(torch, dtype), "use_safetensors": True},
    )
    if model.transformers_model is not None:
        refuse_random(files, _loading_info(model.transformers_model, files), may_miss)
    model.eval()
    made = LoadedModel(files=files, model=model, tokenizer=model.tokenizer, bytes=bytes_of(model), device=device.name, dtype=dtype)
    made.watch(model)
    return made


def _loading_info(model: Any, files: ModelFiles) -> Mapping[str, Any]:
    """What of the model was in its files. sentence-transformers does not tell, so the files are compared with the model once more,
    without reading numbers (device "meta")."""
    _, info = type(model).from_pretrained(
        Path(model.name_or_path or files.folder),
        config=model.config,
        device_map={"": "meta"},
        use_safetensors=True,
        local_files_only=True,
        output_loading_info=True,
        **_subfolder(files),
    )
    told_of: Mapping[str, Any] = info
    return told_of


def _subfolder(files: ModelFiles) -> dict[str, str]:
    """Where the transformer lies, in folders from before version 2.3: in one of its own."""
    if files.layout != "sentence-transformers":
        return {}
    modules = json.loads((files.folder / "modules.json").read_text("utf-8"))
    return {"subfolder": str(modules[0]["path"])} if modules[0]["path"] else {}
