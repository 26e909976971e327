"""Classes of pictures: those of the model, or any that are named."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ....errors import ModelRefusedError
from ...runner import RunnerOutput
from ...workers import check_abandoned
from ..loaded import LoadedModel
from .pictures import picture_of

if TYPE_CHECKING:
    import torch

_MOST_CLASSES = 50
_TEMPLATE = "This is a photo of {}."
_AT_ONCE = 64
_SIGLIP_LENGTH = 64
_MOST_LABELS = 20_000
ONE_LABEL = "only one label was given: its score is 1 whatever the picture shows"


def image_classification(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """The classes of a picture, best first; of more than 50 the best 50."""
    if model.config.problem_type == "regression":
        raise ModelRefusedError(
            f"{model.id!r} gives a number for a picture and no classes.", remedy="Choose a model that was trained to tell classes apart."
        )
    seen = picture_of(inputs)
    found = model.pipeline("image-classification")(seen.picture, top_k=_MOST_CLASSES)
    count = int(model.config.num_labels)
    left_out = (f"the model knows {count:,} classes; the best {_MOST_CLASSES} are given",) if count > _MOST_CLASSES else ()
    return RunnerOutput(values={"labels": _scored(model, ((f["label"], f["score"]) for f in found))}, notes=(*seen.notes, *left_out))


def zero_shot_image_classification(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """How well each label that was given fits a picture, best first.

    Scores of CLIP are shares that add up to 1; those of SigLIP stand alone, so that none or several labels may fit.
    """
    import torch

    labels: Sequence[str] = inputs["candidate_labels"]
    if len(labels) > _MOST_LABELS:
        raise ModelRefusedError(
            f"'candidate_labels' has {len(labels):,} labels; {model.id!r} takes at most {_MOST_LABELS:,}.", remedy="Give fewer labels."
        )
    seen = picture_of(inputs)
    image = _unit(model.model.get_image_features(**model.on_device(model.image_processor(images=[seen.picture], return_tensors="pt"))))
    parts = []
    for start in range(0, len(labels), _AT_ONCE):
        check_abandoned()
        text = _unit(model.model.get_text_features(**_tokens(model, labels[start : start + _AT_ONCE])))
        parts.append(text @ image[0])
    logits = torch.cat(parts) * model.model.logit_scale.float().exp()
    bias = getattr(model.model, "logit_bias", None)
    scores = logits.softmax(0) if bias is None else torch.sigmoid(logits + bias.float())
    order = scores.argsort(descending=True, stable=True).tolist()
    alone = (ONE_LABEL,) if len(labels) == 1 and bias is None else ()
    return RunnerOutput(values={"labels": _scored(model, ((labels[i], scores[i]) for i in order))}, notes=(*alone, *seen.notes))


def _scored(model: LoadedModel, pairs: Iterable[tuple[Any, Any]]) -> list[dict[str, Any]]:
    """Labels with scores, in their order.

    Raises:
        ModelRefusedError: a score is no number (NaN).
    """
    scored: list[dict[str, Any]] = [{"label": str(label), "score": float(score)} for label, score in pairs]
    if not all(math.isfinite(s["score"]) for s in scored):
        raise ModelRefusedError(f"{model.id!r} gave scores that are no numbers (NaN).", remedy="Choose another model.")
    return scored


def _unit(found: Any) -> torch.Tensor:
    """Vectors of length 1 in 32 bits, (n, width), of what `get_image_features` or `get_text_features` gave."""
    import torch

    vectors: torch.Tensor = (found if isinstance(found, torch.Tensor) else found.pooler_output).float()
    return torch.nn.functional.normalize(vectors, dim=-1)


def _tokens(model: LoadedModel, labels: Sequence[str]) -> dict[str, Any]:
    """Labels in sentences, as the model's text part takes them.

    Raises:
        ModelRefusedError: a label is longer than the model reads.
    """
    import torch

    sentences = [_TEMPLATE.format(label) for label in labels]
    text_config = getattr(model.config, "text_config", model.config)
    longest = int(text_config.max_position_embeddings)
    if model.config.model_type.startswith("siglip"):  # these were trained on texts of exactly this length
        longest = min(longest, _SIGLIP_LENGTH)
        batch = model.tokenizer(sentences, padding="max_length", max_length=longest)
    else:
        batch = model.tokenizer(sentences, padding=True)
    refuse_long(model, labels, batch["input_ids"], longest)
    made: dict[str, Any] = model.on_device({n: torch.tensor(v) for n, v in batch.items() if n in ("input_ids", "attention_mask")})
    return made


def refuse_long(model: LoadedModel, labels: Sequence[str], ids: Sequence[Sequence[int]], longest: int) -> None:
    """Refuse labels that are longer than a model reads, which would be cut silently.

    Raises:
        ModelRefusedError: one of them has more than `longest` tokens.
    """
    for label, tokens in zip(labels, ids, strict=True):
        if len(tokens) > longest:
            raise ModelRefusedError(
                f"A label of 'candidate_labels' is too long for {model.id!r}: {label[:60]!r} has {len(label):,} characters, and at most "
                f"{longest} tokens are read.",
                remedy="Give shorter labels.",
            )
