"""Addresses in a request's own words, as in "What is on https://example.org/cat.jpg?"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ..tools.artifacts import Artifact, ArtifactStore
from ..tools.errors import MediaError
from ..tools.runners.workers import Job, Workers

MAX_LINKS = 3
_MOST = 500  # characters of a request; a longer one is a text that was pasted, whose addresses are not meant to be opened
_QUOTED = re.compile(r"""(?<!\w)(?:"[^"]*"|“[^”]*”|„[^“”]*[“”]|«[^»]*»|`[^`]*`|‘[^’]*’|'[^']*')(?!\w)""")
_LINK = re.compile(r"(?<!\w)https?://[^\s<>]+", re.I)
_OPENING = {")": "(", "]": "[", "}": "{"}


@dataclass(frozen=True, kw_only=True)
class Link:
    """An address that a request names.

    Attributes:
        url: as it stands there.
        file: what lies there, named by the address; None where it could not be read.
        why: why it could not; empty where it could.
    """

    url: str
    file: Artifact | None = None
    why: str = ""

    def as_json(self) -> dict[str, Any]:
        """`{"url", "file", "why"}`."""
        return {"url": self.url, "file": None if self.file is None else self.file.as_json(), "why": self.why}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Link:
        """Read what `as_json` wrote."""
        return cls(url=data["url"], file=Artifact.from_json(data["file"]) if data["file"] else None, why=data["why"])


def links(text: str) -> tuple[str, ...]:
    """The http(s) addresses that a request names, each once, in order; at most 3.

    What stands in quotation marks is a text, and so is a request of several lines or of more than 500 characters: their addresses are left
    alone. Who pastes a letter does not want its links to be opened.
    """
    asked = text.strip()
    if len(asked) > _MOST or "\n" in asked:
        return ()
    return tuple(dict.fromkeys(_trimmed(m[0]) for m in _LINK.finditer(_QUOTED.sub(" ", asked))))[:MAX_LINKS]


def _trimmed(link: str) -> str:
    """Without what belongs to the sentence: a full stop, a comma, a bracket that was opened before the address."""
    while link[-1:] in ".,;:!?…*_" or (link[-1:] in _OPENING and link.count(link[-1]) > link.count(_OPENING[link[-1]])):
        link = link[:-1]
    return link


def read_links(text: str, store: ArtifactStore) -> tuple[Link, ...]:
    """What lies at the addresses that a request names, fetched side by side. Blocks; never raises for an address."""
    found = links(text)
    workers = Workers(MAX_LINKS, name="link")
    jobs = [workers.submit(partial(_read, url, store)) for url in found]
    try:
        return tuple(job.future.result() for job in jobs)
    finally:
        for job in jobs:
            job.abandon()  # no effect on one that is done


def _read(url: str, store: ArtifactStore, _: Job[Link]) -> Link:
    try:
        return Link(url=url, file=replace(store.resolve(url), name=url))
    except MediaError as e:
        return Link(url=url, why=str(e))
