"""Things found in a picture or a text: those that more than half of the experts found.

Objects are grouped and averaged as in weighted boxes fusion (Solovyev et al., 2021, https://arxiv.org/abs/1910.13302), without its
lowering of scores: what too few experts found is left out instead.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .merged import Merged, mean, mean_of_pairs, nearest, short, spelled

OF_OBJECTS = "The mean over pairs of experts of F1, an object being found by both when label and place are the same (IoU of at least 0.5)."
OF_KEYPOINTS = (
    "The mean over pairs of experts of F1, a point being found by both when the label is the same and the places are at most 5 % of the "
    "diagonal of all points apart."
)
OF_ENTITIES = (
    "The mean over pairs of experts of F1, an entity being found by both when the label is the same and the spans overlap by half."
)
_ALIKE = 0.5
_NEAR = 0.05

Thing = Mapping[str, Any]
Closeness = Callable[[Thing, Thing], float]
Fuse = Callable[[Sequence[Thing]], dict[str, Any]]


def merge_objects(values: Sequence[Any]) -> Merged:
    """Objects that more than half of the experts found, best first; corners and scores averaged, corners by score."""
    agreed = [_box(g.values()) for g in grouped(values, iou, lambda things: _box(things))]
    agreed.sort(key=lambda o: (-o["score"], _key(o)))
    return _merged(values, agreed, iou, [_counted(v) for v in values])


def merge_keypoints(values: Sequence[Any]) -> Merged:
    """Points that more than half of the experts found; places and scores averaged. Figures that share a point are one, counted anew."""
    apart = 2 * _NEAR * _diagonal([p for v in values for p in v])

    def closeness(a: Thing, b: Thing) -> float:
        if spelled(a["label"]) != spelled(b["label"]):
            return 0.0
        far = math.hypot(a["x"] - b["x"], a["y"] - b["y"])
        return max(0.0, 1 - far / apart) if apart else float(far == 0)

    groups = grouped(values, closeness, _point)
    figures = _figures(groups)
    agreed = [{**_point(list(g.values())), "figure": f} for g, f in zip(groups, figures, strict=True)]
    return _merged(values, agreed, closeness, [f"{len(v)} points of {len({p['figure'] for p in v})} figures" for v in values])


def merge_entities(values: Sequence[Any]) -> Merged:
    """Entities that more than half of the experts found, in the order of the text; the span that most of them give, scores averaged."""

    def closeness(a: Thing, b: Thing) -> float:
        return _within(a["start"], a["end"], b["start"], b["end"]) if spelled(a["label"]) == spelled(b["label"]) else 0.0

    agreed = [_span(list(g.values())) for g in grouped(values, closeness, _span)]
    agreed.sort(key=lambda e: (e["start"], e["end"], _key(e)))
    said = [", ".join(f"{e['text']}: {e['label']}" for e in v) for v in values]
    return _merged(values, agreed, closeness, said)


def iou(a: Thing, b: Thing) -> float:
    """Intersection over union of two boxes of one label, 0..1; 0 where the labels differ. Boxes without area: 1 if they are equal."""
    if spelled(a["label"]) != spelled(b["label"]):
        return 0.0
    one, other = a["box"], b["box"]
    wide = min(one["xmax"], other["xmax"]) - max(one["xmin"], other["xmin"])
    high = min(one["ymax"], other["ymax"]) - max(one["ymin"], other["ymin"])
    shared = max(0, wide) * max(0, high)
    whole = _area(one) + _area(other) - shared
    return shared / whole if whole > 0 else float(one == other)


def grouped(values: Sequence[Sequence[Thing]], closeness: Closeness, fuse: Fuse) -> list[dict[int, Thing]]:
    """What is one thing, by expert, where more than half of the experts found it. Things join, best first, the group that is nearest."""
    things = sorted(((i, t) for i, v in enumerate(values) for t in v), key=lambda p: (-p[1]["score"], _key(p[1]), p[0]))
    groups: dict[str, list[tuple[dict[int, Thing], list[Thing]]]] = {}
    for expert, thing in things:
        known = groups.setdefault(spelled(thing["label"]), [])
        near = [(closeness(fused[0], thing), n) for n, (members, fused) in enumerate(known) if expert not in members]
        best = max(near, key=lambda c: (c[0], -c[1]), default=(0.0, 0))
        if best[0] >= _ALIKE:
            members, fused = known[best[1]]
            members[expert] = thing
            fused[0] = fuse(list(members.values()))
        else:
            known.append(({expert: thing}, [thing]))
    return [members for known in groups.values() for members, _ in known if 2 * len(members) > len(values)]


def f1(one: Sequence[Thing], other: Sequence[Thing], closeness: Closeness) -> float:
    """F1 of matching two lists one to one, the nearest first, 0..1; 1 where both are empty."""
    if not one and not other:
        return 1.0
    near = [(closeness(a, b), i, j) for i, a in enumerate(one) for j, b in enumerate(other)]
    left, right = set[int](), set[int]()
    for alike, i, j in sorted(near, key=lambda n: -n[0]):
        if alike >= _ALIKE and i not in left and j not in right:
            left.add(i)
            right.add(j)
    return 2 * len(left) / (len(one) + len(other))


def _merged(values: Sequence[Any], agreed: list[dict[str, Any]], closeness: Closeness, said: list[str]) -> Merged:
    likeness = [f1(v, agreed, closeness) for v in values]
    return Merged(
        value=agreed,
        score=mean_of_pairs(values, lambda a, b: f1(a, b, closeness)),
        said=tuple(short(s) for s in said),
        differs=tuple(v < 1 for v in likeness),
        nearest=nearest(likeness),
    )


def _box(things: Any) -> dict[str, Any]:
    members = sorted(things, key=lambda t: (-t["score"], _key(t)))
    weights = [max(t["score"], 1e-9) for t in members]
    corners = {c: round(sum(w * t["box"][c] for w, t in zip(weights, members, strict=True)) / sum(weights)) for c in members[0]["box"]}
    return {"label": members[0]["label"], "score": mean([t["score"] for t in members]), "box": corners}


def _point(things: Sequence[Thing]) -> dict[str, Any]:
    members = sorted(things, key=lambda t: (-t["score"], _key(t)))
    return {**members[0], **{c: mean([t[c] for t in members]) for c in ("x", "y", "score")}}


def _span(things: Sequence[Thing]) -> dict[str, Any]:
    members = sorted(things, key=lambda t: (-t["score"], _key(t)))
    spans = Counter((t["start"], t["end"]) for t in members)
    most = max(spans.values())
    chosen = next(t for t in members if spans[t["start"], t["end"]] == most)
    return {**chosen, "score": mean([t["score"] for t in members])}


def _figures(groups: Sequence[Mapping[int, Thing]]) -> list[int]:
    """The figure of each agreed point: those of different experts are one where they share a point."""
    joined: dict[tuple[int, int], tuple[int, int]] = {}

    def root(figure: tuple[int, int]) -> tuple[int, int]:
        while joined.setdefault(figure, figure) != figure:
            figure = joined[figure]
        return figure

    owners = [[(i, t["figure"]) for i, t in g.items()] for g in groups]
    for first, *others in owners:
        for other in others:
            joined[root(other)] = root(first)
    numbers: dict[tuple[int, int], int] = {}
    return [numbers.setdefault(root(first), len(numbers)) for first, *_ in owners]


def _diagonal(points: Sequence[Thing]) -> float:
    xs, ys = [p["x"] for p in points] or [0], [p["y"] for p in points] or [0]
    return math.hypot(max(xs) - min(xs), max(ys) - min(ys))


def _within(start: float, end: float, other_start: float, other_end: float) -> float:
    shared = max(0, min(end, other_end) - max(start, other_start))
    whole = max(end, other_end) - min(start, other_start)
    return shared / whole if whole > 0 else float((start, end) == (other_start, other_end))


def _area(box: Mapping[str, int]) -> int:
    return max(0, box["xmax"] - box["xmin"]) * max(0, box["ymax"] - box["ymin"])


def _counted(things: Sequence[Thing]) -> str:
    return ", ".join(f"{n} × {label}" for label, n in Counter(str(t["label"]) for t in things).most_common())


def _key(thing: Thing) -> str:
    return json.dumps({k: v for k, v in thing.items() if k != "figure"}, sort_keys=True)
