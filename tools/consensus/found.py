"""Things found in a picture or a text: those that more than half of the experts found.

Objects are grouped and averaged as in weighted boxes fusion (Solovyev et al., 2021, https://arxiv.org/abs/1910.13302), without its
lowering of scores: what too few experts found is left out instead.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
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
_MOST = 300
_SAID = 100  # more than fit into the short form

Thing = Mapping[str, Any]
Fuse = Callable[[Sequence[Thing]], dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Nearness:
    """How near two things of one label are.

    Attributes:
        closeness: 0..1, of two things; from 0.5 on they may be one.
        place: a coordinate of a thing, and how far from it at most lies that of one which may be the same: nothing else is compared.
    """

    closeness: Callable[[Thing, Thing], float]
    place: Callable[[Thing], tuple[float, float]]


def merge_objects(values: Sequence[Any]) -> Merged:
    """Objects that more than half of the experts found, best first; corners and scores averaged, corners by score."""
    best, notes = _best(values)
    agreed = [_box(list(g.values())) for g in grouped(best, OBJECTS, _box)]
    agreed.sort(key=lambda o: (-o["score"], _key(o)))
    return _merged(best, agreed, OBJECTS, [_counted(v) for v in values], notes)


def merge_keypoints(values: Sequence[Any]) -> Merged:
    """Points that more than half of the experts found; places and scores averaged. Figures that share a point are one, counted anew."""
    best, notes = _best(values)
    near = _near_points(2 * _NEAR * _diagonal([p for v in best for p in v]))
    groups = grouped(best, near, _point)
    figures = _figures(groups)
    agreed = [{**_point(list(g.values())), "figure": f} for g, f in zip(groups, figures, strict=True)]
    said = [f"{len(v)} points of {len({p['figure'] for p in v})} figures" for v in values]
    return _merged(best, agreed, near, said, notes)


def merge_entities(values: Sequence[Any]) -> Merged:
    """Entities that more than half of the experts found, in the order of the text; the span that most of them give, scores averaged."""
    agreed = [_span(list(g.values())) for g in grouped(values, ENTITIES, _span)]
    agreed.sort(key=lambda e: (e["start"], e["end"], _key(e)))
    said = [", ".join(f"{e['text']}: {e['label']}" for e in islice(v, _SAID)) for v in values]
    return _merged(values, agreed, ENTITIES, said)


def iou(a: Thing, b: Thing) -> float:
    """Intersection over union of two boxes, 0..1. Boxes without area: 1 if they are equal."""
    one, other = a["box"], b["box"]
    wide = min(one["xmax"], other["xmax"]) - max(one["xmin"], other["xmin"])
    high = min(one["ymax"], other["ymax"]) - max(one["ymin"], other["ymin"])
    shared = max(0, wide) * max(0, high)
    whole = _area(one) + _area(other) - shared
    return shared / whole if whole > 0 else float(one == other)


def grouped(values: Sequence[Sequence[Thing]], near: Nearness, fuse: Fuse) -> list[dict[int, Thing]]:
    """What is one thing, by expert, where more than half of the experts found it. Things join, best first, the group that is nearest."""
    things = [(i, t) for i, v in enumerate(values) for t in v]
    things.sort(key=lambda p: (-p[1]["score"], _key(p[1]), p[0]))
    by_label: dict[str, _Groups] = {}
    for expert, thing in things:
        by_label.setdefault(spelled(thing["label"]), _Groups(near, fuse)).add(expert, thing)
    return [members for known in by_label.values() for members in known.members if 2 * len(members) > len(values)]


class _Groups:
    """Groups of things of one label, found by the place of what is fused of each."""

    def __init__(self, near: Nearness, fuse: Fuse) -> None:
        self._near = near
        self._fuse = fuse
        self._fused: list[Thing] = []
        self._places: list[tuple[float, int]] = []  # in order, with the number of the group
        self.members: list[dict[int, Thing]] = []

    def add(self, expert: int, thing: Thing) -> None:
        """Let a thing join the nearest group that has none of this expert's, the first of equals; or found one."""
        around = (n for n in _around(self._places, self._near.place(thing)) if expert not in self.members[n])
        best = max(((self._near.closeness(self._fused[n], thing), -n) for n in around), default=(0.0, 0))
        if best[0] < _ALIKE:
            insort(self._places, (self._near.place(thing)[0], len(self.members)))
            self.members.append({expert: thing})
            self._fused.append(thing)
            return
        number = -best[1]
        self.members[number][expert] = thing
        del self._places[bisect_left(self._places, (self._near.place(self._fused[number])[0], number))]
        self._fused[number] = self._fuse(list(self.members[number].values()))
        insort(self._places, (self._near.place(self._fused[number])[0], number))


