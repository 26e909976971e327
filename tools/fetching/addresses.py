"""Addresses on the web, read in one way only: what is not plain is refused, not guessed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from urllib.parse import quote, unquote, urljoin

from ..errors import MediaError

MAX_CHARACTERS = 8_000
MAX_NAME = 100
_SHOWN = 80
_PARTS = re.compile(r"([a-z][a-z0-9+.-]*):(?://([^/?#]*))?([^?#]*)(\?[^#]*)?(#.*)?", re.I | re.S)
_AUTHORITY = re.compile(r"(\[[^\[\]]*\]|[^\[\]:]*)(?::([0-9]{0,5}))?")
_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_KEPT = "!$&'()*+,/:;=@[]^{|}~%"  # in a path, beside letters and digits; %: what is encoded stays so
_LOCAL_ENDINGS = (".localhost", ".local", ".internal", ".localdomain", ".lan", ".home.arpa")
_OTHER_PORTS = frozenset({
    # the Fetch standard's bad ports (https://fetch.spec.whatwg.org/#port-blocking): a request could be taken for one of another protocol
    1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110, 111, 113, 115, 117,
    119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636,
    989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
    # databases, which it does not list
    1433, 1521, 3306, 5432, 6379, 11211, 27017,
})  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class WebAddress:
    """An http(s) address, read and checked for its form.

    Attributes:
        scheme: `http` or `https`.
        host: a name in lower case and ASCII, or an IP address without brackets.
        port: 1 to 65535.
        target: path and query, in ASCII.
    """

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """Host and port as in the Host header; the port is left out where it is the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"


def read_address(url: object) -> WebAddress:
    """Read an address.

    Raises:
        MediaError: it is not an http(s) address, or one that others might read in another way.
    """
    if not isinstance(url, str):
        raise MediaError(f"An address is a text, not {type(url).__name__}.", remedy="Give an http(s) address.")
    if len(url) > MAX_CHARACTERS:
        raise refusal(url, f"it has {len(url):,} characters; at most {MAX_CHARACTERS:,} are taken", "Give a shorter address.")
    if any(_is_odd(c) for c in url):
        raise refusal(url, "it holds a control character or a backslash", "Write such characters as %XX.")
    parts = _PARTS.fullmatch(url)
    scheme = parts[1].lower() if parts else ""
    if parts is None or scheme not in _DEFAULT_PORTS:
        remedy = (
            "Attach the file by its path." if scheme == "file" else "Give an http or https address, or download the file and attach it."
        )
        raise refusal(url, "only http and https addresses are", remedy)
    authority = parts[2] or ""
    if "@" in authority:
        raise refusal(url, "it holds a user name or password, which are never sent", "Leave out what stands before the @.")
    found = _AUTHORITY.fullmatch(authority)
    if not authority or found is None:
        raise refusal(url, "its host cannot be read", "Write it as http://host/path or http://host:port/path.")
    port = int(found[2] or _DEFAULT_PORTS[scheme])
    if not 1 <= port <= 65_535:
        raise refusal(url, f"there is no port {port}", "Give a port from 1 to 65535, or none.")
    query = quote(parts[4] or "", safe=_KEPT + "?")
    return WebAddress(scheme=scheme, host=_host(url, found[1]), port=port, target=(quote(parts[3], safe=_KEPT) or "/") + query)


def next_address(address: WebAddress, location: str) -> WebAddress:
    """Where a redirect leads. Raises MediaError where that is no http(s) address, or one without TLS after one with it."""
    if len(location) > MAX_CHARACTERS or any(_is_odd(c) for c in location):
        raise refusal(str(address), "it redirects to an address that cannot be read")
    try:
        led = urljoin(str(address), location)
        after = read_address(led)
    except MediaError as e:
        raise refusal(str(address), f"it redirects to another address, but {e.message.rstrip('.')}") from e
    except ValueError as e:
        raise refusal(str(address), "it redirects to an address that cannot be read") from e
    if (address.scheme, after.scheme) == ("https", "http"):
        # who asked for https wants what its owner sent; over http, anybody on the way could send another file
        raise refusal(str(address), f"it redirects from https to http ({shown(led)})", "Give the http address, if you trust the network.")
    return after


