"""huggingface_hub's client, whose calls stay where they were sent, and whose replies end: in size, and when nobody waits for them any more.

By itself it follows every redirect, and sends what it was given along; it asks a proxy of the environment even for what is on this
machine; and it reads whatever comes, to the end: a server that sends gigabytes fills the memory, and one that sends a byte a second
keeps a thread for ever, since its timeout counts anew with each byte.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from importlib import import_module
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ....index.errors import ExpertError
from ..workers import check_abandoned
from .failures import SentElsewhere

if TYPE_CHECKING:
    from huggingface_hub import InferenceClient

MAX_REPLY = 256 * 2**20
"""Bytes, unpacked."""
_MAX_REFUSAL = 2**20  # of an error's own words; what comes after is not read
_MAX_REDIRECTS = 5
_PICTURES = ("text-to-image", "image-to-image")  # replies in JSON otherwise, which the client cannot read


@cache
def client_type() -> type[InferenceClient]:
    """InferenceClient with calls and replies as above, to be closed after each call.

    Its methods raise ExpertError, a clause, for a reply that is too large, and SentElsewhere for a redirect to another origin.
    """
    from huggingface_hub import InferenceClient, get_session, hf_raise_for_status

    class Client(InferenceClient):
        def _inner_post(self, request_parameters: Any, *, stream: bool = False) -> Any:
            """The one place, in 1.x and 2.x, where it sends what it was given."""
            given = request_parameters
            headers = {"Accept": "image/png", **given.headers} if given.task in _PICTURES else given.headers
            session = _direct_session(os.getpid()) if is_loopback(given.url) else get_session()
            request = session.build_request("POST", given.url, json=given.json, content=given.data, headers=headers, timeout=self.timeout)
            response = _bounded(_sent(session, request, self.exit_stack))
            hf_raise_for_status(response)
            return response.iter_lines() if stream else response.read()

    return Client


def is_loopback(url: str) -> bool:
    """Whether an address is of this machine: `localhost`, or a loopback address as it stands. No name is looked up."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


@cache
def _direct_session(_process: int) -> Any:
    """The client of a process that no proxy of the environment gets to see anything of; it keeps connections, as huggingface_hub's does."""
    from huggingface_hub import __version__

    http = import_module("httpx" if __version__.startswith("1.") else "httpx2")  # the one whose errors huggingface_hub knows
    return http.Client(trust_env=False)


def _sent(session: Any, request: Any, open_ones: ExitStack) -> Any:
    """The response, unread; redirects are followed within the origin of the address, as from `/x` to `/x/`.

    Raises:
        SentElsewhere: one goes to another origin, which would be sent everything.
    """
    for _ in range(1 + _MAX_REDIRECTS):
        response = session.send(request, stream=True, follow_redirects=False)
        open_ones.callback(response.close)
        following = response.next_request
        if following is None:
            break
        if _origin(following.url) != _origin(request.url):
            raise SentElsewhere(f"{following.url.scheme}://{following.url.netloc.decode('ascii', 'replace').rpartition('@')[2]}")
        request = following
    if 300 <= response.status_code < 400:  # huggingface_hub takes it for an answer
        response.raise_for_status()
    return response


def _origin(url: Any) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _bounded(response: Any) -> Any:
    """The same response; whatever reads it comes through here."""
    pieces = response.iter_bytes
    refused = response.status_code >= 400
    announced = response.headers.get("content-length", "")

    def iter_bytes(chunk_size: int | None = None) -> Iterator[bytes]:
        if not refused and announced.isdecimal() and len(announced) < 20 and int(announced) > MAX_REPLY:
            raise _too_large()
        read = 0
        for piece in pieces(chunk_size):
            check_abandoned()
            read += len(piece)
            if refused and read > _MAX_REFUSAL:
                return
            if read > MAX_REPLY:
                raise _too_large()
            yield piece

    response.iter_bytes = iter_bytes
    return response


def _too_large() -> ExpertError:
    return ExpertError(f"it has more than {MAX_REPLY // 2**20} MiB")
