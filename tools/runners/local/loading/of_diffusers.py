"""Pipelines of diffusers: every part of a class that diffusers or transformers has, no weight left to chance."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ....errors import ModelRefusedError
from ..devices import FLOAT_BYTES
from ..loaded import LoadedModel
from .of_transformers import bytes_of, refusal

if TYPE_CHECKING:
    from ..devices import Device
    from ..model_files import ModelFiles

_WEIGHTS = ("*.safetensors", "*.safetensors.index.json")
_CHECKERS = ("safety_checker",)  # parts that a pipeline does without, where a folder leaves them out


@dataclass(frozen=True, kw_only=True)
class Diffusers:
    """Whole pipelines of diffusers. All tasks share one name, so that a model which serves several of them is in memory once; what a
    pipeline can do is looked at again by the function of the task.

    Attributes:
        classes: patterns of names of pipelines, for a first look without diffusers.
        other: patterns of names that do something else though `classes` fit.
        half: whether 16-bit numbers do, where the device computes them fast.
    """

    classes: tuple[str, ...]
    other: tuple[str, ...] = ()
    half: bool = True
    packages: tuple[str, ...] = ("torch", "diffusers", "transformers")

    @property
    def name(self) -> str:
        """The library, and the numbers."""
        return "diffusers" if self.half else "diffusers in 32 bits"

    def fits(self, files: ModelFiles) -> bool:
        """Whether the folder is a pipeline of such a name."""
        return (
            files.layout == "diffusers"
            and (files.folder / "model_index.json").is_file()
            and any(_is_like(a, self.classes) and not _is_like(a, self.other) for a in files.architectures)
        )

    def dtype(self, device: Device) -> str:
        """Numbers that the weights will be in."""
        return device.half if self.half else "float32"

    def expected(self, files: ModelFiles, device: Device) -> int:
        """Bytes that the weights will take."""
        return files.bytes_in_memory(FLOAT_BYTES[self.dtype(device)])

    def load(self, files: ModelFiles, device: Device) -> LoadedModel:
        """Load it; see `Loader`. A pipeline that is too large for a GPU is moved there part by part while it runs (accelerate)."""
        import torch

        pipeline_class = _pipeline_class(files)
        dtype = self.dtype(device)
        try:
            pipe = pipeline_class(**arguments(files, pipeline_class, getattr(torch, dtype)))
        except ModelRefusedError:
            raise
        except Exception as e:  # each library and each class has errors of its own
            raise refusal(files, e) from e
        return ready(files, pipe, device, dtype, self.expected(files, device))


def ready(files: ModelFiles, pipe: Any, device: Device, dtype: str, expected: int) -> LoadedModel:
    """A pipeline made ready on the device.

    Args:
        dtype: of its weights.
        expected: bytes that they take; what is too much for a GPU is moved there part by part while the pipeline runs.
    """
    import torch

    modules = [c for c in pipe.components.values() if isinstance(c, torch.nn.Module)]
    for module in modules:
        module.eval()
    if device.name.startswith("cuda") and expected > 0.9 * device.free_bytes:
        pipe.enable_model_cpu_offload(device=device.name)
    else:
        pipe.to(device.name)
    pipe.set_progress_bar_config(disable=True)
    size = sum(bytes_of(m) for m in modules)
    loaded = LoadedModel(files=files, model=pipe, bytes=size, device=device.name, dtype=dtype)
    loaded.watch(*modules)
    return loaded


def _is_like(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, p) for p in patterns)


def _pipeline_class(files: ModelFiles) -> Any:
    """The class that model_index.json names, if diffusers itself has it."""
    import diffusers

    declared = files.config.get("_class_name")
    found = getattr(diffusers, declared, None) if isinstance(declared, str) else None
    if not (inspect.isclass(found) and issubclass(found, diffusers.DiffusionPipeline)):
        raise ModelRefusedError(
            f"{files.id!r} wants the pipeline {declared!r:.80}, which diffusers {diffusers.__version__} does not have. Code that comes "
            "with a model is not run here.",
            remedy="Choose a model whose pipeline is part of diffusers.",
        )
    return found


def arguments(files: ModelFiles, pipeline_class: Any, dtype: Any) -> dict[str, Any]:
    """What a pipeline is made of, from the folder of one: its parts, loaded, and plain settings. Parts that the folder does not declare are
    left out.

    Raises:
        ModelRefusedError: a part is missing, is of a class that is not run here, or would hold random weights.
    """
    declared = dict(_parts(files))
    wanted = set(inspect.signature(pipeline_class.__init__).parameters) - {"self", "args", "kwargs"}
    made: dict[str, Any] = {
        name: value for name, value in files.config.items() if name in wanted and name not in declared and not isinstance(value, list)
    }
    for name in sorted(wanted & set(declared)):
        where = declared[name]
        if where is None or (name in _CHECKERS and not _has_weights(files.folder / name)):
            made[name] = None
        else:
            made[name] = _part(files, name, *where, dtype)
    if made.get("safety_checker", True) is None and "requires_safety_checker" in wanted:
        made["requires_safety_checker"] = False
    for name in pipeline_class._optional_components:
        if name in wanted:
            made.setdefault(name, None)
    return made


def _parts(files: ModelFiles) -> Iterator[tuple[str, tuple[str, str] | None]]:
    """Parts by name, as (library, class); None for one that is left out. Other entries of model_index.json are settings."""
    for name, value in files.config.items():
        if name.startswith("_") or not (isinstance(value, list) and len(value) == 2):
            continue
        library, declared = value
        if library is None or declared is None:
            yield name, None
        elif isinstance(library, str) and isinstance(declared, str):
            yield name, (library, declared)


def _part(files: ModelFiles, name: str, library: str, declared: str, dtype: Any) -> Any:
    """One part, loaded. Only classes of diffusers and transformers are looked at: `library` is a text from the model's folder."""
    import torch

    part_class = _part_class(library, declared)
    if part_class is None:
        raise ModelRefusedError(
            f"The part {name!r} of {files.id!r} is a {library}.{declared}, which is no model, scheduler, tokenizer or processor that "
            "diffusers or transformers has; code that comes with a model is not run here.",
            remedy="Choose another model.",
        )
    folder = files.folder / name
    if not folder.is_dir() and (files.folder / getattr(part_class, "config_name", name)).is_file():
        folder = files.folder  # so the first models of diffusers lie: all parts in one folder
    if not folder.is_dir():
        raise ModelRefusedError(f"{files.id!r} is not whole: it lacks the folder {name!r}.", remedy="Fetch or save the model again.")
    if not issubclass(part_class, torch.nn.Module):
        options = {} if library == "diffusers" else {"trust_remote_code": False}
        return part_class.from_pretrained(folder, local_files_only=True, **options)
    return part_of(files, name, part_class, folder, dtype)


