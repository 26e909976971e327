"""Which cards `hugginggpt index build` and `index update` read: what was asked for, or what the index was made of before."""

from __future__ import annotations

import datetime
import re
import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote

from ..index.errors import CallerError, UnknownNameError
from ..index.model_card_index import ModelCardIndex
from ..index.sources import HubAccess, open_source
from ..tools.hub_tasks import HUB_TASKS

if TYPE_CHECKING:
    from ..index.sources import CardSource
    from ..index.store.manifest import Manifest

_HUB = "hub"
_SAY_IT = "Say it: --from FILE, FOLDER or hub."
_OPTION = re.compile(r"(.*); (untagged|tasks|authors|limit)(?:=([^;\s]*))?", re.S)
_OF_HUB = re.compile(r"https?://\S+ (with|without) READMEs: (.*?)(?:, since .*)?", re.S)
_LOCAL = re.compile(r"(.*) \((?:\d+ bytes, [\d:.TZ-]+|(?:\d+ parquet files, \d+ bytes|READMEs), state [0-9a-f]{12})\)", re.S)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which cards.

    Attributes:
        where: `hub`, or a path; None for where the index came from.
        tasks, authors: only these; none for all.
        limit: how many at most; None for all.
        untagged: cards without a task as well.
        search: only models of the Hub whose id holds this.
        readmes: whether READMEs are fetched from the Hub.
    """

    where: str | None
    tasks: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    limit: int | None = None
    untagged: bool = False
    search: str | None = None
    readmes: bool = True

    def check(self) -> None:
        """Raises UnknownNameError for a task that the Hub does not have; CallerError for a choice out of nothing."""
        for task in self.tasks:
            if task not in HUB_TASKS:
                raise UnknownNameError("Hub task", task, HUB_TASKS)
        if self.where is None and (self.tasks or self.authors):
            raise CallerError("--task and --author choose from a source.", remedy=_SAY_IT)

    def open(self, *, since: datetime.datetime | None = None) -> CardSource:
        """The source. Raises SourceError where there is none."""
        access = HubAccess(since=since, search=self.search, readmes=self.readmes)
        return open_source(self.where or "", tasks=self.tasks, authors=self.authors, limit=self.limit, untagged=self.untagged, hub=access)


def remembered(source: str) -> Wanted | None:
    """What an index was made of, read out of its source's name, which is meant for people; None where that does not tell.

    A path may be gone by now.
    """
    name, options = source, dict[str, str]()
    while found := _OPTION.fullmatch(name):
        name, options[found[2]] = found[1], found[3] or ""
    kept = Wanted(
        where=None,
        tasks=_names(options.get("tasks")),
        authors=_names(options.get("authors")),
        limit=int(options["limit"]) if "limit" in options else None,
        untagged="untagged" in options,
    )
    hub = _OF_HUB.fullmatch(name)
    if hub is None:
        local = _LOCAL.fullmatch(name)
        return replace(kept, where=local[1]) if local and Path(local[1]).is_absolute() else None
    queries = [parse_qs(q) for q in hub[2].split("; ")]
    tasks, authors, searches = (tuple(dict.fromkeys(q[k][0] for q in queries if k in q)) for k in ("pipeline_tag", "author", "search"))
    search = searches[0] if searches else None
    return replace(kept, where=_HUB, tasks=tasks, authors=authors, search=search, readmes=hub[1] == "with")


def _names(told: str | None) -> tuple[str, ...]:
    return tuple(unquote(n) for n in told.split(",")) if told else ()


def to_update(wanted: Wanted, manifest: Manifest, root: Path) -> CardSource:
    """What brings an index up to date: the Hub's changes since its newest card, or all of a file or a folder.

    Raises:
        CallerError: nobody knows where its cards came from, or how new they are.
        SourceError: there is no such source.
    """
    wanted.check()
    before = remembered(manifest.source)
    of_hub = before is not None and before.where == _HUB
    asked_again = wanted == Wanted(where=None) or (wanted == Wanted(where=_HUB) and of_hub)
    chosen = before if asked_again else wanted
    if wanted == Wanted(where=_HUB) and before is not None and not of_hub:  # a part of a dump stays that part
        chosen = replace(wanted, tasks=before.tasks, authors=before.authors, untagged=before.untagged)
    if chosen is None or (asked_again and not of_hub and not Path(chosen.where or "").exists()):
        raise CallerError(
            f"The index {str(root)!r} does not tell where its cards can be read again: {manifest.source[:200]!r}.", remedy=_SAY_IT
        )
    again = chosen.where != _HUB or chosen.limit is not None  # of the Hub, the first N are others by now: they are listed again
    source = chosen.open(since=None if again else _since(manifest, root, of_hub=of_hub))
    if asked_again and chosen.where == _HUB and source.name.split()[0] != manifest.source.split()[0]:
        raise CallerError(
            f"The index {str(root)!r} came from {manifest.source.split()[0]}, and the Hub is {source.name.split()[0]} here.",
            remedy="Set HF_ENDPOINT to the former, where you trust it with your token.",
        )
    return source


def _since(manifest: Manifest, root: Path, *, of_hub: bool) -> datetime.datetime:
    """From when on the Hub may have changes that an index lacks: since it was begun; but a dump is older than what is made of it."""
    begun = datetime.datetime.fromisoformat(manifest.created)
    now = datetime.datetime.now(datetime.UTC)
    days = [day for told in ModelCardIndex.open(root).count_by("modified") if (day := _day(told)) is not None and day <= now]
    if days:
        return min(begun, max(days))
    if of_hub:
        return begun
    raise CallerError(
        f"The cards of the index {str(root)!r} tell no dates: nobody knows what has changed since.",
        remedy=f"Build it from the Hub: hugginggpt index build --from hub --out {shlex.quote(str(root))}",
    )


def _day(told: str) -> datetime.datetime | None:
    """A card's day, as it begins in UTC; None where there is no such day."""
    try:
        return datetime.datetime.fromisoformat(told[:10]).replace(tzinfo=datetime.UTC)
    except ValueError:
        return None
