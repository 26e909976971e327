"""Cards from the live Hub: its listing page by page, and each model's README.

The requests are those of `HfApi.list_models(expand=…)`, sent by huggingface_hub's own `http_backoff`: its session, headers, retries of 408,
429 and 5xx, and waits of as long as the headers RateLimit or Retry-After ask for. `list_models` itself (1.33) cannot be used for millions
of models: it cannot start at a page, it does not retry the first one, it has no time limit, and one odd row (`safetensors` without `total`)
ends it for good. READMEs are asked for one by one, as `ModelCard.load` does, but up to a length and without a cache on disk.
"""

from __future__ import annotations

import datetime
import json
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote, urlencode, urlsplit

from ..errors import CallerError, RemoteError
from ..problems import Problems
from .errors import SourceError
from .rows import Rows, is_id
from .source import SourceCard

if TYPE_CHECKING:
    import httpx

EXPAND = ("downloads", "gated", "gguf", "inferenceProviderMapping", "lastModified", "library_name", "likes", "pipeline_tag", "safetensors",
          "tags")  # fmt: skip
"""What the Hub is asked to tell of each model."""

_SORTS = {"last_modified": "lastModified", "downloads": "downloads", "likes": "likes"}
_REMEDIES = {400: "Begin the build anew, without --resume.", 401: "Check the token.", 403: "Check the token.", 404: "Check the endpoint."}
_SECONDS = 60  # that one request may take
_README_BYTES = 256 * 1024
_FAILURES = 8  # READMEs that fail one after another before the Hub counts as down


@dataclass(frozen=True, kw_only=True)
class HubAccess:
    """How the Hub is asked.

    Attributes:
        token: access token; None for the one that huggingface_hub finds.
        endpoint: address; None for the one that huggingface_hub uses.
        order: newest first, or most downloads or likes first.
        since: only models that changed at this time or later; wants the newest first.
        search: only models whose id holds this.
        readmes: fetch each model's README; without, cards have no text.
        workers: READMEs that are fetched at once, >= 1.
        attempts: how often a request is sent before it has failed, >= 1.
    """

    token: str | None = field(default=None, repr=False)
    endpoint: str | None = None
    order: Literal["last_modified", "downloads", "likes"] = "last_modified"
    since: datetime.datetime | None = None
    search: str | None = None
    readmes: bool = True
    workers: int = 8
    attempts: int = 6

    def __post_init__(self) -> None:
        if self.since is not None and self.order != "last_modified":
            raise CallerError(f"Changes since a time cannot be read by {self.order}.", remedy="Leave the order out.")


