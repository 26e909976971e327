"""A file from a local server, from either side of a fetcher."""

from __future__ import annotations

import asyncio
from typing import Any

from langchain_hugginggpt.tools.fetching import Fetched, Fetcher
from tests.tools.fetching.server import Server

MOST = 100_000


def fetched(server: Server, side: str, path: str = "/cat.png", **options: Any) -> Fetched:
    fetcher = Fetcher(**{"allowed_hosts": [server.host], "max_bytes": MOST, "seconds": 5, **options})
    return fetcher.fetch(server.url(path)) if side == "sync" else asyncio.run(fetcher.afetch(server.url(path)))
