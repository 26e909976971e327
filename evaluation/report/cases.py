"""The worst cases as they stand in the report: what was asked, what was wanted, what came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..metrics.table import metric
from ..record import Record
from .text import clean, duration, one_line

_TEXT = 600
_LISTED = 8
_TAGS = 24


@dataclass(frozen=True, kw_only=True)
class Tag:
    """One task: `hit`, `missed` (labelled only) or `extra` (planned only), and how often."""

    name: str
    state: str
    times: int


@dataclass(frozen=True, kw_only=True)
class Part:
    """Something else that the record tells: a title, and a text or a list."""

    title: str
    text: str = ""
    items: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class WorstCase:
    """One case.

    Attributes:
        id: of the record.
        score: the primary metric as shown, with its title; empty when it does not count here.
        request: what was asked, one line of it for the heading, and all of it.
        tags: labelled and planned tasks.
        links: labelled and planned links, where the record holds both plans.
        left_out: how many tags more there are.
        error: why nothing came out.
        seconds: as told; empty when it was not timed.
        groups: `type: chain`.
        parts: what else the record tells.
    """

    id: str
    score: str
    heading: str
    request: str
    tags: tuple[Tag, ...]
    links: tuple[Tag, ...]
    left_out: int
    error: str
    seconds: str
    groups: tuple[str, ...]
    parts: tuple[Part, ...]


_PARTS = {
    "files": "Files",
    "problems": "Failed checks",
    "unsupported": "Claims that are not in the trace",
    "reply": "Reply",
    "question": "Question asked back",
    "repairs": "Repairs of the plan",
    "model": "Right model",
    "ranks": "Its ranks",
    "filtered": "First models with the task filter",
    "unfiltered": "First models without",
}
"""What is shown of a record's `detail`, in this order, besides the request or the query and the links."""


def worst_case(record: Record, primary: str | None) -> WorstCase:
    """A record as the report shows it; texts are cut to some hundred characters."""
    detail = record.detail if isinstance(record.detail, Mapping) else {}
    request = next((str(detail[k]) for k in ("request", "query") if detail.get(k)), "")
    tags = tuple(_tags(record.gold, record.predicted))
    links = tuple(_tags(_links(detail.get("label")), _links(detail.get("result")))) if detail.get("label") else ()
    above, below = record.scores.get(primary or "", (0.0, 0.0))
    return WorstCase(
        id=one_line(record.id, 60),
        score=f"{metric(primary).title} {metric(primary).shown(above / below)}" if primary and below else "",
        heading=one_line(request, 140),
        request=clean(request, _TEXT),
        tags=tags[:_TAGS],
        links=links[:_TAGS],
        left_out=len(tags[_TAGS:]) + len(links[_TAGS:]),
        error=clean(record.error, _TEXT),
        seconds="" if record.seconds is None else duration(record.seconds),
        groups=tuple(f"{one_line(k, 40)}: {one_line(v, 40)}" for k, v in list(record.groups.items())[:4]),
        parts=tuple(_parts(detail)),
    )


def _tags(gold: Iterable[str], predicted: Iterable[str]) -> Iterator[Tag]:
    """What is there and wanted, what is missed, what is extra; what is wanted twice must come twice to be hit twice."""
    wanted, came = Counter(gold), Counter(predicted)
    states = {"hit": wanted & came, "missed": wanted - came, "extra": came - wanted} if wanted else {"plain": came}
    for state, names in states.items():
        for name, times in names.items():
            yield Tag(name=one_line(name, 120), state=state, times=times)


def _links(plan: object) -> Iterator[str]:
    """`source → target` of a plan in TaskBench's layout; anything may stand in it."""
    links = plan.get("task_links") if isinstance(plan, Mapping) else None
    for link in links if isinstance(links, list) else []:
        if isinstance(link, Mapping):
            yield f"{one_line(link.get('source'), 50)} → {one_line(link.get('target'), 50)}"


def _parts(detail: Mapping[str, Any]) -> Iterator[Part]:
    for key, title in _PARTS.items():
        value = detail.get(key)
        if isinstance(value, Mapping):
            value = [f"{k}: {_told(v)}" for k, v in value.items()]
        if isinstance(value, list) and value:
            items = tuple(one_line(_told(v), 200) for v in value[:_LISTED])
            more = len(value) - len(items)
            yield Part(title=title, items=(*items, f"… and {more:,} more") if more else items)
        elif value and not isinstance(value, list):
            yield Part(title=title, text=clean(value, _TEXT))


def _told(value: object) -> str:
    """A value in words: of an object its id, then what else stands in it by name; `–` for nothing."""
    if isinstance(value, Mapping):
        return " · ".join(_told(v) if k == "id" else f"{k} {_told(v)}" for k, v in value.items())
    return "–" if value is None else str(value)
