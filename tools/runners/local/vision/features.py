"""Pictures as vectors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ....errors import ModelRefusedError
from ...runner import RunnerOutput
from ..loaded import LoadedModel
from .pictures import picture_of

if TYPE_CHECKING:
    import torch

    from .pictures import Seen


def image_feature_extraction(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """One vector for a picture, not scaled.

    Of models of pictures and texts (CLIP) the vector in their common space; of others that of the class token, or the mean over all
    places where there is no such token.
    """
    seen = picture_of(inputs)
    vector = picture_vector(model, seen)
    if not vector.isfinite().all():
        raise ModelRefusedError(f"{model.id!r} gave a vector that holds no numbers (NaN).", remedy="Choose another model.")
    return RunnerOutput(values={"embedding": [float(x) for x in vector.tolist()]}, notes=seen.notes)


def picture_vector(model: LoadedModel, seen: Seen) -> torch.Tensor:
    """The vector of a picture, (width,), in 32 bits."""
    batch = model.on_device(model.image_processor(images=[seen.picture], return_tensors="pt"))
    if hasattr(model.model, "get_image_features"):
        found = model.model.get_image_features(**batch)
        return getattr(found, "pooler_output", found)[0].float()  # type: ignore[no-any-return]
    outputs = model.model(**batch)
    embeds = getattr(outputs, "image_embeds", None)
    if embeds is not None and embeds.ndim == 2:
        return embeds[0].float()  # type: ignore[no-any-return]
    hidden: torch.Tensor = outputs.last_hidden_state[0].float()
    if hidden.ndim == 3:  # (channels, height, width), of convolutional networks
        return hidden.mean((1, 2))
    return hidden[0] if has_class_token(model.model) else hidden.mean(0)


def has_class_token(network: Any) -> bool:
    """Whether the first place of a vision transformer stands for the whole picture."""
    return any(name.endswith(("cls_token", "class_embedding")) for name, _ in network.named_parameters())