def f1(one: Sequence[Thing], other: Sequence[Thing], near: Nearness) -> float:
    """F1 of matching two lists one to one, the nearest first, 0..1; 1 where both are empty."""
    if not one and not other:
        return 1.0
    by_label: dict[str, list[tuple[float, int]]] = {}
    for j, b in enumerate(other):
        by_label.setdefault(spelled(b["label"]), []).append((near.place(b)[0], j))
    for places in by_label.values():
        places.sort()
    met = [(near.closeness(a, other[j]), i, j) for i, a in enumerate(one)
           for j in _around(by_label.get(spelled(a["label"]), ()), near.place(a))]  # fmt: skip
    left, right = set[int](), set[int]()
    for alike, i, j in sorted(met, key=lambda n: (-n[0], n[1], n[2])):
        if alike >= _ALIKE and i not in left and j not in right:
            left.add(i)
            right.add(j)
    return 2 * len(left) / (len(one) + len(other))


def _around(places: Sequence[tuple[float, int]], at: tuple[float, float]) -> Iterator[int]:
    """Numbers of the places, which are in order, that are no farther than this reach from here."""
    here, reach = at
    reach += 1e-9 * (1 + abs(here) + reach)  # rounding must not hide one
    for k in range(bisect_left(places, (here - reach, -1)), len(places)):
        if places[k][0] > here + reach:
            return
        yield places[k][1]


def _merged(values: Sequence[Any], agreed: list[dict[str, Any]], near: Nearness, said: list[str], notes: tuple[str, ...] = ()) -> Merged:
    likeness = [f1(v, agreed, near) for v in values]
    return Merged(
        value=agreed,
        score=mean_of_pairs(values, lambda a, b: f1(a, b, near)),
        said=tuple(short(s) for s in said),
        differs=tuple(v < 1 for v in likeness),
        nearest=nearest(likeness),
        notes=notes,
    )


def _best(values: Sequence[Sequence[Thing]]) -> tuple[list[Sequence[Thing]], tuple[str, ...]]:
    """The things that are compared: where there are very many, of each expert those with the highest scores; and a note."""
    if all(len(v) <= _MOST for v in values):
        return list(values), ()
    chosen: list[Sequence[Thing]] = [sorted(v, key=lambda t: -t["score"])[:_MOST] for v in values]
    return chosen, (f"of each expert the {_MOST} surest finds were compared, the others are left out",)


def _box(things: Sequence[Thing]) -> dict[str, Any]:
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


def _near_points(apart: float) -> Nearness:
    """Points half as far from each other as `apart` are just near enough."""

    def closeness(a: Thing, b: Thing) -> float:
        far = math.hypot(a["x"] - b["x"], a["y"] - b["y"])
        return max(0.0, 1 - far / apart) if apart else float(far == 0)

    return Nearness(closeness=closeness, place=lambda p: (p["x"], apart / 2))


def _within(a: Thing, b: Thing) -> float:
    shared = max(0, min(a["end"], b["end"]) - max(a["start"], b["start"]))
    whole = max(a["end"], b["end"]) - min(a["start"], b["start"])
    return shared / whole if whole > 0 else float((a["start"], a["end"]) == (b["start"], b["end"]))


def _area(box: Mapping[str, int]) -> int:
    return max(0, box["xmax"] - box["xmin"]) * max(0, box["ymax"] - box["ymin"])


def _counted(things: Sequence[Thing]) -> str:
    return ", ".join(f"{n} × {label}" for label, n in Counter(str(t["label"]) for t in things).most_common())


def _key(thing: Thing) -> str:
    return json.dumps({k: v for k, v in thing.items() if k != "figure"}, sort_keys=True)


# Where half of the whole is shared, both begin within the length of either.
OBJECTS = Nearness(closeness=iou, place=lambda o: (o["box"]["xmin"], abs(o["box"]["xmax"] - o["box"]["xmin"])))
ENTITIES = Nearness(closeness=_within, place=lambda e: (e["start"], abs(e["end"] - e["start"])))
