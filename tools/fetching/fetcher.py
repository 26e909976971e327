"""Fetches files from the web, as a guest that trusts nobody: not the address, not the name's owner, not the server."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from ..errors import MediaError
from ..runners.workers import Job, Workers, check_abandoned, when_abandoned
from .addresses import AllowedHosts, WebAddress, name_of, next_address, read_address, refusal, shown
from .body import read_body

if TYPE_CHECKING:
    import ssl

    import httpcore

    from .network import Resolve

_REDIRECTS = (301, 302, 303, 307, 308)
_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,60}/[a-z0-9!#$&^_.+-]{1,60}")
_CHARSET = re.compile(r";\s*charset\s*=\s*[\"']?([\w:.+-]{1,40})")
_HEADERS: dict[bytes | str, bytes | str] = {
    "Accept": "*/*",
    "Accept-Encoding": "identity",
    "Connection": "close",
    "User-Agent": "langchain-hugginggpt",
}
_AT_ONCE = 16


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """A file that was fetched.

    Attributes:
        data: its content; may be empty.
        media_type: what the server declared, in lower case and without parameters; None where it declared nothing that can be read.
        name: last part of the address's path, harmless as a file name, at most 100 characters; may be empty.
        url: where it lay in the end, after redirects. Its query may hold secrets.
        charset: in which encoding the server declared its text to be, in lower case; None where it did not say.
    """

    data: bytes = field(repr=False)
    media_type: str | None
    name: str
    url: str = field(repr=False)
    charset: str | None = None


class Fetcher:
    """Fetches public http(s) addresses.

    Each connection, also that of a redirect, is made to an IP address that was checked to be public just before. Nothing of the
    environment is used (proxies, netrc), and no cookie or password is sent.

    Args:
        allowed_hosts: "host" or "host:port": reachable although not public, and whatever their IP addresses are.
        max_bytes: of a file, before and after its Content-Encoding is undone.
        seconds: for all of it, from resolving the name to the last byte, redirects included.
        redirects: how many are followed.
        resolve: gives the IP addresses of a name at a port, as texts; called in a thread. Default: the operating system's resolver.
        network: connects to IP addresses. Default: httpcore's.
        tls: with which certificates are checked. Default: those of certifi and of the operating system.

    Raises:
        MediaError: an entry of `allowed_hosts` is no host.
    """

    def __init__(
        self,
        *,
        allowed_hosts: Iterable[str] = (),
        max_bytes: int = 200 * 2**20,
        seconds: float = 60.0,
        redirects: int = 5,
        resolve: Resolve | None = None,
        network: httpcore.AsyncNetworkBackend | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._allowed = AllowedHosts(allowed_hosts)
        self._max_bytes = max_bytes
        self._seconds = seconds
        self._redirects = redirects
        self._resolve = resolve
        self._network = network
        self._given_tls = tls
        self._resolvers = Workers(_AT_ONCE, name="resolve")
        self._loops = Workers(_AT_ONCE, name="fetch")

    def fetch(self, url: str) -> Fetched:
        """Fetch a file. Ctrl-C ends it at once.

        Raises:
            MediaError: the address may not be reached or does not answer, the server gives no file, or the file is too large.
        """

        def work(_: Job[Fetched]) -> Fetched:
            return asyncio.run(self._unless_abandoned(url))

        job = self._loops.submit(work)  # a thread of its own: the caller's may run an event loop, or be interrupted
        try:
            return job.future.result()
        finally:
            job.abandon()  # no effect on one that is done

    async def _unless_abandoned(self, url: str) -> Fetched:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()

        def cancel() -> None:
            with suppress(RuntimeError):  # the loop has just ended by itself
                loop.call_soon_threadsafe(task.cancel)  # type: ignore[union-attr]  # within a coroutine there is a task

        with when_abandoned(cancel):
            check_abandoned()
            return await self.afetch(url)

    async def afetch(self, url: str) -> Fetched:
        """`fetch` without blocking the event loop. Cancelling ends the connection."""
        address = read_address(url)
        try:
            async with asyncio.timeout(self._seconds):
                return await self._followed(address)
        except TimeoutError as e:
            why = f"it did not arrive within {self._seconds:g} seconds"
            raise refusal(str(address), why, "Try again later, give a smaller file, or download it and attach it.") from e

    async def _followed(self, asked: WebAddress) -> Fetched:
        address = asked
        for _ in range(self._redirects + 1):
            try:
                found = await self._answer(address)
            except MediaError as e:
                if address is asked:
                    raise
                raise MediaError(f"{shown(str(asked))} redirects to another address, but {e.message}", remedy=e.remedy) from e
            if isinstance(found, Fetched):
                name = name_of(asked)
                return replace(found, name=name if PurePosixPath(name).suffix else found.name or name)
            address = found
        raise refusal(str(asked), f"it redirects more than {self._redirects} times", "Give the address that it leads to in the end.")

    async def _answer(self, address: WebAddress) -> Fetched | WebAddress:
        """The file at an address, or where it redirects to."""
        import httpcore

        from . import network as networks

        self._allowed.check(address)
        checked = networks.CheckedNetwork(
            allowed=self._allowed,
            resolve=self._resolve or networks.resolve,
            workers=self._resolvers,
            network=self._network or httpcore.AnyIOBackend(),
            url=str(address),
        )
        tls = await asyncio.to_thread(lambda: self._tls) if address.scheme == "https" else None
        url = httpcore.URL(scheme=address.scheme.encode(), host=address.host.encode(), port=address.port, target=address.target.encode())
        headers = {"Host": address.authority, **_HEADERS}
        limits = {"connect": self._seconds}
        try:
            async with (
                httpcore.AsyncConnectionPool(ssl_context=tls, network_backend=checked, max_keepalive_connections=0) as pool,
                pool.stream("GET", url, headers=headers, extensions={"timeout": limits}) as response,
            ):
                return await self._taken(address, response)
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as e:
            why = str(e) or type(e).__name__
            raise refusal(str(address), f"the connection failed: {why:.200}", "Try again later, or check the address.") from e

    async def _taken(self, address: WebAddress, response: httpcore.Response) -> Fetched | WebAddress:
        headers = _Headers(response.headers)
        if response.status in _REDIRECTS and (location := headers.text("location")):
            return next_address(address, location)
        if response.status != 200:
            why = f"the server answered with status {response.status}"
            raise refusal(str(address), why, "Check the address; what needs a login must be downloaded and attached.")
        data = await read_body(
            response.aiter_stream(),
            address=address,
            encoding=headers.text("content-encoding").lower().strip(),
            length=headers.length(),
            most=self._max_bytes,
        )
        return Fetched(data=data, media_type=headers.media_type(), name=name_of(address), url=str(address), charset=headers.charset())

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        import httpcore

        return self._given_tls or httpcore.default_ssl_context()


class _Headers:
    """The headers of a response, as a server that cannot be trusted sent them."""

    def __init__(self, raw: list[tuple[bytes, bytes]]) -> None:
        self._raw = raw

    def text(self, name: str) -> str:
        """All values of a header, with commas between them; empty without one. Bytes beyond ASCII are read as UTF-8, if they are that."""
        value = b", ".join(v for k, v in self._raw if k.lower() == name.encode())
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return value.decode("latin-1")

    def length(self) -> int | None:
        """Content-Length, or None."""
        value = self.text("content-length")
        return int(value) if re.fullmatch(r"[0-9]{1,20}", value) else None

    def media_type(self) -> str | None:
        """Content-Type without its parameters, or None where it is none."""
        value = self.text("content-type").partition(";")[0].strip().lower()
        return value if _MEDIA_TYPE.fullmatch(value) else None

    def charset(self) -> str | None:
        """The parameter `charset` of Content-Type, or None."""
        found = _CHARSET.search(self.text("content-type").lower())
        return found[1] if found else None
