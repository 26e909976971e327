"""Connections to checked addresses only: a name is resolved where the connection is made, so that nothing can change in between."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterable, Sequence
from ipaddress import ip_address
from typing import Any

import httpcore

from ..runners.workers import Job, Workers
from .addresses import AllowedHosts, refusal
from .networks import why_not_public

Resolve = Callable[[str, int], Sequence[str]]
_MOST_TRIED = 8


def resolve(host: str, port: int) -> list[str]:
    """The IP addresses of a name, as the operating system finds them, best first. Raises OSError where there are none."""
    return list(dict.fromkeys(str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))


class CheckedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to public addresses, and to allowed hosts.

    All addresses of a name must be public: whoever answers with a private one among them is either no public website or plays tricks.

    Args:
        allowed: hosts whose addresses are not checked.
        resolve: gives the addresses of a name; called in a thread.
        workers: the threads.
        network: what connects, to IP addresses alone.
        url: what is fetched, for errors.
    """

    def __init__(
        self, *, allowed: AllowedHosts, resolve: Resolve, workers: Workers, network: httpcore.AsyncNetworkBackend, url: str
    ) -> None:
        self._allowed = allowed
        self._resolve = resolve
        self._workers = workers
        self._network = network
        self._url = url

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to the first address that takes one.

        Raises:
            MediaError: one of the addresses is not public.
            httpcore.ConnectError, httpcore.ConnectTimeout: none takes a connection.
        """
        addresses = (await self._addresses(host, port))[:_MOST_TRIED]
        ends = asyncio.get_running_loop().time() + (timeout or 0)
        for n, address in enumerate(addresses, 1):
            left = max(0.0, ends - asyncio.get_running_loop().time()) / (len(addresses) - n + 1) if timeout else None
            try:
                return await self._network.connect_tcp(address, port, left, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if n == len(addresses):
                    raise
        raise httpcore.ConnectError("the name has no address")

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109  # httpcore's interface
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Never."""
        raise refusal(self._url, "it is no address on the web")

    async def _addresses(self, host: str, port: int) -> list[str]:
        try:
            found = [str(ip_address(host))]
        except ValueError:
            found = await self._resolved(host, port)
        if not self._allowed.holds(host, port):
            for address in found:
                self._check(host, address)
        return found

    async def _resolved(self, host: str, port: int) -> list[str]:
        def work(_: Job[list[str]]) -> list[str]:
            return list(self._resolve(host, port))

        job = self._workers.submit(work)
        try:
            return await asyncio.wrap_future(job.future)
        except (OSError, UnicodeError) as e:
            raise refusal(self._url, f"there is no host {host!r}", "Check how it is written, and the network.") from e
        finally:
            job.abandon()  # no effect on one that is done

    def _check(self, host: str, address: str) -> None:
        try:
            why = why_not_public(address)
        except ValueError:
            why = "no IP address"
        if why is not None:
            told = address if address == host else f"{host!r} has the address {address}, which"
            remedy = "Download the file and attach it, or allow its host (--allow-host HOST)."
            raise refusal(self._url, f"{told} is not public but {why}", remedy)
