"""Models of transformers: the right class or none, no weight left to chance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ....errors import ModelRefusedError
from ..devices import FLOAT_BYTES
from ..loaded import LoadedModel

if TYPE_CHECKING:
    from ..devices import Device
    from ..model_files import ModelFiles

PROCESSORS = {
    "tokenizer": "AutoTokenizer",
    "image_processor": "AutoImageProcessor",
    "feature_extractor": "AutoFeatureExtractor",
    "processor": "AutoProcessor",
    "video_processor": "AutoVideoProcessor",
}
_VOCABULARIES = ("tokenizer.json", "vocab*", "*.model", "*.spm", "*.tiktoken", "*vocab*.json", "tekken.json", "merges.txt", "vocab_file*")
_SLACK = 50_000_000  # numbers, for parts that a task does without


@dataclass(frozen=True, kw_only=True)
class Transformers:
    """Models of transformers.

    Attributes:
        autos: the Auto classes whose models do the work, e.g. `AutoModelForSequenceClassification`; the one is taken in whose list the
            class is that the weights were made for. A model of none of them is refused.
        classes: names of further classes that do, for which transformers has no Auto class.
        parts: what is loaded beside the model: `tokenizer`, `image_processor`, `feature_extractor`, `processor`; with `?` at its end,
            only where the folder has it.
        architectures: patterns of names of classes, for a first look without transformers.
        may_miss: patterns of weights that the work does without, such as a pooling layer on top.
        half: whether 16-bit numbers do, where the device computes them fast.
    """

    autos: tuple[str, ...]
    parts: tuple[str, ...]
    architectures: tuple[str, ...]
    classes: tuple[str, ...] = ()
    may_miss: tuple[str, ...] = ()
    half: bool = False
    packages: tuple[str, ...] = ("torch", "transformers")

    @property
    def name(self) -> str:
        """The classes and parts, and the numbers: a task that wants 32 bits must not get a model that another had loaded in 16."""
        return f"transformers {'|'.join((*self.autos, *self.classes))} {'|'.join(self.parts)}{' in 32 bits' if not self.half else ''}"

    def fits(self, files: ModelFiles) -> bool:
        """Whether the folder says that it holds a class with such a name."""
        patterns = (*self.architectures, *self.classes)
        return files.layout in ("transformers", "sentence-transformers") and any(
            fnmatchcase(a, p) for a in files.architectures for p in patterns
        )

    def dtype(self, device: Device) -> str:
        """Numbers that the weights will be in."""
        return device.half if self.half else "float32"

    def expected(self, files: ModelFiles, device: Device) -> int:
        """Bytes that the weights will take."""
        return files.bytes_in_memory(FLOAT_BYTES[self.dtype(device)])

    def load(self, files: ModelFiles, device: Device) -> LoadedModel:
        """Load it; see `Loader`."""
        import torch

        spread = _placing(self.expected(files, device), device)
        with told(files), quiet():
            config = self._config(files)
            model_class = self._class_for(files, config)
            refuse_other_size(files, model_class, config)
            dtype = self.dtype(device)
            model, info = model_class.from_pretrained(
                files.folder,
                config=config,
                dtype=getattr(torch, dtype),
                use_safetensors=True,
                trust_remote_code=False,
                local_files_only=True,
                output_loading_info=True,
                **spread,
            )
            refuse_random(files, info, self.may_miss)
            parts = {n: p for spec in self.parts if (p := _part(files.folder, spec)) is not None for n in (spec.rstrip("?"),)}
        model.eval()
        if not spread:
            model.to(device.name)
        where = str(model.device)  # of a model that is spread: where its inputs go
        loaded = LoadedModel(files=files, model=model, bytes=bytes_of(model), device=where, dtype=dtype, **parts)
        loaded.watch(model)
        return loaded

    def _config(self, files: ModelFiles) -> Any:
        import transformers

        return transformers.AutoConfig.from_pretrained(files.folder, trust_remote_code=False, local_files_only=True)

    def _class_for(self, files: ModelFiles, config: Any) -> Any:
        """The class that the weights were made for, if it does the work."""
        import transformers

        declared = files.architectures
        for name in declared:
            if name in self.classes:
                return getattr(transformers, name)
            for auto in self.autos:
                if name in _names(getattr(transformers, auto), config):
                    return getattr(transformers, name)
        made = ", ".join(declared) or "no architecture at all"
        wanted = " or ".join((*self.autos, *self.classes))
        raise ModelRefusedError(
            f"{files.id!r} does something else: its config.json declares {made}, and a model of {wanted} is wanted.",
            remedy="Choose a model that was trained for the task.",
        )


def _names(auto: Any, config: Any) -> Sequence[str]:
    """Names of the classes that an Auto class makes of a config."""
    mapping = auto._model_mapping  # transformers has no public way to ask
    if type(config) not in mapping:
        return ()
    found = mapping[type(config)]
    return [c.__name__ for c in (found if isinstance(found, tuple | list) else (found,))]


def refuse_other_size(files: ModelFiles, model_class: Any, config: Any) -> None:
    """Refuse a model of which the files hold less than half: transformers would make the memory for all of it before it says so. Takes some
    20 ms for a billion numbers (device "meta")."""
    import torch

    if getattr(config, "quantization_config", None) is not None:
        return  # its numbers are packed
    with torch.device("meta"):
        wanted = sum(p.numel() for p in model_class(deepcopy(config)).parameters())
    held = files.bytes_in_memory(1)
    if wanted > 2 * held + _SLACK:
        raise ModelRefusedError(
            f"{files.id!r} is not whole: its config.json describes a model of {wanted / 1e6:.0f} million numbers, and its files hold "
            f"{held / 1e6:.0f} million.",
            remedy="Fetch or save the model again.",
        )


def refuse_random(files: ModelFiles, info: Mapping[str, Any], may_miss: Sequence[str]) -> None:
    """Refuse a model of whose weights some were not in its files. `info`: what `from_pretrained` says with output_loading_info."""
    missing = sorted(str(k) for k in info["missing_keys"])
    wrong = sorted(str(k[0]) if isinstance(k, tuple) else str(k) for k in info.get("mismatched_keys", ()))
    random = [k for k in (*missing, *wrong) if not any(fnmatchcase(k, p) for p in may_miss)]
    if random:
        made = ", ".join(files.architectures)
        raise ModelRefusedError(
            f"{files.id!r} is not whole: its files lack {len(random)} weight{'s' if len(random) > 1 else ''} of {made} "
            f"({', '.join(random[:3])}{', …' if len(random) > 3 else ''}), which would be random numbers.",
            remedy="Choose a model that was trained for the task.",
        )


def _part(folder: Path, spec: str) -> Any:
    import transformers

    name = spec.rstrip("?")
    if name == "tokenizer" and not any(next(folder.glob(p), None) for p in _VOCABULARIES):
        if spec.endswith("?"):
            return None
        raise ModelRefusedError(
            f"{folder.name!r} has no tokenizer; transformers would make up an empty one.", remedy="Fetch or save it again."
        )
    auto: Any = getattr(transformers, PROCESSORS[name])
    try:
        return auto.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    except (OSError, ValueError, KeyError, TypeError, ImportError, AttributeError):
        if spec.endswith("?"):
            return None
        raise


def _placing(expected: int, device: Device) -> dict[str, Any]:
    """Where weights go: spread over what there is when they do not fit on the device (accelerate)."""
    if device.name.startswith("cuda") and expected > 0.9 * device.free_bytes:
        return {"device_map": "auto"}
    return {}


def bytes_of(model: Any) -> int:
    """What a module of torch takes: parameters and buffers, each once."""
    tensors = {t.data_ptr() or id(t): t for t in (*model.parameters(), *model.buffers())}
    return sum(t.numel() * t.element_size() for t in tensors.values())


@contextmanager
def quiet() -> Iterator[None]:
    """No bars and no reports of transformers while a model is loaded: what matters of them is raised."""
    import transformers

    logging: Any = transformers.utils.logging
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


@contextmanager
def told(files: ModelFiles) -> Iterator[None]:
    """What libraries raise about a folder, in words that say what to do."""
    try:
        yield
    except ModelRefusedError:
        raise
    except Exception as e:  # each library and each model class has errors of its own
        raise refusal(files, e) from e


def refusal(files: ModelFiles, error: Exception) -> ModelRefusedError:
    """What stands in the way of loading a folder."""
    text = " ".join(str(error).split())
    if "trust_remote_code" in text:
        return ModelRefusedError(
            f"{files.id!r} wants to run code of its own, which is not done here.",
            remedy="Choose a model of an architecture in transformers.",
        )
    if not files.folder.is_dir():
        return ModelRefusedError(
            f"The folder of {files.id!r} is not there any more: {str(files.folder)!r}.", remedy="Fetch or save it again."
        )
    return ModelRefusedError(f"{files.id!r} cannot be loaded: {type(error).__name__}: {text[:300]}.", remedy="Choose another model.")