class HubSource:
    """The models of the Hub, or of some tasks and authors. The cursor is a page of the Hub's, and the last card on it.

    A model that changes while it is listed moves to the front and may be missed: the next delta, since the time at which this reading
    began, finds it. A card that the Hub lists under two chosen authors or tasks comes twice.

    Args:
        tasks: Hub pipeline tags; none for all.
        authors: users and organisations; none for all.
        untagged: keep models without a task, under `other`.
        access: how the Hub is asked.

    Raises:
        SourceError: huggingface_hub is not installed.
    """

    def __init__(
        self, *, tasks: tuple[str, ...] = (), authors: tuple[str, ...] = (), untagged: bool = False, access: HubAccess | None = None
    ) -> None:
        try:
            from huggingface_hub import HfApi
        except ImportError as e:
            raise SourceError(
                "The package 'huggingface_hub' is not installed.", remedy='Run: pip install "langchain-hugginggpt[hub]"'
            ) from e
        self._access = access or HubAccess()
        self.complete = self._access.since is None
        self._endpoint = HfApi(endpoint=self._access.endpoint).endpoint
        self._rows = Rows(source=self._endpoint, untagged=untagged)
        self._queries = [self._query(task, author) for task in tasks or (None,) for author in authors or (None,)]

    @property
    def name(self) -> str:
        """The Hub's address and what it is asked for."""
        readmes = "with" if self._access.readmes else "without"
        since = "" if self._access.since is None else f", since {self._access.since}"
        return f"{self._endpoint} {readmes} READMEs: {'; '.join(self._queries)}{since}" + ("; untagged" if self._rows.untagged else "")

    def read(self, problems: Problems, after: str | None = None) -> Iterator[SourceCard]:
        """The models in the Hub's order; see `CardSource`. The Hub does not say how many there are: `share` is None.

        A model whose README fails is left out, so that no card without a text takes the place of one with it; `complete` is False then.

        Raises:
            SourceError: `after` is no cursor of this source.
            RemoteError: the Hub refused, or failed even after several attempts.
        """
        listed = self._listed(*self._start(after))
        for row, cursor in self._with_readmes(listed, problems) if self._access.readmes else listed:
            card = self._rows.card(row, "hub", problems)
            if card is not None:
                yield SourceCard(card=card, cursor=cursor, share=None)

    def _query(self, task: str | None, author: str | None) -> str:
        asked = {
            "author": author,
            "pipeline_tag": task,
            "search": self._access.search,
            "sort": _SORTS[self._access.order],
            "expand": EXPAND,
        }
        return urlencode({k: v for k, v in asked.items() if v is not None}, doseq=True)

    def _start(self, cursor: str | None) -> tuple[int, str, str | None]:
        """Number of the query, its page, and the id behind which it goes on."""
        if cursor is None:
            return 0, self._queries[0], None
        try:
            number, page, ident = json.loads(cursor)
            if number in range(len(self._queries)) and isinstance(page, str) and isinstance(ident, str):
                return number, page, ident
        except (ValueError, TypeError):
            pass
        raise SourceError(f"{cursor[:80]!r} is no place in this source.", remedy="Begin the build anew, without --resume.")

    def _listed(self, number: int, page: str, ident: str | None) -> Iterator[tuple[dict[str, Any], str]]:
        """Rows of the listing, each with its cursor."""
        while True:
            rows, following = self._page(page)
            ids = [r.get("id") if isinstance(r, dict) else None for r in rows]
            # once more the whole page, if the card is gone from it
            begin = ids.index(ident) + 1 if ident is not None and ident in ids else 0
            for row in rows[begin:]:
                if self._is_past(row):
                    following = None
                    break
                yield row, json.dumps([number, page, str(row.get("id")) if isinstance(row, dict) else ""])
            ident = None
            if following is None:
                number += 1
                if number == len(self._queries):
                    return
                following = self._queries[number]
            page = following

    def _is_past(self, row: object) -> bool:
        if self._access.since is None or not isinstance(row, dict):
            return False
        try:
            changed = datetime.datetime.fromisoformat(str(row.get("lastModified")))
        except ValueError:
            return False
        return changed.astimezone(datetime.UTC) < self._access.since.astimezone(datetime.UTC)

    def _page(self, query: str) -> tuple[list[Any], str | None]:
        """Rows of a page, and the query of the next. Of the next page's address only the query is used: the token goes nowhere else."""
        answer = self._get(f"/api/models?{query}")
        if not answer.is_success:
            raise RemoteError(
                f"The Hub answered {answer.status_code} to the listing of models: {answer.text[:200]!r}.",
                remedy=_REMEDIES.get(answer.status_code, "Try again later; a build goes on where it stopped (--resume)."),
                status=answer.status_code,
            )
        try:
            rows = answer.json()
        except ValueError as e:
            raise RemoteError(f"The Hub's listing is not JSON: {answer.text[:80]!r}.", remedy="Check the endpoint.") from e
        if not isinstance(rows, list):
            raise RemoteError(f"The Hub's listing is not a list: {answer.text[:80]!r}.", remedy="Check the endpoint.")
        link = answer.links.get("next", {}).get("url")
        return rows, urlsplit(link).query if link else None

    def _get(self, path: str, **headers: str) -> httpx.Response:
        """The answer, of whatever status; the Hub's own failures have been tried again."""
        import httpx
        from huggingface_hub.errors import HfHubHTTPError
        from huggingface_hub.utils import build_hf_headers, http_backoff  # type: ignore[attr-defined]

        sent = build_hf_headers(token=self._access.token, library_name="langchain-hugginggpt", headers=headers)
        try:
            answer: httpx.Response = http_backoff(
                "GET", self._endpoint + path, headers=sent, timeout=_SECONDS, max_retries=self._access.attempts - 1
            )
            return answer
        except HfHubHTTPError as e:
            return e.response
        except (httpx.HTTPError, OSError) as e:
            raise RemoteError(f"The Hub at {self._endpoint} cannot be reached: {e}", remedy="Check the connection, then try again.") from e

    def _with_readmes(self, listed: Iterator[tuple[dict[str, Any], str]], problems: Problems) -> Iterator[tuple[dict[str, Any], str]]:
        """The rows with their README under `card`, in the same order; a few are fetched ahead. Rows whose README fails are left out."""
        pool = ThreadPoolExecutor(self._access.workers, thread_name_prefix="readme")
        ahead: deque[tuple[dict[str, Any], str, Future[str | RemoteError]]] = deque()
        failed, fetched = list[RemoteError](), False  # one after another, and whether ever one did not

        def oldest() -> Iterator[tuple[dict[str, Any], str]]:
            nonlocal fetched
            row, cursor, future = ahead.popleft()
            found = future.result()
            if isinstance(found, str):
                failed.clear()
                fetched = True
                yield ({**row, "card": found} if found else row), cursor
            elif found.status in (401, 403):  # a model that asks for consent says nothing of the Hub's health
                problems.add("README wants consent or a token (the card is kept without)", found.message)
                yield row, cursor
            else:
                failed.append(found)
                if len(failed) == _FAILURES:
                    raise found
                self.complete = False
                problems.add("README cannot be fetched (the model is left out)", found.message)

        try:
            for row, cursor in listed:
                ahead.append((row, cursor, pool.submit(self._readme, row)))
                if len(ahead) >= 2 * self._access.workers:
                    yield from oldest()
            while ahead:
                yield from oldest()
            if failed and not fetched:  # a few changes, and none can be read: the next update shall ask for them again
                raise failed[-1]
        finally:
            pool.shutdown(cancel_futures=True)

    def _readme(self, row: object) -> str | RemoteError:
        """A model's README up to 256 KiB; empty where it has none."""
        ident = row.get("id") if isinstance(row, dict) else None
        if not isinstance(ident, str) or not is_id(ident):
            return ""  # `Rows` will say so
        try:
            answer = self._get(
                f"/{quote(ident)}/resolve/main/README.md", Range=f"bytes=0-{_README_BYTES - 1}", **{"Accept-Encoding": "identity"}
            )
        except RemoteError as e:
            return e
        if answer.status_code in (404, 416):  # 416: nothing in it
            return ""
        if not answer.is_success:
            return RemoteError(f"The Hub answered {answer.status_code} to the README of {ident}.", status=answer.status_code)
        return answer.content[:_README_BYTES].decode(errors="replace")
