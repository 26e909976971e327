"""Objects in pictures: those that a model knows, or any that are named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ....errors import ModelRefusedError
from ...runner import RunnerOutput
from ...workers import check_abandoned
from ..loaded import LoadedModel
from .classification import refuse_long
from .pictures import Seen, box_within, picture_of

Found = tuple[str, float, Sequence[float]]
"""Label, score, and left, top, right and bottom in pixels of the original picture."""

_SURE = 0.5
_SURE_WHEN_NAMED = 0.1
"""Scores of models that are told what to look for are far lower; the same limit as that of transformers' pipeline."""
_SURE_WHEN_GROUNDED = 0.3
"""The limit that the authors of Grounding DINO use; its scores are higher than those of OWL-ViT."""
_AT_ONCE = 32
_MOST_LABELS = 2_000
_SAME = 0.8
"""Share of two boxes' union that they have in common, from which on they are one object of a label, found twice."""


def object_detection(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """The objects that a model is at least half sure of, best first."""
    seen = picture_of(inputs)
    found = model.pipeline("object-detection")(seen.picture, threshold=0.0)
    scale = (seen.width / seen.picture.width, seen.height / seen.picture.height) * 2
    names = ("xmin", "ymin", "xmax", "ymax")
    objects = _objects(
        ((f["label"], f["score"], [f["box"][n] * s for n, s in zip(names, scale, strict=True)]) for f in found if f["score"] >= _SURE), seen
    )
    return RunnerOutput(values={"objects": objects}, notes=(*seen.notes, *_nothing(objects, [f["score"] for f in found], _SURE)))


def zero_shot_object_detection(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """The objects of the labels that were given, best first."""
    labels: Sequence[str] = inputs["candidate_labels"]
    if len(labels) > _MOST_LABELS:
        raise ModelRefusedError(
            f"'candidate_labels' has {len(labels):,} labels; {model.id!r} takes at most {_MOST_LABELS:,}.", remedy="Give fewer labels."
        )
    seen = picture_of(inputs)
    if "Grounding" in type(model.model).__name__:
        (found, best), sure = _grounded(model, seen, labels), _SURE_WHEN_GROUNDED
    else:
        (found, best), sure = _matched(model, seen, labels), _SURE_WHEN_NAMED
    objects = _once(_objects(found, seen))
    return RunnerOutput(values={"objects": objects}, notes=(*seen.notes, *_nothing(objects, [best], sure)))


def _matched(model: LoadedModel, seen: Seen, labels: Sequence[str]) -> tuple[list[Found], float]:
    """What OWL-ViT finds, and the best score of all. Each label is judged on its own, so that others change nothing."""
    import torch

    found: list[Found] = []
    best = 0.0
    pixels = model.image_processor(images=[seen.picture], return_tensors="pt")
    for start in range(0, len(labels), _AT_ONCE):
        check_abandoned()
        part = labels[start : start + _AT_ONCE]
        outputs = model.model(**model.on_device({**_queries(model, part), **pixels}))
        logits, outputs.pred_boxes = outputs.logits.float(), outputs.pred_boxes.float()
        best = max(best, float(torch.sigmoid(logits).max()))
        for n, label in enumerate(part):
            outputs.logits = logits[..., n : n + 1]  # of several labels only the best of each box would be kept
            result = model.image_processor.post_process_object_detection(
                outputs, threshold=_SURE_WHEN_NAMED, target_sizes=torch.tensor([seen.size], device=logits.device)
            )[0]
            found += [(label, score, box) for score, box in zip(result["scores"].tolist(), result["boxes"].tolist(), strict=True)]
    return found, best


def _queries(model: LoadedModel, labels: Sequence[str]) -> dict[str, Any]:
    """Labels as OWL-ViT takes them: sentences of 16 tokens, as it was trained."""
    import torch

    longest = int(model.config.text_config.max_position_embeddings)
    batch = model.tokenizer([f"a photo of a {label}" for label in labels], padding="max_length", max_length=longest)
    refuse_long(model, labels, batch["input_ids"], longest)
    return {n: torch.tensor(batch[n]) for n in ("input_ids", "attention_mask")}


def _grounded(model: LoadedModel, seen: Seen, labels: Sequence[str]) -> tuple[list[Found], float]:
    """What Grounding DINO finds: one label at a time, so that each object belongs to one label and no label is cut off."""
    found: list[Found] = []
    best = 0.0
    for label in labels:
        check_abandoned()
        batch = model.processor(images=seen.picture, text=f"{label.lower().rstrip('.')}.", return_tensors="pt")
        refuse_long(model, [label], batch["input_ids"].tolist(), int(model.config.max_text_len))
        outputs = model.model(**model.on_device(batch))
        scores = outputs.logits[0].float().sigmoid().amax(-1)
        best = max(best, float(scores.max()))
        for score, (x, y, w, h) in zip(scores.tolist(), outputs.pred_boxes[0].float().tolist(), strict=True):
            if score >= _SURE_WHEN_GROUNDED:
                corners = (x - w / 2, y - h / 2, x + w / 2, y + h / 2)
                found.append((label, score, [c * s for c, s in zip(corners, (seen.width, seen.height) * 2, strict=True)]))
    return found, best


def _objects(found: Iterable[Found], seen: Seen) -> list[dict[str, Any]]:
    """Objects in the form of the task, best first; boxes of which nothing lies in the picture are left out."""
    objects = [
        {"label": str(label), "score": float(score), "box": box}
        for label, score, corners in found
        if (box := box_within(corners, seen.width, seen.height)) is not None
    ]
    return sorted(objects, key=lambda o: -o["score"])


def _once(objects: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without boxes that show the same object of a label again: models that take names find each object several times."""
    kept: list[dict[str, Any]] = []
    for o in objects:
        if all(o["label"] != k["label"] or _overlap(o["box"], k["box"]) < _SAME for k in kept):
            kept.append(o)
    return kept


def _overlap(a: Mapping[str, int], b: Mapping[str, int]) -> float:
    """Share of the union of two boxes that lies in both, 0..1."""
    width = min(a["xmax"], b["xmax"]) - max(a["xmin"], b["xmin"])
    height = min(a["ymax"], b["ymax"]) - max(a["ymin"], b["ymin"])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    areas = sum((x["xmax"] - x["xmin"]) * (x["ymax"] - x["ymin"]) for x in (a, b))
    return both / (areas - both)


def _nothing(objects: Sequence[Any], scores: Sequence[float], limit: float) -> tuple[str, ...]:
    """A note for a picture in which nothing was found."""
    if objects:
        return ()
    best = max(scores, default=0.0)
    if best >= limit:
        return ("all that was found lies outside the picture, or is smaller than a pixel",)
    return (f"nothing was found that the model is sure of: its best score is {best:.2f}, and {limit:g} is wanted",)