def part_of(files: ModelFiles, name: str, part_class: Any, folder: Path, dtype: Any) -> Any:
    """A part that is a module of torch, loaded in full.

    Raises:
        ModelRefusedError: it has no weights that are read here, or some of them would be random.
    """
    if not _has_weights(folder):
        raise ModelRefusedError(
            f"The part {name!r} of {files.id!r} has no weights in safetensors form.",
            remedy="Choose a model with safetensors weights, or convert it (https://huggingface.co/docs/safetensors/convert-weights).",
        )
    module, info = part_class.from_pretrained(
        folder, use_safetensors=True, local_files_only=True, output_loading_info=True, **_numbers(part_class, dtype)
    )
    _refuse_random(files, name, info)
    return module


def _numbers(part_class: Any, dtype: Any) -> dict[str, Any]:
    import diffusers

    return {"torch_dtype" if issubclass(part_class, diffusers.ModelMixin) else "dtype": dtype}


def _part_class(library: str, declared: str) -> Any:
    import diffusers
    import transformers

    if declared.startswith("_"):
        return None
    known: dict[str, Any] = {"diffusers": diffusers, "transformers": transformers}
    place = known.get(library) or (getattr(diffusers.pipelines, library, None) if library.isidentifier() else None)
    found: Any = getattr(place, declared, None)
    is_ours = inspect.isclass(found) and found.__module__.split(".")[0] in known
    return found if is_ours and issubclass(found, _kinds_of_parts()) and hasattr(found, "from_pretrained") else None


def _kinds_of_parts() -> tuple[type, ...]:
    """What a part may be: a module of torch, whose weights are looked at, or something that has none. An Auto class of models would read
    pickled weights and make up missing ones, and a pipeline within a pipeline would choose its own parts."""
    import diffusers
    import torch
    import transformers
    from diffusers.guiders.guider_utils import BaseGuidance
    from transformers.feature_extraction_utils import FeatureExtractionMixin
    from transformers.image_processing_base import ImageProcessingMixin

    autos = (transformers.AutoTokenizer, transformers.AutoProcessor, transformers.AutoImageProcessor, transformers.AutoFeatureExtractor)
    without_weights = (transformers.PreTrainedTokenizerBase, transformers.ProcessorMixin, FeatureExtractionMixin, ImageProcessingMixin)
    return (torch.nn.Module, diffusers.SchedulerMixin, BaseGuidance, *without_weights, *autos)


def _has_weights(folder: Path) -> bool:
    return any(True for pattern in _WEIGHTS for _ in folder.glob(pattern))


def _refuse_random(files: ModelFiles, name: str, info: Mapping[str, Any]) -> None:
    missing = sorted(str(k) for k in info["missing_keys"])
    wrong = sorted(str(k[0]) if isinstance(k, tuple) else str(k) for k in info.get("mismatched_keys", ()))
    random = [*missing, *wrong]
    if random:
        raise ModelRefusedError(
            f"{files.id!r} is not whole: the files of {name!r} lack {len(random)} weight{'s' if len(random) > 1 else ''} "
            f"({', '.join(random[:3])}{', …' if len(random) > 3 else ''}), which would be random numbers.",
            remedy="Fetch or save the model again.",
        )
