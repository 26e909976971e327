"""Masks of objects, of which classes are not told: SAM, at given points or all over the picture."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ....errors import InputError
from ...runner import RunnerOutput
from ...workers import check_abandoned
from ..loaded import LoadedModel
from .pictures import Seen, mask_png, picture_of

if TYPE_CHECKING:
    import torch

    Found = tuple[float, torch.Tensor, tuple[float, ...]]
    """Score, mask before the limit (h, w), and left, top, right and bottom of its inside."""

_LONGEST = 2048
_PER_SIDE = 16
_AT_ONCE = 32
_MOST_POINTS = 256
_MOST_MASKS = 100
_SURE, _STABLE, _SAME = 0.88, 0.95, 0.7
"""Limits that SAM's authors use: predicted overlap with the object, stability of the edge, overlap of the boxes of one object."""


def mask_generation(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """Masks, best first: one of the object at the points that are given; without points, of everything that a grid of points hits.

    Raises:
        InputError: `points` are not points of the picture.
    """
    seen = picture_of(inputs, longest=_LONGEST)
    batch = model.image_processor(images=[seen.picture], return_tensors="pt")
    encoded = model.on_device({"pixel_values": batch["pixel_values"]})
    embedding = model.model.get_image_embeddings(encoded["pixel_values"])
    within = tuple(int(n) for n in batch["reshaped_input_sizes"][0].tolist())  # the rest of the square is padding
    if inputs.get("points") is not None:
        points = points_of(inputs["points"], seen)
        layers, scores = _layers(model, embedding, [_scaled(points, seen, within)])
        best = int(scores[0].argmax())
        masks = [_full(model, layers[0, best], seen, within)]
        return RunnerOutput(values={"masks": [mask_png(m, seen.size, "mask-1.png") for m in masks]}, notes=seen.notes)
    return _everything(model, embedding, seen, within)


def _everything(model: LoadedModel, embedding: torch.Tensor, seen: Seen, within: tuple[int, ...]) -> RunnerOutput:
    grid = [(n + 0.5) / _PER_SIDE for n in range(_PER_SIDE)]
    points = [[(x * within[1], y * within[0])] for y in grid for x in grid]
    kept: list[Found] = []
    for start in range(0, len(points), _AT_ONCE):
        check_abandoned()
        layers, scores = _layers(model, embedding, points[start : start + _AT_ONCE])
        kept += _good_ones(layers.flatten(0, 1), scores.flatten(), model, within)
    chosen = _apart(sorted(kept, key=lambda k: -k[0]))
    notes = (*seen.notes, f"found at a grid of {_PER_SIDE} x {_PER_SIDE} points: small objects between them are missed")
    if len(chosen) > _MOST_MASKS:
        notes = (*notes, f"{len(chosen)} masks were found; the best {_MOST_MASKS} are given")
    if not chosen:
        notes = (*seen.notes, "no mask was found that the model is sure of; with points given the best one is returned in any case")
    masks = []
    for n, (_, layer, _) in enumerate(chosen[:_MOST_MASKS], 1):
        check_abandoned()
        masks.append(mask_png(_full(model, layer, seen, within), seen.size, f"mask-{n}.png"))
    return RunnerOutput(values={"masks": masks}, notes=notes)


def points_of(given: Any, seen: Seen) -> list[tuple[float, float]]:
    """The points that were given, in pixels of the original picture.

    Raises:
        InputError: no list of pairs of numbers, none or too many of them, or one outside the picture.
    """
    remedy = f"Give points as [[x, y], …] in pixels, x in 0..{seen.width - 1} and y in 0..{seen.height - 1}."
    if isinstance(given, list | tuple) and len(given) == 2 and all(_is_number(v) for v in given):
        given = [given]  # one point
    if not isinstance(given, list | tuple) or not given:
        raise InputError(f"'points' must be a list of points, not {given!r:.80}.", remedy=remedy)
    if len(given) > _MOST_POINTS:
        raise InputError(f"'points' has {len(given):,} points; at most {_MOST_POINTS} are taken.", remedy="Give fewer points.")
    for p in given:
        if not isinstance(p, list | tuple) or len(p) != 2 or not all(_is_number(v) for v in p):
            raise InputError(f"'points' holds {p!r:.80}, which is no point.", remedy=remedy)
        if not (0 <= p[0] <= seen.width and 0 <= p[1] <= seen.height):
            raise InputError(f"The point {p!r:.80} of 'points' lies outside the picture ({seen.width} x {seen.height}).", remedy=remedy)
    return [(float(x), float(y)) for x, y in given]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _scaled(points: Sequence[tuple[float, float]], seen: Seen, within: tuple[int, ...]) -> list[tuple[float, float]]:
    """Points of the original picture in pixels of what the model sees."""
    return [(x * within[1] / seen.width, y * within[0] / seen.height) for x, y in points]


def _layers(
    model: LoadedModel, embedding: torch.Tensor, prompts: Sequence[Sequence[tuple[float, float]]]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Masks before the limit, (prompts, 3, h, w), and how well each is said to fit, (prompts, 3).

    Args:
        prompts: the points of each object, in pixels of what the model sees.
    """
    import torch

    points = torch.tensor([prompts], dtype=embedding.dtype, device=embedding.device)
    outputs = model.model(image_embeddings=embedding, input_points=points, multimask_output=True)
    return outputs.pred_masks[0].float(), outputs.iou_scores[0].float()


def _good_ones(layers: torch.Tensor, scores: torch.Tensor, model: LoadedModel, within: tuple[int, ...]) -> list[Found]:
    """Of masks (n, h, w) those that the model is sure of and whose edge is clear, with score and box."""
    found: list[Found] = []
    padded = model.image_processor.pad_size
    high = max(1, math.ceil(within[0] * layers.shape[-2] / padded["height"]))
    wide = max(1, math.ceil(within[1] * layers.shape[-1] / padded["width"]))
    for score, layer in zip(scores.tolist(), layers, strict=True):
        if not score > _SURE:  # also NaN
            continue
        inside = layer[:high, :wide]
        strict, loose = int((inside > 1).sum()), int((inside > -1).sum())
        rows, columns = (inside > 0).any(1).nonzero(), (inside > 0).any(0).nonzero()
        if not loose or strict / loose <= _STABLE or not len(rows):
            continue
        box = (float(columns[0]), float(rows[0]), float(columns[-1]) + 1, float(rows[-1]) + 1)
        found.append((float(score), layer, box))
    return found


def _apart(
    found: Sequence[Found],
) -> list[Found]:
    """Without masks whose box is nearly that of a better one: the same object, hit by another point."""
    import numpy as np

    if not found:
        return []
    boxes = np.array([box for _, _, box in found])
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    kept: list[int] = []
    for n, box in enumerate(boxes):
        others = boxes[kept]
        sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
        both = sides.clip(0).prod(1)
        if not (both / (areas[n] + areas[kept] - both) > _SAME).any():
            kept.append(n)
    return [found[n] for n in kept]


def _full(model: LoadedModel, layer: torch.Tensor, seen: Seen, within: tuple[int, ...]) -> Any:
    """A mask in the size of the picture that the model got, (h, w) of bool."""
    size = (seen.picture.height, seen.picture.width)
    return model.image_processor.post_process_masks([layer[None, None]], [size], [within])[0][0, 0].cpu().numpy()