def _host(url: str, written: str) -> str:
    """The host as it is connected to. Raises MediaError for every form that some programs read otherwise than others."""
    if written.startswith("["):
        try:
            if "%" in written:
                raise AddressValueError("it names a network interface")
            return str(IPv6Address(written[1:-1]))
        except AddressValueError as e:
            raise refusal(url, "its IPv6 address cannot be read", "Write it as in http://[2606:4700::1111]/.") from e
    host = written
    if not written.isascii():
        import idna

        try:
            host = idna.encode(written, uts46=True).decode("ascii")
        except UnicodeError as e:
            raise refusal(url, "its host is no name", "Check how it is written.") from e
    host = host.lower().removesuffix(".")
    if not _NAME.fullmatch(host):
        raise refusal(url, "its host is no name", "Check how it is written.")
    if _NUMBER.fullmatch(host.rpartition(".")[2]):  # no name ends so: 2130706433, 0x7f.1, 0177.0.0.1 and 127.1 are meant as addresses
        try:
            return str(IPv4Address(host))
        except AddressValueError as e:
            raise refusal(url, "its IP address is written in an unusual way", "Write it as four numbers from 0 to 255.") from e
    return host


def _is_odd(character: str) -> bool:
    return character == "\\" or unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")


def refusal(url: str, why: str, remedy: str = "") -> MediaError:
    """The error for an address that cannot be fetched."""
    return MediaError(f"{shown(url)} cannot be fetched: {why}.", remedy=remedy or "Check the address, or download the file and attach it.")


def shown(url: str) -> str:
    """An address as messages show it, quoted: scheme, host and path, at most 80 characters; never a user name, a password or a query."""
    parts = _PARTS.match(url[:MAX_CHARACTERS])
    if parts is None:
        return repr(re.split(r"[?#]", url)[0].rpartition("@")[2][:_SHOWN])
    if parts[2] is None:  # data:, javascript: and the like
        return repr(f"{parts[1]}:…"[:_SHOWN])
    authority, path = parts[2].rpartition("@")[2], parts[3]
    host = _AUTHORITY.fullmatch(authority)
    if host is None or (host[2] and "@" in path):  # a password with a slash in it, as in http://user:12/34@host/
        authority, path = "…", ""
    text = f"{parts[1]}://{authority}{path}"
    return repr(text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…")


def name_of(address: WebAddress) -> str:
    """The last part of the path as a file's name: no folders, no control characters, at most 100 characters; may be empty."""
    last = address.target.partition("?")[0].rpartition("/")[2]
    plain = unquote(last, errors="replace").replace("\\", "/").rpartition("/")[2]
    kept = "".join(c for c in plain if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")).strip(". ")
    if len(kept) <= MAX_NAME:
        return kept
    stem, dot, ending = kept.rpartition(".")
    return f"{stem[: MAX_NAME - len(ending) - 1]}.{ending}" if dot and len(ending) < 10 else kept[:MAX_NAME]


class AllowedHosts:
    """Hosts that the user named as reachable, whatever their addresses are.

    Args:
        hosts: "host" (any port) or "host:port"; IPv6 addresses in brackets.

    Raises:
        MediaError: an entry that is no host.
    """

    def __init__(self, hosts: Iterable[str]) -> None:
        self._entries = frozenset(map(_entry, [hosts] if isinstance(hosts, str) else hosts))

    def holds(self, host: str, port: int) -> bool:
        """Whether this host may be reached at this port, though it is not public."""
        return (host, None) in self._entries or (host, port) in self._entries

    def check(self, address: WebAddress) -> None:
        """Refuse what the address alone tells to be no public website. Raises MediaError."""
        host, port = address.host, address.port
        if port in _OTHER_PORTS and (host, port) not in self._entries:
            raise refusal(str(address), f"port {port} is not one of the web", "Give the address of a website.")
        if self.holds(host, port) or ":" in host:
            return
        if "." not in host or host.endswith(_LOCAL_ENDINGS):
            remedy = "Download the file and attach it, or allow its host (--allow-host HOST)."
            raise refusal(str(address), f"{host!r} is a name of the local network", remedy)


def _entry(written: str) -> tuple[str, int | None]:
    found = _AUTHORITY.fullmatch(written)
    if found is None or not written:
        raise MediaError(f"{written[:_SHOWN]!r} is no host that could be allowed.", remedy="Write it as host or host:port.")
    return _host(f"http://{written}/", found[1]), int(found[2]) if found[2] else None
