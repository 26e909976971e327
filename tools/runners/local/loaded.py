"""A model that is in memory, with what belongs to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from ..workers import check_abandoned

if TYPE_CHECKING:
    from .model_files import ModelFiles

Made = TypeVar("Made")


@dataclass(kw_only=True, eq=False)
class LoadedModel:
    """What a task's function gets to work with. Only one call uses it at a time.

    Attributes:
        files: where it came from; `files.config` is its config.json.
        model: the model: of transformers, a SentenceTransformer or CrossEncoder, a diffusers pipeline, an estimator of scikit-learn.
        tokenizer, image_processor, feature_extractor, processor: what its folder holds of these; None where it does not.
        device: where it computes, as torch names it.
        dtype: of its weights, e.g. `bfloat16`.
        bytes: what its weights take.
    """

    files: ModelFiles
    model: Any
    bytes: int
    device: str = "cpu"
    dtype: str = "float32"
    tokenizer: Any = None
    image_processor: Any = None
    feature_extractor: Any = None
    processor: Any = None
    _made: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Hub id."""
        return self.files.id

    @property
    def config(self) -> Any:
        """The model's own config object (transformers)."""
        return self.model.config

    def once(self, name: str, make: Callable[[], Made]) -> Made:
        """What a function makes of the model and wants to keep as long as the model is loaded, such as a pipeline."""
        if name not in self._made:
            self._made[name] = make()
        made: Made = self._made[name]
        return made

    def pipeline(self, task: str, **options: Any) -> Any:
        """transformers' own pipeline of a task over this model, made once.

        Args:
            task: a task that `transformers.pipeline` knows.
            options: what the pipeline is made with; fixed by the first call.
        """
        return self.once(f"pipeline {task}", lambda: self._pipeline(task, options))

    def _pipeline(self, task: str, options: Mapping[str, Any]) -> Any:
        import transformers

        parts = {n: p for n in ("tokenizer", "image_processor", "feature_extractor", "processor") if (p := getattr(self, n)) is not None}
        where = {} if getattr(self.model, "hf_device_map", None) else {"device": self.device}
        make: Any = transformers.pipeline
        return make(task, model=self.model, **where, **{**parts, **options})

    def on_device(self, batch: Any) -> Any:
        """A batch of tensors (a BatchFeature, BatchEncoding or mapping) on the model's device, floating ones in its numbers."""
        import torch

        wanted = getattr(torch, self.dtype)
        return {
            name: v.to(self.device, wanted if v.is_floating_point() else None) if isinstance(v, torch.Tensor) else v
            for name, v in batch.items()
        }

    def watch(self, *modules: Any) -> None:
        """Make modules of torch leave a call that nobody waits for any more: checked before each of their forward passes."""
        for module in modules:
            module.register_forward_pre_hook(_leave_if_abandoned)


def _leave_if_abandoned(*_: Any) -> None:
    check_abandoned()
